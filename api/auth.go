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
// connection to a request. Pass it to any client that oapi-codegen generated, as a RequestEditorFn.
// It returns an [ErrConfig] for a request to another host. A missing connection is no error, as an
// editor of the call may add it later.
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
	maxKey      = 4 << 10 // bytes
	maxSpelling = 8 * maxKey
)

// keyring returns the key of a request, and redacts those that it has returned. It is held by a
// pointer, which formatting does not follow.
type keyring struct {
	fn func(context.Context) (string, error) // nil: New's key is used

	mu    sync.RWMutex
	known []string // New's, then the last ones of fn, the newest last
}

// key returns the key to send. It calls the key function outside of locks.
func (k *keyring) key(ctx context.Context) (string, error) {
	if k.fn == nil {
		return k.known[0], nil
	}
	key, err := k.fn(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
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

// redactor hides the known keys of a client, and the key of an attempt. It is a value, since
// a closure would be allocated.
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
	case len(key) > maxKey:
		return configError("%s has %d characters; want at most %d", name, len(key), maxKey)
	case !isASCII(key, '!'):
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
	if text = strings.ReplaceAll(text, key, mask); !strings.ContainsAny(text, `\%`) {
		return text
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if n := spelled(text[i:], key); n > 0 {
			b.WriteString(text[done:i] + mask)
			done, i = i+n, i+n-1
		}
	}
	return b.String() + text[done:]
}

// spelled returns the length of a spelling of key at the start of s; 0 if there is none.
func spelled(s, key string) (length int) {
	for i := range len(key) {
		c, n := decodeByte(s[length:])
		if n == 0 || c != key[i] {
			return 0
		}
		length += n
	}
	return length
}

// decodeByte returns the byte at the start of s and the length of its spelling: as it is, as
// \u006b or \/, as %6B, or as one of these encoded again, such as \\u006b, %256B or \u00256b.
func decodeByte(s string) (c byte, n int) {
	start := s[:min(len(s), 8)]
	n = len(start) - len(strings.TrimLeft(start, `\`))
	switch rest := s[n:]; {
	case n > 0 && strings.HasPrefix(rest, "u00") && len(rest) >= 5:
		c = hexByte(rest[3:5])
		n += 5
	case rest != "":
		c = rest[0]
		n++
	}
	for c == '%' && len(s) >= n+2 {
		decoded := hexByte(s[n : n+2])
		if decoded == 0 {
			break
		}
		c = decoded
		n += 2
	}
	return c, n
}

// hexByte reads two hexadecimal digits; 0, which no key has, if they are none.
func hexByte(digits string) byte {
	n, err := strconv.ParseUint(digits, 16, 8)
	if err != nil {
		return 0
	}
	return byte(n)
}
