package input

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

// plantedKey stands in inputs for every @.
const plantedKey = "sk_live_4f9a8c1d4f9a8c1d4f9a8c1d4f9a8c1d"

func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{
		"user_id,message_id\n1,2\n@,3\n", "\ufeffUser ID;message_id;Connection_ID\r\n\"1\";2;c\r\n",
		"user_id,message_id,@\n1,2,\"a\nb\"\n\"3,4\n",
		"user_id\tmessage_id\tmaybe_unsent\r1\t2\ttrue\r3\t@\t@\r", "\x1f\x8b", "\xff\xfeu\x00", "", "\n,,\n", "user_id,message_id\n\"\"\"\n",
		"sep=;\n@;conn\n",
		"user_id,message_id\n6.43E+12,NULL\nuser_id,message_id\n1,2,3\n<<null,1\n#@,1\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkAnyInput(t, text, CSV) })
}

func FuzzReadJSONL(f *testing.F) {
	for _, text := range []string{
		`{"user_id":1,"message_id":"2"}` + "\n{}\n[", `{"userId":1.0,"message_id":6.43e12,"@":{"a":[]}}`,
		`{"user_id":"@","message_id":null}` + "\n@",
		`{"user_id":1,"message_id":2,"maybe_unsent":"@"}`, "{\n", "[]",
		`{"user_id":1,"message_id":2}` + "\r" + `{"\u0075ser_id":3,"message_id":4,"conn":@}`, `{"user_id":1,"user_id":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkAnyInput(t, text, JSONL) })
}

// checkAnyInput holds whatever is read to what is promised: items are sound, errors are one
// short line without a key in it, and no line of JSON goes by unreported.
func checkAnyInput(t *testing.T, text []byte, format Format) {
	t.Helper()
	text = bytes.ReplaceAll(text, []byte("@"), []byte(plantedKey))
	lines := 1 + bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r"))
	yielded := 0
	var ended error
	for item, err := range Read(bytes.NewReader(text), format) {
		if ended != nil {
			t.Fatalf("reading continues after %v", ended)
		}
		yielded++
		ignored, named := errors.AsType[batch.IgnoredColumns](err)
		if named {
			yielded--
		}
		if named || errors.Is(err, batch.ErrInput) {
			ended = err
		}
		if err != nil {
			const longest = 400
			checkErrorText(t, err, longest+len(strings.Join(ignored, ""))+4*len(ignored))
			continue
		}
		for c, id := range []string{item.UserID, item.MessageID, item.ConnectionID, item.WithUserID} {
			if wrong := checkID(column(c), id); wrong != nil || item.Line > lines {
				t.Fatalf("%+v is no item of %d lines: %v", item, lines, wrong)
			}
		}
	}
	if yielded == 0 {
		t.Fatal("nothing is yielded")
	}
	if format != JSONL || errors.Is(ended, batch.ErrInput) {
		return
	}
	want := 0
	for _, line := range strings.FieldsFunc(strings.TrimPrefix(string(text), "\ufeff"), func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.TrimFunc(line, cell.IsBlank) != "" {
			want++
		}
	}
	if utf16 := bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")); !utf16 && yielded != want {
		t.Fatalf("%d of %d lines are reported", yielded, want)
	}
}

func checkErrorText(t *testing.T, err error, longest int) {
	t.Helper()
	switch text := err.Error(); {
	case len(text) > longest:
		t.Fatalf("%d bytes are a long error: %q", len(text), text)
	case strings.Contains(text, plantedKey[:12]):
		t.Fatalf("the key is shown: %q", text)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Fatalf("not printable: %q", text)
	}
}
