#!/bin/sh
# Builds the command for every platform into the folder given (dist by default), trimmed of
# local paths and stamped with the commit, beside a file of checksums. The same commit and Go
# release give the same bytes, wherever and how often they are built.
set -eu
cd "$(dirname "$0")/.."

out=${1:-dist}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
version=$(awk -F '"' '/^const Version/ {print $2}' api/client.go)

if [ -n "$(git status --porcelain)" ]; then
  echo "release: there are uncommitted changes; commit them, since a release is stamped with its commit" >&2
  exit 1
fi

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
