#!/usr/bin/env bash
# Follows README.md to the letter, as somebody who has just found the project: in an empty
# folder, each command in the folder that the page has reached, and each whole program saved there
# as main.go. The module comes from this repository's last commit, in place
# of the address that the page names. "When the spec changes" is left to tools/follow, which makes
# its edit. SKIP="make test", say, leaves a command out.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

place=$(mktemp -d)
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT

# The page as a script: commands as they are, and programs written to main.go.
awk -v place="$place" '
  /^## / { skip = $0 == "## When the spec changes" }
  skip { next }
  /^```console$/ { console = 1; next }
  /^```go$/ { go = 1; program = ""; next }
  /^```$/ {
    if (go && program ~ /^package main\n/) {
      n++; file = place "/program" n ".go"; printf "%s", program >file; close(file)
      print "cp " file " main.go"
    }
    console = go = 0; next
  }
  go { program = program $0 "\n" }
  console && sub(/^\$ /, "") {
    if ($0 == ENVIRON["SKIP"]) next
    quoted = $0; gsub(/\047/, "\047\\\047\047", quoted)
    print "echo \047readme: " quoted "\047 >&2"
    print
  }' README.md >"$place/script"
grep -q '^go run \.$' "$place/script" || { echo "readme: the page has no program" >&2; exit 1; }

# A bare copy with a branch of the name that a fresh clone checks out. Without tags go takes
# the newest commit for the latest version.
git clone -q --bare --no-tags "$root" "$place/origin.git"
git -C "$place/origin.git" update-ref refs/heads/main "$(git rev-parse HEAD)"
git -C "$place/origin.git" symbolic-ref HEAD refs/heads/main
mkdir "$place/work"
cd "$place/work"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.$place/origin.git.insteadOf" GIT_CONFIG_VALUE_0=https://github.com/unsend-go/unsend
export GOPRIVATE=github.com/unsend-go/unsend GOBIN="$place/bin" GOFLAGS=-modcacherw
# The module's own versions are this run's alone; everything else stays in the cache.
cache=$(go env GOMODCACHE)
trap 'rm -rf "$place" "$cache/github.com/unsend-go" "$cache/cache/download/github.com/unsend-go"' EXIT
bash -e "$place/script"
echo "readme: every command worked"
