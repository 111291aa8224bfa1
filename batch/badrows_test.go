package batch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestBadRowsAreListed(t *testing.T) {
	t.Parallel()
	excel := func(line int) error {
		return fmt.Errorf("is %q: Excel has shortened the number", fmt.Sprintf("6.%dE+12", line))
	}
	for _, c := range []struct {
		name  string
		rows  int
		err   func(line int) error
		kept  int
		lasts string
	}{
		{name: "alike", rows: 10, err: excel, kept: 10, lasts: `line 10: is "6.10E+12": Excel has shortened the number`},
		{name: "one more", rows: 11, err: excel, kept: 11, lasts: `1 row more like line 1: is "6.1E+12": Excel has shortened the number`},
		{name: "many more", rows: 100_000, err: excel, kept: 11, lasts: `99990 rows more like line 1: is "6.1E+12": Excel has shortened the number`},
		{name: "many kinds", rows: 1000, err: func(line int) error {
			return errors.New(strings.Repeat("x", line))
		}, kept: maxListed, lasts: "line 100: " + strings.Repeat("x", 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var check rowCheck
			for n := range c.rows {
				check.check(&Item{}, &LineError{Line: n + 1, Err: c.err(n + 1)})
			}
			list := check.bad.Bad
			if len(list) != c.kept || list[len(list)-1].Error() != c.lasts || len(check.mistakes) > maxListed {
				t.Errorf("%d are kept, and the last is\n%v\nwant %d and\n%s", len(list), list[len(list)-1], c.kept, c.lasts)
			}
			if check.bad.Rows != c.rows {
				t.Errorf("%d bad rows; want %d", check.bad.Rows, c.rows)
			}
		})
	}
}
