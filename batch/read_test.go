package batch

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/api"
)

// readAll returns the items, and the errors' texts.
func readAll(r io.Reader, format Format) (items []Item, bad []string) {
	for item, err := range Read(r, format) {
		if err != nil {
			bad = append(bad, err.Error())
		} else {
			items = append(items, item)
		}
	}
	return items, bad
}

func TestReadItems(t *testing.T) {
	plain := []Item{{UserID: "51", MessageID: "64", Line: 2}, {UserID: "52", MessageID: "65", Line: 3}}
	for name, c := range map[string]struct {
		text string
		want []Item
	}{
		"plain":              {"user_id,message_id\n51,64\n52,65\n", plain},
		"no last line end":   {"user_id,message_id\n51,64\n52,65", plain},
		"CRLF":               {"user_id,message_id\r\n51,64\r\n52,65\r\n", plain},
		"byte order mark":    {"\xef\xbb\xbfuser_id,message_id\n51,64\n52,65\n", plain},
		"quoted":             {"\"user_id\",\"message_id\"\n\"51\",64\n52,\"65\"\n", plain},
		"extra columns":      {"a,message_id,b,user_id,c\nx,64,y,51,z\n,65,,52,\n", plain},
		"blank lines":        {"\nuser_id,message_id\n\n51,64\n\r\n", []Item{{UserID: "51", MessageID: "64", Line: 4}}},
		"only a header":      {"user_id,message_id\n", nil},
		"all columns":        {"with_user_id,connection_id,message_id,user_id\nw,c_1,64,51\n", []Item{{UserID: "51", MessageID: "64", ConnectionID: "c_1", WithUserID: "w", Line: 2}}},
		"empty optional":     {"user_id,message_id,connection_id,with_user_id\n51,64,,\n", []Item{{UserID: "51", MessageID: "64", Line: 2}}},
		"quotes in a column": {"user_id,message_id,text\n51,64,\"a \"\"b\"\", c\"\n52,65,\"\"\n", plain},
		"lines in a column":  {"user_id,message_id,text\n51,64,\"a\n\nb,\"\n52,65,\"c\r\nd\"\n", []Item{{UserID: "51", MessageID: "64", Line: 2}, {UserID: "52", MessageID: "65", Line: 5}}},
		"JSON lines":         {`{"user_id":"51","message_id":"64"}` + "\n" + `{"message_id":65,"user_id":52,"else":{"a":[1]}}`, []Item{{UserID: "51", MessageID: "64", Line: 1}, {UserID: "52", MessageID: "65", Line: 2}}},
		"JSON with null":     {"\n " + `{"user_id":9007199254740993,"message_id":"64","connection_id":null,"with_user_id":"w"}` + "\r\n\n", []Item{{UserID: "9007199254740993", MessageID: "64", WithUserID: "w", Line: 2}}},
		"JSON with a mark":   {"\xef\xbb\xbf" + `{"user_id":"51","message_id":"64","connection_id":"c"}`, []Item{{UserID: "51", MessageID: "64", ConnectionID: "c", Line: 1}}},
	} {
		for way, r := range map[string]io.Reader{"at once": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
			items, bad := readAll(r, Auto)
			if !reflect.DeepEqual(items, c.want) || bad != nil {
				t.Errorf("%s, %s: got %+v, %q; want %+v", name, way, items, bad, c.want)
			}
		}
	}
}

func TestBadRowsAreListedAndPassedOver(t *testing.T) {
	long := strings.Repeat("x", maxRow)
	for name, c := range map[string]struct {
		text string
		bad  []string
		good int
	}{
		"ids": {
			"user_id,message_id,connection_id,with_user_id\n1,2\n,2,,\n1,,,\n1,..,,\n1,2,a/b,\n1,2,,ü\n1,2,,\n" + strings.Repeat("1", 65) + ",2,,\n 1,2,,\n",
			[]string{
				"line 2: the row has 2 fields, and the header 4",
				"line 3: invalid id: user_id is empty",
				"line 4: invalid id: message_id is empty",
				"line 5: invalid id: message_id has the character '.'; want letters, digits, _ and - only",
				"line 6: invalid id: connection_id has the character '/'; want letters, digits, _ and - only",
				"line 7: invalid id: with_user_id has the character '\\u00fc'; want letters, digits, _ and - only",
				"line 9: invalid id: user_id has 65 characters; want at most 64",
				"line 10: invalid id: user_id has the character ' '; want letters, digits, _ and - only",
			}, 1,
		},
		"fields": {
			"user_id,message_id\n1\n1,2,3\n1,2\n",
			[]string{"line 2: the row has 1 field, and the header 2", "line 3: the row has 3 fields, and the header 2"}, 1,
		},
		"quotes": {
			"user_id,message_id\n1\"2\",3\n\"1\"2,3\n1,2\n\"1,2\n3,4\n5,6\n",
			[]string{
				`line 2: a quote stands inside of a field that is not quoted; write "" for it, and quote the field`,
				"line 3: something follows the closing quote of a field",
				"line 5: a quoted field is not closed",
			}, 3,
		},
		"quote that closes at the next row's": {
			"user_id,message_id\n\"1,2\n\"3,4\n5,6\n",
			[]string{"line 2: something follows the closing quote of a field", "line 3: a quoted field is not closed"}, 1,
		},
		"quote that takes more than a row": {
			"user_id,message_id\n\"1,2\n" + strings.Repeat("3,4\n", maxRow/4+10),
			[]string{"line 2: a quoted field is not closed"}, maxRow/4 + 10,
		},
		"long rows": {
			"user_id,message_id\n" + long + ",2\n1,2\n" + long + long + long,
			[]string{"line 2: the row is longer than 256 KiB", "line 4: the row is longer than 256 KiB"}, 1,
		},
		"JSON": {
			"{\"user_id\":1,\"message_id\":2}\nnot\n[1]\n7\n{\"user_id\":1.0,\"message_id\":2}\n{\"user_id\":-1,\"message_id\":2}\n{\"user_id\":{},\"message_id\":2}\n{\"user_id\":1}\n{\"user_id\":1,\"message_id\":2} x\n{\"user_id\":\"a\\nb\",\"message_id\":2}\n{\"user_id\":1,\"message_id\":3}\n",
			[]string{
				"line 2: the line is not JSON: invalid character 'o' in literal null (expecting 'u')",
				"line 3: the line is a JSON array; want an object",
				"line 4: the line is a JSON number; want an object",
				"line 5: an id is a JSON string or a whole number",
				"line 6: an id is a JSON string or a whole number",
				"line 7: an id is a JSON string or a whole number",
				"line 8: invalid id: message_id is empty",
				"line 9: the line is not JSON: invalid character 'x' after top-level value",
				"line 10: invalid id: user_id has the character '\\n'; want letters, digits, _ and - only",
			}, 2,
		},
	} {
		items, bad := readAll(strings.NewReader(c.text), Auto)
		if len(items) != c.good || !reflect.DeepEqual(bad, c.bad) {
			t.Errorf("%s: %d good rows, and\n\t%s\nwant %d, and\n\t%s", name, len(items), strings.Join(bad, "\n\t"), c.good, strings.Join(c.bad, "\n\t"))
		}
	}
}

func TestUnusableInput(t *testing.T) {
	const header = "; want user_id,message_id[,connection_id][,with_user_id]"
	for name, c := range map[string]struct {
		r      io.Reader
		format Format
		want   string
	}{
		"empty":            {strings.NewReader(""), Auto, "line 1: unusable input: it is empty; want a header of user_id,message_id and a row for each message, or JSON lines"},
		"blank":            {strings.NewReader("\n\r\n"), Auto, "line 1: unusable input: it is empty; want a header of user_id,message_id and a row for each message, or JSON lines"},
		"only a mark":      {strings.NewReader("\xef\xbb\xbf"), Auto, "line 1: unusable input: it is empty; want a header of user_id,message_id and a row for each message, or JSON lines"},
		"no header":        {strings.NewReader("51,64\n52,65\n"), Auto, "line 1: unusable input: the first row is no header" + header},
		"unknown header":   {strings.NewReader("userId,messageId\n51,64\n"), Auto, "line 1: unusable input: the first row is no header" + header},
		"no message_id":    {strings.NewReader("user_id,message\n51,64\n"), Auto, "line 1: unusable input: the header lacks message_id" + header},
		"no user_id":       {strings.NewReader("user,message_id\n51,64\n"), Auto, "line 1: unusable input: the header lacks user_id" + header},
		"twice":            {strings.NewReader("user_id,message_id,user_id\n51,64,52\n"), Auto, "line 1: unusable input: the header has user_id twice"},
		"semicolons":       {strings.NewReader("user_id;message_id\n51;64\n"), Auto, "line 1: unusable input: its columns are not separated by commas" + header},
		"broken header":    {strings.NewReader("user_id,\"message_id\n51,64\n"), Auto, "line 1: unusable input: the header cannot be read: a quoted field is not closed"},
		"binary":           {strings.NewReader("\x7fELF\x00\x01"), Auto, "line 1: unusable input: it is not text; want CSV or JSON lines, unpacked and in UTF-8"},
		"packed":           {strings.NewReader("\x1f\x8b\x08abc"), CSV, "line 1: unusable input: it is not text; want CSV or JSON lines, unpacked and in UTF-8"},
		"UTF-16":           {strings.NewReader("\xff\xfeu\x00s\x00"), Auto, "line 1: unusable input: it is not text; want CSV or JSON lines, unpacked and in UTF-8"},
		"array":            {strings.NewReader("[\n{\"user_id\":1}]"), Auto, "line 1: unusable input: it is a JSON array; want one object on each line"},
		"JSON as CSV":      {strings.NewReader("{\"user_id\":1,\"message_id\":2}"), CSV, "line 1: unusable input: the header cannot be read: a quote stands inside of a field that is not quoted; write \"\" for it, and quote the field"},
		"fails at once":    {iotest.ErrReader(errors.New("is a directory")), Auto, "line 1: unusable input: reading it failed: is a directory"},
		"fails at header":  {broken("user_id,mess"), Auto, "line 1: unusable input: reading it failed: the disk is gone"},
		"fails in a row":   {broken("user_id,message_id\n1,2\n3,"), Auto, "line 3: unusable input: reading it failed: the disk is gone"},
		"fails in a line":  {broken("{\"user_id\":1,\"message_id\":2}\n{"), Auto, "line 2: unusable input: reading it failed: the disk is gone"},
		"fails in a quote": {broken("user_id,message_id\n\"1,2\n3"), Auto, "line 2: a quoted field is not closed|line 3: unusable input: reading it failed: the disk is gone"},
	} {
		var bad []string
		var last error
		for _, err := range Read(c.r, c.format) {
			if err != nil {
				bad, last = append(bad, err.Error()), err
			}
		}
		if got := strings.Join(bad, "|"); got != c.want || !errors.Is(last, ErrInput) {
			t.Errorf("%s: got\n\t%s (%v)\nwant\n\t%s", name, got, errors.Is(last, ErrInput), c.want)
		}
	}
}

// broken yields text and then fails.
func broken(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("the disk is gone")))
}

func TestErrorsAreTyped(t *testing.T) {
	for _, err := range Read(strings.NewReader("user_id,message_id\n..,2\n"), Auto) {
		var line *LineError
		if !errors.As(err, &line) || line.Line != 2 || !errors.Is(err, api.ErrInvalidID) || errors.Is(err, ErrInput) {
			t.Errorf("got %#v", err)
		}
	}
}

func TestReadingCanEndAnywhere(t *testing.T) {
	n := 0
	for _, err := range Read(strings.NewReader("user_id,message_id\n1,2\n..,2\n3,4\n"), Auto) {
		if n++; (n == 2) != (err != nil) {
			t.Errorf("row %d: %v", n, err)
		}
		if n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d rows were read", n)
	}
}

func TestOnConnectionAndGood(t *testing.T) {
	const text = "user_id,message_id,connection_id\n1,2,\n..,3,\n4,5,c_1\n"
	var got []Item
	for item := range Good(OnConnection(Read(strings.NewReader(text), Auto), "c_0")) {
		got = append(got, item)
	}
	want := []Item{{UserID: "1", MessageID: "2", ConnectionID: "c_0", Line: 2}, {UserID: "4", MessageID: "5", ConnectionID: "c_1", Line: 4}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v; want %+v", got, want)
	}
	var bad []string
	for _, err := range OnConnection(Read(strings.NewReader(text), Auto), "") {
		if err != nil {
			bad = append(bad, err.Error())
		}
	}
	if len(bad) != 2 || bad[0] != "line 2: connection_id is missing, and no other connection is given" {
		t.Errorf("got %q", bad)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"user_id,message_id\n1,2\n", "\xef\xbb\xbfuser_id,message_id,connection_id\r\n\"1\",2,c\r\n", "user_id,message_id,x\n1,2,\"a\nb\"\n\"3,4\n",
		"{\"user_id\":1,\"message_id\":\"2\"}\n{}\n[", "user_id;message_id\n", "\x1f\x8b", "\xff\xfeu\x00", "[]", "", "\n\n", "user_id,message_id\n\"\"\"\n",
	} {
		f.Add([]byte(text), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, format uint8) {
		lines := strings.Count(string(text), "\n") + 1
		last, ended := 0, false
		for item, err := range Read(strings.NewReader(string(text)), Format(format%3)) {
			if ended {
				t.Fatal("reading went on behind an input that cannot be read on")
			}
			at := item.Line
			if err != nil {
				var line *LineError
				if !errors.As(err, &line) || strings.ContainsAny(err.Error(), "\n\r\x00") || len(err.Error()) > 300 {
					t.Fatalf("not one clear line: %q", err)
				}
				at, ended = line.Line, errors.Is(err, ErrInput)
			} else if reason := item.check(); reason != nil {
				t.Fatalf("%+v is no item: %v", item, reason)
			}
			if at < last || at < 1 || at > lines {
				t.Fatalf("line %d after line %d of %d", at, last, lines)
			}
			last = at
		}
	})
}
