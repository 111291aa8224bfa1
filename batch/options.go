package batch

import (
	"errors"
	"fmt"

	"github.com/unsend-go/unsend/api"
)

const (
	defaultInFlight = 4
	maxInFlight     = 1000
)

// Why a run did not do what it was asked, for [errors.Is].
var (
	// ErrOptions is options that cannot work. Nothing is sent; [Progress.Err] says so.
	ErrOptions = errors.New("invalid batch options")
	// ErrStopped is a run that was stopped by Options.Stop, or by leaving the loop.
	ErrStopped = api.ErrStopped
)

// Options configure [Run]. The zero value works.
type Options struct {
	// InFlight is how many requests are under way at most on one connection. The default is
	// 4; 1 to 1,000. A connection starts with one, until the service has accepted it.
	InFlight int
	// Stop, once closed, ends the run: nothing more is sent, what is under way is finished,
	// and the results of that are still yielded. To stop at once, end the context instead.
	Stop <-chan struct{}
	// Progress, where it is not nil, follows the run.
	Progress *Progress
	// RetryFailed opens failed messages again that had ended for good.
	RetryFailed bool
}

func (o *Options) validate() error {
	if o.InFlight == 0 {
		o.InFlight = defaultInFlight
	}
	if o.InFlight < 1 || o.InFlight > maxInFlight {
		return fmt.Errorf("%w: %d requests in flight are out of range; want 1 to %d", ErrOptions, o.InFlight, maxInFlight)
	}
	return nil
}
