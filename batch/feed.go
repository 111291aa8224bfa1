package batch

import "iter"

// feed reads the items into their lanes.
func (r *run) feed(items iter.Seq[Item]) {
	out := outbox{run: r}
	defer out.flush()
	for item := range items {
		if !r.shard.Has(item.ConnectionID) {
			continue
		}
		r.mu.Lock()
		halted := r.reason != nil
		if !halted {
			r.admit(item, &out)
		}
		r.mu.Unlock()
		if halted || out.full() && !out.flush() {
			return
		}
	}
	r.mu.Lock()
	r.rows.fix()
	r.read = true
	r.mu.Unlock()
}

// admit finds out what an item is: new, a repetition of an earlier one, or known from an
// earlier run.
func (r *run) admit(item Item, out *outbox) {
	if err := item.check(); err != nil {
		r.invalid++
		out.results = append(out.results, Result{Item: item, Outcome: Failed, Err: err})
		return
	}
	row, known := r.rows.find(item)
	if !known {
		r.queue(item, seen, out)
		return
	}
	switch s := r.rows.state(row); {
	case s&seen != 0:
		r.repeat(row, s, item, out)
	case s&final != 0:
		r.rows.setState(row, s|seen|earlier)
		l := r.lane(row)
		l.counts.Items++
		l.counts.Earlier++
		l.counts.count(s.outcome())
		out.results = append(out.results, r.recall(row, item))
		r.rows.ended(row)
	default: // sent by an earlier run, which did not see its end
		r.rows.ended(row)
		r.queue(item, seen|s&maybe, out)
	}
}

// queue keeps the item that was looked up last, to be sent.
func (r *run) queue(item Item, s state, out *outbox) {
	row, ok := r.rows.add(item.Line, s)
	if !ok {
		r.halted(errTooMany)
		return
	}
	l := r.lane(row)
	l.counts.Items++
	if l.stopped != nil {
		r.end(l, task{row: row, item: item, maybe: s&maybe != 0}, Result{Outcome: Skipped, Err: l.stopped}, out)
		return
	}
	l.push(r.rows, row)
	r.staff(l)
}

// repeat settles a row of a message that has a row already.
func (r *run) repeat(row ref, s state, item Item, out *outbox) {
	if s.outcome() == "" {
		r.rows.setState(row, s|repeated)
		r.repeats.add(row, item.Line)
		return
	}
	result := r.recall(row, item)
	result.Duplicate = true
	out.results = append(out.results, result)
}

// recall tells how a message ended earlier.
func (r *run) recall(row ref, item Item) Result {
	s := r.rows.state(row)
	result := Result{
		Item:        item,
		Outcome:     s.outcome(),
		Final:       s&final != 0,
		MaybeUnsent: s&maybe != 0,
		Earlier:     s&earlier != 0,
	}
	switch result.Outcome {
	case Failed:
		result.Err = r.rows.failure(row).err(result.MaybeUnsent)
	case Skipped:
		result.Err = r.lane(row).stopped
	case Unsent, AlreadyGone:
	}
	return result
}

// lane returns the lane of a row, and opens it where it is the first.
func (r *run) lane(row ref) *lane {
	n := r.rows.connection(row)
	for uint64(len(r.lanes)) <= n {
		r.lanes = append(r.lanes, nil)
	}
	if r.lanes[n] == nil {
		r.lanes[n] = newLane(r.rows.connections.list[n])
		r.order = append(r.order, r.lanes[n])
	}
	return r.lanes[n]
}
