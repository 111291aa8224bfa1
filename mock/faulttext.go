package mock

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault from text: a status, a kind, or both, and then what else is asked
// of it, separated by commas.
//
//	503
//	503,acted
//	429,retry-after=5
//	429,retry-date=5s
//	401,type=RULES_OUTDATED
//	422,shape=earlier
//	301,location=https://other.example/
//	drop,acted
//	html,502
//	slow,delay=10ms
//	delay=2s
//	drift-price-number
//
// The error names the part that cannot be read. A fault that would lie is refused: "acted"
// with an answer that settles whether the message was unsent.
func ParseFault(text string) (Fault, error) {
	var f Fault
	for part := range strings.SplitSeq(text, ",") {
		if err := f.parse(strings.TrimSpace(part)); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	if reason := f.invalid(); reason != "" {
		return Fault{}, fmt.Errorf("fault %q: %s", text, reason)
	}
	if f.Acted && f.impliedOutcome() == notUnsent {
		return Fault{}, fmt.Errorf("fault %q: leave out acted, this answer means that the message was not unsent", text)
	}
	return f, nil
}

func (f *Fault) parse(part string) error {
	name, value, valued := strings.Cut(part, "=")
	if !valued {
		return f.parseWord(name)
	}
	var err error
	switch name {
	case "delay":
		if f.Delay, err = duration(value); err == nil && f.Delay < 0 {
			err = errors.New("must not be negative")
		}
	case "retry-date":
		f.RetryDate, err = duration(value)
	case "retry-after":
		f.RetryAfter = value
	case "type":
		f.Type = value
	case "shape":
		f.Shape = Shape(value)
	case "location":
		f.Location = value
	default:
		return fmt.Errorf("unknown setting %q; use delay, retry-after, retry-date, type, shape or location", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if value == "" {
		return fmt.Errorf("%s needs a value", name)
	}
	return nil
}

func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time such as 2s or 10ms", text)
	}
	return d, nil
}

func (f *Fault) parseWord(word string) error {
	if status, err := strconv.Atoi(word); err == nil {
		if f.Status != 0 || status < 200 || status > 599 {
			return errors.New("give one status of 200 to 599")
		}
		f.Status = status
		return nil
	}
	switch {
	case word == "acted":
		f.Acted = true
	case word == "" || !Kind(word).known():
		return fmt.Errorf("unknown kind %q; use a status, acted, or one of %s", word, joined(FaultKinds()))
	case f.Kind != "":
		return errors.New("give one kind")
	default:
		f.Kind = Kind(word)
	}
	return nil
}

// String is the text that [ParseFault] reads, but for Body and ContentType, which have none.
func (f Fault) String() string {
	var parts []string
	add := func(set bool, part string) {
		if set {
			parts = append(parts, part)
		}
	}
	add(f.Kind != "", string(f.Kind))
	add(f.Status != 0, strconv.Itoa(f.Status))
	add(f.Type != "", "type="+f.Type)
	add(f.Shape != "", "shape="+string(f.Shape))
	add(f.RetryAfter != "", "retry-after="+f.RetryAfter)
	add(f.RetryDate != 0, "retry-date="+f.RetryDate.String())
	add(f.Location != "", "location="+f.Location)
	add(f.Delay != 0, "delay="+f.Delay.String())
	add(f.Acted, "acted")
	if len(parts) == 0 {
		return "200"
	}
	return strings.Join(parts, ",")
}

func joined(list []Kind) string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
