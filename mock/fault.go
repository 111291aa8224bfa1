package mock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault makes a response differ from the plain one: by its status, its body, a delay, or by
// unsending the message although the response does not report it. The zero Fault is the plain
// response.
//
// A response never misreports the message. If it means that the message was not unsent (a 4xx
// but 408, a 3xx but 303, "success":false), the message stays, whatever Acted is. If it reports
// "success":true, this request unsends the message; if the message was gone before, the response
// is 404 RESOURCE_NOT_FOUND in place of the fault.
type Fault struct {
	Kind   Kind // what happens to the connection or the body; empty for nothing
	Status int  // 200 to 599; 0 is 200

	// Type is the error type of a Status of 300 or more that is not dropped; by default the one that openapi.yaml
	// gives for the status. RESOURCE_NOT_FOUND is sent only if the message is gone,
	// ROUTE_NOT_FOUND in its place.
	Type string

	// RetryAfter is the header of that name, sent as it stands; empty for none.
	RetryAfter string

	// Set changes one member of a JSON body: "PATH=JSON", such as "queue.price=0" or
	// "queue.media[].createdAt=null", in which [] stands for each element of a list. Empty JSON
	// deletes the member. It cannot be combined with a Kind or a Body.
	Set string

	// Body is sent in place of the plain body, whole or by a Truncated, TruncatedLate, Slow or
	// Mislabeled fault. Its "success" decides whether the message is unsent.
	Body        string
	ContentType string // sent in place of application/json

	// Delay holds the request before the message is unsent, or after it if Acted is true. If the
	// client disconnects first, the request is not executed. A Slow fault pauses that long before
	// each byte of the body instead, 1 ms by default.
	Delay time.Duration

	// Acted unsends the message first, if the response leaves open whether it was unsent: a 5xx,
	// 408 or 303, a dropped connection, a 2xx without a readable "success".
	Acted bool
}

// Kind is what happens to the connection or the body.
type Kind string

// Kinds of faults.
const (
	Drop          Kind = "drop"           // the connection is closed without a response
	Truncated     Kind = "truncated"      // the body ends before "success", or right after Body if that is set
	TruncatedLate Kind = "truncated-late" // the body ends after "success"
	Oversized     Kind = "oversized"      // a body of 9 MiB, "success" first
	OversizedLate Kind = "oversized-late" // a body of 9 MiB, "success" last
	Slow          Kind = "slow"           // the body comes byte by byte
	Text          Kind = "text"           // plain text, labeled so
	HTML          Kind = "html"           // an HTML page labeled JSON
	Null          Kind = "null"           // the body is null
	Empty         Kind = "empty"          // the body is empty
	Refused       Kind = "refused"        // "success":false
	SuccessLast   Kind = "success-last"   // "success" after the snapshot
	Mislabeled    Kind = "mislabeled"     // the plain body, labeled text/html
)

// faultRow is a row of the table of faults.
type faultRow struct {
	name      Kind
	about     string                     // what happens, in a few words
	means     outcome                    // what a 2xx means for the message
	apply     func(a *response, f Fault) // what it does to the response
	sendsBody bool                       // sends Fault.Body, if there is one
}

const (
	oversize = 9 << 20 // past the 8 MiB that a client may be expected to read
	htmlPage = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
	textPage = "upstream connect error or disconnect before headers"
)

// kinds is the table of faults. Its first row is the plain response. Nothing changes it.
var kinds = []faultRow{
	{name: "", means: unsent, sendsBody: true, apply: func(*response, Fault) {}},
	{name: Drop, about: "connection closed without a response", means: ambiguous, apply: func(a *response, _ Fault) { a.dropped = true }},
	{name: Truncated, about: "body ends before success", means: ambiguous, sendsBody: true, apply: truncate},
	{name: TruncatedLate, about: "body ends after success", means: unsent, sendsBody: true, apply: truncate},
	{name: Oversized, about: "body of 9 MiB, success first", means: unsent, apply: func(a *response, _ Fault) { a.inflate() }},
	{name: OversizedLate, about: "body of 9 MiB, success last", means: ambiguous, apply: func(a *response, _ Fault) {
		a.moveSuccessLast()
		a.inflate()
	}},
	{name: Slow, about: "body byte by byte", means: unsent, sendsBody: true, apply: func(a *response, f Fault) {
		a.pause = cmp.Or(f.Delay, time.Millisecond)
	}},
	{name: Text, about: "plain text, labeled so", means: ambiguous, apply: func(a *response, _ Fault) {
		a.replace(textPage)
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
	}},
	{name: HTML, about: "HTML page labeled JSON", means: ambiguous, apply: func(a *response, _ Fault) { a.replace(htmlPage) }},
	{name: Null, about: "body is null", means: ambiguous, apply: func(a *response, _ Fault) { a.replace("null") }},
	{name: Empty, about: "body is empty", means: ambiguous, apply: func(a *response, _ Fault) { a.replace("") }},
	{name: Refused, about: "success is false", means: notUnsent, apply: func(a *response, _ Fault) {
		if a.succeeds() {
			a.body = []byte(`{"success":false}`)
		}
	}},
	{name: SuccessLast, about: "success after the snapshot", means: unsent, apply: func(a *response, _ Fault) { a.moveSuccessLast() }},
	{name: Mislabeled, about: "plain body labeled text/html", means: unsent, sendsBody: true, apply: func(a *response, _ Fault) {
		a.header.Set("Content-Type", "text/html; charset=utf-8")
	}},
}

// FaultKinds lists every kind of fault.
func FaultKinds() (list []Kind) {
	for _, k := range kinds[1:] {
		list = append(list, k.name)
	}
	return list
}

// About describes the kind in a few words, such as "connection closed without a response". It is
// empty for an unknown kind.
func (k Kind) About() string { return k.row().about }

// row is the zero row for an unknown kind.
func (k Kind) row() faultRow {
	for _, row := range kinds {
		if row.name == k {
			return row
		}
	}
	return faultRow{}
}

// outcome is what a response means for the message.
type outcome int

const (
	ambiguous outcome = iota // the message may have been unsent
	unsent
	notUnsent
)

// impliedOutcome is what the fault's response means for a message that was there.
func (f Fault) impliedOutcome() outcome {
	status := f.status()
	path, value := f.member()
	switch {
	case f.Kind == Drop, f.invalid() != "":
		return ambiguous
	case status/100 == 2 && bodiless(status):
		return ambiguous
	case status/100 == 2 && f.sendsBody():
		return outcomeOf(f.Body)
	case status/100 == 2 && path == "success":
		return outcomeOf(`{"success":` + value + `}`)
	case status/100 == 2:
		return f.Kind.row().means
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusSeeOther:
		return ambiguous
	}
	return notUnsent
}

// outcomeOf reads "success" as far as any client could, since the body may end early. Two values
// that differ are ambiguous.
func outcomeOf(body string) outcome {
	dec := json.NewDecoder(strings.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return ambiguous
	}
	found := ambiguous
	for {
		name, err := dec.Token()
		if err != nil || name == json.Delim('}') {
			return found
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return found
		}
		if name != "success" {
			continue
		}
		now := map[string]outcome{"true": unsent, "false": notUnsent}[string(value)]
		if found != ambiguous && now != found {
			return ambiguous
		}
		found = now
	}
}

func (f Fault) status() int { return cmp.Or(f.Status, http.StatusOK) }

// sendsBody reports whether Body is what is sent.
func (f Fault) sendsBody() bool { return f.Body != "" && f.Kind.row().sendsBody }

// member is the path and the JSON of Set.
func (f Fault) member() (path, value string) {
	path, value, _ = strings.Cut(f.Set, "=")
	return path, value
}

// invalid returns why there is no response for the fault, or "". Such a fault gets 500.
func (f Fault) invalid() string {
	switch path, value := f.member(); {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "fault status must be 200 to 599"
	case f.Kind.row().apply == nil:
		return "unknown fault " + string(f.Kind)
	case f.Type != "" && (f.Status < 300 || f.Kind == Drop):
		return "type needs a status of 300 or more, and a response"
	case f.Set == "":
		return ""
	case path == "" || !strings.Contains(f.Set, "="):
		return "set needs PATH=JSON, such as set=queue.price=0"
	case strings.HasSuffix(path, "[]"):
		return "set needs a member after [], such as set=queue.media[].type=null"
	case value != "" && !json.Valid([]byte(value)):
		return "set needs JSON after the path; quote a text, leave it empty to delete the member"
	case f.Kind != "" || f.Body != "":
		return "set cannot be combined with a kind or a body"
	}
	return ""
}

// errorType is the type that a fault names, or "" for that of its status. RESOURCE_NOT_FOUND is
// kept only if the message is gone.
func (f Fault) errorType(exists bool) string {
	if f.Type == typeResourceNotFound && exists || f.Type == "" && f.Status == http.StatusNotFound {
		return typeRouteNotFound
	}
	return f.Type
}

// ParseFault reads a fault from text: a status, a kind, or both, and then its settings, separated
// by commas.
//
//	503,acted    429,retry-after=5    401,type=RULES_OUTDATED
//	drop,acted   slow,delay=10ms      503,set=details={"a":1}
//
// A setting "set" is [Fault.Set] and always the last part, since JSON may hold commas. The error
// names the part that cannot be read, or reports that "acted" contradicts the response.
func ParseFault(text string) (Fault, error) {
	var f Fault
	for rest, more := text, true; more; {
		var part string
		if trimmed := strings.TrimSpace(rest); strings.HasPrefix(trimmed, "set=") {
			part, more = trimmed, false
		} else {
			part, rest, more = strings.Cut(rest, ",")
		}
		if err := f.parse(strings.TrimSpace(part)); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	if reason := f.invalid(); reason != "" {
		return Fault{}, fmt.Errorf("fault %q: %s", text, reason)
	}
	if f.Acted && f.impliedOutcome() == notUnsent {
		return Fault{}, fmt.Errorf("fault %q: leave out acted, this response means that the message was not unsent", text)
	}
	return f, nil
}

func (f *Fault) parse(part string) error {
	name, value, valued := strings.Cut(part, "=")
	text := map[string]*string{"retry-after": &f.RetryAfter, "type": &f.Type, "set": &f.Set}[name]
	switch {
	case !valued:
		return f.parseWord(name)
	case text == nil && name != "delay":
		return fmt.Errorf("unknown setting %q; use delay, retry-after, type or set", name)
	case value == "":
		return fmt.Errorf("%s needs a value", name)
	case text != nil:
		*text = value
		return nil
	}
	delay, err := time.ParseDuration(value)
	if err != nil || delay < 0 {
		return fmt.Errorf("delay: %q is not a time such as 2s or 10ms", value)
	}
	f.Delay = delay
	return nil
}

func (f *Fault) parseWord(word string) error {
	if status, err := strconv.Atoi(word); err == nil {
		if f.Status != 0 || status == 0 {
			return errors.New("give one status of 200 to 599")
		}
		f.Status = status
		return nil
	}
	switch {
	case word == "acted":
		f.Acted = true
	case strings.HasPrefix(word, "drift-"):
		return fmt.Errorf("unknown kind %q; set the member as the last part, such as set=queue.price=0", word)
	case word == "" || Kind(word).row().apply == nil:
		names := strings.Trim(strings.ReplaceAll(fmt.Sprint(FaultKinds()), " ", ", "), "[]")
		return fmt.Errorf("unknown kind %q; use a status, acted, set=PATH=JSON, or one of %s", word, names)
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
	add(f.RetryAfter != "", "retry-after="+f.RetryAfter)
	add(f.Delay != 0, "delay="+f.Delay.String())
	add(f.Acted, "acted")
	add(f.Set != "", "set="+f.Set)
	if len(parts) == 0 {
		return "200"
	}
	return strings.Join(parts, ",")
}

// setMember changes the member that the fault names.
func (a *response) setMember(f Fault) {
	path, value := f.member()
	a.body = edit(a.body, path, value)
	if path == "type" {
		a.errorType = textOf(json.RawMessage(value))
	}
}

func truncate(a *response, f Fault) {
	keep := len(a.body)
	switch {
	case a.scripted:
	case f.Kind == Truncated && a.succeeds():
		keep = min(keep, len(`{"succ`))
	default:
		keep = len(a.body) / 2
	}
	a.missing = max(1, len(a.body)-keep)
	a.body = a.body[:keep]
}

// inflate opens the body inside its first text, for filler.
func (a *response) inflate() {
	at := bytes.Index(a.body, []byte(`":"`)) + len(`":"`)
	if at < len(`":"`) {
		a.body, at = []byte(`{"filler":""}`), len(`{"filler":"`)
	}
	a.body = slices.Concat(a.body[:at], bytes.Repeat([]byte("a"), oversize), a.body[at:])
}

// moveSuccessLast moves "success" after the snapshot of a 200.
func (a *response) moveSuccessLast() {
	if !a.succeeds() {
		return
	}
	o, success := parseObject(a.body), "false"
	if o.get("success") == nil {
		return
	}
	if a.done {
		success = "true"
	}
	a.body = o.without("success").with("success", json.RawMessage(success)).json()
}
