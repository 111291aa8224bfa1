package batch

import (
	"context"
	"errors"
	"sync"

	"github.com/unsend-go/unsend/api"
)

// sender sends messages, each on a goroutine of its own, and sends events to the dispatcher.
type sender struct {
	ctx     context.Context //nolint:containedctx // that of the requests
	client  *api.Client
	events  chan<- event
	workers sync.WaitGroup
}

func (s *sender) start(t *task) { s.workers.Go(func() { s.send(t) }) }

func (s *sender) send(t *task) {
	c := t.connection
	opts := []api.CallOption{api.WithConnection(c.counts.ID), api.WithRetries(0), api.WithStop(c.quit)}
	if t.Item.WithUserID != "" {
		opts = append(opts, api.WithUserID(t.Item.WithUserID))
	}
	if t.maybe {
		opts = append(opts, api.WithMaybeUnsent())
	}
	s.events <- event{task: t}
	result, err := s.client.Unsend(s.ctx, t.Item.UserID, t.Item.MessageID, opts...)
	if e, ok := errors.AsType[*api.Error](err); ok {
		err = withoutBody(e)
	}
	s.events <- event{task: t, done: true, result: result, err: err}
}
