package api_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// TestRateLimitOfTheAnswer is what a result says of the bucket, through a whole call.
func TestRateLimitOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		none := time.Time{}
		for _, c := range []struct {
			limit, remaining, reset string
			want                    api.RateLimit
		}{
			{"90", "89", "1", api.RateLimit{Limit: 90, Remaining: 89, Reset: now.Add(time.Second)}},
			{"0", "0", "0", api.RateLimit{Reset: now}},
			{" 90 ", "007", "60", api.RateLimit{Limit: 90, Remaining: 7, Reset: now.Add(time.Minute)}},
			{"", "", "", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"many", "-1", "-1", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"1.5", "1e3", "soon", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"99999999999999999999", "2147483648", "99999999999999999999", api.RateLimit{Limit: -1, Remaining: -1, Reset: none}},
			{"2147483647", "2147483647", "31622400", api.RateLimit{Limit: math.MaxInt32, Remaining: math.MaxInt32, Reset: now.Add(366 * 24 * time.Hour)}},
			// Unix seconds, up to a year before and after now; nothing else.
			{"90", "9", fmt.Sprint(now.Unix() + 30), api.RateLimit{Limit: 90, Remaining: 9, Reset: now.Add(30 * time.Second)}},
			{"90", "9", fmt.Sprint(now.Unix() - 30), api.RateLimit{Limit: 90, Remaining: 9, Reset: now.Add(-30 * time.Second)}},
			{"90", "9", fmt.Sprint(now.Unix() + 367*24*3600), api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", fmt.Sprint(now.Unix() - 367*24*3600), api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", fmt.Sprint(now.UnixMilli()), api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", "31622401", api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
			{"90", "9", "9223372036854775807", api.RateLimit{Limit: 90, Remaining: 9, Reset: none}},
		} {
			header := http.Header{"X-Ratelimit-Limit": {c.limit}, "X-Ratelimit-Remaining": {c.remaining}, "X-Ratelimit-Reset": {c.reset}}
			client := newClient(t, answer(t, http.StatusOK, header, `{"success":true}`))
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

// TestRateLimitOfTheMock is the documented limit, counted down.
func TestRateLimitOfTheMock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		client := mockClient(t, server)
		for i := range 3 {
			result, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(i))
			if err != nil {
				t.Fatal(err)
			}
			if got := result.RateLimit; got.Limit != 90 || got.Remaining != 89-i || !got.Reset.Equal(time.Now().Add(time.Duration(i+1)*time.Second)) {
				t.Errorf("after %d: %+v", i+1, got)
			}
		}
	})
}

// TestAlreadyGoneTellsOfItsAnswer: the answer is an error's, and the result has what it said.
func TestAlreadyGoneTellsOfItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		server.Next(mock.Fault{Kind: mock.Drop, Acted: true})
		result, err := unsend(t.Context(), t, mockClient(t, server))
		if err != nil {
			t.Fatal(err)
		}
		if result.RequestID != "req_000000000002" || result.RateLimit.Remaining != 88 || !strings.Contains(string(result.Raw), "RESOURCE_NOT_FOUND") {
			t.Errorf("%+v", result)
		}
	})
}

// TestWhatIsSent is the documented request.
func TestWhatIsSent(t *testing.T) {
	var got *http.Request
	var body strings.Builder
	record := doer(func(req *http.Request) (*http.Response, error) {
		got = req
		body.Reset()
		_, _ = io.Copy(&body, req.Body)
		_ = req.Body.Close()
		return newResponse(req, http.StatusOK, nil, strings.NewReader(`{"success":true}`)), nil
	})
	for name, c := range map[string]struct {
		opts []api.Option
		call []api.CallOption
		want map[string]string
		body string
	}{
		"as it is":     {nil, nil, map[string]string{"X-Connection-Id": connection, "User-Agent": "unsend-go/" + api.Version}, `{"withUserId":"51234567"}`},
		"with options": {[]api.Option{api.WithUserAgent("tool/1")}, []api.CallOption{api.OnConnection("conn_b"), api.WithUserID("999")}, map[string]string{"X-Connection-Id": "conn_b", "User-Agent": "tool/1"}, `{"withUserId":"999"}`},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, judged(t, record), c.opts...)
			if _, err := unsend(t.Context(), t, client, c.call...); err != nil {
				t.Fatal(err)
			}
			if got.Method != http.MethodDelete || got.URL.String() != api.DefaultBaseURL+"/v2/access/chats/"+userID+"/messages/"+messageID {
				t.Errorf("%s %s", got.Method, got.URL)
			}
			if got.Header.Get("apiKey") != plantedKey || got.Header.Get("Content-Type") != "application/json" || body.String() != c.body {
				t.Errorf("the media type is %s, the body %s", got.Header.Get("Content-Type"), &body)
			}
			for name, want := range c.want {
				if values := got.Header.Values(name); len(values) != 1 || values[0] != want {
					t.Errorf("%s is %q, want %q", name, values, want)
				}
			}
		})
	}
}
