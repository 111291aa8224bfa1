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

// parseRetryAfter reads seconds or an HTTP date. It returns 0 for what is neither, or over.
func parseRetryAfter(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	if strings.Trim(s, "0123456789") == "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
