package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := contract.New(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExchange checks one documented exchange, both directions.
func BenchmarkExchange(b *testing.B) {
	v := newValidator(b)
	for _, name := range []string{"documented.json", "wire.json"} {
		body := testdata(b, name)
		b.Run(strings.TrimSuffix(name, ".json"), func(b *testing.B) {
			req := newRequest(b, documentedRequest)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if vs := v.CheckRequest(req); len(vs) > 0 {
					b.Fatal(vs)
				}
				if vs := v.CheckResponse(req, newResponse(http.StatusOK, body)); len(vs) > 0 {
					b.Fatal(vs)
				}
			}
		})
	}
}

// BenchmarkTransport sends the documented exchange, with and without Transport: what a call
// costs more, over no network at all and over loopback.
func BenchmarkTransport(b *testing.B) {
	answer := testdata(b, "documented.json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(w, http.StatusOK, answer)
	}))
	b.Cleanup(server.Close)
	memory := roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return newResponse(http.StatusOK, answer), nil
	})
	for name, bare := range map[string]http.RoundTripper{"memory": memory, "loopback": server.Client().Transport} {
		b.Run(name+"/bare", func(b *testing.B) { call(b, server.URL, bare) })
		b.Run(name+"/watched", func(b *testing.B) {
			call(b, server.URL, contract.Transport(bare, func(vs []contract.Violation) { b.Error(vs) }))
		})
	}
}

func call(b *testing.B, url string, transport http.RoundTripper) {
	b.Helper()
	client := &http.Client{Transport: transport}
	b.ReportAllocs()
	for b.Loop() {
		req := newRequest(b, documentedRequest)
		req.URL.Host = strings.TrimPrefix(url, "http://")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
