package mock_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// everyFault combines every kind with statuses of each class, with and without Acted, and adds
// bodies of the script's own.
func everyFault() []mock.Fault {
	var list []mock.Fault
	for _, kind := range append([]mock.Kind{""}, mock.FaultKinds()...) {
		for _, status := range []int{0, 201, 204, 205, 301, 303, 304, 307, 400, 404, 408, 409, 429, 500, 501, 503, 505, 599} {
			costly := kind == mock.Oversized || kind == mock.OversizedLate || strings.HasPrefix(string(kind), "drift-")
			if costly && status != 0 && status != 500 {
				continue
			}
			list = append(list, mock.Fault{Kind: kind, Status: status})
		}
	}
	for _, body := range []string{
		`{"success":true}`, `{"success":false}`, `{"queue":{"success":true}}`, `{"success":true,"success":false}`,
		`{"success":true,`, `{"success":false,`, `{"success":`, `{"success":"true"}`, `[{"success":true}]`, `{}`, ` `, `x`,
		`{"queue":{"id":1},"success":true}`, `{"queue":[1,{"a":"}"}],"success":false}`,
	} {
		for _, kind := range []mock.Kind{"", mock.Truncated, mock.TruncatedLate, mock.Slow, mock.Mislabeled, mock.Drop} {
			for _, status := range []int{0, 404, 503} {
				list = append(list, mock.Fault{Kind: kind, Status: status, Body: body})
			}
		}
	}
	for _, status := range []int{401, 404, 410, 503} {
		list = append(list, mock.Fault{Status: status, Type: "RESOURCE_NOT_FOUND"}, mock.Fault{Status: status, Type: "RESOURCE_NOT_FOUND", Shape: mock.ShapeEarlier})
	}
	for _, f := range list {
		f.Acted = true
		list = append(list, f)
	}
	return append(list, mock.DefaultFaults()...)
}

// Whatever is scripted, what an answer says about the message is so.
func TestFaultsNeverLie(t *testing.T) {
	met := map[string]int{}
	for _, gone := range []bool{false, true} {
		for _, f := range everyFault() {
			synctest.Test(t, func(t *testing.T) {
				g := memory(t)
				if gone {
					g.server.Remove("7", "9")
				}
				f.Delay += time.Nanosecond // bodies that come slowly are to be read all the same
				g.server.Next(f)
				r := g.unjudged(g.request("7", "9"))
				taken := g.server.UnsentCount("7", "9") == 1
				exists := g.server.Exists("7", "9")
				said := meaning(r)
				met[said]++
				if taken && gone || taken == exists != gone && !gone {
					t.Fatalf("%v: taken %v, exists %v, gone before %v", f, taken, exists, gone)
				}
				switch said {
				case "unsent":
					if !taken {
						t.Errorf("%v says %d %.60q, the message was not taken", f, r.status, r.body)
					}
				case "not unsent":
					if taken {
						t.Errorf("%v says %d %.60q, the message was taken", f, r.status, r.body)
					}
				case "gone":
					if exists || taken {
						t.Errorf("%v says %d %.60q, the message exists or was taken by this request", f, r.status, r.body)
					}
				case "open":
					if taken != (f.Acted && !gone) {
						t.Errorf("%v says %d %.60q, acted %v, but taken %v", f, r.status, r.body, f.Acted, taken)
					}
				}
			})
		}
	}
	for _, said := range []string{"unsent", "not unsent", "gone", "open"} {
		if met[said] < 10 {
			t.Errorf("only %d answers said %q", met[said], said)
		}
	}
}

// meaning is how the table of outcomes reads an answer.
func meaning(r result) string {
	switch {
	case r.status == 0, r.status/100 == 5, r.status == http.StatusRequestTimeout, r.status == http.StatusSeeOther:
		return "open"
	case strings.Contains(r.body, "RESOURCE_NOT_FOUND"):
		return "gone"
	case r.status/100 != 2:
		return "not unsent"
	}
	// Whoever reads leniently must not be deceived either: the first and the last "success".
	var lenient struct{ Success any }
	whole := json.Unmarshal([]byte(r.body), &lenient) == nil
	first := strings.HasPrefix(r.body, `{"success":true`)
	switch {
	case strings.Count(r.body, `"success":true`) > 0 && strings.Count(r.body, `"success":false`) > 0:
		return "open"
	case first || whole && lenient.Success == true:
		return "unsent"
	case strings.HasPrefix(r.body, `{"success":false`) || whole && lenient.Success == false:
		return "not unsent"
	}
	return "open"
}
