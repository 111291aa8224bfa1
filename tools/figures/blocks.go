package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// figure is a row of a table: what was measured, its goal, and where it stands in the
// results. Several keys are shown with strokes between them.
type figure struct {
	name, goal string
	keys       []string
	format     func(float64) string
}

// blocks are what stands between the marks of all pages, by name.
func blocks(r *results) map[string]string {
	return map[string]string{
		"call":    r.calls() + r.where(),
		"client":  r.table(clientFigures()) + r.where(),
		"chart":   r.chart(),
		"batch":   r.table(batchFigures()) + r.where(),
		"growth":  r.growthTable(),
		"outage":  r.outage(),
		"machine": r.where(),
	}
}

func clientFigures() []figure {
	sizes := func(way string) (keys []string) {
		for _, size := range []string{"2KB", "10KB", "100KB"} {
			keys = append(keys, "Call/"+size+"/"+way+" x-floor")
		}
		return keys
	}
	return []figure{
		{"`Unsend`: 2 KB / 10 KB / 100 KB", "1.3 × / – / –", sizes("unsend"), times},
		{"`Unsend` and `Queue()`", "1.7 × / 3.5 × / 12 ×", sizes("queue"), times},
		{"a plain generated client, in the same run", "", sizes("generated"), times},
		{"a bare call through `contract.Transport`", "", sizes("contract"), times},
		{"3,000 error bodies of 64 KiB at once, peak memory", "250 MiB", []string{"ErrorBodies peak-MiB"}, unit("MiB")},
		{"a program that only imports `api`, size", "1.2 ×", []string{"Program/api x-size"}, times},
		{"the same, modules", "6", []string{"Program/api modules"}, whole},
		{"`go generate ./...`, warm", "1 s", []string{"Generate s"}, seconds},
	}
}

func batchFigures() []figure {
	const million = "Memory/a-million-rows "
	return []figure{
		{"SQLite, 1 × 8 / 1 × 64 / 8 × 8 connections × in flight", "0.24 / 0.38 / 0.35 ×", batches("x-throughput"), times},
		{"the same, messages a second", "", batches("messages/s"), whole},
		{"PostgreSQL, 1 / 2 workers, messages a second", "2,080 / 2,460", []string{"Workers/1 messages/s", "Workers/2 messages/s"}, whole},
		{"1,000,000 rows: load / resume", "6 s / 1.5 s", []string{million + "load-s", million + "resume-s"}, seconds},
		{"1,000,000 rows / 60,000 connections, peak memory", "72 / 300 MiB",
			[]string{million + "peak-MiB", "Memory/sixty-thousand-connections peak-MiB"}, unit("MiB")},
		{"a list of n rows in another order, processor time", "n^1.1", []string{"Reorder growth"}, power},
		{"10,000 connections at 60 a minute: use of the least / 429", "97 % / 1 %",
			[]string{"RateLimit %-of-the-least", "RateLimit %-429"}, percent},
		{"the same, peak memory", "250 MiB", []string{"RateLimit peak-MiB"}, unit("MiB")},
	}
}

func batches(unit string) (keys []string) {
	for _, at := range []string{"1x8", "1x64", "8x8"} {
		keys = append(keys, "Batch/"+at+" "+unit)
	}
	return keys
}

// table is a Markdown table of figures.
func (r *results) table(list []figure) string {
	var b strings.Builder
	b.WriteString("| figure | goal | measured |\n| --- | --- | --- |\n")
	for _, f := range list {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, f.goal, r.show(f))
	}
	return b.String()
}

func (r *results) show(f figure) string {
	var shown []string
	for _, key := range f.keys {
		value, ok := r.median(key)
		if key == "Reorder growth" {
			value, ok = r.growth("Reorder/300000 cpu-s", "Reorder/1000000 cpu-s", 1e6/3e5)
		}
		text := "not measured"
		if ok {
			text = f.format(value)
		}
		shown = append(shown, text)
	}
	return strings.Join(shown, " / ")
}

// growthTable shows the processors' time of a list at two sizes.
func (r *results) growthTable() string {
	var b strings.Builder
	b.WriteString("| processors' time | 300,000 rows | 1,000,000 rows | growth |\n| --- | ---: | ---: | ---: |\n")
	for _, f := range []struct{ name, unit string }{{"a list is loaded", "load-cpu-s"}, {"the same rows in another order", "cpu-s"}} {
		small, large := "Reorder/300000 "+f.unit, "Reorder/1000000 "+f.unit
		exponent := "not measured"
		if n, ok := r.growth(small, large, 1e6/3e5); ok {
			exponent = power(n)
		}
		measured := r.show(figure{keys: []string{small, large}, format: seconds})
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, strings.ReplaceAll(measured, " / ", " | "), exponent)
	}
	return b.String()
}

// growth is the exponent with which a cost grows when its cause grows by factor.
func (r *results) growth(small, large string, factor float64) (float64, bool) {
	from, ok := r.median(small)
	to, ok2 := r.median(large)
	return math.Log(to/from) / math.Log(factor), ok && ok2
}

// calls is the table of the README.
func (r *results) calls() string {
	var b strings.Builder
	b.WriteString("| | 2 KB, the documented response | 10 KB | 100 KB |\n| --- | --- | --- | --- |\n")
	for _, f := range clientFigures()[:3] {
		name, _, _ := strings.Cut(f.name, ":")
		fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(r.show(f), " / ", " | "))
	}
	return b.String()
}

// where is a line about the machine of the run.
func (r *results) where() string {
	return fmt.Sprintf("\n%s, %s processors (%s), %s; load %s when the run began.\n",
		r.facts["go"], r.facts["processors"], r.facts["cpu"], r.facts["date"], r.facts["load"])
}

// chart draws calls against the bare one: a block is half of it.
func (r *results) chart() string {
	var b strings.Builder
	b.WriteString("```text\n")
	for _, size := range []string{"2KB", "10KB", "100KB"} {
		for i, way := range []struct{ key, name string }{{"unsend", "Unsend"}, {"queue", "Unsend + Queue()"}, {"generated", "generated client"}} {
			value, _ := r.median("Call/" + size + "/" + way.key + " x-floor")
			label := ""
			if i == 0 {
				label = strings.Replace(size, "KB", " KB", 1)
			}
			fmt.Fprintf(&b, "%6s  %-17s %s %s\n", label, way.name, strings.Repeat("█", int(math.Round(2*max(value, 0)))), times(value))
		}
	}
	return b.String() + "```\n"
}

// outage draws what a batch sends in each twelfth of an hour, against what its buckets gain.
func (r *results) outage() string {
	var shares []float64
	var minutes []string
	for _, key := range r.order {
		if rest, ok := strings.CutPrefix(key, "Outage %-until-"); ok {
			value, _ := r.median(key)
			shares, minutes = append(shares, value), append(minutes, rest)
		}
	}
	if len(shares) == 0 {
		return "not measured\n"
	}
	var b strings.Builder
	b.WriteString("```text\n")
	for level := 140.0; level > 0; level -= 20 {
		var bars strings.Builder
		for _, share := range shares {
			fill := []rune(" ▄█")[min(2, max(0, int(math.Round((share-level+20)/10))))]
			bars.WriteString(" " + strings.Repeat(string(fill), 4))
		}
		fmt.Fprintf(&b, "%4.0f %% ┤%s\n", level, strings.TrimRight(bars.String(), " "))
	}
	fmt.Fprintf(&b, "   0 %% ┼%s\nminute  ", strings.Repeat("─────", len(shares)))
	for _, minute := range minutes {
		fmt.Fprintf(&b, "%5s", minute)
	}
	took, _ := r.median("Outage minutes")
	lost, _ := r.median("Outage lost")
	limited, _ := r.median("Outage 429s")
	fmt.Fprintf(&b, "\n```\n\nAll were unsent after %.0f minutes. %s requests were lost in the outage, and %s responses were 429.\n", took, whole(lost), whole(limited))
	return b.String()
}

func times(v float64) string   { return strconv.FormatFloat(v, 'f', 2, 64) + " ×" }
func seconds(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + " s" }
func percent(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + " %" }
func power(v float64) string   { return "n^" + strconv.FormatFloat(v, 'f', 2, 64) }

func unit(name string) func(float64) string {
	return func(v float64) string { return whole(v) + " " + name }
}

// whole writes a number with commas between its thousands, and no more than three digits that
// differ from run to run.
func whole(v float64) string {
	if v >= 10_000 {
		v = math.Round(v/100) * 100
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	var parts []string
	for len(digits) > 3 {
		parts = append(parts, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}
