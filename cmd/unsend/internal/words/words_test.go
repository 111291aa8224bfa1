package words_test

import (
	"testing"
	"time"

	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567", -1000: "-1,000", -5: "-5"} {
		if got := words.Number(n); got != want {
			t.Errorf("Number(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 rows", 1: "1 row", 2: "2 rows", 1000: "1,000 rows"} {
		if got := words.Count(n, "row"); got != want {
			t.Errorf("Count(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0 s"},
		{400 * time.Millisecond, "0 s"},
		{600 * time.Millisecond, "1 s"},
		{59600 * time.Millisecond, "1 min"},
		{200 * time.Second, "3 min 20 s"},
		{10*time.Minute + 20*time.Second, "10 min"},
		{59*time.Minute + 40*time.Second, "1 h"},
		{125 * time.Minute, "2 h 5 min"},
		{47 * time.Hour, "47 h"},
		{50 * time.Hour, "2 days 2 h"},
	}
	for _, tt := range tests {
		if got := words.Duration(tt.d); got != tt.want {
			t.Errorf("Duration(%v) is %q, want %q", tt.d, got, tt.want)
		}
	}
}
