package input

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Format is how items are written.
type Format int

// Formats that [Read] reads.
const (
	Auto  Format = iota // JSONL if the input begins with "{", otherwise CSV
	CSV                 // a first row that names the columns, and a row for each message
	JSONL               // a JSON object on each line; ids may be whole numbers
)

// recognize returns the text of r, in UTF-8 with LF as line ends, and its format.
func recognize(r io.Reader, format Format) (*bufio.Reader, Format, error) {
	raw := bufio.NewReader(r)
	start, err := raw.Peek(raw.Size())
	if len(start) == 0 && err != io.EOF { // an error that wraps io.EOF is a failure
		return nil, format, readFailed(err)
	}
	if what, fix := foreign(start); what != "" {
		return nil, format, unusable("it is %s: %s", what, fix)
	}
	decoded := transform.NewReader(raw, unicode.BOMOverride(transform.Nop))
	in := bufio.NewReaderSize(&newlines{r: decoded}, maxRow)
	first := firstVisible(in)
	switch {
	case first == '[':
		return nil, format, unusable("it is a JSON array: want one object on each line, without brackets and commas around them; jq -c '.[]' writes it so")
	case first == '{' && format == CSV:
		return nil, format, unusable("it is JSON, but the format is CSV")
	case first != '{' && first != 0 && format == JSONL:
		return nil, format, unusable("it is not JSON, but the format is JSON lines: want one object on each line, such as %s", jsonExample)
	case first == '{':
		return in, JSONL, nil
	}
	return in, CSV, nil
}

// foreign recognizes other files by how they start, and returns what to do.
func foreign(start []byte) (what, fix string) {
	const save = "save it as CSV (UTF-8), in Excel with File, Save As, and use that file"
	const text = "save the list in it as CSV (UTF-8)"
	for _, known := range []struct{ begins, has, what, fix string }{
		{"PK\x03\x04", "opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)", save},
		{"PK\x03\x04", "word/", "a Word document (.docx)", text},
		{"PK\x03\x04", "[Content_Types].xml", "an Excel workbook (.xlsx)", save},
		{"PK\x03\x04", "xl/", "an Excel workbook (.xlsx)", save},
		{"PK\x03\x04", "_rels/", "an Excel workbook (.xlsx)", save},
		{"PK\x03\x04", "docProps/", "an Excel workbook (.xlsx)", save},
		{"PK\x03\x04", ".iwa", "a Numbers sheet (.numbers)", "save it as CSV, in Numbers with File, Export To, CSV, and use that file"},
		{"PK\x03\x04", "", "a zip archive", "unpack it, and " + text},
		{"\x1f\x8b", "", "packed with gzip", "unpack it, and " + text},
		{"\xd0\xcf\x11\xe0", "", "an old Excel workbook (.xls)", save},
		{"%PDF", "", "a PDF", "save the list that it shows as CSV (UTF-8)"},
		{"{\\rtf", "", "a text with formatting (.rtf)", text},
		{"SQLite format 3\x00", "", "a SQLite database, perhaps a ledger", "want the list of messages, saved as CSV (UTF-8)"},
		{"<", "", "HTML or XML, which some programs call .xls", save},
	} {
		if bytes.HasPrefix(bytes.TrimLeft(start, "\xef\xbb\xbf \t\r\n"), []byte(known.begins)) && bytes.Contains(start, []byte(known.has)) {
			return known.what, known.fix
		}
	}
	utf16 := bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff"))
	utf32 := bytes.HasPrefix(start, []byte("\xff\xfe\x00\x00"))
	if utf32 || !utf16 && bytes.IndexByte(start, 0) >= 0 {
		return "not text, or in an encoding that is not known", save
	}
	return "", ""
}

// firstVisible returns the first byte behind white space, or 0.
func firstVisible(in *bufio.Reader) byte {
	for n := 1; ; n++ {
		start, err := in.Peek(n)
		if err != nil {
			return 0
		}
		if last := start[n-1]; last != ' ' && last != '\t' && last != '\n' {
			return last
		}
	}
}

// newlines turns CRLF, and the CR of old Macs, into LF.
type newlines struct {
	r       io.Reader
	afterCR bool
}

func (n *newlines) Read(p []byte) (int, error) {
	for {
		got, err := n.r.Read(p)
		size := n.convert(p[:got])
		if size > 0 || got == 0 || err != nil {
			return size, err
		}
	}
}

func (n *newlines) convert(p []byte) int {
	if !n.afterCR && bytes.IndexByte(p, '\r') < 0 {
		return len(p)
	}
	size := 0
	for _, c := range p {
		second := n.afterCR && c == '\n'
		n.afterCR = c == '\r'
		if second {
			continue
		}
		if c == '\r' {
			c = '\n'
		}
		p[size] = c
		size++
	}
	return size
}
