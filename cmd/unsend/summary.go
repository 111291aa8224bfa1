package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
	"github.com/unsend-go/unsend/gen"
)

// summarize tells a person what became of the message: its ids and how many media it had, and
// nothing of what it said.
func summarize(w io.Writer, userID, messageID string, result *api.Result) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%s: message %s of the chat with %s", spoken(result.Outcome), messageID, userID)
	request := words.Count(result.Attempts, "attempt")
	if result.RequestID != "" {
		request += ", request " + plain(result.RequestID)
	}
	line("  %s", request)
	if result.Outcome == api.AlreadyGone {
		line("  an earlier attempt, whose answer was lost, had evidently unsent it")
		return
	}
	queue, err := result.Queue()
	if queue != nil {
		line("  snapshot of message %d, %s", queue.ID, mediaText(queue))
	}
	if err != nil {
		line("  the snapshot is not whole: %s", plain(err.Error()))
	}
}

// spoken is an outcome in words.
func spoken(outcome api.Outcome) string {
	return strings.ReplaceAll(outcome.String(), "_", " ")
}

// mediaText counts the media of a snapshot, which says it in up to three ways.
func mediaText(queue *gen.Queue) string {
	n := max(len(queue.Media), queue.MediaCount)
	if n == 0 {
		return "without media"
	}
	if n == 1 {
		return "with 1 medium"
	}
	return fmt.Sprintf("with %s media", words.Number(n))
}
