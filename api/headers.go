package api

import (
	"cmp"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Header names in the form in which net/http keeps them: others cost an allocation each.
const (
	apiKeyHeader     = "Apikey"
	connectionHeader = "X-Connection-Id"
	requestIDHeader  = "X-Request-Id"
	remainingHeader  = "X-Ratelimit-Remaining"
	limitHeader      = "X-Ratelimit-Limit"
	resetHeader      = "X-Ratelimit-Reset"
	retryAfterHeader = "Retry-After"
)

// keepHeader returns the header of a response without cookies and credentials and with the key
// redacted. Of one over 16 KiB it drops the largest fields. It copies the header unless nobody else
// holds it.
func keepHeader(h http.Header, own bool, r redactor) http.Header {
	if !own {
		h = h.Clone()
	}
	delete(h, "Set-Cookie")
	delete(h, "Authorization")
	size := func(name string) int { return len(name) + len(strings.Join(h[name], "")) }
	total := 0
	for name, values := range h {
		for i, value := range values {
			values[i] = r.redact(value)
		}
		total += size(name)
	}
	if total <= maxHeader {
		return h
	}
	larger := func(a, b string) int { return cmp.Or(size(b)-size(a), strings.Compare(a, b)) }
	for _, name := range slices.SortedFunc(maps.Keys(h), larger) {
		total -= size(name)
		if delete(h, name); total <= maxHeader {
			break
		}
	}
	return h
}

// RateLimit is the state of the connection's token bucket, as the X-RateLimit headers of a response
// report it.
type RateLimit struct {
	Limit     int       // capacity in requests; -1 if not known
	Remaining int       // requests left; -1 if not known
	Reset     time.Time // when the bucket is full again; zero if not known
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

// maxAfter is the longest Retry-After.
const maxAfter = 24 * time.Hour

// parseRetryAfter returns how long a response requires to wait, at most 24 hours; 0 if it does not. It
// accepts seconds (decimals round up), lists (the largest wins) and HTTP dates (relative to the
// Date header, if any: the server's clock need not be this machine's). A value that cannot be
// read counts as one second.
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
	return min(wait, maxAfter)
}

// parseSeconds reads a number of seconds, such as 2 or 2.5. One that no duration can hold is
// the longest there is; anything else is one second.
func parseSeconds(s string) time.Duration {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return time.Second
	}
	seconds, _ := strconv.ParseInt(whole, 10, 63) // the largest if it is larger
	if strings.Trim(fraction, "0") != "" {
		seconds++
	}
	if seconds > int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds) * time.Second
}
