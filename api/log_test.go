package api_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// textLogger records at a level, without the time.
func textLogger(level slog.Level) (*slog.Logger, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), log
}

// TestRecords has all records of a call: attempts and successes at debug, failures at warn.
func TestRecords(t *testing.T) {
	for name, c := range map[string]struct {
		faults []mock.Fault
		want   string
	}{
		"unsent": {nil, `
level=DEBUG msg=attempt attempt=1 status=200 type="" request_id=req_1 maybe_unsent=false took=0s wait=0s
level=DEBUG msg=unsent attempts=1 request_id=req_1 took=0s
`},
		"already gone": {[]mock.Fault{{Status: 503, Acted: true, Type: "NETWORK"}}, `
level=DEBUG msg=attempt attempt=1 status=503 type=NETWORK request_id=req_1 maybe_unsent=true took=0s wait=500ms
level=DEBUG msg=attempt attempt=2 status=404 type=RESOURCE_NOT_FOUND request_id=req_2 maybe_unsent=false took=0s wait=0s
level=DEBUG msg=already_gone attempts=2 request_id=req_2 took=500ms
`},
		"failed": {[]mock.Fault{{Delay: time.Second, Kind: mock.Drop}, {Status: 403}}, `
level=DEBUG msg=attempt attempt=1 status=0 type="" request_id="" maybe_unsent=true cause=CLOSED took=1s wait=500ms
level=DEBUG msg=attempt attempt=2 status=403 type=FORBIDDEN request_id=req_2 maybe_unsent=false took=0s wait=0s
level=WARN msg=failed attempts=2 status=403 type=FORBIDDEN request_id=req_2 maybe_unsent=true scope=connection retry_after=0s took=1.5s
`},
		"left to the caller": {[]mock.Fault{{Status: 429, RetryAfter: "61"}}, `
level=DEBUG msg=attempt attempt=1 status=429 type=LIMITED request_id=req_1 maybe_unsent=false took=0s wait=0s
level=WARN msg=failed attempts=1 status=429 type=LIMITED request_id=req_1 maybe_unsent=false scope=service retry_after=1m1s took=0s
`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelWarn} {
				synctest.Test(t, func(t *testing.T) {
					logger, log := textLogger(level)
					server := newMock(mock.WithoutRateLimit())
					server.Next(c.faults...)
					_, _ = unsend(t.Context(), t, newClient(t, validatedRequests(t, server.Client().Transport), api.WithLogger(logger)))
					want := ""
					for line := range strings.Lines(c.want[1:]) {
						if level == slog.LevelDebug || strings.HasPrefix(line, "level=WARN") {
							want += line
						}
					}
					short := strings.NewReplacer("req_00000000000", "req_", `"the connection was closed before a response came"`, "CLOSED",
						"RATE_LIMIT_EXCEEDED", "LIMITED")
					ids := fmt.Sprintf(" operation=unsendChatMessage connection=%s user_id=%s message_id=%s", connection, userID, messageID)
					got := short.Replace(strings.ReplaceAll(log.String(), ids, ""))
					if n := strings.Count(log.String(), ids); got != want || n != strings.Count(want, "\n") {
						t.Errorf("at %v\n%s\nwant, with the ids,\n%s", level, log, want)
					}
				})
			}
		})
	}
}

// TestWaitsAreRecorded once, if they last more than a second (P11).
func TestWaitsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, log := textLogger(slog.LevelDebug)
		client := mockClient(t, newMock(), api.WithRateLimit(30, 1), api.WithLogger(logger))
		for i, want := range []int{0, 1, 0} {
			log.Reset()
			if _, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			n, all := strings.Count(log.String(), `level=DEBUG msg="rate limit" connection=conn_tests wait=2s`), strings.Count(log.String(), "rate")
			if n != want || all != want {
				t.Errorf("call %d recorded %d waits, want %d: %s", i, n, want, log)
			}
			pass(time.Duration(i) * time.Second) // call 2 waits a second only
		}
		log.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _ = unsendMessage(ctx, t, client, userID, "3")
		_, _ = unsendMessage(ctx, t, client, userID, "4")
		if got := log.String(); !strings.Contains(got, "msg=failed") || !strings.Contains(got, "attempts=0 status=0") {
			t.Errorf("a refused wait is recorded as %s", got)
		}
	})
}
