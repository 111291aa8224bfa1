package input

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/batch"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"github.com/unsend-go/unsend/api"
)

// readAll writes what Read yields: an item as its line, user/message and whatever else it has,
// and an error as it prints.
func readAll(r io.Reader, format Format) string {
	var lines []string
	for item, err := range Read(r, format) {
		if err != nil {
			lines = append(lines, err.Error())
			continue
		}
		text := fmt.Sprintf("%d %s/%s", item.Line, item.UserID, item.MessageID)
		if item.ConnectionID != "" {
			text += " on " + item.ConnectionID
		}
		if item.WithUserID != "" {
			text += " with " + item.WithUserID
		}
		if item.MaybeUnsent {
			text += " maybe"
		}
		if item.Ref != "" {
			text += " ref " + item.Ref
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

type readCase struct{ name, input, want string }

func checkReads(t *testing.T, format Format, cases []readCase) {
	t.Helper()
	for _, c := range cases {
		for way, r := range map[string]io.Reader{
			"at once":      strings.NewReader(c.input),
			"byte by byte": iotest.OneByteReader(strings.NewReader(c.input)),
		} {
			if got := readAll(r, format); got != c.want {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", c.name, way, got, c.want)
			}
		}
	}
}

func encode(e encoding.Encoding, text string) string {
	encoded, err := e.NewEncoder().String(text)
	if err != nil {
		panic(err)
	}
	return encoded
}

func TestReadFilesAsPeopleHaveThem(t *testing.T) {
	t.Parallel()
	little := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	checkReads(t, Auto, []readCase{
		{"plain", "user_id,message_id\n51,64\n52,65\n", "2 51/64\n3 52/65"},
		{"Windows line ends", "user_id,message_id\r\n51,64\r\n52,65\r\n", "2 51/64\n3 52/65"},
		{"old Mac line ends", "user_id,message_id\r51,64\r52,65\r", "2 51/64\n3 52/65"},
		{"UTF-16 from Windows, with tabs", encode(little, "user_id\tmessage_id\tNotiz\r\n51\t64\tgrün 🌱\r\n"),
			"2 51/64\nignored columns: Notiz"},
		{"a semicolon in quotes", "note;user_id;message_id\n\"a; b, c\";51;64\n", "2 51/64\nignored columns: note"},
		{"tabs, with empty cells", "note\tconnection_id\tuser_id\tmessage_id\n\t\t51\t64\n", "2 51/64\nignored columns: note"},
		{"Excel's hint", "sep=;\nuser_id;message_id\n51;64\n", "3 51/64"},
		{"more commas than semicolons", "user_id;message_id;a,b,c,d,e\n51;64;x\n", "2 51/64\nignored columns: a,b,c,d,e"},
		{"upright bars", "user_id|message_id\n51|=\"64\"\n", "2 51/64"},
		{"names in other spellings", "User ID,messageId,Connection_ID,WITH USER_id\n51,64,c_1,w\n", "2 51/64 on c_1 with w"},
		{"blanks and hard blanks", "User_ID, message_id ,\u00a0Connection\u00a0ID\n51, 64 ,\u00a0c_1\n52, \"65\" ,\n", "2 51/64 on c_1\n3 52/65"},
		{"all columns",
			"with_user_id,maybe_unsent,connection_id,message_id,user_id\nw,TRUE,c_1,64,51\n,0,,65,52\n,1,,66,52\n,False,,67,52\n,,,68,52\n",
			"2 51/64 on c_1 with w maybe\n3 52/65\n4 52/66 maybe\n5 52/67\n6 52/68"},
		{"columns that are near to one that is there", "user_id,message_id,message,user\n51,64,hello,Ann\n",
			"2 51/64\nignored columns: message, user"},
		{"rows of nothing", "\nuser_id,message_id\n\n,\n51,64\n , \n\u00a0,\n,,,,\n\n52,65\n   \n", "5 51/64\n10 52/65"},
		{"more blank lines than a row is long",
			strings.Repeat("\n", maxRow+9) + "user_id,message_id\n" + strings.Repeat("\n", maxRow+9) + "51,64\n",
			fmt.Sprint(2*(maxRow+9)+2, " 51/64")},
		{"cells of several lines", "user_id,message_id,text\n51,64,\"a\n\nb,\"\n52,65,\"c\r\nd \"\"e\"\"\"\n..,66,\n",
			"2 51/64\n5 52/65\nline 7: invalid id: user_id has the character '.'; want a-z, A-Z, 0-9, _ and - only\nignored columns: text"},
		{"cells missing that are not needed", "user_id,message_id,text,with_user_id\n51,64\n", "2 51/64\nignored columns: text"},
		{"marks that make text of a number", "user_id;message_id;ref\n'51;=\"64\";'=1\n\"=\"\"51\"\"\";'65;'a\n\"=51\";66;\"b;=\"\"1\"\"\"\n",
			"2 51/64 ref =1\n3 51/65 ref 'a\nline 4: invalid id: user_id has the character '='; want a-z, A-Z, 0-9, _ and - only"},
		{"a line break in a name", "\"User\nID\";\"Message, ID\nof it\";message_id\n51;x;64\n", "4 51/64\nignored columns: Message, ID of it"},
		{"booleans of other Excels", "user_id;message_id;maybe_unsent\n51;64;WAHR\n51;65;FALSCH\n51;66;VRAI\n51;67;falso\n",
			"2 51/64 maybe\n3 51/65\n4 51/66 maybe\n5 51/67"},
		{"JSON lines",
			`{"user_id":"51","message_id":"64"}` + "\n\n" + ` {"message_id":65,"user_id":9007199254740993,"else":{"a":[1]},"else":2} ` + "\r\n",
			"1 51/64\n3 9007199254740993/65\nignored columns: else"},
		{"JSON with a mark and other spellings",
			"\ufeff" + `{"userId":51,"Message ID":64,"connectionId":null,"withUserId":"w","maybeUnsent":true,"message":"hi"}` + "\n" +
				`{"user_id":52,"message_id":" 65 ","maybe_unsent":0,"connection_id":""}`,
			"1 51/64 with w maybe\n2 52/65\nignored columns: message"},
	})
}

func TestBadRowsAreListed(t *testing.T) {
	t.Parallel()
	const (
		format = "go back to where they came from, and format the columns as text before pasting"
		quote  = `a quote (") stands in the middle of a cell: delete it, or write "" for it and put the whole cell into quotes`
	)
	var csv, json, want strings.Builder
	csv.WriteString("message_id;user_id;connection_id;with_user_id;maybe_unsent\n")
	json.WriteString(`{"user_id":51,"message_id":1}` + "\n")
	for i, c := range []struct{ message, want string }{
		{"6.43E+12", `message_id is "6.43E+12": these ids have lost digits: ` + format},
		{"6.432.457", `message_id is "6.432.457", a number with decimals or separators: ` + format},
		{"+64", `message_id is "+64": want digits alone`},
		{"31.12.2025", `message_id is "31.12.2025", a date: correct it, or delete the row`},
		{"<NA>", `message_id is "<NA>", which means that there is no id: fill it in, or delete the row`},
		{"-", "message_id is only a dash: fill in the id, or delete the row"},
		{"#64", "message_id has the character '#'; want a-z, A-Z, 0-9, _ and - only"},
		{"https://example.com/chat/5/?firstId=64", "message_id is a link: put the id alone in its place"},
		{"#REF!", `message_id is "#REF!", which Excel writes where a formula failed: correct the formula, and export again`},
		{"message_id", `message_id is "message_id", the name of a column: the first row is repeated here, delete this one`},
		{"sk_live_4f9a", "message_id looks like an API key, and so is not shown: put the id in its place"},
		{"..", "message_id has the character '.'; want a-z, A-Z, 0-9, _ and - only"},
		{strings.Repeat("9", 65), "message_id has 65 characters; want at most 64"},
		{"", "message_id is empty: fill in the id, or delete the row"},
	} {
		fmt.Fprintf(&csv, "%s;51;;;\n", c.message)
		fmt.Fprintf(&json, `{"user_id":51,"message_id":%q}`+"\n", c.message)
		fmt.Fprintf(&want, "line %d: invalid id: %s\n", i+2, c.want)
	}
	checkReads(t, Auto, []readCase{
		{"ids in CSV", csv.String(), strings.TrimSpace(want.String())},
		{"ids in JSON", json.String(), "1 51/1\n" + strings.TrimSpace(want.String())},
		{"the other columns", "user_id,message_id,connection_id,with_user_id,maybe_unsent\n51,64,a/b,,\n51,64,NULL,,\n" +
			"51,64,,ü,\n51,64,,,yes\n51,64,,,4f9a8c1d4f9a8c1d\n,64,,,\n",
			"line 2: invalid id: connection_id has the character '/'; want a-z, A-Z, 0-9, _ and - only\n" +
				"line 3: invalid id: connection_id is \"NULL\", which means that there is no id: fill it in, or delete the row\n" +
				"line 4: invalid id: with_user_id has the character 'ü' (U+00FC); want a-z, A-Z, 0-9, _ and - only\n" +
				"line 5: maybe_unsent is \"yes\": want TRUE or FALSE (or WAHR or FALSCH), 1, 0 or nothing\n" +
				"line 6: maybe_unsent is a text of 16 characters: want TRUE or FALSE (or WAHR or FALSCH), 1, 0 or nothing\n" +
				"line 7: invalid id: user_id is empty: fill in the id, or delete the row"},
		{"cells", "user_id;message_id;connection_id\n51;64;c;66\n51;64\n51,64,c\n51;64;c;;\n",
			"line 2: the row has 4 cells, and the first row names 3: delete the extra ones, or put a cell with semicolons in it into quotes\n" +
				"line 3: the row has 2 of the 3 cells that the first row names: " +
				"separate them by semicolons, and leave a cell empty where there is nothing to fill in\n" +
				"line 4: the row has 1 of the 3 cells that the first row names: " +
				"separate them by semicolons, and leave a cell empty where there is nothing to fill in\n" +
				"5 51/64 on c"},
		{"quotes", "user_id,message_id\n5\"1,64\n\"51\"x,64\n51,64\n51,\"64\"x",
			"line 2: " + quote + "\nline 3: " + quote + "\n4 51/64\nline 5: " + quote},
		{"numbers in JSON", `{"user_id":51,"message_id":6.43e12}` + "\n" + `{"user_id":51,"message_id":64.0}` + "\n" +
			`{"user_id":-1,"message_id":64}` + "\n" + `{"user_id":6E12,"message_id":64}`,
			"line 1: invalid id: message_id is \"6.43e12\": these ids have lost digits: " + format + "\n" +
				"line 2: invalid id: message_id is \"64.0\", a number with decimals or separators: " + format + "\n" +
				"line 3: invalid id: user_id is \"-1\": want digits alone\n" +
				"line 4: invalid id: user_id is \"6E12\": these ids have lost digits: " + format},
		{"other JSON", `{"user_id":51,"message_id":64}` + "\nsk_live\n[1]\n" + `{"user_id":{},"message_id":64}` + "\n" +
			`{"user_id":true,"message_id":64}` + "\n" + `{"user_id":51,"User ID":52,"message_id":64}` + "\n" + `{"user_id" 51}` + "\n" +
			`{"user_id":51,"message_id":64},` + "\n" + `{"user_id":51,"mess` + "\n" + `{"user_id":51,"message_id":64,"maybe_unsent":2}` +
			"\n" + strings.Repeat(" ", maxRow) + "\n" + `{"user_id":51}`,
			"1 51/64\n" +
				"line 2: the line is no JSON object: want one such as {\"user_id\": 51, \"message_id\": 64}\n" +
				"line 3: the line is no JSON object: want one such as {\"user_id\": 51, \"message_id\": 64}\n" +
				"line 4: user_id has more than one value: want a text or a whole number\n" +
				"line 5: invalid id: user_id is true: want a text or a whole number\n" +
				"line 6: the column user_id occurs twice: delete one\n" +
				"line 7: the line is not JSON from byte 12 on\n" +
				"line 8: a comma or something else follows the JSON object: want one object on each line, and nothing else\n" +
				"line 9: the JSON object does not end on its line: want one whole object on each line; jq -c . writes it so\n" +
				"line 10: maybe_unsent is \"2\": want TRUE or FALSE (or WAHR or FALSCH), 1, 0 or nothing\n" +
				"line 11: the row is longer than 64 KiB\n" +
				"line 12: invalid id: message_id is empty: fill in the id, or delete the row"},
	})
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	for _, err := range Read(strings.NewReader("user_id,message_id\n..,2\n"), Auto) {
		var line *batch.LineError
		if !errors.As(err, &line) || line.Line != 2 || !errors.Is(err, api.ErrInvalidID) || errors.Is(err, batch.ErrInput) {
			t.Errorf("got %#v", err)
		}
	}
}

func TestReadingStreams(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][2]string{
		"CSV":   {"user_id,message_id,x\n", "1,2,\n"},
		"JSONL": {"", `{"user_id":1,"message_id":2}` + "\n"},
	} {
		source := strings.NewReader(rows[0] + strings.Repeat(rows[1], 1_000_000))
		read := 0
		for _, err := range Read(source, Auto) {
			if read++; err != nil || read == 2 {
				break
			}
		}
		const ahead = 4 * maxRow
		if taken := int(source.Size()) - source.Len(); read != 2 || taken > ahead {
			t.Errorf("%s: %d bytes were taken for %d rows", name, taken, read)
		}
	}
}
