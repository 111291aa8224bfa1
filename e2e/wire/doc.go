// Package wire tests the client against servers, written by hand, that break HTTP in every way that its
// three kinds of transport can meet: its own, a caller's over HTTP/1.1 and a caller's over HTTP/2.
//
// TestScenarios is a model checker. It draws calls and the faults that they meet from a seed, and
// compares what each call reports with what the server did. Connections are pipes in memory and
// time is virtual, so that a seed repeats a run exactly, on any machine and under any load.
// `make soak` runs many more scenarios, from a new seed.
package wire
