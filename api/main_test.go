package api_test

import (
	"testing"

	"go.uber.org/goleak"
)

// plantedKey is the key of every client in these tests. It must never show.
const plantedKey = "sk_sandbox_PLANTED_7f3a9c51e2"

// TestMain fails if a goroutine outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
