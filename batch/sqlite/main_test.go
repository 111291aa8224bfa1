package sqlite_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// The test binary, with this variable set, is one of the processes that tests kill, starve or
// measure; the variable says which.
const childVariable = "UNSEND_BATCH_TEST_CHILD"

func TestMain(m *testing.M) {
	children := map[string]func(args []string) error{
		"measure": measureSelf,
		"run":     runSelf,
		"reorder": reorderSelf,
	}
	child, ok := children[os.Getenv(childVariable)]
	if !ok {
		goleak.VerifyTestMain(m)
		return
	}
	if err := child(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(2) //nolint:forbidigo // it is main, of the process that a test looks at
	}
}

// raceEnabled reports whether the tests run under the race detector.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
