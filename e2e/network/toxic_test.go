package network

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func TestLatency(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "upstream", "latency", `"latency":20,"jitter":10`)
	l.poison(t, "downstream", "latency", `"latency":20,"jitter":10`)
	client := l.client(t, nil)
	for range 5 {
		_, _ = l.end(t, client, ending{outcome: api.Unsent, attempts: 1})
	}
}

// TestLatencyPastTheTimeout: the answer to a request that was carried out comes too late. The
// next attempt says that the message is gone.
func TestLatencyPastTheTimeout(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "downstream", "latency", `"latency":60000`)
	client := l.client(t, func(attempt int) {
		if attempt == 2 {
			l.cure(t)
		}
	}, api.WithTimeout(200*time.Millisecond))
	_, _ = l.end(t, client, ending{outcome: api.AlreadyGone, attempts: 2})
}

func TestLatencyThatStays(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "downstream", "latency", `"latency":60000`)
	_, err := l.end(t, l.client(t, nil, api.WithTimeout(100*time.Millisecond), api.WithRetries(1)), ending{maybe: true, attempts: 2})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("context.DeadlineExceeded cannot be reached: %v", err)
	}
}

// TestFewBytesAtATime: everything comes in pieces of about three bytes, both ways.
func TestFewBytesAtATime(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "upstream", "slicer", `"average_size":3,"size_variation":2,"delay":100`)
	l.poison(t, "downstream", "slicer", `"average_size":3,"size_variation":2,"delay":100`)
	result, _ := l.end(t, l.client(t, nil), ending{outcome: api.Unsent, attempts: 1})
	if queue, err := result.Queue(); err != nil || queue == nil {
		t.Errorf("the snapshot did not come whole: %v, %v", queue, err)
	}
}

func TestNarrowBandwidth(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "downstream", "bandwidth", `"rate":2`)
	result, _ := l.end(t, l.client(t, nil), ending{outcome: api.Unsent, attempts: 1})
	if queue, err := result.Queue(); err != nil || queue == nil {
		t.Errorf("the snapshot did not come whole: %v, %v", queue, err)
	}
}

// TestBandwidthPastTheTimeout: success was read, and the snapshot did not come in time.
func TestBandwidthPastTheTimeout(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.server.Next(mock.Fault{Body: `{"success":true,"queue":{"id":1,"text":"` + strings.Repeat("x", 60_000) + `"}}`})
	l.poison(t, "downstream", "bandwidth", `"rate":5`)
	result, _ := l.end(t, l.client(t, nil, api.WithTimeout(time.Second)), ending{outcome: api.Unsent, attempts: 1})
	queue, err := result.Queue()
	if !errors.Is(err, context.DeadlineExceeded) || queue == nil || queue.ID != 1 {
		t.Errorf("Queue gives %v, %v", queue, err)
	}
}

// breakOff is a call whose connection is broken once n bytes of the answer's body have come;
// only the first attempt's.
func breakOff(t *testing.T, n int, body, toxic, attributes string, want ending) (*api.Result, error) {
	t.Helper()
	l := newLine(t)
	l.server.Next(mock.Fault{Kind: mock.Slow, Delay: time.Millisecond, Body: body})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	way := &counted{
		next: transport,
		body: after(n, func() { l.poison(t, "downstream", toxic, attributes) }),
		before: func(attempt int) {
			if attempt == 2 {
				l.cure(t)
			}
		},
	}
	return l.end(t, newClient(t, "http://"+l.proxy.Listen, way), want)
}

const (
	successFirst = `{"success":true,"queue":{"id":6432457811894,"text":"as it comes, byte by byte, over some time"}}`
	successLast  = `{"queue":{"id":6432457811894,"text":"as it comes, byte by byte, over some time"},"success":true}`
)

func TestResetInTheBody(t *testing.T) {
	t.Parallel()
	t.Run("behind success", func(t *testing.T) {
		t.Parallel()
		result, _ := breakOff(t, 40, successFirst, "reset_peer", `"timeout":0`, ending{outcome: api.Unsent, attempts: 1})
		queue, err := result.Queue()
		if err == nil || queue == nil || !strings.Contains(err.Error(), "breaks off at queue") {
			t.Errorf("Queue gives %v, %v", queue, err)
		}
	})
	t.Run("before success", func(t *testing.T) {
		t.Parallel()
		_, _ = breakOff(t, 40, successLast, "reset_peer", `"timeout":0`, ending{outcome: api.AlreadyGone, attempts: 2})
	})
}

func TestResetBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.poison(t, "downstream", "reset_peer", `"timeout":0`)
	client := l.client(t, func(attempt int) {
		if attempt == 2 {
			l.cure(t)
		}
	})
	_, _ = l.end(t, client, ending{outcome: api.AlreadyGone, attempts: 2})
}

// TestEndInTheMiddle closes the connection after a number of bytes, in the header or the body.
func TestEndInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bytes string
		want  ending
	}{
		"nothing":                {`"bytes":0`, ending{maybe: true, attempts: 2}},
		"in the status":          {`"bytes":10`, ending{maybe: true, attempts: 2}},
		"in the header":          {`"bytes":60`, ending{maybe: true, attempts: 2}},
		"behind success, surely": {`"bytes":700`, ending{outcome: api.Unsent, attempts: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.poison(t, "downstream", "limit_data", c.bytes)
			_, _ = l.end(t, l.client(t, nil, api.WithRetries(1)), c.want)
		})
	}
}

// TestStalledPeer: the connection stays open, and nothing comes through it any more.
func TestStalledPeer(t *testing.T) {
	t.Parallel()
	for stream, outcome := range map[string]api.Outcome{"downstream": api.AlreadyGone, "upstream": api.Unsent} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.poison(t, stream, "timeout", `"timeout":0`)
			client := l.client(t, func(attempt int) {
				if attempt == 2 {
					l.cure(t)
				}
			}, api.WithTimeout(200*time.Millisecond))
			_, _ = l.end(t, client, ending{outcome: outcome, attempts: 2})
		})
	}
	t.Run("in the body", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		l.server.Next(mock.Fault{Kind: mock.Slow, Delay: time.Millisecond, Body: successLast})
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		way := &counted{next: transport, body: after(40, func() { l.poison(t, "downstream", "timeout", `"timeout":0`) })}
		_, err := l.end(t, newClient(t, "http://"+l.proxy.Listen, way, api.WithTimeout(300*time.Millisecond), api.WithRetries(0)), ending{maybe: true, attempts: 1, status: 200})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, api.ErrUnexpectedResponse) {
			t.Errorf("%v", err)
		}
	})
	t.Run("and the caller leaves", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		l.poison(t, "downstream", "timeout", `"timeout":0`)
		ctx, cancel := context.WithCancel(t.Context())
		client := l.client(t, func(int) { time.AfterFunc(50*time.Millisecond, cancel) })
		started := time.Now()
		_, err := client.Unsend(ctx, userID, "7")
		if e := failure(t, err); !errors.Is(err, context.Canceled) || !e.MaybeUnsent || time.Since(started) > 5*time.Second {
			t.Errorf("after %v: %v, MaybeUnsent %v", time.Since(started), err, e.MaybeUnsent)
		}
	})
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	t.Run("throughout", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		l.proxy.Stop()
		_, err := l.end(t, l.client(t, nil, api.WithRetries(1)), ending{attempts: 2})
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("ECONNREFUSED cannot be reached: %v", err)
		}
	})
	t.Run("at first", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		l.proxy.Stop()
		client := l.client(t, func(attempt int) {
			if attempt == 2 {
				if err := l.proxy.Start(); err != nil {
					t.Error(err)
				}
			}
		})
		_, _ = l.end(t, client, ending{outcome: api.Unsent, attempts: 2})
	})
	t.Run("by what is behind a proxy", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		if err := l.server.Close(); err != nil {
			t.Fatal(err)
		}
		// To the client a connection was there, and ended.
		_, _ = l.end(t, l.client(t, nil, api.WithRetries(1)), ending{maybe: true, attempts: 2})
	})
}
