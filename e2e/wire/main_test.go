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
// The lines that net/http logs about surplus responses are discarded.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	identity() // needs real time
	goleak.VerifyTestMain(m)
}
