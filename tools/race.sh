#!/bin/sh
# Prints -race if the race detector works here, or reports on stderr why it does not.
#
# The detector needs cgo and a C compiler with its headers. Building one package of the
# standard library that needs all of them is the surest test, and it is cached.
set -eu

if why=$(go build -race runtime/cgo 2>&1); then
  echo -race
else
  echo "test: without -race here: $why" >&2
fi
