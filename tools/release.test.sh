#!/bin/sh
# Proves that a release is reproducible and stamped: the same commit, cloned into two places
# and built in each, gives the same bytes, and the binary names its commit.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
commit=$(git rev-parse HEAD)
platform=$(go env GOHOSTOS)/$(go env GOHOSTARCH)
for place in one another/place; do
  git clone --quiet . "$work/$place"
  git -C "$work/$place" checkout --quiet --detach "$commit"
  PLATFORMS=$platform "$work/$place/tools/release.sh" "$work/$place/dist" >"$work/sums.$(basename "$place")"
done
if ! cmp -s "$work/sums.one" "$work/sums.place"; then
  echo "release: two builds of one commit differ:" >&2
  cat "$work/sums.one" "$work/sums.place" >&2
  exit 1
fi
commit=$(echo "$commit" | cut -c 1-12)
binary=$(find "$work/one/dist" -name 'unsend_*')
if ! "$binary" version | grep -q "commit $commit"; then
  echo "release: the binary does not name its commit $commit: $("$binary" version)" >&2
  exit 1
fi
echo "release: two builds of $commit are the same, byte for byte"
