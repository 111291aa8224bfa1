package batch

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child(os.Args[1], os.Args[2], os.Args[3])) //nolint:forbidigo // it is main, of the process that is killed
	}
	goleak.VerifyTestMain(m)
}
