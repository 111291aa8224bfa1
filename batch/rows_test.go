package batch

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
)

func TestRowsGiveBackWhatTheyHold(t *testing.T) {
	r := newRows()
	random := rand.New(rand.NewPCG(1, 1))
	held := map[[3]string]Item{}
	refs := map[[3]string]ref{}
	for n := range 20_000 {
		item := Item{
			UserID:       fmt.Sprintf("%d", random.IntN(50)),
			MessageID:    fmt.Sprintf("%0*d", random.IntN(4), random.IntN(100)),
			ConnectionID: fmt.Sprintf("c%d", random.IntN(20)),
			Line:         n + 2,
		}
		switch random.IntN(3) {
		case 0:
			item.WithUserID = item.UserID
		case 1:
			item.WithUserID = "other"
		}
		key := [3]string{item.UserID, item.MessageID, item.ConnectionID}
		at, known := r.find(item)
		if _, want := held[key]; known != want {
			t.Fatalf("%+v is known: %v; want %v", item, known, want)
		}
		if known {
			if at != refs[key] {
				t.Fatalf("%+v is found at %d; want %d", item, at, refs[key])
			}
			continue
		}
		held[key] = item
		at, ok := r.add(item.Line, seen)
		if !ok {
			t.Fatal("no room")
		}
		r.setNext(at, at+1)
		r.setState(at, r.state(at).with(Failed)|final)
		r.setFailure(at, failure{n % 3, "kind"})
		refs[key] = at
	}
	for key, want := range held {
		at := refs[key]
		if got := r.item(at); got != want {
			t.Fatalf("got %+v; want %+v", got, want)
		}
		if s := r.state(at); s.outcome() != Failed || s&final == 0 || s&seen == 0 || s&maybe != 0 || r.next(at) != at+1 {
			t.Fatalf("the state is %b, the next row %d", s, r.next(at))
		}
		if f := r.failure(at); f != (failure{(want.Line - 2) % 3, "kind"}) {
			t.Fatalf("the failure is %+v", f)
		}
	}
}

// Different messages whose hashes collide stay different: here every slot of the table is
// one that another's hash leads to, since it is all but full.
func TestCollidingMessagesStayTwo(t *testing.T) {
	r := newRows()
	r.table = make([]ref, 4) // of which two fill it by half, and it never grows until then
	for n := range 2 {
		item := message(0, n)
		if _, known := r.find(item); known {
			t.Fatalf("%+v is taken for another", item)
		}
		r.add(n, seen)
	}
	slots := 0
	for n := range 10_000 {
		if _, known := r.find(message(1, n)); known {
			t.Fatal("a message is taken for another")
		}
		slots++
	}
	for n := range 2 {
		if at, known := r.find(message(0, n)); !known || r.item(at) != (Item{UserID: message(0, n).UserID, MessageID: message(0, n).MessageID, ConnectionID: "conn_0", Line: n}) {
			t.Errorf("message %d is lost", n)
		}
	}
}

func TestReplacedRowIsFoundInItsPlace(t *testing.T) {
	r := newRows()
	item := message(0, 0)
	r.find(item)
	first, _ := r.add(0, maybe)
	r.find(item)
	second, _ := r.add(9, seen|maybe)
	if at, known := r.find(item); !known || at != second || at == first || r.item(at).Line != 9 || r.count != 1 {
		t.Errorf("found %d, line %d, of %d messages", at, r.item(at).Line, r.count)
	}
}

// What is kept of each row is what the documentation says, and goes as rows end.
func TestSizeOfRows(t *testing.T) {
	const n = 200_000
	before := heapInUse()
	r := newRows()
	refs := make([]ref, 0, n)
	for i := range n {
		item := message(i%100, i)
		r.find(item)
		at, _ := r.add(i, seen)
		refs = append(refs, at)
	}
	row := len(r.row(refs[0])) - len(r.row(refs[1]))
	if row < 20 || row > 26 {
		t.Errorf("a row takes %d bytes; want some 24", row)
	}
	each := float64(heapInUse()-before-4*n) / n // but for refs
	if each > 40 {
		t.Errorf("%.1f bytes are held for each row; want at most 40", each)
	}
	r.fix()
	for _, at := range refs {
		r.ended(at)
	}
	if left := heapInUse() - before - 4*n; left > n {
		t.Errorf("%d bytes are held for rows that have ended", left)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(refs)
}

func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc) //nolint:gosec // far below
}

func TestInternedKindsAreBounded(t *testing.T) {
	var in intern[failure]
	for n := range 1000 {
		if got, want := in.of8(failure{n, "x"}), uint8(min(n, 255)); got != want {
			t.Fatalf("kind %d is number %d; want %d", n, got, want)
		}
	}
	if in.of8(failure{7, "x"}) != 7 || len(in.list) != 256 {
		t.Error("a kind is forgotten")
	}
}

func TestRepeats(t *testing.T) {
	var r repeats
	want := map[ref][]int{1: {30, 20, 10}, 2: {11}}
	for _, line := range []int{10, 20, 30} {
		r.add(1, line)
	}
	r.add(2, 11)
	got := map[ref][]int{1: r.take(1), 2: r.take(2)}
	if !maps.EqualFunc(got, want, func(a, b []int) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("got %v; want %v", got, want)
	}
	if r.take(1) != nil || r.take(3) != nil {
		t.Error("lines come twice, or from nowhere")
	}
}

// A chunk is as long as its rows: what stands behind the last is not part of it.
func TestRowsOfManyConnections(t *testing.T) {
	r := newRows()
	for n := range 1000 {
		r.find(Item{UserID: "1", MessageID: "2", ConnectionID: connectionID(n)})
		at, _ := r.add(n, seen)
		if r.connection(at) != uint64(n) || len(r.ids(at)) != len(binary.AppendUvarint(nil, uint64(n)))+2 {
			t.Fatalf("connection %d is number %d, ids %x", n, r.connection(at), r.ids(at))
		}
	}
}
