package api_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// plantedKey is the key of every client in these tests. It must never show.
const plantedKey = "sk_sandbox_PLANTED_7f3a9c51e2"

// TestMain fails the suite if a goroutine outlives it, or if the planted key is anywhere in
// what the tests printed.
func TestMain(m *testing.M) {
	out := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipe:", err)
		os.Exit(1) //nolint:forbidigo // the main of a test binary
	}
	os.Stdout = w
	printed := make(chan *bytes.Buffer)
	go func() {
		var seen bytes.Buffer
		_, _ = io.Copy(io.MultiWriter(out, &seen), r)
		printed <- &seen
	}()
	code := m.Run()
	os.Stdout = out
	_ = w.Close()
	if bytes.Contains((<-printed).Bytes(), []byte(plantedKey)) {
		fmt.Fprintln(os.Stderr, "the planted key was printed")
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // the main of a test binary
}
