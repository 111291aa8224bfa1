package api

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RateLimit is what an answer's X-RateLimit headers said of the connection's token bucket.
type RateLimit struct {
	Limit     int       // capacity in requests; -1 where the answer did not say
	Remaining int       // requests left; -1 where the answer did not say
	Reset     time.Time // when the bucket is full again; zero where the answer did not say
}

func parseRateLimit(h http.Header, now time.Time) RateLimit {
	return RateLimit{
		Limit:     count(h.Get(limitHeader)),
		Remaining: count(h.Get(remainingHeader)),
		Reset:     parseReset(h.Get(resetHeader), now),
	}
}

func count(s string) int {
	if s == "" {
		return -1 // the common case, without the error's allocation
	}
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// parseReset reads seconds from now and Unix seconds alike, since the unit is not
// documented. What is neither within a year from now nor a date of these decades is ignored.
func parseReset(s string, now time.Time) time.Time {
	const year = 366 * 24 * 3600
	if s == "" {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	switch {
	case err != nil || seconds < 0:
		return time.Time{}
	case seconds <= year:
		return now.Add(time.Duration(seconds) * time.Second)
	case seconds >= now.Unix()-year && seconds <= now.Unix()+year:
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

// parseRetryAfter returns how long an answer asks to wait; 0 where it does not. It reads whole
// and decimal seconds, which it rounds up, several of them, of which it takes the largest, and
// an HTTP date, which it measures against the answer's own Date where it has one: the server's
// clock need not be this machine's. What cannot be read asks for a wait all the same: a second.
func parseRetryAfter(h http.Header, now time.Time) time.Duration {
	var wait time.Duration
	for _, value := range h[retryAfterHeader] {
		if at, err := http.ParseTime(strings.TrimSpace(value)); err == nil {
			if date, err := http.ParseTime(h.Get("Date")); err == nil {
				now = date
			}
			wait = max(wait, at.Sub(now))
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			wait = max(wait, parseSeconds(strings.TrimSpace(part)))
		}
	}
	return wait
}

// parseSeconds reads a number of seconds, such as 2 or 2.5. One that no duration can hold is
// the longest there is, and what is no number is one second.
func parseSeconds(s string) time.Duration {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return time.Second
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if strings.Trim(fraction, "0") != "" {
		seconds++
	}
	if err != nil || seconds > int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds) * time.Second
}
