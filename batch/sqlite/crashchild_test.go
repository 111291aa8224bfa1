package sqlite_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// runSelf is a process that runs a batch: it is given the service's address, the input, the
// ledger, and a file that is to hold how much of the ledger's log is synced. It prints the id of
// each message whose outcome is final.
func runSelf(args []string) error {
	url, list, path, synced := args[0], args[1], args[2], args[3]
	client, err := api.New(testKey, api.WithBaseURL(url), api.WithoutRateLimit())
	if err != nil {
		return err
	}
	file, err := os.Open(list)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	note, err := os.OpenFile(synced, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = note.Close() }()
	noted := func(s batch.Store) batch.Store { return &noting{Store: s, shm: path + "-shm", note: note} }
	ledger, err := sqlite.OpenWrapped(path, noted, batch.ForService(client))
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
			fmt.Println(r.Item.MessageID)
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

// noting notes, after each Write, how many frames of the write-ahead log are synced, by
// SQLite's index of the log.
type noting struct {
	batch.Store
	shm  string
	note *os.File
}

func (n *noting) Write(ctx context.Context, entries []batch.Entry) error {
	if err := n.Store.Write(ctx, entries); err != nil {
		return err
	}
	index, err := readLogIndex(n.shm)
	if err != nil {
		return err
	}
	_, err = n.note.WriteAt(append(binary.LittleEndian.AppendUint32(nil, index.frames), index.salt[:]...), 0)
	return err
}

// logIndex is the head of SQLite's index of the write-ahead log.
type logIndex struct {
	frames  uint32
	salt    [8]byte // of the log, which changes each time it is used from its start
	applied uint32  // frames that a checkpoint has begun to move into the file
}

func readLogIndex(path string) (logIndex, error) {
	file, err := os.Open(path)
	if err != nil {
		return logIndex{}, err
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 136)
	if _, err := file.ReadAt(head, 0); err != nil {
		return logIndex{}, err
	}
	index := logIndex{frames: binary.LittleEndian.Uint32(head[16:]), applied: binary.LittleEndian.Uint32(head[128:])}
	copy(index.salt[:], head[32:40])
	return index, nil
}
