package sqlite_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		t.Helper()
		path := filepath.Join(t.TempDir(), "messages.db")
		return func(t *testing.T, opts ...batch.Option) *batch.Ledger {
			t.Helper()
			return openFor(t, path, append([]batch.Option{batch.ForMock()}, opts...)...)
		}
	})
}

// All of loopback is one service, whatever its port; hosts are compared as hosts are.
func TestServices(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://127.0.0.1:8080":          "http://localhost",
		"http://localhost:1/v2/":         "http://localhost/v2",
		"http://[::1]:9":                 "http://localhost",
		"https://API.Example.com/a":      "https://api.example.com/a",
		"https://api.example.com:8443/a": "https://api.example.com:8443/a",
	} {
		if got := batch.ServiceOf(clientOf(t, url)); got != want {
			t.Errorf("%s is %s; want %s", url, got, want)
		}
	}
}

// unwrapping is a transport of a caller's own.
type unwrapping struct{ http.RoundTripper }

func (u unwrapping) Unwrap() http.RoundTripper { return u.RoundTripper }

// A mock's ledger does not pass for the service's, nor the other way around: its messages were never unsent.
func TestMocksClientIsRecognized(t *testing.T) {
	t.Parallel()
	server := newMock(1)
	wrapped := &http.Client{Transport: unwrapping{server.Client().Transport}}
	middleware := func(next http.RoundTripper) http.RoundTripper { return struct{ http.RoundTripper }{next} }
	for name, opts := range map[string][]api.Option{
		"as it is":           {api.WithHTTPClient(server.Client())},
		"through a wrapper":  {api.WithHTTPClient(wrapped)},
		"through middleware": {api.WithHTTPClient(server.Client()), api.WithMiddleware(middleware)},
	} {
		client, err := api.New(mock.DemoKey, opts...)
		must(t, err)
		path, service := filepath.Join(t.TempDir(), "messages.db"), batch.ForService(clientOf(t, api.DefaultBaseURL))
		closedLedger(t, path, batch.ForService(client))
		if _, err := sqlite.Open(path, service); !errors.Is(err, batch.ErrLedger) || !strings.Contains(err.Error(), "made with the mock") {
			t.Errorf("%s: opened for the service: %v, want it refused as a mock's", name, err)
		}
		path = filepath.Join(t.TempDir(), "messages.db")
		closedLedger(t, path, service)
		if _, err := sqlite.Open(path, batch.ForService(client)); !errors.Is(err, batch.ErrLedger) {
			t.Errorf("%s: the service's ledger opened for the mock: %v, want it refused", name, err)
		}
	}
}

// A private ledger too can be read while something is added to it.
func TestInMemory(t *testing.T) {
	t.Parallel()
	ledger, err := sqlite.InMemory()
	must(t, err)
	add(t, ledger, messages(0, 50))
	_, err = ledger.Replace(t.Context(), func(yield func(batch.Item, error) bool) {
		for r, err := range ledger.Messages(t.Context(), batch.NotUnsent) {
			if !yield(r.Item, err) {
				return
			}
		}
	})
	must(t, err)
	runAll(t, ledger)
	if got := report(t, ledger); got.Unsent != 50 {
		t.Errorf("the report is %+v; want 50 unsent", got.Counts)
	}
	must(t, ledger.Close())
	if _, err := ledger.Report(t.Context()); !errors.Is(err, batch.ErrLedger) || !strings.HasSuffix(err.Error(), " is closed") {
		t.Errorf("the report of a ledger that is closed is %v; want that it is closed", err)
	}
}

// A run is refused on a ledger of another service, on a mock's, and on one that is only read.
func TestRunRefusesOtherServices(t *testing.T) {
	t.Parallel()
	other := batch.ForService(clientOf(t, "https://api.example.com"))
	for name, c := range map[string]struct{ made, opt batch.Option }{
		"other service": {made: other, opt: batch.DefaultConnection("x")},
		"mock's":        {made: batch.ForMock(), opt: batch.ForMock()},
		"read only":     {made: other, opt: batch.ReadOnly()},
	} {
		path := filepath.Join(t.TempDir(), "messages.db")
		closedLedger(t, path, c.made)
		ledger := openFor(t, path, c.opt)
		results, early := collectRun(batch.Run(t.Context(), clientOf(t, "https://api.example.org"), ledger, batch.Options{}))
		if !errors.Is(early, batch.ErrLedger) || len(results) > 0 {
			t.Errorf("%s: %d results, %v; want batch.ErrLedger", name, len(results), early)
		}
		must(t, ledger.Close())
	}
	ledger := openLedger(t, filepath.Join(t.TempDir(), "messages.db"))
	add(t, ledger, messages(0, 1))
	if _, err := collectRun(batch.Run(t.Context(), clientOf(t, start(t, newMock(1))), ledger, batch.Options{})); err != nil {
		t.Errorf("a mock's ledger and a mock of another process: %v", err)
	}
}
