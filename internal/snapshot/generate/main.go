// Command generate writes the part of package snapshot that knows types: those of package gen,
// so that an edit of the contract reaches it through them, or, for its tests, of kinds.
//
//	go run ./internal/snapshot/generate gen internal/snapshot/decode.gen.go
//	go run ./internal/snapshot/generate kinds internal/snapshot/kinds_gen_test.go
package main

import (
	"fmt"
	"os"
	"reflect"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/snapshot/kinds"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want two arguments, gen or kinds and the file to write, not %d", len(args))
	}
	var root reflect.Type
	switch args[0] {
	case "gen":
		root = reflect.TypeFor[gen.Queue]()
	case "kinds":
		root = reflect.TypeFor[kinds.Everything]()
	default:
		return fmt.Errorf("want gen or kinds, there are no %s", args[0])
	}
	source, err := decoderOf(root)
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], source, 0o644) //nolint:gosec // source code is for all to read
}
