// Package wire holds the tests in which servers written by hand break HTTP: over TCP, and over
// HTTP/2 with TLS.
//
// TestScenarios is a model checker: it draws calls and what happens to them, and holds what each
// call reports against what the server knows. `make soak STORIES=100000` runs it for longer.
package wire
