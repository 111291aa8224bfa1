#!/bin/sh
# Prints what openapi.yaml changes for clients since BASE, any git revision:
#
#   tools/spec-diff.sh [BASE]
#
# Without BASE it compares with the last release tag, or with the parent commit if there is
# no release yet. It fails on a breaking change, unless info.version rose by a major.
# oasdiff-levels.txt lists which changes count as breaking.
set -eu
cd "$(dirname "$0")/.."

# version prints info.version of the contract in the file $1.
version() {
  awk '/^info:/ {info = 1; next} /^[^ #]/ {info = 0}
       info && /^  version:/ {gsub(/[^0-9A-Za-z.+-]/, "", $2); print $2; exit}' "$1"
}

base=${1:-}
if [ -z "$base" ]; then
  base=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null ||
    git rev-parse --short --verify --quiet 'HEAD^') || {
    echo "spec-diff: nothing to compare with, as this clone holds neither a release tag nor a parent commit"
    exit 0
  }
fi
commit=$(git rev-parse --verify --quiet "$base^{commit}") || {
  echo "spec-diff: $base is not a commit of this clone; name another or fetch it" >&2
  exit 2
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! git show "$commit:openapi.yaml" >"$work/openapi.yaml" 2>/dev/null; then
  echo "spec-diff: $base holds no openapi.yaml, so there is nothing to compare with"
  exit 0
fi
if cmp -s "$work/openapi.yaml" openapi.yaml; then
  echo "spec-diff: the contract is as it was at $base"
  exit 0
fi

was=$(version "$work/openapi.yaml") is=$(version openapi.yaml)
echo "spec-diff: contract $was at $base, $is here"
sed -e 's/ *#.*//' -e '/^$/d' tools/oasdiff-levels.txt >"$work/levels" # oasdiff takes no comments
go run github.com/oasdiff/oasdiff@v1.36.0 changelog --color never \
  --severity-levels "$work/levels" "$work/openapi.yaml" openapi.yaml >"$work/changes" || {
  echo "spec-diff: the contracts could not be compared, see above" >&2
  exit 2
}
sed -e "s|$work/openapi.yaml|$base|" -e '/^$/d' "$work/changes"

if ! grep -q '^error' "$work/changes"; then
  echo "spec-diff: nothing here breaks clients"
elif [ "${is%%.*}" -gt "${was%%.*}" ]; then
  echo "spec-diff: breaking, as a major version may be"
else
  echo "spec-diff: this breaks clients; undo it, or raise info.version to $((${was%%.*} + 1)).0.0" >&2
  exit 1
fi
