package main

import (
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

// page is a report in HTML. It is self-contained: it has no script, loads nothing, and its policy
// allows its own style alone. Bars and chart are drawn in units of messages.
type page struct {
	Name, Service, At string
	Rehearsal         string // a notice, or empty
	Excluded          int
	Total             tally
	Connections       []connectionRow // those with the most messages that are not gone first
	Groups            []batch.Group
	Chart             chart
}

type connectionRow struct {
	Name string
	tally
}

// tallied are the outcomes that a tally counts, in its order; the last is that of open messages.
var tallied = [...]batch.Outcome{batch.Unsent, batch.AlreadyGone, batch.Failed, batch.Skipped, ""}

type tally [len(tallied)]int

func (t tally) Gone() int { return t[0] + t[1] }

func (t tally) Rest() int { return t[2] + t[3] + t[4] }

func (t tally) All() int { return t.Gone() + t.Rest() }

// barPart is an outcome's part of a bar.
type barPart struct {
	Name string
	X, N int
}

func (t tally) Parts() (list []barPart) {
	x := 0
	for i, n := range t {
		list = append(list, barPart{label(string(tallied[i])), x, n})
		x += n
	}
	return list
}

// newPage makes the page of a report. It counts the messages, and keeps none of them.
func newPage(report *batch.Report, messages iter.Seq2[batch.Result, error]) (*page, error) {
	p := &page{Service: serviceName(report.Service), Rehearsal: rehearsal(report.Service), Excluded: report.SetAside, At: clock(time.Now())}
	connections, minutes := map[string]tally{}, map[int64]tally{}
	for r, err := range messages {
		if err != nil {
			return nil, err
		}
		outcome := slices.Index(tallied[:], r.Outcome)
		p.Total[outcome]++
		one := connections[r.Item.ConnectionID]
		one[outcome]++
		connections[r.Item.ConnectionID] = one
		if r.Outcome != "" {
			minute := r.EndedAt.Unix() / 60
			one := minutes[minute]
			one[outcome]++
			minutes[minute] = one
		}
	}
	for name, t := range connections {
		p.Connections = append(p.Connections, connectionRow{name, t})
	}
	slices.SortFunc(p.Connections, func(a, b connectionRow) int {
		return cmp.Or(cmp.Compare(b.Rest(), a.Rest()), cmp.Compare(a.Name, b.Name))
	})
	p.Groups = splitOpen(report.Groups)
	p.Chart = newChart(minutes)
	return p, nil
}

// chart shows how many messages got an outcome in each minute.
type chart struct {
	From, To      string
	Width, Height int // minutes, with the pauses; messages in the minute that had the most
	Bars          []chartBar
	Pauses        []int
}

type chartBar struct {
	X int
	tally
}

// newChart draws a pause of more than ten minutes, such as a night, as two.
func newChart(minutes map[int64]tally) (c chart) {
	const longest, drawn = 10, 2
	sorted := slices.Sorted(maps.Keys(minutes))
	for i, minute := range sorted {
		switch {
		case i == 0:
		case minute-sorted[i-1] > longest:
			c.Pauses = append(c.Pauses, c.Width+drawn/2)
			c.Width += drawn
		default:
			c.Width += int(minute - sorted[i-1] - 1)
		}
		c.Bars = append(c.Bars, chartBar{c.Width, minutes[minute]})
		c.Height = max(c.Height, minutes[minute].All())
		c.Width++
	}
	if len(sorted) > 0 {
		c.From, c.To = clock(time.Unix(sorted[0]*60, 0)), clock(time.Unix(sorted[len(sorted)-1]*60, 0))
	}
	return c
}

// Short reports whether the bars would be very wide.
func (c chart) Short() bool { return c.Width < 16 }

// clock returns a time as the clock of this machine shows it.
func clock(t time.Time) string { return t.Format("2 January 2006, 15:04 MST") }

// write executes the template. The policy allows the style by its hash.
func (p *page) write(w io.Writer) error {
	sum := sha256.Sum256([]byte(pageCSS))
	t := template.New("page").Funcs(template.FuncMap{
		"style":     func() template.CSS { return template.CSS(pageCSS) }, //nolint:gosec // it is ours
		"styleHash": func() string { return "sha256-" + base64.StdEncoding.EncodeToString(sum[:]) },
		"groupText": groupText,
		"hintText":  hintText,
	})
	return template.Must(t.Parse(pageHTML)).Execute(w, p)
}

// checkPageFile refuses a name that cannot be a page's, such as that of the ledger.
func checkPageFile(name, ledger string) error {
	info, err := os.Stat(name)
	of, _ := os.Stat(ledger)
	switch {
	case name == "":
		return errors.New("--html needs the name of a file, or - for standard output")
	case err == nil && info.IsDir():
		return isDirectory(name)
	case err == nil && (!info.Mode().IsRegular() || info.Size() > 0 && (filepath.Ext(name) != ".html" || os.SameFile(info, of))):
		return fmt.Errorf("%s exists and is no page; name another file, such as report.html", name)
	}
	return nil
}

// save writes the page to a file that its owner alone may read, in place of an older one.
func (p *page) save(name string) error {
	var text bytes.Buffer
	if err := p.write(&text); err != nil {
		return err
	}
	_ = os.Remove(name) // writing keeps the permissions of an older file
	err := os.WriteFile(name, text.Bytes(), 0o600)
	if err != nil {
		_ = os.Remove(name) // half a page
	}
	return err
}
