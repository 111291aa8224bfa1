package batch

// repeats holds the lines of rows that repeat a message which has not ended: 8 bytes each,
// and an entry of a map for each such message.
type repeats struct {
	heads map[ref]uint32 // places in list, plus 1
	list  []repeatedLine
}

type repeatedLine struct{ line, next uint32 }

func (r *repeats) add(row ref, line int) {
	if r.heads == nil {
		r.heads = map[ref]uint32{}
	}
	r.list = append(r.list, repeatedLine{line: uint32(line), next: r.heads[row]}) //nolint:gosec // a line past 4 billion is told modulo
	r.heads[row] = uint32(len(r.list))                                            //nolint:gosec // fewer than rows
}

// take returns the lines of a message, the last first, and forgets them.
func (r *repeats) take(row ref) []int {
	var lines []int
	for at := r.heads[row]; at != 0; at = r.list[at-1].next {
		lines = append(lines, int(r.list[at-1].line))
	}
	delete(r.heads, row)
	return lines
}
