package mock

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whole objects are read as encoding/json reads them; no beginning of one says more than it.
func FuzzClaimOf(f *testing.F) {
	for _, seed := range []string{
		`{"success":true}`, `{"success":true`, `{"queue":{"success":true},"success":false}`,
		`{"success":true,"success":false}`, `{"success":"true"}`, `{"success":1,"a":[{}]}`, `[`, `{"a":`,
		` {"success" : true ,`, "{\"success\":true\x00", `{"succ\u0065ss":true}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		said := claimOf(body)
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &members) != nil || len(members) == 0 || strings.Count(body, "succ") > 1 {
			return
		}
		want := map[string]claim{"true": claimsSuccess, "false": claimsRefusal}[string(members["success"])]
		if said != want {
			t.Errorf("%q says %d, want %d", body, said, want)
		}
		for i := range body {
			if part := claimOf(body[:i]); part != claimsNothing && part != want {
				t.Errorf("%q says %d, all of it %d", body[:i], part, want)
			}
		}
	})
}
