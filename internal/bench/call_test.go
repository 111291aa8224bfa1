package bench

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

// BenchmarkCall holds a call made in several ways against a bare one.
func BenchmarkCall(b *testing.B) {
	ctx := context.Background()
	for _, size := range bodies {
		url, client := serve(b, answer(b, size.media)), wire(b)
		ours := unsender(b, url, client)
		generated, err := gen.NewClientWithResponses(url, gen.WithHTTPClient(client), gen.WithRequestEditorFn(ours.Authenticate))
		if err != nil {
			b.Fatal(err)
		}
		body := gen.UnsendRequest{WithUserID: gen.String(userID)}
		ways := []struct {
			name string
			call func()
		}{
			{"unsend", func() { unsend(ctx, b, ours) }},
			{"unsend+queue", func() { decode(b, unsend(ctx, b, ours)) }},
			{"generated", func() {
				resp, err := generated.UnsendChatMessageWithResponse(ctx, userID, messageID, body)
				if err != nil || resp.JSON200 == nil {
					b.Fatal(err)
				}
			}},
			{"byhand", func() {
				resp := bare(b, url, client)
				raw, err := io.ReadAll(resp.Body)
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
				var decoded gen.UnsendResponse
				if err := json.Unmarshal(raw, &decoded); err != nil {
					b.Fatal(err)
				}
			}},
		}
		for _, way := range ways {
			b.Run(size.name+"/"+way.name, func(b *testing.B) {
				against(b, 32, floor(b, url, client), way.call)
			})
		}
	}
}

// BenchmarkConcurrent holds many goroutines that share one client against as many that share
// one http.Client, on answers of 10 KB.
func BenchmarkConcurrent(b *testing.B) {
	ctx := context.Background()
	url, client := serve(b, answer(b, 10)), wire(b)
	ours := unsender(b, url, client)
	for _, goroutines := range []int{1, 10, 100, 1000} {
		block := max(32/goroutines, 1)
		bare := together(goroutines, floor(b, url, client))
		b.Run(label(goroutines, "goroutines")+"/unsend", func(b *testing.B) {
			against(b, block, bare, together(goroutines, func() { unsend(ctx, b, ours) }))
		})
		b.Run(label(goroutines, "goroutines")+"/unsend+queue", func(b *testing.B) {
			against(b, block, bare, together(goroutines, func() { decode(b, unsend(ctx, b, ours)) }))
		})
	}
}

// together runs f once for each of n goroutines.
func together(n int, f func()) func() {
	return func() {
		var wg sync.WaitGroup
		for range n {
			wg.Go(f)
		}
		wg.Wait()
	}
}

func unsend(ctx context.Context, tb testing.TB, client *api.Client) *api.Result {
	tb.Helper()
	result, err := client.Unsend(ctx, userID, messageID)
	if err != nil || result.Outcome != api.Unsent {
		tb.Fatal(err)
	}
	return result
}

func decode(tb testing.TB, result *api.Result) {
	tb.Helper()
	queue, err := result.Queue()
	if err != nil || queue == nil {
		tb.Fatal(err)
	}
}

// BenchmarkQueue holds the decoding of the snapshot against encoding/json on the same bytes
// (the floor of its ratio).
func BenchmarkQueue(b *testing.B) {
	for _, size := range bodies {
		result := &api.Result{Outcome: api.Unsent, Raw: answer(b, size.media)}
		standard := func() {
			var decoded gen.UnsendResponse
			if err := json.Unmarshal(result.Raw, &decoded); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(size.name, func(b *testing.B) {
			against(b, 32, standard, func() { decode(b, result) })
		})
	}
}
