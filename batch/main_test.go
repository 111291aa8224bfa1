package batch

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "measure":
		status := 0
		if err := measureSelf(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			status = 2
		}
		os.Exit(status) //nolint:forbidigo // it is main, of the process that is measured
	default:
		os.Exit(child(os.Args[1], os.Args[2], os.Args[3])) //nolint:forbidigo // it is main, of the process that is killed
	}
}
