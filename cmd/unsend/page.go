package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/unsend-go/unsend/batch"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

// timeLayout is how a page writes a time, which is that of this machine's clock.
const timeLayout = "2 January 2006, 15:04 MST"

// page is a report as HTML. It stands alone: it has no script, loads nothing, and its policy allows
// no more than its own style.
type page struct {
	Name, Service, At string
	Mock              bool
	Total             tally
	Excluded          int
	Connections       []pageConnection // those with the most messages that are not gone first
	Groups            []pageGroup      // the largest first
	Chart             *chart           // nil if no message has an outcome
}

type pageConnection struct {
	Name string
	tally
}

type pageGroup struct {
	Count      int
	Text, Hint string
}

// pageOutcomes are the outcomes in the order of a bar, with the classes of their colors.
var pageOutcomes = []struct {
	outcome batch.Outcome
	class   string
}{{batch.Unsent, "unsent"}, {batch.AlreadyGone, "gone"}, {batch.Failed, "failed"}, {batch.Skipped, "skipped"}, {"", "open"}}

// tally counts messages by outcome.
type tally map[batch.Outcome]int

// Gone returns how many messages are known to be gone.
func (t tally) Gone() int { return t[batch.Unsent] + t[batch.AlreadyGone] }

// All returns how many messages there are.
func (t tally) All() (n int) {
	for _, some := range t {
		n += some
	}
	return n
}

// barPart is an outcome's part of a bar that is 1,000 wide.
type barPart struct {
	Name, Class string
	N, X, Width int
}

// Parts returns all parts of a bar, from the left.
func (t tally) Parts() (list []barPart) {
	all, before := max(t.All(), 1), 0
	for _, o := range pageOutcomes {
		n, x := t[o.outcome], before*1000/all
		before += n
		list = append(list, barPart{label(string(o.outcome)), o.class, n, x, before*1000/all - x})
	}
	return list
}

// newPage makes the page of messages. It holds what it counts, and none of them.
func newPage(messages iter.Seq2[batch.Result, error]) (*page, error) {
	p := &page{Total: tally{}}
	connections, slots := map[string]tally{}, map[int64]slot{}
	var failures failureGroups
	for r, err := range messages {
		if err != nil {
			return nil, err
		}
		connection := connections[r.Item.ConnectionID]
		if connection == nil {
			connection = tally{}
			connections[r.Item.ConnectionID] = connection
		}
		connection[r.Outcome]++
		p.Total[r.Outcome]++
		n := r.EndedAt.Unix() / slotLength
		at := slots[n]
		if r.Outcome == batch.Unsent || r.Outcome == batch.AlreadyGone {
			at.gone++
		} else {
			at.rest++
			failures.add(r)
		}
		if !r.EndedAt.IsZero() {
			slots[n] = at
		}
	}
	for name, t := range connections {
		p.Connections = append(p.Connections, pageConnection{name, t})
	}
	slices.SortFunc(p.Connections, func(a, b pageConnection) int {
		return cmp.Or(cmp.Compare(b.All()-b.Gone(), a.All()-a.Gone()), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(failures.list, func(a, b *failureGroup) int { return cmp.Compare(b.Count, a.Count) })
	for _, g := range failures.list {
		p.Groups = append(p.Groups, pageGroup{g.Count, groupText(g.Group), cmp.Or(g.Hint, "the same command sends them")})
	}
	p.Chart = newChart(slots)
	return p, nil
}

// slotLength is the finest part of time that is counted, in seconds.
const slotLength = 5

// slot counts the messages that got an outcome in a part of time.
type slot struct{ gone, rest int }

// chart shows how many messages got an outcome over time. It is 100 high.
type chart struct {
	From, To, Bar string // Bar is the time of one
	Peak, Width   int    // messages a minute; units
	Short         bool   // so that its bars would be very wide
	Bars          []chartBar
	Pauses        []int
}

type chartBar struct{ X, Width, GoneY, GoneHeight, RestY, RestHeight float64 }

// newChart draws slots by their number since 1970. A bar is a slot, or whole minutes of a run that is
// longer than some. A pause of more than ten minutes, such as a night between two runs, is as wide as
// four bars.
func newChart(slots map[int64]slot) *chart {
	const minute, pauseBars, fewBars, mostBars, unit, height = 60 / slotLength, 4, 16, 240, 10, 100.0
	if len(slots) == 0 {
		return nil
	}
	sorted := slices.Sorted(maps.Keys(slots))
	isPause := func(i int) bool { return sorted[i]-sorted[i-1] > 10*minute }
	active := int64(0)
	for i := range sorted[1:] {
		if !isPause(i + 1) {
			active += sorted[i+1] - sorted[i]
		}
	}
	step := int64(1)
	if active > 5*minute {
		step = minute * (1 + active/minute/mostBars)
	}
	at := func(n int64) string { return time.Unix(n*slotLength, 0).Format(timeLayout) }
	c := &chart{From: at(sorted[0]), To: at(sorted[len(sorted)-1]), Bar: duration(time.Duration(step*slotLength) * time.Second)}
	bars, before := map[int64]slot{}, int64(0) // before is the time before a slot, pauses being short
	for i, n := range sorted {
		switch {
		case i == 0:
		case isPause(i):
			before += pauseBars * step
			c.Pauses = append(c.Pauses, int(before/step*unit-(pauseBars-1)*unit/2))
		default:
			before += n - sorted[i-1]
		}
		bar := bars[before/step]
		bars[before/step] = slot{bar.gone + slots[n].gone, bar.rest + slots[n].rest}
	}
	highest := 1
	for _, bar := range bars {
		highest = max(highest, bar.gone+bar.rest)
	}
	c.Peak, c.Width = highest*minute/int(step), unit*int(before/step+1)
	c.Short = c.Width < unit*fewBars
	for _, n := range slices.Sorted(maps.Keys(bars)) {
		gone, rest := height*float64(bars[n].gone)/float64(highest), height*float64(bars[n].rest)/float64(highest)
		c.Bars = append(c.Bars, chartBar{float64(n * unit), unit - 1, height - gone, gone, height - gone - rest, rest})
	}
	return c
}

// Gone returns how many messages are known to be gone.
func (p *page) Gone() int { return p.Total.Gone() }

// Style returns the page's style sheet.
func (*page) Style() template.CSS { return template.CSS(pageCSS) } //nolint:gosec // it is ours

// StyleHash returns what its policy allows.
func (*page) StyleHash() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p *page) write(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	return errors.Join(template.Must(template.New("page").Parse(pageHTML)).Execute(buffered, p), buffered.Flush())
}

// checkPageFile refuses the name of a file that is no page, such as the ledger.
func checkPageFile(name string) error {
	if name == "" {
		return errors.New("--html needs the name of a file, or - for standard output")
	}
	info, err := os.Stat(name)
	if err != nil || name == "-" {
		return nil // what hinders its making is found then
	}
	begin := []byte("<!doctype html>")
	if info.Mode().IsRegular() {
		if file, err := os.Open(name); err == nil { //nolint:gosec // the user names the file
			defer func() { _ = file.Close() }()
			head := make([]byte, len(begin))
			if n, _ := io.ReadFull(file, head); n == 0 || bytes.Equal(head, begin) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s exists and is no report in HTML; name another file", name)
}

// save writes the page to a file that its owner alone may read, in place of an older page. The file
// is whole, or the older one.
func (p *page) save(name string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".unsend-*.html")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := errors.Join(p.write(file), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
