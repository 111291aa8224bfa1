package mock

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is a departure from the plain answer: a status, what happens to the body, a delay, and
// whether the message is unsent all the same. The zero Fault is the plain answer.
//
// The next valid request consumes a scripted fault. Requests rejected for credentials, rate
// limit or body do not.
//
// Faults never lie. Where the answer means that the message was not unsent (a 4xx but 408, a
// 3xx but 303, "success":false), it is not, whatever Acted says; where it says "success":true,
// the message is unsent by this request, or else the answer is 404 RESOURCE_NOT_FOUND in the
// fault's place, because it was gone before.
type Fault struct {
	Kind   Kind // what happens to the connection or the body; empty for nothing
	Status int  // 200 to 599; 0 is 200

	// Of an error, a Status of 300 or more.
	Type       string        // the error type; by default that of the status in openapi.yaml. RESOURCE_NOT_FOUND is said only of a message that is gone, ROUTE_NOT_FOUND in its place
	Shape      Shape         // the error's members; by default those of the status in openapi.yaml
	RetryAfter string        // the header as it is sent, absurd values too; empty for none
	RetryDate  time.Duration // the header as an HTTP date that far from now; used where RetryAfter is empty, 0 for none
	Location   string        // the header of a 3xx; "/moved" by default

	// Body is sent in place of the plain body, whole or by a Truncated, TruncatedLate, Slow or
	// Mislabeled fault. Its "success" decides whether the message is unsent.
	Body        string
	ContentType string // sent in place of application/json

	// Delay holds the request before the message is unsent, or after it where Acted is true.
	// A client that leaves before that has not been acted for. Of a Slow fault it is the pause
	// before each byte of the body, 1 ms by default.
	Delay time.Duration

	// Acted unsends the message before anything else happens, where the answer leaves open
	// whether it was unsent: a 5xx, 408 or 303, a dropped connection, a 2xx without a readable
	// "success".
	Acted bool
}

// Shape is the form of an error's body.
type Shape string

// Shapes of errors that were documented or that the vendor's SDKs read.
const (
	ShapeCurrent Shape = ""        // as openapi.yaml shows it: error, type, requestId, actionRequired for most
	ShapeEarlier Shape = "earlier" // error, code, details
	ShapeSDK     Shape = "sdk"     // message, code, details: outside the contract
)

// outcome is what an answer means for the message.
type outcome int

const (
	ambiguous outcome = iota // the answer does not tell
	unsent
	notUnsent
)

// impliedOutcome is what the fault's answer means for a message that was there.
func (f Fault) impliedOutcome() outcome {
	status := f.status()
	switch {
	case f.Kind == Drop, f.invalid() != "":
		return ambiguous
	case status/100 == 2 && bodiless(status):
		return ambiguous
	case status/100 == 2 && f.sendsBody():
		return outcomeOf(f.Body)
	case status/100 == 2:
		return f.Kind.row().means
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusSeeOther:
		return ambiguous
	}
	return notUnsent
}

// outcomeOf reads "success" from a body as far as any reader could: the body may break off.
// Two values that differ tell nothing.
func outcomeOf(body string) outcome {
	dec := json.NewDecoder(strings.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return ambiguous
	}
	said := ambiguous
	for {
		name, err := dec.Token()
		if err != nil || name == json.Delim('}') {
			return said
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return said
		}
		if name != "success" {
			continue
		}
		now := map[string]outcome{"true": unsent, "false": notUnsent}[string(value)]
		if said != ambiguous && now != said {
			return ambiguous
		}
		said = now
	}
}

func (f Fault) status() int { return cmp.Or(f.Status, http.StatusOK) }

// sendsBody reports whether Body is what is sent.
func (f Fault) sendsBody() bool { return f.Body != "" && f.Kind.row().sendsBody }

// invalid says why the fault cannot be answered; such a fault is answered 500 with the reason.
func (f Fault) invalid() string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "fault status must be 200 to 599"
	case !f.Kind.known():
		return "unknown fault " + string(f.Kind)
	case f.Shape != ShapeCurrent && f.Shape != ShapeEarlier && f.Shape != ShapeSDK:
		return "unknown error shape " + string(f.Shape)
	}
	return ""
}

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

func (f *Fault) parse(part string) (err error) {
	name, value, valued := strings.Cut(part, "=")
	if !valued {
		return f.parseWord(name)
	}
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
	switch {
	case value == "":
		return fmt.Errorf("%s needs a value", name)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
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
		names := strings.Trim(strings.ReplaceAll(fmt.Sprint(FaultKinds()), " ", ", "), "[]")
		return fmt.Errorf("unknown kind %q; use a status, acted, or one of %s", word, names)
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
