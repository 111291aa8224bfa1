#!/bin/sh
# Proves that spec-diff.sh refuses a breaking edit of the contract and no other, in a repository of
# its own. Run by `make check`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tools"
cp "$here/spec-diff.sh" "$here/oasdiff-levels.txt" "$work/tools"
contract=$here/../openapi.yaml
version=$(awk '/^  version:/ { print $2; exit }' "$contract")
next=$((${version%%.*} + 1)).0.0
failed=0

commit() {
  git add -A
  git -c user.name=test -c user.email=test@example.org -c commit.gpgsign=false commit -q -m "$1"
}

# edit applies a sed script to a fresh copy of the contract, and insists that it did something.
edit() {
  sed -e "$1" "$contract" >openapi.yaml
  ! cmp -s openapi.yaml "$contract" || { echo "this edit changes nothing: $1" >&2; exit 1; }
}

# expect runs spec-diff.sh and checks its exit code and that its output holds some text.
expect() { # name, exit code, text, arguments
  name=$1 want=$2 text=$3
  shift 3
  got=0
  tools/spec-diff.sh "$@" >output 2>&1 || got=$?
  if [ "$got" -ne "$want" ] || ! grep -q -e "$text" output; then
    echo "FAIL $name: exit $got, not $want, or the output lacks: $text" >&2
    sed 's/^/  /' output >&2
    failed=1
  else
    echo "ok   $name"
  fi
  rm -f output
}

cd "$work"
git init -q
commit 'without a contract' # the scripts alone
expect 'the first commit has nothing before it' 0 'neither a release tag nor a parent'
cp "$contract" openapi.yaml
commit 'the contract'
expect 'a parent without a contract' 0 'holds no openapi.yaml'
git tag "v$version"
expect 'no edit' 0 "as it was at v$version"

add_field='/^        mediaCount:/i\
        isStarred:\
          type: boolean
'
drop_field='/^        mediaCount:/,/^          description:/d'
demand_field='s/required: \[withUserId\]/required: [withUserId, reason]/
/^        withUserId:$/i\
        reason:\
          type: string
'
edit "$add_field"
expect 'a new field is no break, and is named' 0 'queue/isStarred' HEAD
expect 'a new field is no break, and is said to be none' 0 'nothing here breaks clients' HEAD
edit 's/, audio\]/, audio, document]/'
expect 'a new kind of an open set is no break' 0 'nothing here breaks clients' HEAD
edit "/^        '422':/i\\
        '409':\\
          \$ref: '#/components/responses/BadRequest'
"
expect 'a new status is no break, and is named' 0 '409' HEAD
edit "$demand_field"
expect 'a new required field breaks callers' 1 "raise info.version to $next" HEAD
edit "$drop_field"
expect 'a field that is gone breaks programs' 1 'queue/mediaCount' HEAD
edit "$drop_field
s/^  version: $version/  version: ${version%%.*}.9.0/"
expect 'a minor version may not break' 1 "raise info.version to $next" HEAD
edit "$drop_field
s/^  version: $version/  version: $next/"
expect 'a major version may break' 0 'as a major version may be' HEAD

edit "$drop_field"
commit 'a break that slipped in'
echo >unrelated
commit 'a commit after it'
expect 'the last release is what counts' 1 "contract $version at v$version"
git tag -d "v$version" >/dev/null
expect 'without a release the parent counts' 0 'the contract is as it was'

edit "s|'#/components/responses/BadRequest'|'#/components/responses/Nowhere'|"
expect 'a contract that is none' 2 'could not be compared' HEAD
expect 'a base that is none' 2 'no-such-ref is not a commit' no-such-ref
exit $failed
