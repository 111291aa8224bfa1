// Command tenants unsends messages for many tenants with one client: each tenant has its API keys,
// which rotate, and a connection on a plan with its own rate limit. It runs on the mock:
//
//	go run ./examples/tenants
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// tenants is what a program would keep in its database. It is safe for concurrent use.
type tenants struct {
	mu   sync.Mutex
	keys map[string]string // the API key of each tenant
	plan map[string]plan   // of each connection
}

// plan is a rate limit: requests a minute, and how many at once. 0 a minute is without a limit.
type plan struct{ perMinute, burst int }

// tenant is the key of a context's value: whom a call is for.
type tenant struct{}

// key returns the current key of the tenant of ctx. The client asks for it at each request, so that
// the retry of a call that began before a rotation already has the new one.
func (t *tenants) key(ctx context.Context) (string, error) {
	name, _ := ctx.Value(tenant{}).(string)
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := t.keys[name]; key != "" {
		return key, nil
	}
	return "", fmt.Errorf("no key for the tenant %q", name)
}

func (t *tenants) rotate(name, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys[name] = key
}

func (t *tenants) rate(connection string) (perMinute, burst int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.plan[connection]
	if !ok {
		return 60, 90 // the smallest plan
	}
	return p.perMinute, p.burst
}

func run(ctx context.Context, out io.Writer) error {
	server := mock.New(mock.WithKeys("sk_ann_1", "sk_ann_2", "sk_bob"),
		mock.WithConnections(mock.Connection{ID: "conn_ann"}, mock.Connection{ID: "conn_bob"}))
	all := &tenants{
		keys: map[string]string{"ann": "sk_ann_1", "bob": "sk_bob"},
		plan: map[string]plan{"conn_ann": {perMinute: 600, burst: 100}, "conn_bob": {perMinute: 60, burst: 1}},
	}
	client, err := api.New("", api.WithKeyFunc(all.key), api.WithConnectionRate(all.rate), api.WithHTTPClient(server.Client()))
	if err != nil {
		return err
	}
	ann, bob := context.WithValue(ctx, tenant{}, "ann"), context.WithValue(ctx, tenant{}, "bob")
	if err := unsend(ann, out, client, "conn_ann", "6432457811894"); err != nil {
		return err
	}
	all.rotate("ann", "sk_ann_2")
	server.SetKeys("sk_ann_2", "sk_bob") // the service has revoked the first
	for _, message := range []string{"6432457811895", "6432457811896"} {
		if err := unsend(ann, out, client, "conn_ann", message); err != nil {
			return err
		}
		if err := unsend(bob, out, client, "conn_bob", message+"0"); err != nil { // the second waits for bob's plan
			return err
		}
	}
	if err := unsend(ctx, out, client, "conn_ann", "6432457811897"); !errors.Is(err, api.ErrConfig) {
		return fmt.Errorf("a call for no tenant: %w", err)
	}
	return nil
}

func unsend(ctx context.Context, out io.Writer, client *api.Client, connection, message string) error {
	result, err := client.Unsend(ctx, "51234567", message, api.WithConnection(connection))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, connection, message, result.Outcome)
	return err
}
