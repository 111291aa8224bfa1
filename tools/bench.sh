#!/usr/bin/env bash
# Measures what a call, a batch and a program cost, and writes the figures into the pages, which
# takes some five minutes. Ratios are measured BENCHCOUNT times, for BENCHTIME each. Wall times
# count only on a machine that has nothing else to do: the load is read first, and shown with them.
set -euo pipefail
cd "$(dirname "$0")/.."

results=tools/figures/testdata/results.txt new=bin/results.txt
mkdir -p bin
{
  echo "date: $(date -u +%F)"
  echo "load: $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)"
  echo "go: $(go env GOVERSION | sed 's/^go/Go /')"
  echo "processors: $(getconf _NPROCESSORS_ONLN)"
} >"$new"

measure() { # arguments of go test
  echo "bench: go test $*"
  go test -timeout 30m "$@" | tee bin/bench.log
  grep -E '^(cpu: |Benchmark\S+\s+[0-9])' bin/bench.log >>"$new" || true
}

measure -run '^$' -bench 'Call' -benchtime "${BENCHTIME:-300ms}" -count "${BENCHCOUNT:-5}" ./internal/bench
for name in Batch ErrorBodies; do # each in a process of its own, for one's memory would count as the other's
  measure -run '^$' -bench "$name" -benchtime 1x -count "${BENCHCOUNT:-5}" ./internal/bench
done
measure -run '^$' -bench 'Program|Generate' -benchtime 3x ./internal/bench
measure -run '^$' -bench 'Reorder' -benchtime 1x -count 3 ./internal/bench
measure -run '^$' -bench 'Memory/(a-million-rows$|sixty)' -benchtime 1x -count 3 ./batch/sqlite
measure -run '^$' -bench Workers -benchtime 1x -count 3 ./batch/postgres
for test in RateLimit Outage; do # on virtual time, each in a process of its own
  UNSEND_FIGURES=1 measure -count=1 -v -run "^Test$test\$" ./internal/bench
done
mv "$new" "$results"
go run ./tools/figures "$results"
