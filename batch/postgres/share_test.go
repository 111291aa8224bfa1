package postgres

import "testing"

func TestShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                              string
		free, mine, others, workers, want int
		justBegun                         bool
	}{
		{name: "a small run is one worker's", free: 16, workers: 1, justBegun: true, want: 16},
		{name: "half of a larger one", free: 40, workers: 1, justBegun: true, want: 20},
		{name: "and half of the rest", free: 20, mine: 20, workers: 1, justBegun: true, want: 16},
		{name: "all, if nobody came", free: 40, workers: 1, want: 40},
		{name: "equal parts", free: 40, workers: 2, want: 20},
		{name: "what others leave", free: 20, others: 20, workers: 2, want: 20},
		{name: "the last of the free", free: 1, mine: 20, others: 19, workers: 2, want: 1},
		{name: "beyond the equal part slowly", free: 16, mine: 20, others: 4, workers: 2, want: 2},
		{name: "nothing is free", mine: 20, others: 20, workers: 2, want: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := share(c.free, c.mine, c.others, c.workers, c.justBegun); got != c.want {
				t.Errorf("takes %d; want %d", got, c.want)
			}
		})
	}
}
