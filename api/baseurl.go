package api

import (
	"net"
	"net/url"
	"strings"
)

// base parses the configured base URL and refuses what would send the key astray.
func (cfg *config) base() (*url.URL, error) {
	text, name := cfg.baseURL, "base url"
	if text == "" {
		text = DefaultBaseURL
	}
	if cfg.baseURLName != "" {
		name = cfg.baseURLName
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Host == "" || base.Hostname() == "":
		// The parser's error quotes the URL, which may hold a password.
		return nil, configError("%s is not a url; want something like %s", name, DefaultBaseURL)
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, configError("%s has the scheme %q; want https", name, base.Scheme)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, configError("%s has a user, a query or a fragment; leave only scheme, host and path", name)
	case base.Scheme == "http" && !cfg.plainHTTP && !loopback(base.Hostname()):
		return nil, configError("%s would send the api key unencrypted to %s; use https, or WithPlainHTTP if you must", name, base.Hostname())
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
