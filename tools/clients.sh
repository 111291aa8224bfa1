#!/usr/bin/env bash
# Makes clients of openapi.yaml with other people's generators, lets each unsend a message on the
# mock and meet a 401, a 404 and a 429, lets validators read the examples of openapi.yaml, and asks
# tools for their opinion of it. Run by hand, by `make clients`: it requires Node 20.19, npm, curl
# and, for the tools written in Java, java, and it takes some 600 MB of bin/clients. The last
# lines are the table of docs/client/generators.md.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/bin/clients
mkdir -p "$work"
cp openapi.yaml "$work"
echo 'module clients' >"$work/go.mod" # so that ./... of the project leaves it out
go build -o bin/unsend ./cmd/unsend
cd "$work"

cat >package.json <<'JSON'
{
  "private": true,
  "type": "module",
  "dependencies": {
    "@hey-api/openapi-ts": "0.99.0",
    "@kubb/cli": "4.39.0",
    "@kubb/core": "4.39.0",
    "@kubb/plugin-oas": "4.39.0",
    "@kubb/plugin-zod": "4.39.0",
    "@stoplight/spectral-cli": "6.16.3",
    "openapi-fetch": "0.17.0",
    "@openapitools/openapi-generator-cli": "1.0.18-5.0.0-beta2",
    "openapi-typescript": "7.13.0",
    "openapi-zod-client": "1.18.3",
    "orval": "8.38.0",
    "specmatic": "2.55.1",
    "swagger-typescript-api": "13.13.0",
    "tsx": "4.23.15",
    "typescript": "5.9.3",
    "yaml": "2.8.1",
    "zod": "3.25.76"
  }
}
JSON
npm install --no-audit --no-fund --loglevel=error

rm -f mock.log # it has the address of the last run
trap 'kill "${running[@]}"' EXIT
"$root/bin/unsend" mock --quiet --control --addr 127.0.0.1:0 >mock.log 2>&1 &
running+=($!)
until MOCK=$(grep -so "http://[0-9.:]*" mock.log | head -n 1) && [ -n "$MOCK" ]; do sleep 0.1; done
export MOCK

failed=0
table=()
# report prints a result and keeps it as a row of the table.
report() { # ok or FAIL, tool, what it did
  printf '%-5s %s: %s\n' "$1" "$2" "$3"
  table+=("| $2 | $3 | $1 |")
  [ "$1" = ok ] || failed=1
}
# try runs a caller once for each outcome. It prints success, the message's id, its price and its
# first kind of media, or the status and the type of an error.
messages=6432457811000
try() { # tool, command...
  local tool=$1 result=ok fault want got
  shift
  control POST reset
  for fault in '' 401 404 429; do
    messages=$((messages + 1)) want="$fault $(type_of "$fault")"
    [ -n "$fault" ] || want="true $messages 0 photo"
    case $fault in
    404) control DELETE "messages/51234567/$messages" ;;
    ?*) control POST faults --json "[\"$fault\"]" ;;
    esac
    if ! got=$(MESSAGE=$messages "$@" 2>&1) || [ "$got" != "$want" ]; then
      printf '%s, %s: got %s, want %s\n' "$tool" "${fault:-200}" "$got" "$want"
      result=FAIL
    fi
  done
  report $result "$tool" 'a client calls the mock: 200, 401, 404, 429'
}
control() { # method, path, options of curl...
  curl --silent --show-error --fail --output control.json --request "$1" "${@:3}" "$MOCK/_mock/$2"
}
type_of() {
  case $1 in 401) echo UNAUTHORIZED ;; 404) echo RESOURCE_NOT_FOUND ;; 429) echo RATE_LIMIT_EXCEEDED ;; esac
}
# quietly runs a generator, which is to print no warning; what is not about the document is left out.
quietly() { # pattern of what is not about the document, command...
  local not_ours=$1
  shift
  "$@" >generator.log 2>&1 || { cat generator.log; failed=1; }
  if grep -iE 'warn|error' generator.log | grep -vE "^go: downloading|$not_ours"; then failed=1; fi
}

quietly '^$' npx openapi-typescript openapi.yaml -o typescript/schema.d.ts
cat >call-typescript.ts <<'TS'
import createClient from 'openapi-fetch';
import type { paths } from './typescript/schema';
const client = createClient<paths>({ baseUrl: process.env.MOCK!, headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' } });
const { data, error, response } = await client.DELETE('/v2/access/chats/{userId}/messages/{messageId}', {
  params: { path: { userId: '51234567', messageId: process.env.MESSAGE! } },
  body: { withUserId: '51234567' },
});
if (error) console.log(response.status, error.type);
else console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
try 'openapi-typescript 7.13.0' npx tsx call-typescript.ts

quietly '^$' npx openapi-ts -i openapi.yaml -o hey
cat >call-hey.ts <<'TS'
import { unsendChatMessage } from './hey/sdk.gen';
const { data, error, response } = await unsendChatMessage({
  baseUrl: process.env.MOCK!,
  auth: ({ name }) => (name === 'apiKey' ? 'sk_sandbox_demo' : 'conn_demo'),
  path: { userId: '51234567', messageId: process.env.MESSAGE! },
  body: { withUserId: '51234567' },
});
if (error) console.log(response?.status, error.type);
else console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
try '@hey-api/openapi-ts 0.99.0' npx tsx call-hey.ts

cat >orval.config.mjs <<'JS'
export default { unsend: { input: './openapi.yaml', output: { target: 'orval/api.ts', client: 'fetch', baseUrl: process.env.MOCK } } };
JS
quietly '^$' npx orval --config orval.config.mjs
cat >call-orval.ts <<'TS'
import { unsendChatMessage } from './orval/api';
const response = await unsendChatMessage('51234567', process.env.MESSAGE!, { withUserId: '51234567' }, {
  headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' },
});
if (response.status !== 200) console.log(response.status, response.data.type);
else console.log(response.data.success, response.data.queue?.id, response.data.queue?.price, response.data.queue?.media?.[0]?.type);
TS
try 'orval 8.38.0' npx tsx call-orval.ts

quietly '^$' npx swagger-typescript-api generate -p openapi.yaml -o swagger -n api.ts
cat >call-swagger.ts <<'TS'
import { Api } from './swagger/api';
const api = new Api({
  baseUrl: process.env.MOCK!,
  securityWorker: () => ({ headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' } }),
});
try {
  const { data } = await api.v2.unsendChatMessage('51234567', process.env.MESSAGE!, { withUserId: '51234567' });
  console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
} catch (response: any) {
  console.log(response.status, response.error.type);
}
TS
try 'swagger-typescript-api 13.13.0' npx tsx call-swagger.ts

if command -v java >/dev/null; then
  quietly 'CodegenIgnoreProcessor|INFO' java -jar node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar generate \
    -i openapi.yaml -g typescript-fetch -o generator --additional-properties=typescriptThreePlus=true
  cat >call-generator.ts <<'TS'
import { ChatsApi, Configuration } from './generator/index';
const api = new ChatsApi(new Configuration({
  basePath: process.env.MOCK!,
  fetchApi: fetch,
  apiKey: (name: string) => (name === 'apiKey' ? 'sk_sandbox_demo' : 'conn_demo'),
}));
try {
  const data = await api.unsendChatMessage({ userId: '51234567', messageId: process.env.MESSAGE!, unsendRequest: { withUserId: '51234567' } });
  console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
} catch (response: any) {
  console.log(response.status, (await response.json()).type);
}
TS
  try 'openapi-generator 5.0.0-beta2, typescript-fetch' npx tsx call-generator.ts
else
  echo 'skip  openapi-generator and Specmatic: java is not installed' >&2
fi

mkdir -p ogen/call
cat >ogen/call/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"ogenclient/oas"
)

type credentials struct{}

func (credentials) ApiKey(context.Context, oas.OperationName) (oas.ApiKey, error) {
	return oas.ApiKey{APIKey: "sk_sandbox_demo"}, nil
}

func (credentials) ConnectionId(context.Context, oas.OperationName) (oas.ConnectionId, error) {
	return oas.ConnectionId{APIKey: "conn_demo"}, nil
}

func main() {
	client, err := oas.NewClient(os.Getenv("MOCK"), credentials{})
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.UnsendChatMessage(context.Background(),
		&oas.UnsendRequest{WithUserId: oas.NewUserIDStringWithUserID("51234567")},
		oas.UnsendChatMessageParams{UserId: "51234567", MessageId: oas.ID(os.Getenv("MESSAGE"))})
	if err != nil {
		log.Fatal(err)
	}
	switch response := response.(type) {
	case *oas.UnsendResponseHeaders:
		queue := response.Response.Queue.Value
		price, _ := queue.Price.Value.GetPriceString()
		fmt.Println(response.Response.Success, queue.ID, price, queue.Media[0].Type.Value)
	case *oas.UnauthorizedHeaders:
		fmt.Println(401, response.Response.Type.Value)
	case *oas.NotFoundHeaders:
		fmt.Println(404, response.Response.Type.Value)
	case *oas.RateLimitedHeaders:
		fmt.Println(429, response.Response.Type.Value)
	default:
		fmt.Printf("%T\n", response)
	}
}
GO
cd ogen
[ -e go.mod ] || go mod init ogenclient 2>/dev/null
# The names of headers are the vendor's.
quietly 'not canonical|convenient error' go run github.com/ogen-go/ogen/cmd/ogen@v1.24.0 --target oas --package oas --clean ../openapi.yaml
go mod tidy 2>/dev/null
go build -o ../call-ogen ./call
cd ..
try 'ogen 1.24.0' ./call-ogen

# Validators made of the schemas read every example of the document.
cat >kubb.config.mjs <<'JS'
import { defineConfig } from '@kubb/core';
import { pluginOas } from '@kubb/plugin-oas';
import { pluginZod } from '@kubb/plugin-zod';
export default defineConfig({
  root: '.',
  input: { path: './openapi.yaml' },
  output: { path: './kubb', clean: true },
  plugins: [pluginOas({ generators: [], validate: false }), pluginZod({ output: { path: './zod' } })],
});
JS
cat >examples.ts <<'TS'
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
const document = parse(readFileSync('openapi.yaml', 'utf8'));
const at = (ref: string) => ref.slice(2).split('/').reduce((node, step) => node[step], document);
const whole = (node: any) => (node.$ref ? at(node.$ref) : node);
// read gives each example of the document to the validator of its schema.
export function read(validators: Record<string, { parse(value: unknown): unknown }>) {
  let n = 0;
  const content = (media: any) => {
    const { schema, example, examples = {} } = media['application/json'];
    const validator = validators[schema.$ref.split('/').at(-1)];
    for (const value of example ? [example] : Object.values(examples).map((e) => whole(e).value)) {
      validator.parse(value);
      n++;
    }
  };
  for (const item of Object.values<any>(document.paths)) {
    for (const operation of Object.values<any>(item)) {
      if (operation.requestBody) content(operation.requestBody.content);
      for (const response of Object.values(operation.responses)) content(whole(response).content);
    }
  }
  console.log(n > 0 ? 'every example' : 'no example');
}
TS
cat >read-kubb.ts <<'TS'
import { read } from './examples';
import { errorBodySchema as ErrorBody } from './kubb/zod/errorBodySchema';
import { unsendRequestSchema as UnsendRequest } from './kubb/zod/unsendRequestSchema';
import { unsendResponseSchema as UnsendResponse } from './kubb/zod/unsendResponseSchema';
read({ ErrorBody, UnsendRequest, UnsendResponse });
TS
cat >read-zod.ts <<'TS'
import { read } from './examples';
import { schemas } from './zod-client';
read(schemas as any);
TS
read_examples() { # tool, command...
  local tool=$1 got result=ok
  shift
  got=$("$@" 2>&1) && [ "$got" = 'every example' ] || { result=FAIL; echo "$got"; }
  report $result "$tool" 'validators accept every example of openapi.yaml'
}
quietly 'errorBodySchema' npx kubb generate --config kubb.config.mjs
read_examples 'kubb 4.39.0, with zod' npx tsx read-kubb.ts
quietly '^$' npx openapi-zod-client openapi.yaml -o zod-client.ts --export-schemas
read_examples 'openapi-zod-client 1.18.3' npx tsx read-zod.ts

npx tsc --noEmit --skipLibCheck --module esnext --target es2022 --lib es2022,dom,dom.iterable --moduleResolution bundler --strict \
  call-typescript.ts call-hey.ts call-orval.ts call-swagger.ts 2>&1 | grep -v 'process' | grep 'error' && failed=1

printf 'extends:\n  - [spectral:oas, all]\nrules:\n  contact-properties: off\n' >spectral.yaml # the project has no e-mail address
result=ok
npx spectral lint --quiet --fail-severity=hint --ruleset spectral.yaml openapi.yaml || result=FAIL
report $result 'Spectral 6.16.3, every rule' 'lints openapi.yaml'
if command -v java >/dev/null; then
  # Specmatic serves the document, or reports why it cannot read it.
  port=$(node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })")
  java -jar node_modules/specmatic/specmatic.jar stub --host 127.0.0.1 --port "$port" openapi.yaml >specmatic.log 2>&1 &
  running+=($!)
  for _ in $(seq 300); do grep -q 'server is running' specmatic.log && break; sleep 1; done
  result=ok
  curl --silent --fail --output specmatic.json --request DELETE "http://127.0.0.1:$port/v2/access/chats/51234567/messages/1" \
    --header 'Content-Type: application/json' --header 'apiKey: k' --header 'x-connection-id: c' --data '{"withUserId":"51234567"}' ||
    { result=FAIL; cat specmatic.log; }
  report $result 'Specmatic 2.55.1' 'serves openapi.yaml'
fi
printf '%s\n' '' '| tool | what it does | result |' '| --- | --- | --- |' "${table[@]}"
exit $failed
