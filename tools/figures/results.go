package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results are what was measured, and where.
type results struct {
	values map[string][]float64 // by benchmark and unit, such as "Call/2KB/unsend x-floor"
	order  []string             // of the keys
	facts  map[string]string    // go, cpu, processors, load, date
}

// lastProcs is the -2 that go test puts behind a benchmark's name on two processors.
var lastProcs = regexp.MustCompile(`-\d+$`)

// parse reads the output of go test -bench, and lines "name: value" about the machine.
func parse(text string) (*results, error) {
	r := &results{values: map[string][]float64{}, facts: map[string]string{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && len(fields) > 1 && !strings.Contains(name, " ") {
			r.facts[name] = value
		}
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := lastProcs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				break
			}
			key := name + " " + fields[i+1]
			if r.values[key] == nil {
				r.order = append(r.order, key)
			}
			r.values[key] = append(r.values[key], value)
		}
	}
	if len(r.values) == 0 {
		return nil, errors.New("no benchmark is in it")
	}
	return r, nil
}

// median returns the middle of what was measured, and whether anything was.
func (r *results) median(key string) (float64, bool) {
	values := slices.Sorted(slices.Values(r.values[key]))
	if len(values) == 0 {
		return 0, false
	}
	return values[len(values)/2], true
}
