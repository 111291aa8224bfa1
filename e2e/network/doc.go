// Package network holds the tests that break real connections: through Toxiproxy, which runs
// inside the tests, and by TLS and proxies that refuse. They are a module of their own, so
// that nobody else needs Toxiproxy.
package network
