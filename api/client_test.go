package api_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestIdleConnectionsCanBeClosed by way of the generated client, through all that wraps it.
func TestIdleConnectionsCanBeClosed(t *testing.T) {
	closed := make(chan struct{}, 1)
	client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(&http.Client{Transport: closer(closed)}))
	if err != nil {
		t.Fatal(err)
	}
	own, ok := client.Generated().Client.(*http.Client)
	if !ok {
		t.Fatalf("the client inside is a %T", client.Generated().Client)
	}
	own.CloseIdleConnections()
	select {
	case <-closed:
	default:
		t.Error("the transport was not told")
	}
}

type closer chan struct{}

func (closer) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.EOF }

func (c closer) CloseIdleConnections() { c <- struct{}{} }

func TestOutcomesHaveNames(t *testing.T) {
	for outcome, want := range map[api.Outcome]string{api.Unsent: "unsent", api.AlreadyGone: "already_gone", 0: "unknown", -1: "unknown", 3: "unknown"} {
		if outcome.String() != want {
			t.Errorf("%d is %q, want %q", outcome, outcome, want)
		}
	}
}
