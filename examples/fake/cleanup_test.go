package fake

import (
	"context"
	"errors"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// fake returns the error that is set for a message, or unsends it.
type fake map[string]error

func (f fake) Unsend(_ context.Context, _, messageID string, _ ...api.CallOption) (*api.Result, error) {
	if err := f[messageID]; err != nil {
		return nil, err
	}
	return &api.Result{Outcome: api.Unsent}, nil
}

func TestCleanup(t *testing.T) {
	client := fake{
		"2": &api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND"},
		"3": &api.Error{StatusCode: 422, Type: "BAD_REQUEST"},
		"5": &api.Error{StatusCode: 401, Type: "SESSION_EXPIRED"},
	}
	unsent, err := Cleanup(t.Context(), client, "51234567", []string{"1", "2", "3", "4", "5", "6"})
	if unsent != 2 {
		t.Errorf("%d unsent, want 2", unsent)
	}
	if !errors.Is(err, api.ErrSessionExpired) {
		t.Errorf("ended with %v, want the error of message 5", err)
	}
}
