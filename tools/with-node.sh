#!/bin/sh
# Runs a script of tools/package.json, once the pinned Node tools are installed:
#
#   tools/with-node.sh lint
#
# If Node is missing or too old it reports that and succeeds, so that `make check` requires no
# Node. REQUIRE_NODE=1 turns that into a failure, for CI.
set -eu
cd "$(dirname "$0")"

skip() {
  echo "$1: skipped, $2" >&2
  [ "${REQUIRE_NODE:-}" != 1 ]
  exit
}

command -v node >/dev/null || skip "$1" "Node is not installed (20.19 or later runs it)"
command -v npm >/dev/null || skip "$1" "npm is not installed"
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || a == 20 && b >= 19 ? 0 : 1)' ||
  skip "$1" "Node $(node --version) is too old (20.19 or later runs it)"

# npm writes this file last, so an interrupted installation is done again.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
  npm ci --loglevel=error
  touch "$installed"
fi

# It is to talk to nobody.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
exec npm run --silent "$@"
