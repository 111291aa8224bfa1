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
		"503":                           {Status: 503},
		"503,acted":                     {Status: 503, Acted: true},
		"acted, 503":                    {Status: 503, Acted: true},
		"429,retry-after=-1":            {Status: 429, RetryAfter: "-1"},
		"429,retry-date=-1h":            {Status: 429, RetryDate: -time.Hour},
		"401,type=RULES_OUTDATED":       {Status: 401, Type: "RULES_OUTDATED"},
		"422,shape=earlier":             {Status: 422, Shape: mock.ShapeEarlier},
		"301,location=http://x/?a=b":    {Status: 301, Location: "http://x/?a=b"},
		"drop,acted":                    {Kind: mock.Drop, Acted: true},
		"html,502":                      {Kind: mock.HTML, Status: 502},
		"slow,delay=10ms":               {Kind: mock.Slow, Delay: 10 * time.Millisecond},
		"delay=2s":                      {Delay: 2 * time.Second},
		"delay=2s,acted":                {Delay: 2 * time.Second, Acted: true},
		"drift-price-number":            {Kind: "drift-price-number"},
		"drift-success-null,acted":      {Kind: "drift-success-null", Acted: true},
		"truncated-late,delay=1s,201":   {Kind: mock.TruncatedLate, Delay: time.Second, Status: 201},
		"200":                           {Status: 200},
		"mislabeled,type=X,shape=sdk":   {Kind: mock.Mislabeled, Type: "X", Shape: mock.ShapeSDK},
		" oversized-late , acted , 200": {Kind: mock.OversizedLate, Acted: true, Status: 200},
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
		"":                    "drop",
		"nonsense":            "drift-price-number",
		"503,":                "unknown kind",
		"99":                  "200 to 599",
		"600":                 "200 to 599",
		"0":                   "200 to 599",
		"500,501":             "one status",
		"drop,html":           "one kind",
		"delay=soon":          `delay: "soon" is not a time such as 2s or 10ms`,
		"delay=-1s":           "negative",
		"delay=":              "delay",
		"retry-date=tomorrow": `retry-date: "tomorrow" is not a time`,
		"503,retry-after=":    "needs a value",
		"503,shape=round":     "shape",
		"503,color=red":       "location",
		"404,acted":           "leave out acted",
		"refused,acted":       "leave out acted",
		"301,acted":           "leave out acted",
		"500\nacted":          "unknown kind",
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
		case err != nil && !strings.Contains(err.Error(), "leave out acted"):
			t.Errorf("%+v writes itself as %q: %v", f, f, err)
		case err == nil && got != f && f != (mock.Fault{}):
			t.Errorf("%+v writes itself as %q, read as %+v", f, f, got)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, seed := range []string{"503", "drop,acted", "429,retry-after=5", "slow,delay=10ms", "html,502,type=X,shape=sdk", "retry-date=-1h,301,location=/x"} {
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
