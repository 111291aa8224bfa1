package sqlite_test

import (
	"context"
	"fmt"
	"os"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// runSelf is a process that runs a batch: it is given the service's address, the input and the
// ledger. It prints each message whose outcome is final, and the outcome.
func runSelf(args []string) error {
	url, list, path := args[0], args[1], args[2]
	file, err := os.Open(list)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	client, ledger, err := openAsChild(url, path)
	if err != nil {
		return err
	}
	if _, err := ledger.Replace(context.Background(), input.Read(file, input.Auto)); err != nil {
		return err
	}
	for r, err := range batch.Run(context.Background(), client, ledger, batch.Options{}) {
		if err != nil {
			return err
		}
		if r.Final {
			fmt.Println(r.Item.MessageID, r.Outcome)
		}
	}
	return ledger.Close()
}

// openAsChild opens a client and its ledger in a child process.
func openAsChild(url, path string) (*api.Client, *batch.Ledger, error) {
	client, err := api.New(testKey, api.WithBaseURL(url), api.WithoutRateLimit())
	if err != nil {
		return nil, nil, err
	}
	ledger, err := sqlite.Open(path, batch.ForService(client))
	return client, ledger, err
}
