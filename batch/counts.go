package batch

// count adds an outcome.
func (c *Counts) count(o Outcome) {
	switch o {
	case Unsent:
		c.Unsent++
	case AlreadyGone:
		c.AlreadyGone++
	case Failed:
		c.Failed++
	case Skipped:
		c.Skipped++
	}
}

func (l *lane) tell() Counts {
	c := l.counts
	c.Waiting = len(l.waiting)
	return c
}

func (r *run) counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total()
}

func (r *run) total() Counts {
	sum := Counts{Items: r.invalid, Failed: r.invalid}
	for _, l := range r.order {
		c := l.tell()
		sum.Items += c.Items
		sum.Unsent += c.Unsent
		sum.AlreadyGone += c.AlreadyGone
		sum.Failed += c.Failed
		sum.Skipped += c.Skipped
		sum.Earlier += c.Earlier
		sum.InFlight += c.InFlight
		sum.Waiting += c.Waiting
	}
	return sum
}

func (r *run) countsByConnection() []ConnectionCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]ConnectionCounts, 0, len(r.order))
	for _, l := range r.order {
		list = append(list, ConnectionCounts{ID: l.id, Counts: l.tell(), Stopped: l.stopped})
	}
	return list
}
