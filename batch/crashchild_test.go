package batch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// The test binary, with this variable set, is a process that runs a batch: it is given the
// service's address, the input and the journal. It says "ready" when it begins to send, and
// then the id of each message that ended.
const childVariable = "UNSEND_BATCH_TEST_CHILD"

func childCommand(t *testing.T, url, input, journal string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, url, input, journal)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// child returns an exit status: 0 where every item ended well, 1 where not, 2 where it could
// not begin.
func child(url, inputPath, journalPath string) int {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	stop := make(chan struct{})
	go func() {
		<-interrupted
		close(stop)
	}()

	status, err := childRun(url, inputPath, journalPath, stop)
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 2
	}
	return status
}

func childRun(url, inputPath, journalPath string, stop <-chan struct{}) (int, error) {
	client, err := api.New(testKey, api.WithBaseURL(url), api.WithoutRateLimit(), api.WithRetries(0))
	if err != nil {
		return 2, err
	}
	file, err := os.Open(inputPath)
	if err != nil {
		return 2, err
	}
	defer func() { _ = file.Close() }()
	input := Inspect(Read(file, Auto), Shard{})
	if input.Err != nil || input.Bad > 0 {
		return 2, fmt.Errorf("input: %d bad rows, %w", input.Bad, input.Err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return 2, err
	}
	journal, err := OpenJournal(journalPath, input, true)
	if err != nil {
		return 2, err
	}
	fmt.Println("ready")
	var progress Progress
	for r := range Run(context.Background(), client, Good(Read(file, Auto)), Options{Journal: journal, Stop: stop, Progress: &progress}) {
		if r.Final {
			fmt.Println(r.Item.MessageID)
		}
	}
	if err := journal.Close(); err != nil {
		return 2, err
	}
	if c := progress.Counts(); progress.Err() != nil || c.Unsent+c.AlreadyGone < input.Messages {
		return 1, nil
	}
	return 0, nil
}
