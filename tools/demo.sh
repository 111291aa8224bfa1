#!/usr/bin/env bash
# Shows, in under ten seconds and on a mock, what unsend is for: a message whose response is lost,
# and a batch on a bad day that is stopped, continued and explained. Needs bin/unsend.
set -euo pipefail
cd "$(dirname "$0")/.."

unsend=$PWD/bin/unsend
work=$(mktemp -d)
mock=
trap '[ -z "$mock" ] || kill "$mock"; rm -rf "$work"' EXIT
cd "$work"

say() { printf '\ndemo: %s\n' "$*"; }
run() { # exit code, command...: shows the command, and fails unless it ends with that code
  local want=$1 code=0
  shift
  echo "\$ unsend $*"
  "$unsend" "$@" || code=$?
  [ "$code" = "$want" ] || { echo "demo: unsend ended with $code, not $want" >&2; exit 1; }
}

{
  echo user_id,message_id,connection_id
  for i in $(seq 120); do
    echo "51234567,$((6432457811894 + i)),conn_$([ $((i % 3)) = 0 ] && echo blue || echo green)"
  done
} >messages.csv
"$unsend" mock --addr 127.0.0.1:0 --connection conn_blue --connection conn_green --rate 1800 --burst 30 --quiet --control \
  --fault drop,acted --fault delay=1ms --fault 422 --fault 503 --fault drop,acted --fault html,502 --fault 422 >mock.out &
mock=$!
until url=$(grep -so 'http://[^ ]*' mock.out | head -n 1) && [ -n "$url" ]; do sleep 0.05; done
export OFAUTH_API_KEY=sk_sandbox_demo OFAUTH_BASE_URL=$url OFAUTH_CONNECTION_ID=conn_blue

say "a mock of the service runs, and the environment points unsend at it"
say "the service unsends this message, and its response is lost; the second attempt finds it gone"
run 0 message 51234567 6432457811894

say "a batch, two connections at their rate limits, with faults; it is stopped in the middle, by Ctrl-C"
batch=(batch messages.csv --yes --rate 1800 --burst 20)
echo "\$ unsend ${batch[*]}"
"$unsend" "${batch[@]}" &
sleep 1
kill -INT $!
code=0
wait $! || code=$?
[ "$code" = 130 ] || { echo "demo: the batch ended with $code, not 130" >&2; exit 1; }

say "the same command resumes: no final message is sent again, and what was ambiguous is settled"
run 1 "${batch[@]}"

say "what is not unsent, why, and what to do"
run 1 report messages.csv.unsend.db --failed

# The mock's own record, read without curl, which a fresh machine may not have.
exec 3<>"/dev/tcp/127.0.0.1/${url##*:}"
printf 'GET /_mock/requests HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
journal=$(cat <&3)
grep '"acted":true' <<<"${journal//'{"method"'/$'\n'}" | grep -o '"path":"[^"]*"' | sort | uniq -c >acted
if grep -qv '^ *1 ' acted; then
  echo "demo: a message was unsent twice" >&2
  exit 1
fi
say "what the mock recorded: it unsent $(wc -l <acted | tr -d ' ') messages, the first one included, each of them once"
