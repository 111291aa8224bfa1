package batch

import "time"

// outbox gathers results, and the journal's lines about them. They leave together, the lines
// first: what was told to have ended is on record.
type outbox struct {
	run     *run
	lines   []byte
	results []Result
}

func (o *outbox) sends(item Item) {
	if o.run.journal != nil {
		o.lines = appendSend(o.lines, item)
	}
}

func (o *outbox) waits(t task) {
	if o.run.journal != nil {
		o.lines = appendWait(o.lines, t.item, t.maybe)
	}
}

func (o *outbox) ends(r Result) {
	if o.run.journal != nil {
		o.lines = appendEnd(o.lines, time.Now(), r)
	}
	o.results = append(o.results, r)
}

// full says that it is time to flush, for those who gather many.
func (o *outbox) full() bool { return len(o.results) >= 64 }

// flush reports whether the journal has taken the lines. Where it has not, the run stops.
func (o *outbox) flush() bool {
	err := o.run.journal.commit(o.lines)
	o.lines = o.lines[:0]
	if err != nil {
		o.run.stop(err)
	}
	for i := range o.results {
		o.run.results <- o.results[i]
		o.results[i] = Result{}
	}
	o.results = o.results[:0]
	return err == nil
}
