package mock_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// everyFault combines statuses of each class with every kind, with and without Acted, and adds
// bodies of the script's own. The bodies of 9 MiB are left to TestFaultsDoWhatTheirNamesSay.
func everyFault() []mock.Fault {
	var list []mock.Fault
	for _, status := range []int{0, 201, 204, 205, 303, 304, 307, 400, 404, 408, 429, 501, 599} {
		list = append(list, mock.Fault{Status: status})
	}
	for _, kind := range mock.FaultKinds() {
		if kind == mock.Oversized || kind == mock.OversizedLate {
			continue
		}
		for _, status := range []int{0, 204, 404, 503} {
			list = append(list, mock.Fault{Kind: kind, Status: status})
		}
	}
	for _, member := range []string{
		"success=", "success=null", `success="true"`, "success=false", "success=true", " success=false",
		"success[]=false", "success.x=1", "queue=",
		`type="RESOURCE_NOT_FOUND"`, `type="RESOURCE_NOT\u005fFOUND"`, `code={"a":"RESOURCE_NOT_FOUND"}`, "success=true}", "=1", "a",
	} {
		for _, status := range []int{0, 204, 404, 503} {
			list = append(list, mock.Fault{Set: member, Status: status})
		}
	}
	for _, body := range []string{`{"success":true}`, `{"success":false}`} {
		for _, kind := range []mock.Kind{"", mock.Truncated, mock.TruncatedLate, mock.Slow, mock.Mislabeled, mock.Drop} {
			for _, status := range []int{0, 404, 503} {
				list = append(list, mock.Fault{Kind: kind, Status: status, Body: body})
			}
		}
	}
	for _, body := range []string{
		`{"queue":{"success":true}}`, `{"success":true,"success":false}`, `{"success":"true"}`, `[{"success":true}]`, `{}`, ` `, `x`,
		`{"success":true,`, `{"success":false,`, `{"success":`, `{"queue":{"id":1},"success":true}`, `{"queue":[1,{"a":"}"}],"success":false}`,
	} {
		list = append(list, mock.Fault{Body: body}, mock.Fault{Kind: mock.Truncated, Body: body})
	}
	for _, status := range []int{401, 404, 503} {
		list = append(list, mock.Fault{Status: status, Type: "RESOURCE_NOT_FOUND"})
	}
	for _, f := range list {
		f.Acted = true
		list = append(list, f)
	}
	return list
}

// Whatever is scripted, what a response means for the message is true.
func TestNoResponseMisreportsTheMessage(t *testing.T) {
	t.Parallel()
	t.Run("pipe", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { checkTruth(t, overPipe(t, mock.WithoutRateLimit())) })
	})
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		checkTruth(t, overSocket(t, mock.WithoutRateLimit()))
	})
}

func checkTruth(t *testing.T, g *testServer) {
	t.Helper()
	met := map[string]int{}
	for i, f := range everyFault() {
		f.Delay = min(f.Delay, time.Nanosecond) // real time on a socket
		if f.Kind == mock.Slow {
			f.Delay = time.Nanosecond
		}
		for gone, id := range map[bool]string{false: strconv.Itoa(2 * i), true: strconv.Itoa(2*i + 1)} {
			if gone {
				g.server.Remove("7", id)
			}
			g.server.NextFor("7", id, f)
			r := g.tryUnchecked(g.request("7", id))
			taken, exists := g.server.UnsentCount("7", id) == 1, g.server.Exists("7", id)
			said := impliedBy(r)
			met[said]++
			if gone && taken || gone && exists || !gone && taken == exists {
				t.Fatalf("%v: taken %v, exists %v, gone before %v", f, taken, exists, gone)
			}
			truth := map[string]bool{
				"unsent":     taken,
				"not unsent": !taken,
				"gone":       !taken && !exists,
				"ambiguous":  taken == (f.Acted && !gone),
			}
			if !truth[said] {
				t.Errorf("%v means %q (%d %.60q), and the message was taken: %v, gone before: %v", f, said, r.status, r.body, taken, gone)
			}
		}
	}
	for _, said := range []string{"unsent", "not unsent", "gone", "ambiguous"} {
		if met[said] < 10 {
			t.Errorf("only %d responses meant %q", met[said], said)
		}
	}
}

// impliedBy is what a response means for the message, by the documented table.
func impliedBy(r result) string {
	switch {
	case r.status == 0, r.status/100 == 5, r.status == http.StatusRequestTimeout, r.status == http.StatusSeeOther:
		return "ambiguous"
	case strings.Contains(strings.ReplaceAll(r.body, `\u005f`, "_"), "RESOURCE_NOT_FOUND"):
		return "gone"
	case r.status/100 != 2:
		return "not unsent"
	case strings.Contains(r.body, `"success":true`) && strings.Contains(r.body, `"success":false`):
		return "ambiguous"
	}
	// Whoever reads leniently must not be deceived either: the first and the last "success".
	var lenient struct{ Success any }
	whole := json.Unmarshal([]byte(r.body), &lenient) == nil
	switch {
	case strings.HasPrefix(r.body, `{"success":true`), whole && lenient.Success == true:
		return "unsent"
	case strings.HasPrefix(r.body, `{"success":false`), whole && lenient.Success == false:
		return "not unsent"
	}
	return "ambiguous"
}
