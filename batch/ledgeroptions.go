package batch

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/ids"
)

// Option configures a ledger that is opened.
type Option func(*settings) error

type settings struct {
	service    string
	connection string
	readOnly   bool
}

// ForService says which service the ledger is for: that of the client's base URL. A new ledger
// keeps it; one that was made for another service is refused with an [ErrLedger], untouched.
// Scheme, host and path count, the port does too, but not on loopback: any local server is one
// service.
func ForService(client *api.Client) Option {
	return func(s *settings) error {
		if s.service = ServiceOf(client); s.service == "" {
			return fmt.Errorf("%w: the client is nil or was not made by api.New", ErrOptions)
		}
		return nil
	}
}

// ForMock says that the ledger is for a mock inside the process, whatever base URL the client
// has: nothing in it was ever unsent. It belongs to no other service.
func ForMock() Option {
	return func(s *settings) error {
		s.service = mockService
		return nil
	}
}

// DefaultConnection names the connection of items that name none. Without it they are bad rows.
func DefaultConnection(id string) Option {
	return func(s *settings) error {
		if err := ids.Check(id); err != nil {
			return fmt.Errorf("%w: %w: default connection %w", ErrOptions, api.ErrInvalidID, err)
		}
		s.connection = id
		return nil
	}
}

// ReadOnly opens a ledger for Report, Messages and Plan only. It takes no lock, so that it
// works beside a run that goes on, and creates nothing.
func ReadOnly() Option {
	return func(s *settings) error {
		s.readOnly = true
		return nil
	}
}

// AddOption configures one call of [Ledger.Add] or [Ledger.Replace].
type AddOption func(*addSettings)

type addSettings struct{ skipBad bool }

// SkipBad leaves bad rows out and adds the others. An input that cannot be read on is refused
// as a whole all the same.
func SkipBad() AddOption {
	return func(s *addSettings) { s.skipBad = true }
}

const mockService = "mock"

// ServiceOf returns how a ledger names the client's service: scheme, host and path of its base
// URL, host in lower case, and without the port where the host is loopback.
func ServiceOf(client *api.Client) string {
	base, err := url.Parse(client.BaseURL())
	if err != nil || base.Host == "" {
		return client.BaseURL() // no client has such a one
	}
	host := strings.TrimSuffix(strings.ToLower(base.Hostname()), ".")
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return base.Scheme + "://localhost" + base.Path
	}
	return base.Scheme + "://" + strings.ToLower(base.Host) + base.Path
}

func newSettings(opts []Option) (settings, error) {
	var s settings
	for i, opt := range opts {
		if opt == nil {
			return s, fmt.Errorf("%w: option %d is nil; leave it out", ErrOptions, i+1)
		}
		if err := opt(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// StoreOptions are what a package of another [Store] needs to know of the options.
type StoreOptions struct {
	// Service is that of [ForService] or [ForMock], as [ServiceOf] writes it; empty where
	// neither is given.
	Service string
	// ReadOnly is whether [ReadOnly] is given.
	ReadOnly bool
}

// StoreOptionsOf returns what the options say, or the first error of one.
func StoreOptionsOf(opts ...Option) (StoreOptions, error) {
	s, err := newSettings(opts)
	return StoreOptions{Service: s.service, ReadOnly: s.readOnly}, err
}

// CheckService refuses a store that was made for another service than the one that is wanted;
// empty for any.
func CheckService(s Store, wanted string) error {
	switch made := s.Service(); {
	case wanted == "" || made == wanted:
		return nil
	case made == mockService:
		return fmt.Errorf("%w %s was made with the mock: nothing in it was really unsent; delete it, or name another ledger", ErrLedger, s.Name())
	case wanted == mockService:
		return fmt.Errorf("%w %s is of %s, not of the mock; name another ledger", ErrLedger, s.Name(), made)
	default:
		return fmt.Errorf("%w %s is of %s, not of %s; set the base URL back, or name another ledger", ErrLedger, s.Name(), made, wanted)
	}
}
