// Package bench measures what this module costs, against floors measured in the same run:
// `make bench` prints the table, docs/benchmarks.md keeps one.
package bench
