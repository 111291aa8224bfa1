package snapshot

import (
	"encoding/json"
	"testing"
)

// BenchmarkDecode compares the decoder with encoding/json, which it stands in for.
func BenchmarkDecode(b *testing.B) {
	for name, raw := range bodies(b) {
		b.Run("snapshot/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := Decode(raw); !ok {
					b.Fatal("declined")
				}
			}
		})
		b.Run("json/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				var found answer
				if err := json.Unmarshal(raw, &found); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAllocations holds the count for each body: one for an object of a list and for each
// growth of the list, not one for each optional member.
func TestAllocations(t *testing.T) {
	all := bodies(t)
	for name, most := range map[string]float64{"documented": 13, "wire": 13, "10 media": 54, "escaped": 55, "100 media": 420} {
		got := testing.AllocsPerRun(10, func() { Decode(all[name]) })
		if got > most {
			t.Errorf("%s takes %v allocations, want at most %v", name, got, most)
		}
	}
}
