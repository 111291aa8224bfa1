package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/batch/input"
)

// BenchmarkRead reads a million rows, as CSV and as JSON lines.
func BenchmarkRead(b *testing.B) {
	const messages = 1_000_000
	for _, format := range []struct{ name, head, row string }{
		{"CSV", "user_id,message_id,connection_id,note\r\n", "%d,%d,conn_%d,hello\r\n"},
		{"JSONL", "", `{"user_id":"%d","message_id":%d,"connection_id":"conn_%d","note":"hello"}` + "\n"},
	} {
		b.Run(format.name, func(b *testing.B) {
			var text strings.Builder
			text.WriteString(format.head)
			for i := range messages {
				fmt.Fprintf(&text, format.row, 51000+i%500, 6432457000000+i, i%8)
			}
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				read := 0
				for _, err := range input.Read(strings.NewReader(text.String()), input.Auto) {
					if err == nil {
						read++
					}
				}
				if read != messages {
					b.Fatalf("%d of %d rows were read", read, messages)
				}
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
