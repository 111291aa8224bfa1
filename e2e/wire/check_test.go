package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// counts are how many scenarios there were of each kind.
type counts map[string]int

// kinds are all outcomes that a run must have seen; others must not occur.
func kinds() []string {
	return []string{
		"unsent; by this call",
		"already_gone; by this call", "already_gone; gone before", "already_gone; by another device",
		"error, maybe unsent; by this call", "error, maybe unsent; still there", "error, maybe unsent; gone before",
		"error, maybe unsent; by another device",
		"error; still there", "error; gone before", "error; by another device",
	}
}

// check compares what a call reported with what the server did.
func (m *message) check(t *testing.T, n uint64, seen counts) {
	t.Helper()
	sc, c := m.scenario, &m.scenario.call
	wrong := func(format string, args ...any) {
		t.Errorf("scenario %d: %s: %s; %v\n%+v\n%+v", n, fmt.Sprintf(format, args...), m, c.err, *m, *sc)
	}
	kind, attempts := "", 0
	if c.err == nil {
		kind, attempts = string(c.result.Outcome), c.result.Attempts
		if m.exists {
			wrong("the message exists")
		}
		if c.result.Outcome == api.Unsent && m.acted == 0 {
			wrong("this call did not unsend it")
		}
		if c.result.Outcome == api.AlreadyGone && attempts == 1 && !sc.maybeBefore {
			wrong("no attempt before can have unsent it")
		}
	} else {
		e, ok := errors.AsType[*api.Error](c.err)
		if !ok {
			wrong("an error of another type")
			return
		}
		kind, attempts = "error", e.Attempts
		if e.MaybeUnsent {
			kind = "error, maybe unsent"
		} else if m.acted > 0 || m.lost() {
			wrong("this call unsent it, or may have, and MaybeUnsent is false")
		}
		if e.MaybeUnsent && !sc.maybeBefore && m.requests == attempts && m.certain == attempts {
			wrong("MaybeUnsent is true, and every response was certain")
		}
		if e.Scope == api.ScopeUnknown || e.Hint() == "" || len(e.Error()) > 400 {
			wrong("scope %v, hint %q", e.Scope, e.Hint())
		}
		if strings.Contains(e.Error(), "debug data") {
			wrong("the error quotes the server's debug data")
		}
	}
	if m.requests > attempts {
		wrong("%d requests arrived of %d attempts", m.requests, attempts)
	}
	if attempts > sc.retries+1 {
		wrong("%d attempts", attempts)
	}
	if !c.ended.IsZero() {
		seen["ended: "+string(sc.ending.by)]++
		late := c.returned.Sub(c.ended)
		if late > attemptTimeout || sc.ending.before(m.requests-1) && late > time.Millisecond {
			wrong("%s, and returned %v later", sc.ending.by, late)
		}
		if m.requests > sc.ending.request+1 {
			wrong("%s at request %d, and %d arrived", sc.ending.by, sc.ending.request, m.requests)
		}
	}
	seen[kind+"; "+m.fate()]++
	for i := range min(m.requests, len(sc.steps)) {
		if kind := sc.steps[i].fault.kind; kind != noFault {
			seen[fault(kind)]++
		}
	}
	if attempts > m.requests {
		seen["attempts that did not arrive"] += attempts - m.requests
	}
}

// lost reports whether a request has arrived to which no response came.
func (m *message) lost() bool {
	for _, step := range m.scenario.steps[:min(m.requests, len(m.scenario.steps))] {
		if slices.Contains([]faultKind{closed, reset, stalled, garbage, resetEarly, goAway, goAwayClosed}, step.fault.kind) {
			return true
		}
	}
	return false
}

// fate returns what really happened to the message.
func (m *message) fate() string {
	switch {
	case m.acted > 0:
		return "by this call"
	case m.removed:
		return "by another device"
	case !m.exists:
		return "gone before"
	}
	return "still there"
}

// String returns the outcome of a call, without times that the client draws, beside the truth.
func (m *message) String() string {
	outcome := "no result"
	if c := m.scenario.call; c.err == nil && c.result != nil {
		outcome = fmt.Sprint(c.result.Outcome, " in ", c.result.Attempts)
	} else if e, ok := errors.AsType[*api.Error](c.err); ok {
		outcome = fmt.Sprintf("error %d of the %s in %d, maybe unsent %v", e.StatusCode, e.Scope, e.Attempts, e.MaybeUnsent)
	}
	return fmt.Sprintf("%s: %s; %s, %d requests, %d certain", m.scenario.message, outcome, m.fate(), m.requests, m.certain)
}

func fault(kind faultKind) string { return "fault: " + string(kind) }

// report prints what was seen, and fails if a kind or a fault was not.
func (c counts) report(t *testing.T, faults []faultKind) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%8d  %s", c[name], name)
	}
	want := kinds()
	for _, kind := range faults {
		want = append(want, fault(kind))
	}
	for _, name := range want {
		if c[name] == 0 {
			t.Errorf("no scenario of %q", name)
		}
	}
}
