package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestResets has a server of HTTP/2 that carries a request out, or does not, and then resets the
// stream or says GOAWAY, with every code there is, whether that is true or a lie. A call without
// retries must send one request, and must know that the message may have been unsent.
func TestResets(t *testing.T) { //nolint:tparallel // the calls share a connection, one after another
	t.Parallel()
	service := newService()
	newClient, stop := startHTTP2(t, service)
	t.Cleanup(stop)
	client := newClient(api.WithoutRateLimit(), api.WithTimeout(time.Minute)) // nothing stalls
	number := 0
	for _, kind := range []faultKind{reset, resetEarly, resetInside, resetBehind, goAway, goAwayClosed, goAwayAnswered} {
		for _, code := range append(codes(), 99, 1<<32-1) {
			for _, last := range []int{-1 << 20, -2, 0, 1 << 20} {
				if last != 0 && !strings.HasPrefix(string(kind), "GOAWAY") {
					continue
				}
				if last >= 0 && kind == goAway {
					continue // the stream is promised an answer: it stalls
				}
				for _, act := range []bool{true, false} {
					for _, kept := range []bool{false, true} {
						number++
						sc := &scenario{message: fmt.Sprint(number), connection: "conn_0", removedAt: -1, gone: !act}
						st := step{fault: networkFault{kind: kind, code: code, last: last, cut: 5}}
						if !act {
							st.status, st.body = 503, `{"error":"No"}`
						}
						sc.steps = []step{st}
						m := service.add(sc)
						t.Run(fmt.Sprintf("%s, code %d, last %d, acted %v, kept %v", kind, code, last, act, kept), func(t *testing.T) {
							if kept { // an answer on the same connection, or on a new one behind a GOAWAY
								service.add(&scenario{message: "first", removedAt: -1})
								if _, err := client.Unsend(t.Context(), userID, "first", api.WithRetries(3)); err != nil {
									t.Fatal(err)
								}
							}
							result, err := client.Unsend(t.Context(), userID, sc.message, api.WithRetries(0))
							service.mu.Lock()
							defer service.mu.Unlock()
							if m.requests != 1 {
								t.Errorf("%d requests arrived of one attempt", m.requests)
							}
							if err == nil {
								if result.Outcome != api.Unsent || m.acted != 1 {
									t.Errorf("%+v", result)
								}
								return
							}
							if e, ok := errors.AsType[*api.Error](err); !ok || !e.MaybeUnsent || !e.Retryable() || e.Attempts != 1 || e.Scope != api.ScopeService {
								t.Errorf("%v: %+v", err, e)
							}
							if strings.Contains(err.Error(), "debug data") {
								t.Errorf("the server's debug data is told: %v", err)
							}
						})
					}
				}
			}
		}
	}
}

// codes are those that HTTP/2 defines.
func codes() (list []uint32) {
	for code := range uint32(14) {
		list = append(list, code)
	}
	return list
}

// TestResetThenGone: the retry, which is the client's own, learns that the message is gone.
func TestResetThenGone(t *testing.T) {
	t.Parallel()
	for _, kind := range []faultKind{reset, resetEarly, goAway, goAwayClosed} {
		for _, code := range codes() {
			t.Run(fmt.Sprintf("%s, code %d", kind, code), func(t *testing.T) {
				t.Parallel()
				service := newService()
				newClient, stop := startHTTP2(t, service)
				t.Cleanup(stop)
				m := service.add(&scenario{message: "7", removedAt: -1, steps: []step{{fault: networkFault{kind: kind, code: code, last: -1 << 20}}}})
				result, err := newClient().Unsend(t.Context(), userID, "7", api.WithRetries(1))
				if err != nil || result.Outcome != api.AlreadyGone || result.Attempts != 2 || m.requests != 2 {
					t.Errorf("%+v, %v; %d requests", result, err, m.requests)
				}
			})
		}
	}
}
