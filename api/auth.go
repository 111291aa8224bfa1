package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Authenticate adds the API key, the User-Agent and, unless the request has one, the client's
// connection to a request to the client's host; one to another host is an [ErrConfig]. It is a
// RequestEditorFn of every client that oapi-codegen generates. A missing connection is no error,
// as an editor of the call may add it later.
func (c *Client) Authenticate(ctx context.Context, req *http.Request) error {
	switch {
	case c == nil || c.guard == nil:
		return errNoClient
	case ctx == nil || req == nil || req.URL == nil:
		return configError("request or context is nil; use http.NewRequestWithContext")
	}
	if err := c.guard.Check(req); err != nil {
		return err
	}
	key, err := c.keys.key(ctx)
	if err != nil {
		return err
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	connection := c.connection
	if req.Header.Get(connectionHeader) != "" {
		connection = ""
	}
	c.setHeaders(req.Header, key, connection)
	return nil
}

func (c *Client) setHeaders(h http.Header, key, connection string) {
	values := []string{key, c.userAgent, connection} // one allocation
	h[apiKeyHeader], h["User-Agent"] = values[:1:1], values[1:2:2]
	if connection != "" {
		h[connectionHeader] = values[2:]
	}
}

const (
	maxKeys     = 16      // of a key function that are redacted
	maxSpelling = 8 << 10 // bytes, more than any spelling of a key has
)

// keyring returns the key of a request, and redacts those that it has returned. It is held by a
// pointer, which formatting does not follow.
type keyring struct {
	ask func(context.Context) (string, error) // nil: New's key is used

	mu    sync.RWMutex
	known []string // New's, then the last ones of ask, the newest last
}

func newKeyring(key string, ask func(context.Context) (string, error)) *keyring {
	return &keyring{ask: ask, known: []string{key}}
}

// key returns the key to send. It calls the key function outside of locks.
func (k *keyring) key(ctx context.Context) (string, error) {
	if k.ask == nil {
		return k.known[0], nil
	}
	key, err := k.ask(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", configError("key function: %s", line(redactor{k, &key}.redact(err.Error()), maxErrorText))
	}
	if err := checkKey("key function's key", key); err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known[len(k.known)-1] != key {
		others := slices.DeleteFunc(slices.Clone(k.known[1:]), func(old string) bool { return old == key })
		k.known = slices.Concat(k.known[:1], others[max(0, len(others)-maxKeys+1):], []string{key})
	}
	return key, nil
}

// redactor hides the known keys of a client, and the key of an attempt. It is no function, which
// would be allocated.
type redactor struct {
	keys *keyring // nil for none
	own  *string  // nil for none; formatting does not follow pointers
}

func (r redactor) redact(text string) string {
	if r.keys != nil {
		r.keys.mu.RLock()
		known := r.keys.known
		r.keys.mu.RUnlock()
		for _, key := range known {
			text = redactKey(text, key)
		}
	}
	if r.own != nil {
		text = redactKey(text, *r.own)
	}
	return text
}

func checkKey(name, key string) error {
	switch {
	case key == "":
		return configError("%s is missing; set it to your OFAuth API key", name)
	case !visibleASCII(key):
		return configError("%s has a space, a newline or another character that no key has; copy it again", name)
	}
	return nil
}

// redactKey hides a key in a text, however JSON or a URL spell it. Keys of fewer than 8
// characters are no secrets, and occur in innocent text.
func redactKey(text, key string) string {
	const mask = "[redacted]"
	if len(key) < 8 {
		return text
	}
	text = strings.ReplaceAll(text, key, mask)
	if !strings.ContainsAny(text, `\%`) {
		return text
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != key[0] && c != '\\' && c != '%' {
			continue
		}
		if n := spelled(text[i:], key); n > 0 {
			b.WriteString(text[done:i] + mask)
			done = i + n
			i = done - 1
		}
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// spelled returns the length of a spelling of key at the start of s; 0 if there is none.
func spelled(s, key string) (n int) {
	for i := range len(key) {
		width := spelledByte(s[n:], key[i])
		if width == 0 {
			return 0
		}
		n += width
	}
	return n
}

// spelledByte returns the length of c at the start of s: \u006b, \/ and %6B, and these encoded
// again, such as \\u006b, %256B and \u00256b.
func spelledByte(s string, c byte) int {
	bare := strings.TrimLeft(s[:min(len(s), 8)], `\`)
	n := min(len(s), 8) - len(bare) // backslashes
	rest := s[n:]
	switch {
	case s == "":
		return 0
	case n == 0 && rest[0] == c && c != '%':
		return 1
	case n > 0 && strings.HasPrefix(rest, "u"):
		unit, ok := hexByte(rest[1:], 4)
		if ok && unit == '%' && c != '%' {
			if second, ok := hexByte(rest[5:], 2); ok && second == c {
				return n + 7
			}
		}
		if ok && unit == c {
			return n + 5
		}
		return 0
	case n > 0 && c != '\\' && rest != "" && rest[0] == c && strings.ContainsRune(`/"`, rune(c)):
		return n + 1
	case n > 0 && c == '\\':
		return min(n, 2)
	case n == 0 && rest[0] == '%':
		for n = 1; ; n += 2 {
			unit, ok := hexByte(s[n:], 2)
			if ok && unit == c {
				return n + 2
			}
			if !strings.HasPrefix(s[n:], "25") {
				break
			}
		}
		if c == '%' {
			return 1
		}
	}
	return 0
}

// hexByte reads a hexadecimal number of so many digits that is at most 255.
func hexByte(s string, digits int) (byte, bool) {
	if len(s) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 8)
	return byte(n), err == nil
}
