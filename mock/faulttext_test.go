package mock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/mock"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mock.Fault{
		"503":                             {Status: 503},
		"503,acted":                       {Status: 503, Acted: true},
		"acted, 503":                      {Status: 503, Acted: true},
		"429,retry-after=-1":              {Status: 429, RetryAfter: "-1"},
		"401,type=RULES_OUTDATED":         {Status: 401, Type: "RULES_OUTDATED"},
		"drop,acted":                      {Kind: mock.Drop, Acted: true},
		"html,502":                        {Kind: mock.HTML, Status: 502},
		"slow,delay=10ms":                 {Kind: mock.Slow, Delay: 10 * time.Millisecond},
		"delay=2s":                        {Delay: 2 * time.Second},
		"delay=2s,acted":                  {Delay: 2 * time.Second, Acted: true},
		"set=queue.price=0":               {Set: "queue.price=0"},
		"acted, set=success= null ":       {Set: "success=null", Acted: true},
		"set=queue.media[].type=":         {Set: "queue.media[].type="},
		`503,set=details={"a": "b, c=d"}`: {Status: 503, Set: `details={"a":"b, c=d"}`},
		"truncated-late,delay=1s,201":     {Kind: mock.TruncatedLate, Delay: time.Second, Status: 201},
		"200":                             {Status: 200},
		"mislabeled,type=X":               {Kind: mock.Mislabeled, Type: "X"},
		" oversized-late , acted , 200":   {Kind: mock.OversizedLate, Acted: true, Status: 200},
	} {
		got, err := mock.ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseFaultSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                        "drop",
		"nonsense":                "set=PATH=JSON, or one of drop",
		"drift-price-number":      "set=queue.price=0",
		"503,":                    "unknown kind",
		"99":                      "200 to 599",
		"600":                     "200 to 599",
		"0":                       "200 to 599",
		"500,501":                 "one status",
		"drop,html":               "one kind",
		"delay=soon":              `delay: "soon" is not a time such as 2s or 10ms`,
		"delay=-1s":               "is not a time",
		"delay=":                  "delay",
		"503,retry-after=":        "needs a value",
		"503,shape=earlier":       `unknown setting "shape"; use delay, retry-after, type or set`,
		"set=":                    "needs a value",
		"set=queue":               "PATH=JSON",
		"set==1":                  "PATH=JSON",
		"set=success=yes":         "quote a text",
		"set=queue.media[]=1":     "member behind []",
		"set=success=1,503":       "quote a text",
		"drop,set=success=1":      "cannot be combined",
		"acted,set=success=false": "leave out acted",
		"404,acted":               "leave out acted",
		"refused,acted":           "leave out acted",
		"301,acted":               "leave out acted",
		"500\nacted":              "unknown kind",
	} {
		_, err := mock.ParseFault(text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, says)
		}
	}
}

func TestEveryFaultReadsItself(t *testing.T) {
	t.Parallel()
	for _, f := range append(mock.DefaultFaults(), everyFault()...) {
		if f.Body != "" {
			continue // has no text
		}
		got, err := mock.ParseFault(f.String())
		switch {
		case err != nil && !strings.Contains(err.Error(), "leave out acted") && !strings.Contains(err.Error(), "set needs"):
			t.Errorf("%+v writes itself as %q: %v", f, f, err)
		case err == nil && got != f && f != (mock.Fault{}):
			t.Errorf("%+v writes itself as %q, read as %+v", f, f, got)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, seed := range []string{"503", "drop,acted", "429,retry-after=5", "slow,delay=10ms", "html,502,type=X", `301,set=error={"a":"b, c"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := mock.ParseFault(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
			return
		}
		again, err := mock.ParseFault(fault.String())
		if err != nil || again != fault {
			t.Errorf("%q is %+v, which writes itself as %q: %+v, %v", text, fault, fault, again, err)
		}
	})
}

func TestKindsHaveDistinctNamesAndWords(t *testing.T) {
	t.Parallel()
	met := map[mock.Kind]bool{"": true}
	for _, kind := range mock.FaultKinds() {
		if met[kind] || kind.About() == "" || strings.ContainsAny(kind.About(), "`\n") {
			t.Errorf("%q: stands twice, or is described as %q", kind, kind.About())
		}
		met[kind] = true
	}
	if about := mock.Kind("nonsense").About(); about != "" {
		t.Errorf("an unknown kind is described as %q", about)
	}
}
