package wire

import (
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

const (
	key    = "sk_sandbox_of_the_wire_tests"
	userID = "51234567"
)

// TestMain fails if a goroutine is left: of a client, of a server, or of a connection.
// net/http's remarks on surplus answers are discarded.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m)
}
