package main

import (
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/internal/textutil"
)

// hidden stands for an address, or a part of one, that may hold a password.
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

// withoutPassword is an address as it may be shown. An @, /, ?, # or & that a password holds
// unencoded makes a part of it look like another part: then nothing is shown, as of pairs that may
// hold one.
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

// withoutSecrets is text without the passwords of the addresses in the arguments and in the
// environment, and without API keys, which somebody may have put in the wrong place.
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
