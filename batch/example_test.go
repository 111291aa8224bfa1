package batch_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

const list = `user_id,message_id,connection_id
51234567,6432457811894,conn_demo
51234567,6432457811895,conn_demo
51234568,6432457811896,conn_demo
51234567,6432457811894,conn_demo
`

// Load a list and run it. The mock stands in for the service here, and the ledger is private: a
// real one comes from Open.
func Example() {
	client, err := api.New(mock.DemoKey, api.WithHTTPClient(mock.New().Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger, err := sqlite.InMemory()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = ledger.Close() }()
	ctx := context.Background()
	added, err := ledger.Replace(ctx, input.Read(strings.NewReader(list), input.Auto))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(added.New, "messages,", added.Repeated, "repeated")
	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
		if err != nil {
			fmt.Println(err) // why the run ended early
			return
		}
		if result.Err != nil {
			fmt.Println(result.Item.MessageID, result.Outcome, result.Err)
		}
	}
	report, err := ledger.Report(ctx)
	fmt.Println("unsent:", report.Unsent, "failed:", report.Failed, err)
	// Output:
	// 3 messages, 1 repeated
	// unsent: 3 failed: 0 <nil>
}

// Close a channel to stop a run gently: requests in flight are finished and yielded.
func ExampleOptions_stop() {
	service := mock.New()
	client, err := api.New(mock.DemoKey, api.WithHTTPClient(service.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger, err := sqlite.InMemory(batch.DefaultConnection(mock.DemoConnection))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = ledger.Close() }()
	ctx := context.Background()
	_, err = ledger.Add(ctx, func(yield func(batch.Item, error) bool) {
		for n := 1; n <= 1000 && yield(batch.Item{UserID: "51234567", MessageID: fmt.Sprint(n)}, nil); n++ {
			continue
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	stop := make(chan struct{})
	yielded := 0
	for _, err := range batch.Run(ctx, client, ledger, batch.Options{Stop: stop, InFlight: 1}) {
		if err != nil {
			fmt.Println(err, service.Counts().Unsent == yielded)
			break
		}
		if yielded++; yielded == 10 {
			close(stop)
		}
	}
	// Output:
	// stopped true
}
