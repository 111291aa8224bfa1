#!/usr/bin/env bash
# Draws the pictures of docs/pictures from real runs: a batch and its report on a terminal, and
# the API page in a browser. It needs tmux and chromium, and builds the command.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in tmux chromium; do
  command -v "$tool" >/dev/null || { echo "pictures: $tool is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
mock=
trap '[ -z "$mock" ] || kill "$mock"; tmux -L unsend kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
out=$PWD/docs/pictures
mkdir -p "$out"
go build -o "$work/unsend" ./cmd/unsend
export PATH="$work:$PATH"

# A spreadsheet of wrong messages, and a mock that answers as a service on a bad day.
{
  echo "user_id,message_id,connection_id"
  for i in $(seq 240); do
    echo "51234567,$((6432457811894 + i)),conn_$([ $((i % 3)) = 0 ] && echo blue || echo green)"
  done
} >"$work/wrong.csv"
unsend mock --addr 127.0.0.1:0 --connection conn_blue --connection conn_green --rate 1200 --seed 7 \
  --fault-rate 0.2 --fault-of 503 --fault-of drop,acted --fault-of 422 >"$work/mock.out" 2>"$work/mock.log" &
mock=$!
until grep -q http "$work/mock.out" 2>/dev/null; do sleep 0.1; done
url=$(grep -o 'http://[^ ]*' "$work/mock.out" | head -n 1)

# svg turns a screen of text, on standard input, into a picture.
svg() {
  awk '
    { gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); gsub(/>/, "\\&gt;"); sub(/ +$/, ""); line[NR] = $0; if ($0 != "") last = NR }
    END {
      h = last * 19 + 32
      printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1040\" height=\"%d\" viewBox=\"0 0 1040 %d\">\n", h, h
      printf "<rect width=\"1040\" height=\"%d\" rx=\"8\" fill=\"#16181d\"/>\n", h
      print "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#e6e6e6\" style=\"white-space: pre\">"
      for (i = 1; i <= last; i++) printf "<text x=\"16\" y=\"%d\">%s</text>\n", 19 * i + 11, line[i]
      print "</g>\n</svg>"
    }'
}

tm() { tmux -L unsend "$@"; }
screen() { tm capture-pane -p -t batch; }
until_screen() { # pattern
  for _ in $(seq 600); do
    screen | grep -qE "$1" && return
    sleep 0.1
  done
  echo "pictures: the screen never showed $1:" >&2
  screen >&2
  exit 1
}
tm -f /dev/null new-session -d -s batch -x 118 -y 24 -c "$work" \
  "env PS1='\$ ' OFAUTH_API_KEY=sk_sandbox_demo OFAUTH_BASE_URL=$url PATH=$PATH bash --norc --noprofile"
until_screen '^\$'
tm send-keys -t batch 'unsend batch wrong.csv --rate 900 --burst 20' Enter
until_screen '\[y/N\]'
tm send-keys -t batch y Enter
until_screen '(9[0-9]|1[0-4][0-9]) of 240'
screen | svg >"$out/batch.svg"
until_screen '^\$ *$'
tm send-keys -t batch 'clear; unsend report wrong.csv.unsend.db' Enter
sleep 1
until_screen '^\$ *$'
screen | svg >"$out/report.svg"

for size in 390,844 1280,800; do
  chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=8000 --window-size="$size" \
    --screenshot="$out/api-${size%,*}.png" "$url/docs/" 2>/dev/null
done
ls -l "$out"
