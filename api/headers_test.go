package api_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestRateLimitOfTheResponse reads the headers of the bucket, through a whole call.
func TestRateLimitOfTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		none := time.Time{}
		for _, c := range []struct {
			limit, remaining, reset string
			want                    api.RateLimit
		}{
			{"90", "89", "1", api.RateLimit{Limit: 90, Remaining: 89, Reset: now.Add(time.Second)}},
			{" 90 ", "007", "60", api.RateLimit{Limit: 90, Remaining: 7, Reset: now.Add(time.Minute)}},
			{"", "", "", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"many", "-1", "-1", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"99999999999999999999", "2147483648", "99999999999999999999", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"90", "0", "0", api.RateLimit{Limit: 90, Remaining: 0, Reset: now}},
			{"2147483647", "2147483647", "", api.RateLimit{Limit: math.MaxInt32, Remaining: math.MaxInt32, Reset: none}},
			{"90", "9", "31622400", api.RateLimit{Limit: 90, Remaining: 9, Reset: now.Add(366 * 24 * time.Hour)}},
			// Unix seconds, up to a year before and after now; nothing else.
			{"90", "9", fmt.Sprint(now.Unix() + 30), api.RateLimit{Limit: 90, Remaining: 9, Reset: now.Add(30 * time.Second)}},
			{"90", "9", fmt.Sprint(now.Unix() - 30), api.RateLimit{Limit: 90, Remaining: 9, Reset: now.Add(-30 * time.Second)}},
			{"90", "9", fmt.Sprint(now.Unix() + 367*24*3600), api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", fmt.Sprint(now.Unix() - 367*24*3600), api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", "31622401", api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
		} {
			header := http.Header{"X-Ratelimit-Limit": {c.limit}, "X-Ratelimit-Remaining": {c.remaining}, "X-Ratelimit-Reset": {c.reset}}
			client := newClient(t, respond(t, http.StatusOK, header, `{"success":true}`))
			result, err := unsend(t.Context(), t, client)
			if err != nil {
				t.Fatal(err)
			}
			got := result.RateLimit
			if got.Limit != c.want.Limit || got.Remaining != c.want.Remaining || !got.Reset.Equal(c.want.Reset) {
				t.Errorf("%q, %q, %q is %+v, want %+v", c.limit, c.remaining, c.reset, got, c.want)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
		for _, c := range []struct {
			values []string
			date   string // the response's own
			want   time.Duration
		}{
			{want: 0},
			{values: []string{"0"}, want: 0},
			{values: []string{" 007 "}, want: 7 * time.Second},
			{values: []string{"2.0"}, want: 2 * time.Second},
			{values: []string{"1.5"}, want: 2 * time.Second},
			{values: []string{"5, 7,5"}, want: 7 * time.Second},
			{values: []string{"5", "9"}, want: 9 * time.Second},
			{values: []string{"86399"}, want: 86399 * time.Second},
			{values: []string{"9223372037"}, want: 24 * time.Hour}, // X10
			{values: []string{strings.Repeat("9", 1000)}, want: 24 * time.Hour},
			{values: []string{at(time.Minute)}, want: time.Minute},
			{values: []string{at(-time.Second)}, want: 0},
			// A server's clock need not be this machine's.
			{values: []string{at(4 * time.Minute)}, date: at(3 * time.Minute), want: time.Minute},
			{values: []string{at(time.Minute)}, date: "yesterday", want: time.Minute},
			// What cannot be read is a wait of a second.
			{values: []string{"-1"}, want: time.Second},
			{values: []string{"1e3"}, want: time.Second},
			{values: []string{"soon"}, want: time.Second},
			{values: []string{"2026-03-01T13:00:00Z"}, want: time.Second},
			{values: []string{""}, want: time.Second},
		} {
			header := http.Header{"Retry-After": c.values, "Date": {c.date}}
			if got := api.ErrorOf(&http.Response{StatusCode: 429, Header: header}, nil).RetryAfter; got != c.want {
				t.Errorf("%.50q is %v, want %v", c.values, got, c.want)
			}
		}
	})
}
