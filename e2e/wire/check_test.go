package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// counts are how many scenarios there were of each kind.
type counts map[string]int

// check holds what a call reported against what the server knows, once all has come to rest.
func (sc *scenario) check(t *testing.T, n uint64, m *message, c call, seen counts) {
	t.Helper()
	wrong := func(format string, args ...any) {
		t.Errorf("scenario %d: %s: %+v, %v\n%+v\n%+v", n, fmt.Sprintf(format, args...), c.result, c.err, *m, *sc)
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
		var e *api.Error
		if !errors.As(c.err, &e) {
			wrong("an error of another type")
			return
		}
		kind, attempts = "error", e.Attempts
		if e.MaybeUnsent {
			kind = "error, maybe unsent"
		} else if m.acted > 0 {
			wrong("this call unsent it, and MaybeUnsent is false")
		}
		calm := m.exact || c.took < attemptTimeout && sc.cancelAt == 0 && sc.deadline == 0
		if e.MaybeUnsent && !sc.maybeBefore && calm && m.requests == attempts && m.certain == attempts {
			wrong("MaybeUnsent is true, and every answer was certain")
		}
		if e.Scope == api.ScopeUnknown || e.Hint() == "" || len(e.Error()) > 400 {
			wrong("scope %v, hint %q", e.Scope, e.Hint())
		}
	}
	if m.requests > attempts {
		wrong("%d requests arrived of %d attempts", m.requests, attempts)
	}
	if attempts > sc.retries+1 {
		wrong("%d attempts", attempts)
	}
	fate := "still there"
	switch {
	case m.acted > 0:
		fate = "this call took it away"
	case m.removed:
		fate = "another device took it away"
	case !m.exists:
		fate = "gone before"
	}
	seen[kind+"; "+fate]++
	for i := range min(m.requests, len(sc.steps)) {
		if kind := sc.steps[i].fault.kind; kind != noFault {
			seen["fault: "+string(kind)]++
		}
	}
	if attempts > m.requests {
		seen["attempts that did not arrive"] += attempts - m.requests
	}
}

// kinds are all that must be seen in a run; nothing else may be but faults.
func kinds() []string {
	return []string{
		"unsent; this call took it away",
		"already_gone; this call took it away", "already_gone; gone before", "already_gone; another device took it away",
		"error, maybe unsent; this call took it away", "error, maybe unsent; still there", "error, maybe unsent; gone before", "error, maybe unsent; another device took it away",
		"error; still there", "error; gone before", "error; another device took it away",
	}
}

// report prints what was seen, and fails where a kind was not.
func (c counts) report(t *testing.T, total int) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%8d  %s", c[name], name)
	}
	for _, name := range kinds() {
		if total >= 1000 && c[name] == 0 {
			t.Errorf("no scenario of %q", name)
		}
	}
}
