package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this test binary be the command itself, so that tests can run it as a process.
func TestMain(m *testing.M) {
	_ = os.Setenv(raceOptions, atOnce) // for the processes that tests start
	testscript.Main(m, map[string]func(){"unsend": main, "unsend-on-small-disk": smallDisk})
}

// The race detector lets each process wait for a second before it ends.
const (
	raceOptions = "GORACE"
	atOnce      = "atexit_sleep_ms=0"
)

// TestScripts runs testdata/script: every flag, exit code and bad input, as a shell sees them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"mock":    startMock,
			"oneline": wantOneLine,
		},
		Condition: func(name string) (bool, error) {
			if name == "root" { // who may read whatever the permissions say
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition %q", name)
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			env.Setenv(raceOptions, atOnce)
			return nil
		},
	})
}
