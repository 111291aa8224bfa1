package batch

import "fmt"

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
		return fmt.Errorf("%w %s was made with the mock: nothing in it was really unsent; delete it, or name another", ErrLedger, s.Name())
	case wanted == mockService:
		return fmt.Errorf("%w %s is of %s, not of the mock; name another", ErrLedger, s.Name(), made)
	default:
		return fmt.Errorf("%w %s is of %s, not of %s; set the base URL back, or name another", ErrLedger, s.Name(), made, wanted)
	}
}
