#!/bin/sh
# Proves that a release is reproducible and stamped: the same commit, cloned into two places and
# built in each, gives the same bytes, and the binary names its commit. Then releases a version in
# one of the clones as CONTRIBUTING.md describes, with its tag, and tries tags that must be refused.
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

# refuse runs release.sh, which must fail with a text.
refuse() {
  if PLATFORMS=$platform tools/release.sh >"$work/out" 2>&1 || ! grep -q "$1" "$work/out"; then
    echo "release: want a refusal with '$1', got:" >&2
    cat "$work/out" >&2
    exit 1
  fi
}
cd "$work/one"
git config user.name release && git config user.email release@example.org && git config commit.gpgsign false
git tag v9.8.7
refuse 'api.Version is'
sed 's/^const Version = .*/const Version = "9.8.7"/' api/client.go >"$work/edited" && cp "$work/edited" api/client.go
git commit -qam 'release: v9.8.7' && git tag -f v9.8.7 >/dev/null
refuse 'CHANGELOG.md has no'
awk '{ print } /^## \[Unreleased\]/ { print "\n## [9.8.7] - 2026-12-01" }' CHANGELOG.md >"$work/edited" && cp "$work/edited" CHANGELOG.md
git commit -qam 'release: v9.8.7' && git tag -f v9.8.7 >/dev/null
PLATFORMS=$platform tools/release.sh >/dev/null
(cd dist && sha256sum -c --quiet SHA256SUMS)
"$(find dist -name 'unsend_9.8.7_*')" version | grep -q 'unsend 9.8.7' || { echo "release: the binary is not 9.8.7" >&2; exit 1; }
echo "release: a tagged version has its binary and checksum, and a wrong tag is refused"
