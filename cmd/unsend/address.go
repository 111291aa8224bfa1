package main

import (
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/internal/textutil"
)

// hidden replaces what may hold a password or a key.
const hidden = "(hidden)"

var (
	pairs     = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|sslmode)\s*=`)
	safePairs = regexp.MustCompile(`(?i)^((host|hostaddr|port|dbname|user)=[^\s'"\\]+\s*)+$`)
	login     = regexp.MustCompile(`(?i)^([a-z]*//)?[^/\\:@]+:[^@]+@|password\s*=`)
	drive     = regexp.MustCompile(`^[A-Za-z]:\\`)
	apiKey    = regexp.MustCompile(`\bsk_([A-Za-z]+_\w+|\w{16,})`)
)

// isPostgres reports whether text is an address of a PostgreSQL database: a URL, or key=value
// pairs.
func isPostgres(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") || isPairs(text)
}

func isPairs(text string) bool { return !strings.Contains(text, "://") && pairs.MatchString(text) }

// isAddress reports whether text is an address of any kind, and so never the name of a file.
func isAddress(text string) bool {
	return strings.Contains(text, "://") || isPairs(text) || login.MatchString(text) && !drive.MatchString(text)
}

// withoutPassword returns an address as it may be shown. A password with an unencoded @, /, ?, # or &
// in it looks like other parts of the address: then nothing of it is shown.
func withoutPassword(address string) string {
	scheme, _, found := strings.Cut(address, "://")
	switch {
	case isPairs(address) && safePairs.MatchString(address):
		return address
	case !found:
		return hidden
	}
	u, err := url.Parse(address)
	if err != nil {
		return scheme + "://" + hidden
	}
	user := u.User.Username()
	u.User = nil
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || strings.Contains(strings.ToLower(query), "password") || strings.Contains(u.String(), "@") || u.Fragment != "" {
		return scheme + "://" + hidden
	}
	if user != "" {
		u.User = url.User(user)
	}
	return u.String()
}

// withoutSecrets removes from text the passwords of addresses in the arguments and in the
// environment, and API keys that were typed in the wrong place.
func (c *invocation) withoutSecrets(text string) string {
	for _, arg := range append([]string{os.Getenv(envLedger)}, c.args...) {
		if _, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "-") {
			arg = value
		}
		if !isAddress(arg) {
			continue
		}
		for _, written := range []string{arg, quoted(arg), strconv.Quote(arg)} {
			shown := withoutPassword(arg)
			text = strings.NewReplacer(written, shown, textutil.OneLine(written), shown).Replace(text)
		}
	}
	return apiKey.ReplaceAllString(text, hidden)
}
