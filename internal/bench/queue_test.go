package bench

import (
	"encoding/json"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

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
