#!/usr/bin/env bash
# Makes clients of openapi.yaml with other people's generators, and lets each take back a message
# on the mock; then asks tools that read the document what they say of it. Run by hand, by
# `make clients`: it wants Node 20.19, npm and, for the tools written in Java, java, and it
# fetches some 300 MB into bin/clients.
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
    "@openapitools/openapi-generator-cli": "1.0.18-4.3.1",
    "@stoplight/spectral-cli": "6.16.3",
    "openapi-fetch": "0.17.0",
    "openapi-generator-5": "npm:@openapitools/openapi-generator-cli@1.0.18-5.0.0-beta2",
    "openapi-typescript": "7.13.0",
    "orval": "8.38.0",
    "specmatic": "2.55.1",
    "swagger-typescript-api": "13.13.0",
    "tsx": "4.23.15",
    "typescript": "5.9.3"
  }
}
JSON
npm install --no-audit --no-fund --loglevel=error

"$root/bin/unsend" mock --quiet --addr 127.0.0.1:0 >mock.log 2>&1 &
mock=$!
trap 'kill $mock' EXIT
until MOCK=$(grep -o 'http://[0-9.:]*' mock.log | head -n 1) && [ -n "$MOCK" ]; do sleep 0.1; done
export MOCK

failed=0
messages=6432457811000
# try runs a caller, which prints success, the message's id, its price and its first kind of media.
try() { # name, command...
  name=$1 messages=$((messages + 1))
  shift
  if said=$(MESSAGE=$messages "$@" 2>&1) && [ "$said" = "true $messages 0 photo" ]; then
    echo "ok    $name"
  else
    printf 'FAIL  %s\n%s\n' "$name" "$said"
    failed=1
  fi
}
# quietly runs a generator, which is to print no warning; what is not ours is left out.
quietly() { # pattern of what is not ours, command...
  not_ours=$1
  shift
  "$@" >generator.log 2>&1 || { cat generator.log; failed=1; }
  if grep -iE 'warn|error' generator.log | grep -vE "$not_ours"; then failed=1; fi
}

quietly '^$' npx openapi-typescript openapi.yaml -o typescript/schema.d.ts
cat >call-typescript.ts <<'TS'
import createClient from 'openapi-fetch';
import type { paths } from './typescript/schema';
const client = createClient<paths>({ baseUrl: process.env.MOCK!, headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' } });
const { data, error } = await client.DELETE('/v2/access/chats/{userId}/messages/{messageId}', {
  params: { path: { userId: '51234567', messageId: process.env.MESSAGE! } },
  body: { withUserId: '51234567' },
});
if (error) throw new Error(error.error);
console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
try 'openapi-typescript 7.13.0' npx tsx call-typescript.ts

quietly '^$' npx openapi-ts -i openapi.yaml -o hey
cat >call-hey.ts <<'TS'
import { unsendChatMessage } from './hey/sdk.gen';
const { data, error } = await unsendChatMessage({
  baseUrl: process.env.MOCK!,
  auth: ({ name }) => (name === 'apiKey' ? 'sk_sandbox_demo' : 'conn_demo'),
  path: { userId: '51234567', messageId: process.env.MESSAGE! },
  body: { withUserId: '51234567' },
});
if (error) throw new Error(error.error);
console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
try '@hey-api/openapi-ts 0.99.0' npx tsx call-hey.ts

cat >orval.config.mjs <<'JS'
export default { unsend: { input: './openapi.yaml', output: { target: 'orval/api.ts', client: 'fetch', baseUrl: process.env.MOCK } } };
JS
quietly '^$' npx orval --config orval.config.mjs
cat >call-orval.ts <<'TS'
import { unsendChatMessage } from './orval/api';
const answer = await unsendChatMessage('51234567', process.env.MESSAGE!, { withUserId: '51234567' }, {
  headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' },
});
if (answer.status !== 200) throw new Error(answer.data.error);
const { success, queue } = answer.data;
console.log(success, queue?.id, queue?.price, queue?.media?.[0]?.type);
TS
try 'orval 8.38.0' npx tsx call-orval.ts

quietly '^$' npx swagger-typescript-api generate -p openapi.yaml -o swagger -n api.ts
cat >call-swagger.ts <<'TS'
import { Api } from './swagger/api';
const api = new Api({
  baseUrl: process.env.MOCK!,
  securityWorker: () => ({ headers: { apiKey: 'sk_sandbox_demo', 'x-connection-id': 'conn_demo' } }),
});
const { data } = await api.v2.unsendChatMessage('51234567', process.env.MESSAGE!, { withUserId: '51234567' });
console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
try 'swagger-typescript-api 13.13.0' npx tsx call-swagger.ts

if command -v java >/dev/null; then
  for release in '@openapitools/openapi-generator-cli 4.3.1' 'openapi-generator-5 5.0.0-beta2'; do
    read -r package version <<<"$release"
    quietly 'CodegenIgnoreProcessor|INFO' java -jar "node_modules/$package/bin/openapi-generator.jar" generate \
      -i openapi.yaml -g typescript-fetch -o "generator-$version" --additional-properties=typescriptThreePlus=true
    cat >"call-generator-$version.ts" <<TS
import { ChatsApi, Configuration } from './generator-$version/index';
const api = new ChatsApi(new Configuration({
  basePath: process.env.MOCK!,
  fetchApi: fetch,
  apiKey: (name: string) => (name === 'apiKey' ? 'sk_sandbox_demo' : 'conn_demo'),
}));
const data = await api.unsendChatMessage({ userId: '51234567', messageId: process.env.MESSAGE!, unsendRequest: { withUserId: '51234567' } });
console.log(data.success, data.queue?.id, data.queue?.price, data.queue?.media?.[0]?.type);
TS
    try "openapi-generator $version" npx tsx "call-generator-$version.ts"
  done
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
	answer, err := client.UnsendChatMessage(context.Background(),
		&oas.UnsendRequest{WithUserId: oas.NewUserIDStringWithUserID("51234567")},
		oas.UnsendChatMessageParams{UserId: "51234567", MessageId: oas.ID(os.Getenv("MESSAGE"))})
	if err != nil {
		log.Fatal(err)
	}
	body := answer.(*oas.UnsendResponseHeaders).Response
	queue := body.Queue.Value
	price, _ := queue.Price.Value.GetPriceString()
	fmt.Println(body.Success, queue.ID, price, queue.Media[0].Type.Value)
}
GO
cd ogen
[ -e go.mod ] || go mod init ogenclient 2>/dev/null
# The names of headers are the vendor's.
quietly 'not canonical|convenient error' go run github.com/ogen-go/ogen/cmd/ogen@v1.24.0 --target oas --package oas --clean ../openapi.yaml
go mod tidy 2>/dev/null
try 'ogen 1.24.0' go run ./call
cd ..

npx tsc --noEmit --skipLibCheck --module esnext --target es2022 --lib es2022,dom,dom.iterable --moduleResolution bundler --strict \
  call-typescript.ts call-hey.ts call-orval.ts call-swagger.ts 2>&1 | grep -v 'process' | grep 'error' && failed=1

printf 'extends:\n  - [spectral:oas, all]\nrules:\n  contact-properties: off\n' >spectral.yaml # the project has no e-mail address
if npx spectral lint --quiet --fail-severity=hint --ruleset spectral.yaml openapi.yaml; then echo 'ok    Spectral 6.16.3'; else failed=1; fi
if command -v java >/dev/null; then
  # Specmatic serves the document, or says why it cannot read it.
  java -jar node_modules/specmatic/specmatic.jar stub --port 4498 openapi.yaml >specmatic.log 2>&1 &
  specmatic=$!
  trap 'kill $mock $specmatic' EXIT
  for _ in $(seq 60); do grep -q 'server is running' specmatic.log && break; sleep 1; done
  if curl --silent --fail --output answer.json --request DELETE http://127.0.0.1:4498/v2/access/chats/51234567/messages/1 \
    --header 'Content-Type: application/json' --header 'apiKey: k' --header 'x-connection-id: c' --data '{"withUserId":"51234567"}'; then
    echo 'ok    Specmatic 2.55.1'
  else
    cat specmatic.log
    failed=1
  fi
fi
exit $failed
