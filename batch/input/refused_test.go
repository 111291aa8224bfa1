package input

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/batch"
)

func TestInputsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const (
		none  = "it has no messages: want a first row with user_id,message_id, and a row for each message below it"
		save  = ": save it as CSV (UTF-8), in Excel with File, Save As, and use that file"
		quote = `a quote (") opens a cell here, and no quote closes it: delete it, or add the closing one`
		array = "it is a JSON array: want one object on each line, without brackets and commas around them; jq -c '.[]' writes it so"
		long  = "the row is longer than 64 KiB"
		split = "the JSON object does not end on its line: want one whole object on each line; jq -c . writes it so"
	)
	named := func(name, found string) string {
		return "no column is named " + name + ": the first row has " + found + "; name the columns there, user_id and message_id at least"
	}
	holds := func(name string) string {
		return fmt.Sprintf("the column %q holds connections: rename it to connection_id, or delete it", name)
	}
	meant := func(name, column string) string {
		return fmt.Sprintf("the column %q could be meant as %s: rename it to that, or delete it", name, column)
	}
	for _, c := range []struct {
		name   string
		format Format
		input  string
		line   int // 0 where it is all of the input
		want   string
	}{
		{name: "empty", want: none},
		{name: "only a header", input: "user_id,message_id\n", want: none},
		{name: "ids without a header", input: "\n51,64,conn_1\n", line: 2,
			want: "the first row does not name the columns: put one with user_id,message_id above it"},
		{name: "a title", input: "Report, of May\n\nUser ID;Message ID\n", line: 1,
			want: "the columns are named in line 3: delete the rows above it"},
		{name: "German names", input: "Nutzer;Nachricht;sk_live_4f9a\n51;64;\n", line: 1,
			want: named("user_id", `"Nutzer", "Nachricht", "(hidden)"`)},
		{name: "a column of connections", input: "user_id,message_id,account\n51,64,\n51,65, conn_b\n", line: 3, want: holds("account")},
		{name: "connections without a name", input: "user_id,connection_id,message_id,\n51,conn_a,64,conn_b\n", line: 2, want: holds("")},
		{name: "connections in JSON", input: `{"user_id":51,"message_id":64,"account":"conn_b"}`, line: 1, want: holds("account")},
		{name: "a slip in a name", input: "user_id,mesage_id\n51,64\n", line: 1, want: meant("mesage_id", "message_id")},
		{name: "a connection by another name", input: "user_id,message_id,Conn\n51,64,c\n", line: 1, want: meant("Conn", "connection_id")},
		{name: "two columns for connections", input: "connection_id,user_id,message_id,new connection\n", line: 1,
			want: meant("new connection", "connection_id")},
		{name: "a column twice", input: "user_id,message_id,User ID\n51,64,52\n", line: 1, want: "the column user_id occurs twice: delete one"},
		{name: "rows in quotes", input: "\"user_id;message_id\"\n\"51;64\"\n", line: 1,
			want: "the whole row is one cell, in quotes: delete the quotes, or in Excel split the column with Data, Text " +
				"to Columns, and save again"},
		{name: "an open quote", input: "user_id,message_id\n51,\"64\n52,65\n53,66\n", line: 2, want: quote},
		{name: "an open quote below a cell of several lines", input: "user_id,message_id,text\n51,64,\"a\nb\nc\"\n52,\"6\n5\",\"x\n53,66,\n",
			line: 6, want: quote},
		{name: "an open quote above many rows", input: "user_id,message_id\n\"51,64\n" + strings.Repeat("52,65\n", maxRow) + "53\"\n",
			line: 2, want: quote},
		{name: "an open quote that another closes", input: "user_id,message_id\n\"51,64\n52,\"65\"\n53,66\n", line: 2, want: quote},
		{name: "a quote in a name", input: "user\"id,message_id\n51,64\n", line: 1,
			want: `a quote (") stands in the middle of a cell: delete it, or write "" for it and put the whole cell into quotes`},
		{name: "one word", input: "Liste\n", line: 1, want: named("user_id", `"Liste"`)},
		{name: "an open quote behind one that is misplaced", input: "user_id,message_id,text\n5\"1,64,\"a\n52,65,\"b\"\n", line: 2, want: quote},
		{name: "a long row", input: "user_id,message_id\n51," + strings.Repeat("x", 3*maxRow) + "\n51,64\n", line: 2, want: long},
		{name: "Windows-1252", input: "user_id,message_id,ref\n51,64,gr\xfcn\n51,65,sch\xf6n\n", line: 2,
			want: "ref is not UTF-8 text: save the list as CSV UTF-8, in Excel with File, Save As, and use that file"},
		{name: "Windows-1252 with hard blanks", input: "user_id,message_id\n51,64\n51,65\xa0\n", line: 3,
			want: "message_id is not UTF-8 text: save the list as CSV UTF-8, in Excel with File, Save As, and use that file"},
		{name: "xlsx", input: "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", want: "it is an Excel workbook (.xlsx)" + save},
		{name: "xls", format: CSV, input: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", want: "it is an old Excel workbook (.xls)" + save},
		{name: "xls of HTML", input: "\ufeff\n<html><table>", want: "it is HTML or XML, which some programs call .xls" + save},
		{name: "ods", input: "PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
			want: "it is an OpenDocument spreadsheet (.ods)" + save},
		{name: "docx", input: "PK\x03\x04\x14\x00[Content_Types].xml word/document.xml",
			want: "it is a Word document (.docx): save the list in it as CSV (UTF-8)"},
		{name: "numbers", input: "PK\x03\x04\x14\x00Index/Document.iwa",
			want: "it is a Numbers sheet (.numbers): save it as CSV, in Numbers with File, Export To, CSV, and use that file"},
		{name: "zip", input: "PK\x03\x04list.csv", want: "it is a zip archive: unpack it, and save the list in it as CSV (UTF-8)"},
		{name: "a ledger", input: "SQLite format 3\x00",
			want: "it is a SQLite database, perhaps a ledger: want the list of messages, saved as CSV (UTF-8)"},
		{name: "binary", input: "\x7fELF\x00\x01", want: "it is not text, or in an encoding that is not known" + save},
		{name: "JSON array", input: "\ufeff [\n{\"user_id\":1}]", want: array},
		{name: "pretty-printed JSON", input: "{\n  \"user_id\": 51,\n  \"message_id\": 64\n}\n", line: 1, want: split},
		{name: "JSON for CSV", format: CSV, input: `{"user_id":51,"message_id":64}`, want: "it is JSON, but the format is CSV"},
		{name: "CSV for JSON", format: JSONL, input: "user_id,message_id\n",
			want: `it is not JSON, but the format is JSON lines: want one object on each line, such as {"user_id": 51, "message_id": 64}`},
		{name: "a connection by another name in JSON",
			input: `{"user_id":51,"message_id":64}` + "\n" + `{"user_id":51,"message_id":65,"connId":"c"}` + "\n", line: 2,
			want: meant("connId", "connection_id")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := "the input cannot be used: " + c.want
			if c.line > 0 {
				want = fmt.Sprintf("line %d: %s", c.line, want)
			}
			_ = checkLast(t, strings.NewReader(c.input), c.format, want)
		})
	}
}

// checkLast reads to the end, which must be that error.
func checkLast(t *testing.T, r io.Reader, format Format, want string) error {
	t.Helper()
	var last error
	for _, err := range Read(r, format) {
		if errors.Is(last, batch.ErrInput) {
			t.Errorf("reading continues after %v", last)
		}
		last = err
	}
	if !errors.Is(last, batch.ErrInput) {
		t.Fatalf("%v does not match ErrInput", last)
	}
	if last.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", last, want)
	}
	return last
}

func TestReadersErrorIsPassedOn(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("the disk is gone: %w", io.EOF) // which is not the end of the file
	for text, line := range map[string]string{
		"":                                     "",
		"user_id,mess":                         "line 1: ",
		"user_id,message_id\n1,2\n3,":          "line 3: ",
		"user_id,message_id\n\"1,2\n3":         "line 3: ",
		`{"user_id":1,"message_id":2}` + "\n{": "line 2: ",
	} {
		err := checkLast(t, io.MultiReader(strings.NewReader(text), iotest.ErrReader(gone)), Auto,
			line+"the input cannot be used: reading it failed: the disk is gone: EOF")
		if !errors.Is(err, gone) {
			t.Errorf("%q: %v does not match the reader's error", text, err)
		}
	}
}
