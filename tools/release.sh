#!/bin/sh
# Builds the command for every platform into a folder (dist, or the argument), trimmed of local
# paths and stamped with the commit, with a file of checksums. The same commit and Go release give
# the same bytes, wherever and how often they are built. If the commit has a version's tag, it must
# be that of api.Version, and CHANGELOG.md must have it.
set -eu
cd "$(dirname "$0")/.."

out=${1:-dist}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
version=$(awk -F '"' '/^const Version/ {print $2}' api/client.go)

if [ -n "$(git status --porcelain)" ]; then
  echo "release: there are uncommitted changes; commit them, since a release is stamped with its commit" >&2
  exit 1
fi

for tag in $(git tag --points-at HEAD --list 'v[0-9]*'); do
  [ "$tag" = "v$version" ] || { echo "release: the tag is $tag, and api.Version is $version: make them agree" >&2; exit 1; }
  grep -q "^## \[$version\] - 20" CHANGELOG.md || { echo "release: CHANGELOG.md has no '## [$version] - DATE'" >&2; exit 1; }
done

rm -rf "$out"
mkdir -p "$out"
for platform in $platforms; do
  os=${platform%/*} arch=${platform#*/} suffix=
  [ "$os" = windows ] && suffix=.exe
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOFLAGS= \
    go build -trimpath -buildvcs=true -ldflags '-s -w' -o "$out/unsend_${version}_${os}_${arch}$suffix" ./cmd/unsend
done
cd "$out"
if command -v sha256sum >/dev/null; then
  sha256sum unsend_* >SHA256SUMS
else
  shasum -a 256 unsend_* >SHA256SUMS
fi
cat SHA256SUMS
