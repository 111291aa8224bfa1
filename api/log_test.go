package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// recorded makes a call on virtual time and returns its records, without their time.
func recorded(t *testing.T, level slog.Level, server *mock.Server, opts ...api.Option) (records []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}))
	client := newClient(t, validatedRequests(t, server.Client().Transport), append([]api.Option{api.WithLogger(log)}, opts...)...)
	_, _ = unsend(t.Context(), t, client, api.WithUserID("999"))
	if strings.Contains(out.String(), plantedKey) {
		t.Error("the key is in the log")
	}
	for line := range strings.Lines(out.String()) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		delete(record, "time")
		for name, want := range map[string]any{"operation": "unsendChatMessage", "connection": connection, "user_id": userID, "message_id": messageID} {
			if record[name] != want {
				t.Errorf("%s is %v in %s", name, record[name], line)
			}
			delete(record, name)
		}
		records = append(records, record)
	}
	return records
}

func TestRecords(t *testing.T) {
	const second = float64(time.Second)
	type record = map[string]any
	attempt := func(n, status float64, kind, id string, maybe bool, took, wait float64) record {
		return record{"level": "DEBUG", "msg": "attempt", "attempt": n, "status": status, "type": kind, "request_id": id, "maybe_unsent": maybe, "took": took, "wait": wait}
	}
	lost := attempt(2, 0, "", "", true, second, second)
	lost["cause"] = "the connection was closed before a response came"
	for name, c := range map[string]struct {
		faults []mock.Fault
		want   []record
	}{
		"unsent": {nil, []record{
			attempt(1, 200, "", "req_000000000001", false, 0, 0),
			{"level": "DEBUG", "msg": "unsent", "attempts": 1., "request_id": "req_000000000001", "took": 0.},
		}},
		"already gone": {[]mock.Fault{{Status: 503, Acted: true, Type: "NETWORK"}}, []record{
			attempt(1, 503, "NETWORK", "req_000000000001", true, 0, second/2),
			attempt(2, 404, "RESOURCE_NOT_FOUND", "req_000000000002", false, 0, 0),
			{"level": "DEBUG", "msg": "already_gone", "attempts": 2., "request_id": "req_000000000002", "took": second / 2},
		}},
		"failed": {[]mock.Fault{{Status: 429, RetryAfter: "5"}, {Delay: time.Second, Kind: mock.Drop}, {Status: 403}}, []record{
			attempt(1, 429, "RATE_LIMIT_EXCEEDED", "req_000000000001", false, 0, 5*second),
			lost,
			attempt(3, 403, "FORBIDDEN", "req_000000000003", false, 0, 0),
			{"level": "WARN", "msg": "failed", "attempts": 3., "status": 403., "type": "FORBIDDEN", "request_id": "req_000000000003", "maybe_unsent": true, "scope": "connection", "retry_after": 0., "took": 7 * second},
		}},
		"left to the caller": {[]mock.Fault{{Status: 429, RetryAfter: "61"}}, []record{
			attempt(1, 429, "RATE_LIMIT_EXCEEDED", "req_000000000001", false, 0, 0),
			{"level": "WARN", "msg": "failed", "attempts": 1., "status": 429., "type": "RATE_LIMIT_EXCEEDED", "request_id": "req_000000000001", "maybe_unsent": false, "scope": "service", "retry_after": 61 * second, "took": 0.},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				synctest.Test(t, func(t *testing.T) {
					server := newMock(mock.WithoutRateLimit())
					server.Next(c.faults...)
					got := recorded(t, level, server)
					want := slices.DeleteFunc(slices.Clone(c.want), func(r record) bool {
						var l slog.Level
						return l.UnmarshalText([]byte(fmt.Sprint(r["level"]))) != nil || l < level
					})
					if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
						t.Errorf("at %v\ngot  %v\nwant %v", level, got, want)
					}
				})
			}
		})
	}
}

// TestWaitsAreRecorded once, if they last more than a second (P11).
func TestWaitsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, log := debugLogger()
		client := mockClient(t, newMock(), api.WithRateLimit(30, 1), api.WithLogger(logger))
		for i, want := range []int{0, 1, 0} {
			log.Reset()
			if _, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(log.String(), `"level":"DEBUG","msg":"rate limit","connection":"conn_tests","wait":2000000000`); n != want {
				t.Errorf("call %d recorded %d waits, want %d: %s", i, n, want, log)
			}
			pass(time.Duration(i) * time.Second) // call 2 waits a second only
		}
	})
}

// TestPacingRefusalIsRecorded has no attempt to record.
func TestPacingRefusalIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		client := mockClient(t, newMock(), api.WithRateLimit(1, 1), api.WithLogger(log))
		if _, err := unsend(t.Context(), t, client); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = unsend(ctx, t, client)
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=failed") || !strings.Contains(got, "attempts=0 status=0") || !strings.Contains(got, "retry_after=1m0s") {
			t.Errorf("the record is %s", got)
		}
	})
}
