#!/bin/sh
# Draws which package of this module imports which, as a Mermaid graph, into
# docs/architecture.md between its marks. With -check it only says whether the page is current.
set -eu
cd "$(dirname "$0")/.."

page=docs/architecture.md
module=$(go list -m)
graph=$(mktemp)
trap 'rm -f "$graph" "$graph.page"' EXIT
{
  echo '```mermaid'
  echo 'graph LR'
  go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}
{{end}}' ./... | awk -v m="$module/" '
    index($1, m) == 1 && index($2, m) == 1 {
      from = substr($1, length(m) + 1); to = substr($2, length(m) + 1)
      if (from ~ /^tools\// || to ~ /^internal\/bench/) next
      print "  " from " --> " to
    }' | sort -u
  echo '```'
} >"$graph"
awk -v graph="$graph" '
  /<!-- imports:/ { print; while ((getline line <graph) > 0) print line; skip = 1; next }
  /<!-- \/imports -->/ { skip = 0 }
  !skip' "$page" >"$graph.page"
if [ "${1:-}" = -check ]; then
  cmp -s "$graph.page" "$page" || { echo "architecture: the picture in $page is not what the code imports: run make architecture" >&2; exit 1; }
else
  cp "$graph.page" "$page"
fi
