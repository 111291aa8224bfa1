package mock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Kind is what happens to the connection or the body.
type Kind string

// Kinds of faults; [DriftKinds] lists more.
const (
	Drop          Kind = "drop"           // the connection is closed without an answer
	Truncated     Kind = "truncated"      // the body breaks off before "success", or right after Body where that is set
	TruncatedLate Kind = "truncated-late" // the body breaks off behind "success"
	Oversized     Kind = "oversized"      // a body of 9 MiB, "success" first
	OversizedLate Kind = "oversized-late" // a body of 9 MiB, "success" last
	Slow          Kind = "slow"           // the body comes byte by byte
	Text          Kind = "text"           // not JSON, and labeled so
	HTML          Kind = "html"           // an HTML page labeled JSON
	Null          Kind = "null"           // the body is null
	Empty         Kind = "empty"          // the body is empty
	Refused       Kind = "refused"        // "success":false
	SuccessLast   Kind = "success-last"   // "success" behind the snapshot
	Mislabeled    Kind = "mislabeled"     // the plain body, labeled text/html
)

// kind is a row of the table of faults.
type kind struct {
	name      Kind
	about     string                   // what happens, in a few words
	means     outcome                  // of a 2xx: what it means for the message
	apply     func(a *answer, f Fault) // what it does to the answer
	sendsBody bool                     // Fault.Body, where there is one
	costly    bool                     // not drawn unless asked for
	drifts    []change                 // of a drift: what differs from the documentation
}

// change replaces or adds a member of the 200 body, or leaves it out.
type change struct {
	path  string // "queue.media[].createdAt"
	value string // JSON; empty leaves the member out
}

func (c change) String() string {
	if c.value == "" {
		return c.path + " left out"
	}
	return c.path + " is " + c.value
}

const (
	oversize = 9 << 20 // past the 8 MiB that a client may be expected to read
	htmlPage = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
	textPage = "upstream connect error or disconnect before headers"

	// The sender as some answers hold it, with members that are not documented.
	fullUser = `{"id":51234567,"name":"Jo","username":"jo","view":"full","isVerified":true,"subscribersCount":null,"tips":{"min":5,"max":200},"badges":[]}`
)

// kinds is the table of faults. Nothing changes it.
//
// The first row is the plain answer. The drifts come last: first what was seen on the wire where it
// departs from the documentation, then what breaks the contract too, types that nobody
// documented or saw.
var kinds = append([]kind{
	{name: "", means: unsent, sendsBody: true, apply: func(*answer, Fault) {}},
	{name: Drop, about: "connection closed without an answer", means: ambiguous, apply: func(a *answer, _ Fault) { a.dropped = true }},
	{name: Truncated, about: "body breaks off before success", means: ambiguous, sendsBody: true, apply: truncate},
	{name: TruncatedLate, about: "body breaks off behind success", means: unsent, sendsBody: true, apply: truncate},
	{name: Oversized, about: "body of 9 MiB, success first", means: unsent, costly: true, apply: func(a *answer, _ Fault) { a.inflate() }},
	{name: OversizedLate, about: "body of 9 MiB, success last", means: ambiguous, costly: true, apply: func(a *answer, _ Fault) {
		a.moveSuccessLast()
		a.inflate()
	}},
	{name: Slow, about: "body byte by byte", means: unsent, sendsBody: true, apply: func(a *answer, f Fault) {
		a.pause = cmp.Or(f.Delay, time.Millisecond)
	}},
	{name: Text, about: "not JSON, and labeled so", means: ambiguous, apply: func(a *answer, _ Fault) {
		a.replace(textPage)
		a.contentType = "text/plain; charset=utf-8"
	}},
	{name: HTML, about: "HTML page labeled JSON", means: ambiguous, apply: func(a *answer, _ Fault) { a.replace(htmlPage) }},
	{name: Null, about: "body is null", means: ambiguous, apply: func(a *answer, _ Fault) { a.replace("null") }},
	{name: Empty, about: "body is empty", means: ambiguous, apply: func(a *answer, _ Fault) { a.replace("") }},
	{name: Refused, about: "success is false", means: notUnsent, apply: func(a *answer, _ Fault) {
		if a.succeeds() {
			a.body = []byte(`{"success":false}`)
		}
	}},
	{name: SuccessLast, about: "success behind the snapshot", means: unsent, apply: func(a *answer, _ Fault) { a.moveSuccessLast() }},
	{name: Mislabeled, about: "plain body labeled text/html", means: unsent, sendsBody: true, apply: func(a *answer, _ Fault) {
		a.contentType = "text/html; charset=utf-8"
	}},
}, drifts(
	kind{name: "drift-text-html", drifts: []change{{"queue.text", `"<p>Caf\u00e9 &amp; <a href=\"https://media.example/\">more</a> 😀<br/></p>"`}}},
	kind{name: "drift-from-user-view", drifts: []change{{"queue.fromUser", `{"id":51234567,"_view":"view"}`}}},
	kind{name: "drift-from-user-full", drifts: []change{{"queue.fromUser", fullUser}}},
	kind{name: "drift-from-user-absent", drifts: []change{{"queue.fromUser", ""}}},
	kind{name: "drift-media-absent", drifts: []change{{"queue.media", ""}}},
	kind{name: "drift-media-empty", drifts: []change{{"queue.media", "[]"}}},
	kind{name: "drift-media-type-absent", drifts: []change{{"queue.media[].type", ""}}},
	kind{name: "drift-media-created-null", drifts: []change{{"queue.media[].createdAt", "null"}}},
	kind{name: "drift-media-duration-zero", drifts: []change{{"queue.media[].duration", "0"}}},
	kind{name: "drift-media-release-forms-absent", drifts: []change{{"queue.media[].releaseForms", ""}}},
	kind{name: "drift-video-sources-null", drifts: []change{
		{"queue.media[].videoSources.240", "null"}, {"queue.media[].videoSources.720", "null"},
	}},
	kind{name: "drift-full-url-null", drifts: []change{{"queue.media[].files.full.url", "null"}}},
	kind{name: "drift-full-size-zero", drifts: []change{{"queue.media[].files.full.size", "0"}}},
	kind{name: "drift-full-sources-empty", drifts: []change{{"queue.media[].files.full.sources", "[]"}}},
	kind{name: "drift-thumb-bare", drifts: []change{
		{"queue.media[].files.thumb.width", ""}, {"queue.media[].files.thumb.height", ""}, {"queue.media[].files.thumb.size", ""},
	}},
	kind{name: "drift-thumb-size-zero", drifts: []change{{"queue.media[].files.thumb.size", "0"}}},
	kind{name: "drift-previews-absent", drifts: []change{{"queue.previews", ""}}},
	kind{name: "drift-previews-empty", drifts: []change{{"queue.previews", "[]"}}},
	kind{name: "drift-giphy-null", drifts: []change{{"queue.giphyId", "null"}}},
	kind{name: "drift-queue-id-long", drifts: []change{{"queue.queueId", "26439068590"}}},
	kind{name: "drift-release-forms-null", drifts: []change{{"queue.releaseForms", "null"}}},
	kind{name: "drift-release-forms-empty", drifts: []change{{"queue.releaseForms", "[]"}}},
	kind{name: "drift-unsend-seconds-queue-long", drifts: []change{{"queue.unsendSecondsQueue", "1000000"}}},
	kind{name: "drift-unsend-seconds-zero", drifts: []change{{"queue.unsendSeconds", "0"}}},
	kind{name: "drift-media-types-null", drifts: []change{{"queue.mediaTypes", "null"}}},
	kind{name: "drift-price-number", drifts: []change{{"queue.price", "0"}}},
	kind{name: "drift-queue-null", drifts: []change{{"queue", "null"}}},
	kind{name: "drift-queue-absent", drifts: []change{{"queue", ""}}},
	kind{name: "drift-mass-message", drifts: []change{
		{"queue.fromUser", ""}, {"queue.media", ""}, {"queue.previews", ""}, {"queue.isFromQueue", "true"},
	}},
	kind{name: "drift-members-added", drifts: []change{
		{"queue.addedFlag", "true"}, {"queue.media[].addedList", `[{"deep":null}]`}, {"addedTop", `{"any":"thing"}`},
	}},
	kind{name: "drift-wire", about: "as seen on the wire, all at once", drifts: []change{
		{"queue.text", `"<p>Caf\u00e9 &amp; more 😀<br/></p>"`}, {"queue.fromUser", fullUser},
		{"queue.media[].type", ""}, {"queue.media[].createdAt", "null"}, {"queue.media[].duration", "0"},
		{"queue.media[].releaseForms", ""}, {"queue.media[].videoSources.240", "null"}, {"queue.media[].videoSources.720", "null"},
		{"queue.media[].files.full.url", "null"}, {"queue.media[].files.full.size", "0"}, {"queue.media[].files.full.sources", "[]"},
		{"queue.media[].files.thumb.width", ""}, {"queue.media[].files.thumb.height", ""}, {"queue.media[].files.thumb.size", "0"},
		{"queue.previews", "[]"}, {"queue.giphyId", "null"}, {"queue.queueId", "26439068590"}, {"queue.releaseForms", "null"},
		{"queue.unsendSecondsQueue", "1000000"}, {"queue.unsendSeconds", "0"}, {"queue.mediaTypes", "null"}, {"queue.price", "0"},
		{"queue.addedFlag", "true"}, {"addedTop", `{"any":"thing"}`},
	}},

	kind{name: "drift-id-string", drifts: []change{{"queue.id", `"6432457811894"`}}},
	kind{name: "drift-id-fraction", drifts: []change{{"queue.id", "1.5"}}},
	kind{name: "drift-id-absent", drifts: []change{{"queue.id", ""}}},
	kind{name: "drift-text-number", drifts: []change{{"queue.text", "5"}}},
	kind{name: "drift-flag-number", drifts: []change{{"queue.isFree", "1"}}},
	kind{name: "drift-count-string", drifts: []change{{"queue.mediaCount", `"1"`}}},
	kind{name: "drift-date-number", drifts: []change{{"queue.createdAt", "1753264882"}}},
	kind{name: "drift-media-null", drifts: []change{{"queue.media", "null"}}},
	kind{name: "drift-media-object", drifts: []change{{"queue.media", "{}"}}},
	kind{name: "drift-media-type-new", drifts: []change{{"queue.media[].type", `"hologram"`}}},
	kind{name: "drift-price-object", drifts: []change{{"queue.price", `{"amount":0}`}}},
	kind{name: "drift-queue-string", drifts: []change{{"queue", `"gone"`}}},
	kind{name: "drift-queue-array", drifts: []change{{"queue", "[]"}}},
	kind{name: "drift-success-string", drifts: []change{{"success", `"true"`}}},
	kind{name: "drift-success-number", drifts: []change{{"success", "1"}}},
	kind{name: "drift-success-null", drifts: []change{{"success", "null"}}},
	kind{name: "drift-success-absent", drifts: []change{{"success", ""}}},
)...)

// drifts completes rows that differ in what they change of a 200: a body whose "success"
// cannot be read tells nothing, every other that the message was unsent.
func drifts(rows ...kind) []kind {
	for i := range rows {
		row := &rows[i]
		row.means = unsent
		var differs []string
		for _, c := range row.drifts {
			if c.path == "success" {
				row.means = ambiguous
			}
			differs = append(differs, c.String())
		}
		row.about = cmp.Or(row.about, strings.Join(differs, ", "))
		row.apply = func(a *answer, _ Fault) {
			if !a.succeeds() {
				return
			}
			for _, c := range row.drifts {
				a.body = edit(a.body, c.path, c.value)
			}
		}
	}
	return rows
}

// FaultKinds lists every kind of fault, [DriftKinds] included.
func FaultKinds() (list []Kind) {
	for _, k := range kinds[1:] {
		list = append(list, k.name)
	}
	return list
}

// DriftKinds lists the kinds of fault that change a member of the 200 body.
func DriftKinds() (list []Kind) {
	for _, k := range kinds {
		if len(k.drifts) > 0 {
			list = append(list, k.name)
		}
	}
	return list
}

// About says in a few words what happens, such as "connection closed without an answer". It is
// empty for an unknown kind.
func (k Kind) About() string { return k.row().about }

func (k Kind) known() bool { return k.row().apply != nil }

// row is the zero row for an unknown kind.
func (k Kind) row() kind {
	for _, row := range kinds {
		if row.name == k {
			return row
		}
	}
	return kind{}
}

func truncate(a *answer, f Fault) {
	keep := len(a.body)
	switch {
	case a.scripted:
	case f.Kind == Truncated && a.succeeds():
		keep = len(`{"succ`)
	default:
		keep = len(a.body) / 2
	}
	a.missing = max(1, len(a.body)-keep)
	a.body = a.body[:keep]
}

// inflate opens the body inside its first text, for filler.
func (a *answer) inflate() {
	at := bytes.Index(a.body, []byte(`":"`)) + len(`":"`)
	a.body = slices.Concat(a.body[:at], bytes.Repeat([]byte("a"), oversize), a.body[at:])
}

// moveSuccessLast moves "success" behind the snapshot of a 200.
func (a *answer) moveSuccessLast() {
	if !a.succeeds() {
		return
	}
	success := "false"
	if a.acted {
		success = "true"
	}
	a.body = parseObject(a.body).without("success").with("success", json.RawMessage(success)).json()
}
