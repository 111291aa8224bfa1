package batch

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/transport"
)

const mockService = "mock"

// ServiceOf returns the name of the client's service in a ledger: scheme, host and path of its base
// URL, host in lower case, and without the port if the host is loopback; "mock" for a client over
// the HTTP client that [github.com/unsend-go/unsend/mock.Server.Client] returned.
func ServiceOf(client *api.Client) string {
	if httpClient := client.HTTPClient(); httpClient != nil && transport.IsMock(httpClient.Transport) {
		return mockService
	}
	base, err := url.Parse(client.BaseURL())
	if err != nil || base.Host == "" {
		return client.BaseURL() // of no client
	}
	host := strings.TrimSuffix(strings.ToLower(base.Hostname()), ".")
	if transport.IsLoopback(host) {
		return base.Scheme + "://localhost" + base.Path
	}
	return base.Scheme + "://" + strings.ToLower(base.Host) + base.Path
}

// isLocal reports whether a service is on this machine, as a mock in another process is.
func isLocal(service string) bool { return strings.Contains(service+"/", "://localhost/") }

// ForService makes the ledger one of the client's service. A new ledger stores it; one of another
// service is refused with an [ErrLedger], untouched. Scheme, host, port and path count, but on
// loopback not the port: all local servers are one service. A client of a mock in this process is
// recognized, through [api.WithMiddleware] and transports with an Unwrap method: its ledger belongs
// to the mock alone.
func ForService(client *api.Client) Option {
	return func(s *settings) error {
		if s.Service = ServiceOf(client); s.Service == "" {
			return fmt.Errorf("%w: the client is nil or was not made by api.New", ErrOptions)
		}
		return nil
	}
}

// ForMock makes the ledger a mock's, for a mock that [ForService] cannot recognize: nothing in it is
// really unsent. A run with a client of a service that is not on this machine is refused.
func ForMock() Option {
	return func(s *settings) error {
		s.Service = mockService
		return nil
	}
}

// Check refuses a ledger of that name which was made for another service.
func (o StoreOptions) Check(name, made string) error {
	switch wanted := o.Service; {
	case wanted == "" || made == wanted:
		return nil
	case made == mockService:
		return fmt.Errorf("%w %s was made with the mock: nothing in it was really unsent; delete it, or name another ledger", ErrLedger, name)
	case wanted == mockService:
		return fmt.Errorf("%w %s is of %s, not of the mock; name another ledger", ErrLedger, name, made)
	}
	advice := "; set the base URL back, or name another ledger"
	if isLocal(made) {
		advice = ": if that was a rehearsal, delete it or name another ledger; if not, set the base URL back"
	}
	return fmt.Errorf("%w %s is of %s, not of %s%s", ErrLedger, name, made, o.Service, advice)
}
