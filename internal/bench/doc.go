// Package bench measures what this module costs, against floors measured in the same run.
// `make bench` runs it, and writes the figures into README.md and docs.
package bench
