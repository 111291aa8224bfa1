#!/bin/sh
# Prints what part of the hand-written code the tests run, by package and in all, and leaves
# the profile in bin/cover.out for `go tool cover -html`. Commands run in processes of their
# own are not counted.
set -eu
cd "$(dirname "$0")/.."

mkdir -p bin
packages=$(go list ./... | grep -v -e /gen$ -e /generate$ -e /internal/bench$)
go test -count=1 -coverpkg="$(echo "$packages" | paste -sd, -)" -coverprofile=bin/cover.all ./... >bin/cover.log 2>&1 || {
  cat bin/cover.log >&2
  exit 1
}
grep -v '\.gen\.go:' bin/cover.all >bin/cover.out
# A block is listed once for each test binary; it is covered if one of them ran it.
awk 'NR > 1 {
  n[$1] = $2; if ($3 > 0) ran[$1] = 1
}
END {
  for (block in n) {
    p = block; sub(/\/[^\/]*$/, "", p)
    all[p] += n[block]; total += n[block]
    if (block in ran) { hit[p] += n[block]; covered += n[block] }
  }
  for (p in all) printf "%5.1f %%  %s\n", 100 * hit[p] / all[p], p | "sort -k3"
  close("sort -k3")
  printf "%5.1f %%  of %d statements\n", 100 * covered / total, total
}' bin/cover.out
