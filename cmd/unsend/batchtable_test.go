package main

import (
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/batch"
)

func TestPrintTable(t *testing.T) {
	tests := []struct {
		name    string
		summary batch.Summary
		want    string
	}{
		{"all unsent", batch.Summary{Unsent: 2000}, `
2,000 messages, 1 min 30 s:
  2,000  unsent
`},
		{"everything", batch.Summary{
			Unsent: 1000, AlreadyGone: 20, Failed: 12, Skipped: 3, Unsettled: 5,
			Failures: []batch.FailureGroup{
				{Kind: "network", Count: 1, Hint: "check the network", MaybeUnsent: 1},
				{Kind: "HTTP 503", Count: 1, Hint: "resume later"},
				{Kind: "RESOURCE_NOT_FOUND", Count: 10, Final: 10, Hint: "nothing to do"},
			},
		}, `
2,000 messages, 1 min 30 s:
  1,000  unsent
     20  already gone
     12  failed
      3  skipped: their connection was stopped
      5  sent, without an outcome
    960  not sent
Failures:
  10  RESOURCE_NOT_FOUND  nothing to do
   1  HTTP 503            resume later
   1  network             check the network (1 may have been unsent)
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			printTable(&out, 2000, &tt.summary, 90*time.Second)
			if got, want := out.String(), tt.want[1:]; got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestResumable(t *testing.T) {
	s := batch.Summary{
		Unsent: 1, AlreadyGone: 1, Failed: 5, Skipped: 2, Unsettled: 1,
		Failures: []batch.FailureGroup{{Count: 3, Final: 3}, {Count: 2}},
	}
	if got := resumable(20, &s); got != 15 {
		t.Errorf("%d messages are left, want 10 not sent, 1 unsettled, 2 skipped and 2 that failed in passing", got)
	}
}
