package main

import (
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

func TestHint(t *testing.T) {
	tests := []struct {
		err  api.Error
		want string
	}{
		{api.Error{StatusCode: 401, Type: "UNAUTHORIZED"}, "check the API key"},
		{api.Error{StatusCode: 401, Type: "SESSION_EXPIRED"}, "connect the creator again"},
		{api.Error{StatusCode: 401, Type: "SESSION_NOT_PROVIDED"}, "check the connection id, or connect the creator again"},
		{api.Error{StatusCode: 401, Type: "RULES_OUTDATED"}, "the service is refreshing its signing rules; try again in a moment"},
		{api.Error{StatusCode: 403}, "give the key and the connection the permission messages:write"},
		{api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND"}, "there is no such message, or no longer; check the ids"},
		{api.Error{StatusCode: 404, Type: "ROUTE_NOT_FOUND"}, "check the base url"},
		{api.Error{StatusCode: 422}, "check the ids"},
		{api.Error{StatusCode: 302}, "check the base url"},
		{api.Error{StatusCode: 429, RetryAfter: 1500 * time.Millisecond}, "try again in 2s"},
		{api.Error{StatusCode: 429}, "try again later"},
		{api.Error{StatusCode: 503, RetryAfter: time.Hour}, "try again in 1h0m0s; if it stays, ask the vendor's support"},
		{api.Error{StatusCode: 418}, "ask the vendor's support"},
		{api.Error{}, "check the network and the base url"},
	}
	for _, tt := range tests {
		if got := hint(&tt.err); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.err.StatusCode, tt.err.Type, got, tt.want)
		}
	}
}
