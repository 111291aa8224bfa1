package batch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

const list = `user_id,message_id,connection_id
51234567,6432457811894,conn_demo
51234567,6432457811895,conn_demo
51234568,6432457811896,conn_demo
51234567,6432457811894,conn_demo
`

// Read the list once to find what is wrong with it, then run it with a journal. The mock
// stands in for the service here.
func Example() {
	service := mock.New()
	client, err := api.New(mock.DemoKey, api.WithHTTPClient(service.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	input := batch.Inspect(batch.Read(strings.NewReader(list), batch.Auto), batch.Shard{})
	if input.Err != nil || input.Bad > 0 {
		fmt.Println(input.Err, input.BadRows)
		return
	}
	journal, err := batch.OpenJournal(filepath.Join(dir, "run.jsonl"), input, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := batch.NewPlan(input, journal, 60, 90)
	fmt.Println("to take back:", plan.Messages, "in", plan.Duration)

	var summary batch.Summary
	items := batch.Good(batch.Read(strings.NewReader(list), batch.Auto))
	for result := range batch.Run(context.Background(), client, items, batch.Options{Journal: journal}) {
		summary.Add(result)
	}
	if err := journal.Close(); err != nil {
		fmt.Println(err)
	}
	fmt.Println("unsent:", summary.Unsent, "failed:", summary.Failed)
	// Output:
	// to take back: 3 in 0s
	// unsent: 3 failed: 0
}

func ExampleRead() {
	rows := `{"user_id": 51234567, "message_id": 6432457811894}
{"user_id": 51234567, "message_id": "../7"}
{"user_id": "51234568", "message_id": "6432457811896", "connection_id": "conn_demo"}
`
	for item, err := range batch.Read(strings.NewReader(rows), batch.Auto) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("line %d: message %s of user %s on %q\n", item.Line, item.MessageID, item.UserID, item.ConnectionID)
	}
	// Output:
	// line 1: message 6432457811894 of user 51234567 on ""
	// line 2: invalid id: message_id has the character '.'; want letters, digits, _ and - only
	// line 3: message 6432457811896 of user 51234568 on "conn_demo"
}

// Close a channel to stop a run gently: what is under way is finished, and told.
func ExampleOptions_stop() {
	service := mock.New()
	client, err := api.New(mock.DemoKey, api.WithHTTPClient(service.Client()), api.WithConnection(mock.DemoConnection))
	if err != nil {
		fmt.Println(err)
		return
	}
	many := func(yield func(batch.Item) bool) {
		for n := 1; n <= 1000 && yield(batch.Item{UserID: "51234567", MessageID: fmt.Sprint(n)}); n++ {
			continue
		}
	}
	stop := make(chan struct{})
	var progress batch.Progress
	told := 0
	for range batch.Run(context.Background(), client, many, batch.Options{Stop: stop, Progress: &progress, InFlight: 1}) {
		if told++; told == 10 {
			close(stop)
		}
	}
	c := progress.Counts()
	fmt.Println(progress.Err(), c.InFlight, told == c.Ended(), service.Counts().Unsent == told)
	// Output:
	// batch stopped 0 true true
}

func ExampleShard() {
	for _, id := range []string{"conn_demo", "conn_abc123"} {
		for index := range 2 {
			if shard := (batch.Shard{Index: index, Of: 2}); shard.Has(id) {
				fmt.Println(id, "is of", shard)
			}
		}
	}
	_, err := batch.ParseShard("2/2")
	fmt.Println(err)
	// Output:
	// conn_demo is of 1/2
	// conn_abc123 is of 0/2
	// shard 2/2 is out of range; the first is 0/2, the last 1/2
}

func ExampleReport() {
	journal := `{"journal":"unsend batch","version":1,"input":"5a","messages":3}
{"event":"run","at":"2026-01-02T10:00:00.000Z"}
{"event":"send","connection_id":"conn_demo","user_id":"51234567","message_id":"6432457811894"}
{"event":"end","connection_id":"conn_demo","user_id":"51234567","message_id":"6432457811894","at":"2026-01-02T10:00:01.000Z","outcome":"unsent","final":true}
{"event":"send","connection_id":"conn_demo","user_id":"51234567","message_id":"6432457811895"}
{"event":"end","connection_id":"conn_demo","user_id":"51234567","message_id":"6432457811895","at":"2026-01-02T10:00:02.000Z","outcome":"failed","status":401,"type":"SESSION_EXPIRED"}
{"event":"stop","at":"2026-01-02T10:00:03.000Z"}
`
	summary, err := batch.Report(strings.NewReader(journal))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(summary.Ended(), "of", summary.Messages, "in", summary.Elapsed)
	for _, group := range summary.Failures {
		fmt.Printf("%d %s: %s\n", group.Count, group.Kind, group.Hint)
	}
	// Output:
	// 2 of 3 in 3s
	// 1 SESSION_EXPIRED: connect these creators again, then resume
}
