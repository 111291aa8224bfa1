package batch

import (
	"strings"
	"testing"

	"github.com/unsend-go/unsend/internal/ids"
)

func TestPackedIDs(t *testing.T) {
	for id, size := range map[string]int{
		"0": 1, "7": 1, "51234567": 4, "6432457811894": 7, "999999999999999999": 9, "1000000000000000000": 16,
		"00": 3, "007": 4, "-1": 3, "conn_abc123": 10, "a": 2, "__--__": 6,
		strings.Repeat("z", 64): 50, strings.Repeat("-", 63): 50,
		"550e8400-e29b-41d4-a716-446655440000": 29,
		"":                                     1,
	} {
		packed := packID([]byte("before"), id)[len("before"):]
		if len(packed) != size {
			t.Errorf("%q is packed into %d bytes; want %d", id, len(packed), size)
		}
		packed = append(packed, "behind"...)
		if got, rest := unpackID(packed, ""); got != id || string(rest) != "behind" {
			t.Errorf("%q is unpacked as %q, before %q", id, got, rest)
		}
		if rest := skipID(packed); string(rest) != "behind" {
			t.Errorf("%q is passed over until %q", id, rest)
		}
	}
	if got, _ := unpackID([]byte{packedSame}, "other"); got != "other" {
		t.Errorf("the same id is unpacked as %q", got)
	}
}

func TestEachCharacterHasItsSixBits(t *testing.T) {
	for i := range len(alphabet) {
		if n := sixBits(alphabet[i]); int(n) != i || !ids.InAlphabet(alphabet[i]) {
			t.Errorf("%c has %d; want %d", alphabet[i], n, i)
		}
	}
}

func FuzzPackID(f *testing.F) {
	f.Add("6432457811894", "007")
	f.Add("a_b-C9", "18446744073709551615")
	f.Fuzz(func(t *testing.T, a, b string) {
		if ids.Check(a) != nil || ids.Check(b) != nil {
			return
		}
		packed := packID(packID(nil, a), b)
		first, rest := unpackID(packed, "")
		second, rest := unpackID(rest, "")
		if first != a || second != b || len(rest) != 0 {
			t.Errorf("%q and %q became %q and %q, before %x", a, b, first, second, rest)
		}
	})
}
