package batch

import (
	"math/rand/v2"
	"time"
)

const (
	maxRequeues   = 10
	firstWait     = time.Second
	longestWait   = 30 * time.Second
	longestHold   = 10 * time.Minute // that a Retry-After is waited for
	longestOutage = 15 * time.Minute // after which a connection is given up
	longestQueue  = 1024             // items of one connection that wait to be sent again
	strikesOut    = 8                // failures in a row, after which a connection only probes
	probes        = 2                // items with which it does
)

// backoff returns how long to wait before try n again, from 1: between half of a time that
// doubles with n and the whole of it.
func backoff(n int) time.Duration {
	d := longestWait
	if n < 6 {
		d = firstWait << (max(n, 1) - 1)
	}
	return d/2 + rand.N(d/2+1)
}
