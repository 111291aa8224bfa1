package batch

import (
	"testing"
	"time"
)

func TestBackoffGrowsToItsBound(t *testing.T) {
	for n := range 30 {
		want := min(time.Second<<min(max(n-1, 0), 10), longestWait)
		for range 50 {
			if d := backoff(n); d < want/2 || d > want {
				t.Fatalf("try %d waits %v; want %v to %v", n, d, want/2, want)
			}
		}
	}
}
