package input

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

// bothForms writes message ids as CSV and as JSON lines, in which a row has the same line.
func bothForms(ids ...string) map[string]string {
	rows, objects := "user_id,message_id\n", "\n"
	for _, id := range ids {
		rows += "51," + id + "\n"
		objects += fmt.Sprintf(`{"user_id":51,"message_id":%q}`+"\n", id)
	}
	return map[string]string{"CSV": rows, "JSON": objects}
}

// TestColumnsAreCheckedAsAWhole: whatever is no number is a bad row in a column of numbers.
func TestColumnsAreCheckedAsAWhole(t *testing.T) {
	t.Parallel()
	odd := func(line int, id string) string {
		return fmt.Sprintf("line %d: invalid id: message_id is %s, and the column holds numbers: correct it, or delete the row", line, id)
	}
	for _, c := range []struct {
		name string
		ids  []string
		want []string
	}{
		{"a word", []string{"Total", "1", "2"}, []string{"3 51/1", "4 51/2", odd(2, `"Total"`)}},
		{"a date", []string{"1", "2026-05-01"}, []string{"2 51/1", odd(3, `"2026-05-01"`)}},
		{"a long negative number", []string{"1", "-6432457811894"}, []string{"2 51/1", odd(3, `"-6432457811894"`)}},
		{"half of them", []string{"1", "a"}, []string{"2 51/1", odd(3, `"a"`)}},
		{"fewer than half", []string{"1", "a", "b"}, []string{"2 51/1", "3 51/a", "4 51/b"}},
		{"negative numbers alone", []string{"-1", "-2"}, []string{odd(2, `"-1"`), odd(3, `"-2"`)}},
		{"booleans and a negative beside any number", []string{"1", "a", "b", "c", "d", "TRUE", "-1", "falsch", "VERDADERO"},
			[]string{"2 51/1", "3 51/a", "4 51/b", "5 51/c", "6 51/d",
				odd(7, `"TRUE"`), odd(8, `"-1"`), odd(9, `"falsch"`), odd(10, `"VERDADERO"`)}},
	} {
		for form, text := range bothForms(c.ids...) {
			if got, want := readAll(strings.NewReader(text), Auto), strings.Join(c.want, "\n"); got != want {
				t.Errorf("%s in %s: got\n%s\nwant\n%s", c.name, form, got, want)
			}
		}
	}
}

// TestTotals: a row of sums is a bad row, although its sums are numbers.
func TestTotals(t *testing.T) {
	t.Parallel()
	list := "ref;user_id;message_id;note\na;51;6432457811894;\nSumme:;60;60;\nb;52;6432457811895;Grand Total\nsummer;53;6432457811896;\n"
	want := "2 51/6432457811894 ref a\nline 3: the row is a total: delete it\n" +
		"line 4: the row is a total: delete it\n5 53/6432457811896 ref summer\nignored columns: note"
	if got := readAll(strings.NewReader(list), CSV); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRoundedIDs: a list whose ids a spreadsheet has rounded is refused, and that comes last.
func TestRoundedIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		ids     []string
		rounded bool
	}{
		{"shown in short", []string{"6432460000000", "6432450000000"}, true},
		{"behind the fifteenth digit", []string{"6432457811894120", "6432457811894110", "6432457811894125"}, true},
		{"one of one", []string{"6432460000000"}, false},
		{"as they were", []string{"6432457811894", "6432457811895", "6432457812000"}, false},
	} {
		for form, text := range bothForms(c.ids...) {
			var last error
			for _, last = range Read(strings.NewReader(text), Auto) {
				continue
			}
			if got := errors.Is(last, batch.ErrInput); got != c.rounded {
				t.Errorf("%s in %s: the last error is %v; want it to match ErrInput: %v", c.name, form, last, c.rounded)
			}
			if c.rounded && !strings.Contains(last.Error(), cell.LostDigits) {
				t.Errorf("%s in %s: the list is refused with %v; want the advice %q", c.name, form, last, cell.LostDigits)
			}
		}
	}
	users := "user_id,message_id\n" + strings.Repeat("643246000000,1\n", 9)
	if got := readAll(strings.NewReader(users), CSV); strings.Contains(got, "cannot be used") {
		t.Errorf("one user with many messages is refused:\n%s", got)
	}
}

// TestManyOddRows: rows are held back up to a bound; a list that turns out otherwise is refused.
func TestManyOddRows(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("51,word\n", maxHeld+500)
	for _, c := range []struct{ name, text, last string }{
		{"words", words, "1501 51/word"},
		{"more numbers behind them", words + strings.Repeat("51,1\n", maxHeld+500),
			"its message_ids are numbers in some rows and words in many others"},
		{"numbers before them", strings.Repeat("51,1\n", maxHeld*2) + words, "and the column holds numbers"},
	} {
		got := readAll(strings.NewReader("user_id,message_id\n"+c.text), CSV)
		if last := got[strings.LastIndex(got, "\n")+1:]; !strings.Contains(last, c.last) {
			t.Errorf("%s: it ends with %q; want %q", c.name, last, c.last)
		}
	}
}

// TestSafeCells: what SafeCell writes, Read reads, and no spreadsheet takes for a formula.
func TestSafeCells(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\ra": "'\ra", "'=1": "''=1", "'a": "''a",
		"643245781189": "'643245781189", "64324578118": "64324578118", "a": "a", "a'": "a'", "": "",
		"a\"b,\n\"\"c;\n\"": "a\"b,\n\"\"c;\n\"",
	} {
		if got := SafeCell(text); got != want {
			t.Errorf("%q is written as %q; want %q", text, got, want)
		}
		var file strings.Builder
		w := csv.NewWriter(&file)
		_ = w.WriteAll([][]string{{"user_id", "message_id", "ref"}, {"5", "6", SafeCell(text)}})
		for item, err := range Read(strings.NewReader(file.String()), CSV) {
			if want := strings.ReplaceAll(text, "\r", "\n"); err != nil || item.Ref != want {
				t.Errorf("%q is read back as %q, %v", text, item.Ref, err)
			}
		}
	}
}
