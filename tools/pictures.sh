#!/usr/bin/env bash
# Draws the pictures of docs/pictures from real runs: a message whose response is lost, a batch, the
# page of a report, a sheet, and the API page. It needs tmux and chromium, and
# builds the command. It takes a quarter of an hour, at the rate that the service allows.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in tmux chromium; do
  command -v "$tool" >/dev/null || { echo "pictures: $tool is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
mock= long=
trap 'kill $mock $long 2>/dev/null || true; tmux -L unsend kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
out=$PWD/docs/pictures
mkdir -p "$out"
go build -o "$work/unsend" ./cmd/unsend
export PATH="$work:$PATH"

# A spreadsheet of wrong messages.
{
  echo "user_id,message_id,connection_id"
  for i in $(seq 240); do
    echo "51234567,$((6432457811894 + i)),conn_$([ $((i % 3)) = 0 ] && echo blue || echo green)"
  done
} >"$work/wrong.csv"
url=http://localhost:4010

# A longer run, for the page of a report: it goes on beside the others.
{
  echo "user_id,message_id,connection_id"
  for i in $(seq 1500); do echo "51234567,$((6432457811894 + i)),conn_$([ $((i % 3)) = 0 ] && echo blue || echo green)"; done
} >"$work/long.csv"
(cd "$work" && unsend batch long.csv --mock --fault-rate 0.1 --yes --ledger rehearsal.db >/dev/null 2>&1) &
long=$!

# svg turns a screen of text, on standard input, into a picture.
svg() {
  awk '
    { gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); gsub(/>/, "\\&gt;"); sub(/ +$/, ""); line[NR] = $0; if ($0 != "") last = NR }
    END {
      h = last * 19 + 32
      printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"880\" height=\"%d\" viewBox=\"0 0 880 %d\">\n", h, h
      printf "<rect width=\"880\" height=\"%d\" rx=\"8\" fill=\"#16181d\"/>\n", h
      print "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#e6e6e6\">"
      for (i = 1; i <= last; i++) printf "<text x=\"16\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", 19 * i + 11, line[i]
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
tm -f /dev/null new-session -d -s batch -x 100 -y 30 -c "$work" \
  "env PS1='\$ ' OFAUTH_API_KEY=sk_sandbox_demo OFAUTH_BASE_URL=$url OFAUTH_CONNECTION_ID=conn_blue PATH=$PATH bash --norc --noprofile"
prompt() { until_screen '^\$ *$'; }
type() { # command: on a screen of its own
  prompt
  tm send-keys -t batch C-l
  prompt
  tm send-keys -t batch "$1" Enter
}

# A message whose response is lost: the mock, in the background, writes a line for each request.
type 'unsend mock --connection conn_blue --fault drop,acted >mock.txt &'
until grep -q http "$work/mock.txt" 2>/dev/null; do sleep 0.1; done
tm send-keys -t batch 'unsend message 51234567 6432457811894' Enter
until_screen 'already gone'
prompt
screen | svg >"$out/message.svg"
type 'kill %1; wait; clear'

# A batch on a bad day.
unsend mock --addr 127.0.0.1:4010 --connection conn_blue --connection conn_green --rate 1200 --quiet \
  --fault 422 --fault 503 --fault drop,acted --fault html,502 --fault 422 >"$work/mock.out" &
mock=$!
until grep -q http "$work/mock.out"; do sleep 0.1; done
type 'unsend batch wrong.csv --rate 900 --burst 20'
until_screen '\[y/N\]'
tm send-keys -t batch y Enter
until_screen '(9[0-9]|1[0-4][0-9]) of 240'
screen | svg >"$out/batch.svg"

# A good sheet, as a spreadsheet shows it: ids as text, at the left.
head -n 5 "$work/wrong.csv" | awk -F, '
  function cell(x, y, w, text, style) {
    printf "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"26\" fill=\"%s\" stroke=\"#c8ccd2\"/>\n", x, y, w, style == "head" ? "#e9ecef" : "#ffffff"
    printf "<text x=\"%d\" y=\"%d\"%s>%s</text>\n", style == "head" ? x + w / 2 : x + 8, y + 18, style == "head" ? " text-anchor=\"middle\"" : "", text
  }
  BEGIN {
    split("36 140 180 160", w, " "); split(" ABC", name, "")
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"540\" height=\"180\" viewBox=\"0 0 540 180\">"
    print "<rect width=\"540\" height=\"180\" rx=\"8\" fill=\"#ffffff\"/>\n<g font-family=\"system-ui, sans-serif\" font-size=\"14\" fill=\"#1f2328\">"
    x = 12; for (i = 1; i <= 4; i++) { cell(x, 12, w[i], name[i], "head"); x += w[i] }
  }
  { cell(12, 12 + 26 * NR, w[1], NR, "head"); x = 12 + w[1]; for (i = 1; i <= 3; i++) { cell(x, 12 + 26 * NR, w[i + 1], $i, ""); x += w[i + 1] } }
  END { print "</g>\n</svg>" }' >"$out/sheet.svg"

prompt
chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=8000 --window-size=1280,800 \
  --screenshot="$out/api-1280.png" "$url/docs/" 2>/dev/null

wait "$long" || true # some of its messages fail
unsend report "$work/rehearsal.db" --html "$work/report.html" >/dev/null || true
chromium --headless --no-sandbox --hide-scrollbars --blink-settings=preferredColorScheme=1 --window-size=1280,1100 \
  --screenshot="$out/report-1280.png" "file://$work/report.html" 2>/dev/null
ls -l "$out"
