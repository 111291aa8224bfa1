package mock

import (
	"runtime"
	"strconv"
	"testing"
)

// A million unsent messages must not weigh on the tests and benchmarks that unsend them.
func TestUnsentMessagesAreSmall(t *testing.T) {
	const n, most = 300_000, 60 // bytes each, at the fullest moment of the map's growth
	var m messages
	before := heap()
	for i := range n {
		if !m.take("51234567", strconv.Itoa(6432457811894+i)) {
			t.Fatalf("%d is gone before it was taken", i)
		}
	}
	each := (heap() - before) / n
	t.Logf("%d bytes each", each)
	if each > most {
		t.Errorf("%d bytes for each message, want at most %d", each, most)
	}
	if m.take("51234567", "6432457811894") {
		t.Error("taken twice")
	}
	runtime.KeepAlive(&m)
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestIDsThatArePacked(t *testing.T) {
	for id, want := range map[string]bool{
		"0": true, "9": true, "6432457811894": true, "999999999999999999": true,
		"": false, "00": false, "07": false, "1000000000000000000": false, "-1": false, "+1": false, "1e3": false, "a": false, "٣": false,
	} {
		if _, ok := decimal(id); ok != want {
			t.Errorf("%q: %v, want %v", id, ok, want)
		}
	}
}
