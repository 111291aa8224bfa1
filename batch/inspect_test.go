package batch

import (
	"errors"
	"fmt"
	"hash/maphash"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestInspect(t *testing.T) {
	const text = "user_id,message_id,connection_id\n1,2,c_1\n1,2,c_1\n..,2,c_1\n1,2,c_2\n1,3,c_1\n1,,c_1\n1,2,c_1\n"
	in := Inspect(Read(strings.NewReader(text), Auto), Shard{})
	var bad []string
	for _, err := range in.BadRows {
		bad = append(bad, err.Error())
	}
	if in.Messages != 3 || in.Repeated != 2 || in.Bad != 2 || in.Err != nil ||
		!reflect.DeepEqual(in.Connections, []Load{{"c_1", 2}, {"c_2", 1}}) ||
		!reflect.DeepEqual(bad, []string{
			"line 4: invalid id: user_id has the character '.'; want letters, digits, _ and - only",
			"line 7: invalid id: message_id is empty",
		}) {
		t.Errorf("got %+v, %q", in, bad)
	}
}

func TestInspectListsTheFirstHundred(t *testing.T) {
	in := Inspect(Read(strings.NewReader("user_id,message_id\n"+strings.Repeat("..,1\n", 250)), Auto), Shard{})
	if in.Bad != 250 || len(in.BadRows) != 100 || in.BadRows[99].Error()[:9] != "line 101:" {
		t.Errorf("%d bad rows, %d listed", in.Bad, len(in.BadRows))
	}
	in = Inspect(Read(strings.NewReader("1,2\n3,4\n"), Auto), Shard{})
	if !errors.Is(in.Err, ErrInput) || in.Bad != 0 {
		t.Errorf("got %+v", in)
	}
}

// The fingerprint is of the items and their order: not of how they are written, of the shard,
// or of rows that are none.
func TestFingerprint(t *testing.T) {
	printOf := func(text string, shard Shard) string {
		return Inspect(OnConnection(Read(strings.NewReader(text), Auto), "c_0"), shard).Fingerprint
	}
	const plain = "user_id,message_id\n1,2\n3,4\n"
	want := printOf(plain, Shard{})
	if len(want) != 32 {
		t.Errorf("the fingerprint is %q", want)
	}
	for name, text := range map[string]string{
		"quoted":     "\"user_id\",message_id,x\r\n\"1\",2,y\r\n3,4,z",
		"JSON lines": `{"message_id":2,"user_id":1}` + "\n" + `{"message_id":"4","user_id":"3"}`,
		"bad rows":   "user_id,message_id\n1,2\n..,2\n3,4\n",
		"connection": "user_id,message_id,connection_id\n1,2,c_0\n3,4,\n",
	} {
		if got := printOf(text, Shard{}); got != want {
			t.Errorf("%s: another fingerprint", name)
		}
	}
	if printOf(plain, Shard{Index: 1, Of: 2}) != want {
		t.Error("a shard has another fingerprint")
	}
	seen := map[string]bool{want: true}
	for _, text := range []string{
		"user_id,message_id\n3,4\n1,2\n", "user_id,message_id\n1,2\n3,5\n", "user_id,message_id\n1,2\n", "user_id,message_id\n12,\n1,2\n3,4\n3,4\n",
		"user_id,message_id,connection_id\n1,2,c_1\n3,4,\n", "user_id,message_id,with_user_id\n1,2,\n3,4,5\n", "user_id,message_id,with_user_id\n1,2,5\n3,4,\n",
	} {
		got := printOf(text, Shard{})
		if seen[got] {
			t.Errorf("%q has the fingerprint of another input", text)
		}
		seen[got] = true
	}
}

func TestHashSetKnowsWhatItHolds(t *testing.T) {
	s := newHashSet()
	for round := range 2 {
		for n := range 5000 {
			hash := identityHash(s.seed, message(0, n))
			if n%100 == 0 {
				hash = uint64(n) << 40 // which start their search at one slot
			}
			if added := s.add(hash); added != (round == 0) {
				t.Fatalf("hash %d is new: %v in round %d", n, added, round)
			}
		}
	}
	if s.used != 5000 {
		t.Errorf("it holds %d; want 5000", s.used)
	}
	seed := maphash.MakeSeed()
	if identityHash(seed, Item{UserID: "12", MessageID: "3"}) == identityHash(seed, Item{UserID: "1", MessageID: "23"}) {
		t.Error("ids that join to the same text have one hash")
	}
}

func TestPlan(t *testing.T) {
	in := Input{Connections: []Load{{"c_1", 90}, {"c_2", 2000}, {"c_3", 1}}}
	for _, c := range []struct {
		perMinute, burst int
		ended            map[string]int
		want             Plan
	}{
		{60, 90, nil, Plan{Messages: 2091, Connections: 3, Duration: 1910 * time.Second}},
		{0, 0, nil, Plan{Messages: 2091, Connections: 3}},
		{7, 1, nil, Plan{Messages: 2091, Connections: 3, Duration: 1999 * 8571428572}},
		{60, 90, map[string]int{"c_2": 1990, "c_3": 1}, Plan{Messages: 100, Connections: 2, Ended: 1991}},
		{60, 5, map[string]int{"c_2": 1990, "c_3": 1}, Plan{Messages: 100, Connections: 2, Ended: 1991, Duration: 85 * time.Second}},
		{60, 90, map[string]int{"c_1": 90, "c_2": 2000, "c_3": 7}, Plan{Ended: 2091}},
	} {
		if got := NewPlan(in, &Journal{ended: c.ended}, c.perMinute, c.burst); got != c.want {
			t.Errorf("at %d a minute, after %v: got %+v; want %+v", c.perMinute, c.ended, got, c.want)
		}
	}
	if got := NewPlan(in, nil, 60, 90); got.Messages != 2091 {
		t.Errorf("without a journal: %+v", got)
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"": {}, "0/1": {0, 1}, "0/4": {0, 4}, "3/4": {3, 4}, "11/128": {11, 128}} {
		if got, err := ParseShard(text); got != want || err != nil || got.String() != text {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"4/4":                          "shard 4/4 is out of range; the first is 0/4, the last 3/4",
		"0/0":                          `shard "0/0" is not of the form I/N; want 0/4, say, for the first of four`,
		"1":                            `shard "1" is not of the form I/N; want 0/4, say, for the first of four`,
		"a/b":                          `shard "a/b" is not of the form I/N; want 0/4, say, for the first of four`,
		"-1/4":                         `shard "-1/4" is not of the form I/N; want 0/4, say, for the first of four`,
		"1/2/3":                        `shard "1/2/3" is not of the form I/N; want 0/4, say, for the first of four`,
		"9999999999999/99999999999999": `shard "9999999999999/99999999999999" is not of the form I/N; want 0/4, say, for the first of four`,
	} {
		if _, err := ParseShard(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v; want %s", text, err, want)
		}
	}
}

// The hash is a promise: machines of different versions must agree.
func TestShardsAreFNV1a(t *testing.T) {
	for id, want := range map[string]int{"conn_abc123": 6, "conn_demo": 5, "": 2} {
		for i := range 7 {
			if got := (Shard{Index: i, Of: 7}).Has(id); got != (i == want) {
				t.Errorf("shard %d/7 has %q: %v", i, id, got)
			}
		}
	}
	const of = 16
	counts := make([]int, of)
	for n := range 16_000 {
		for i := range of {
			if (Shard{Index: i, Of: of}).Has(fmt.Sprintf("conn_%d", n)) {
				counts[i]++
			}
		}
	}
	sum := 0
	for i, n := range counts {
		sum += n
		if n < 800 || n > 1200 {
			t.Errorf("shard %d has %d of 16,000 connections; want some 1,000", i, n)
		}
	}
	if sum != 16_000 {
		t.Errorf("the shards have %d connections between them; want 16,000", sum)
	}
	if !(Shard{}).Has("x") || !(Shard{Of: 1}).Has("x") {
		t.Error("the whole input lacks a connection")
	}
}
