package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// runSelf is a process that runs a batch: it is given the service's address, the input, if there is
// one, the ledger, and how many requests may be in flight. It prints each message whose outcome is
// final, and the outcome.
func runSelf(args []string) error {
	url, list, path := args[0], args[1], args[2]
	inFlight, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	client, err := api.New(testKey, api.WithBaseURL(url), api.WithoutRateLimit())
	if err != nil {
		return err
	}
	ledger, err := sqlite.Open(path, batch.ForService(client))
	if err != nil {
		return err
	}
	if list != "" {
		if _, err := replaceFrom(ledger, list); err != nil {
			return err
		}
	}
	for r, err := range batch.Run(context.Background(), client, ledger, batch.Options{InFlight: inFlight}) {
		if err != nil {
			return err
		}
		if r.Final {
			fmt.Println(r.Item.MessageID, r.Outcome)
		}
	}
	return ledger.Close()
}

// replaceFrom makes an input the list of a ledger.
func replaceFrom(ledger *batch.Ledger, list string) (batch.Added, error) {
	file, err := os.Open(list)
	if err != nil {
		return batch.Added{}, err
	}
	defer func() { _ = file.Close() }()
	return ledger.Replace(context.Background(), input.Read(file, input.Auto))
}

// reorderSelf adds a list to a ledger, and previews it in another order; a private one, too.
func reorderSelf(args []string) error {
	list := messages(0, 60_000)
	open := []func() (*batch.Ledger, error){
		func() (*batch.Ledger, error) { return sqlite.Open(args[0], batch.ForMock()) },
		func() (*batch.Ledger, error) { return sqlite.InMemory(batch.ForMock()) },
	}
	for _, open := range open {
		ledger, err := open()
		if err != nil {
			return err
		}
		for _, opts := range [][]batch.AddOption{nil, {batch.Preview()}} {
			if _, err := ledger.Replace(context.Background(), rows(list), opts...); err != nil {
				return err
			}
			for i := range list {
				list[i].Line = len(list) - i
			}
		}
		if err := ledger.Close(); err != nil {
			return err
		}
	}
	return nil
}
