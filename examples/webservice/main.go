// Command webservice unsends messages for a front end:
//
//	DELETE /chats/{user}/messages/{message}
//
// The status follows from the error, with Retry-After if waiting can help. A message that may or may
// not have been unsent gets 202 Accepted, and is tried again in the background until that is known.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/unsend-go/unsend/api"
)

func main() {
	client, err := api.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	s := &service{client: client}
	go s.settle(context.Background(), time.Minute)
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

type message struct{ user, id string }

// service unsends messages and remembers those of which the outcome is open.
type service struct {
	client *api.Client
	open   sync.Map // of messages that may have been unsent; a service that restarts would store them
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("DELETE /chats/{user}/messages/{message}", func(w http.ResponseWriter, r *http.Request) {
		// A rate limit that outlasts this is refused at once, instead of keeping the front end waiting.
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		result, err := s.unsend(ctx, message{r.PathValue("user"), r.PathValue("message")})
		if err != nil {
			status, wait, text := respondTo(err)
			if wait > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			}
			http.Error(w, text, status)
			return
		}
		_, _ = fmt.Fprintln(w, result.Outcome)
	})
	return mux
}

// unsend carries over that an earlier call may have unsent the message, and remembers that of this
// call, unless its error is final: no retry would find out.
func (s *service) unsend(ctx context.Context, m message) (*api.Result, error) {
	var opts []api.CallOption
	if _, open := s.open.Load(m); open {
		opts = append(opts, api.WithMaybeUnsent())
	}
	result, err := s.client.Unsend(ctx, m.user, m.id, opts...)
	if failure, ok := errors.AsType[*api.Error](err); ok && mayResolve(failure) {
		s.open.Store(m, true)
	} else {
		s.open.Delete(m)
	}
	return result, err
}

// mayResolve reports whether the same call can find out if the message was unsent.
func mayResolve(failure *api.Error) bool { return failure.MaybeUnsent && failure.Retryable() }

// respondTo returns the status for an error, how long to wait before a retry, and what to show.
func respondTo(err error) (status int, wait time.Duration, text string) {
	failure, ok := errors.AsType[*api.Error](err)
	switch {
	case errors.Is(err, api.ErrInvalidID):
		return http.StatusBadRequest, 0, err.Error()
	case !ok: // api.ErrConfig: this service's own mistake
		return http.StatusInternalServerError, 0, "not configured"
	case mayResolve(failure):
		return http.StatusAccepted, 0, "outcome not known yet"
	case errors.Is(err, api.ErrNotFound):
		return http.StatusNotFound, 0, "no such message"
	case errors.Is(err, api.ErrSessionExpired):
		return http.StatusConflict, 0, failure.Hint()
	case failure.Retryable():
		return http.StatusServiceUnavailable, max(failure.RetryAfter, time.Second), "try again later"
	case failure.Scope == api.ScopeMessage:
		return http.StatusUnprocessableEntity, 0, failure.Hint()
	}
	return http.StatusBadGateway, 0, failure.Hint()
}

// settle tries the open messages again, each interval until ctx ends.
func (s *service) settle(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.open.Range(func(key, _ any) bool {
				if m, ok := key.(message); ok {
					_, _ = s.unsend(ctx, m) // stays open if no response comes this time either
				}
				return true
			})
		}
	}
}
