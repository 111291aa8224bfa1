// Prism serves the contract, with its examples and with answers made up from its schemas, while
// curl and this module's client call it.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { contract, startPrism } from './prism.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

const noCurl = spawnSync('curl', ['--version']).error && 'curl is not installed';
const credentials = ['--header', 'apiKey: sk_sandbox_demo', '--header', 'x-connection-id: conn_demo'];

/** What curl prints when it calls the server at url as the documentation does. */
async function curl(url, headers) {
  const { stdout } = await run('curl', [
    '--silent', '--show-error', '--include', '--max-time', '20',
    '--request', 'DELETE', `${url}/v2/access/chats/51234567/messages/6432457811894`,
    '--header', 'Content-Type: application/json', '--data', '{"withUserId": "51234567"}', ...headers,
  ]);
  return stdout;
}

/** What our client reports of a call for each preference; see call/main.go. */
async function client(url, ...preferences) {
  const { stdout } = await run('go', ['run', './tools/call', url, ...preferences], { cwd: root, timeout: 300_000 });
  return stdout.trim().split('\n').map((line) => JSON.parse(line));
}

/** Fails with what `unsend contract` says of an answer that departs from the contract. */
async function judge(capture) {
  const judging = run('go', ['run', './cmd/unsend', 'contract', '-'], { cwd: root, timeout: 300_000 });
  judging.child.stdin.end(capture);
  await judging;
}

describe('the examples', () => {
  let server;
  before(async () => { server = await startPrism('mock', contract); });
  after(() => server.stop());

  test('reach curl', { skip: noCurl }, async () => {
    const answer = await curl(server.url, credentials);
    assert.match(answer, /^HTTP\/1.1 200 /);
    assert.match(answer, /"success":true,"queue":\{"id":6432457811894/);
    await judge(answer);
  });

  test('reach curl without credentials as an error', { skip: noCurl }, async () => {
    assert.match(await curl(server.url, []), /^HTTP\/1.1 401 /);
  });

  // Every status and example of the contract, and what the client makes of it.
  const expected = {
    '': { outcome: 'unsent', queueId: 6432457811894 },
    'example=documented': { outcome: 'unsent', queueId: 123 },
    'example=withoutSnapshot': { outcome: 'unsent' },
    'example=refused': { kind: 'refused', status: 200 },
    'code=400': { kind: 'bad request', status: 400 },
    'code=401, example=unauthorized': { kind: 'unauthorized', status: 401 },
    'code=401, example=sessionNotProvided': { kind: 'session expired', status: 401 },
    'code=401, example=sessionExpired': { kind: 'session expired', status: 401 },
    'code=401, example=rulesOutdated': { kind: 'unauthorized', status: 401 },
    'code=403': { kind: 'forbidden', status: 403 },
    'code=404, example=resourceNotFound': { kind: 'not found', status: 404 },
    'code=404, example=routeNotFound': { kind: 'not found', status: 404 },
    'code=422': { kind: 'bad request', status: 422 },
    'code=429': { kind: 'rate limited', status: 429 },
    'code=500': { kind: 'server error', status: 500 },
    'code=502': { kind: 'server error', status: 502 },
    'code=503': { kind: 'server error', status: 503 },
    'code=504': { kind: 'server error', status: 504 },
  };
  test('reach the client', async () => {
    const reports = await client(server.url, ...Object.keys(expected));
    const got = Object.fromEntries(reports.map(({ prefer, error, ...report }) => [prefer, report]));
    assert.deepEqual(got, expected);
  });
});

describe('generated answers', () => {
  let server;
  before(async () => { server = await startPrism('mock', '--dynamic', contract); });
  after(() => server.stop());

  test('reach curl', { skip: noCurl }, async () => {
    const answer = await curl(server.url, credentials);
    assert.match(answer, /^HTTP\/1.1 200 /);
    assert.match(answer, /"success":(true|false)/);
    await judge(answer);
  });

  test('reach the client, and keep the contract as our validator reads it', async () => {
    const reports = await client(server.url, ...Array(25).fill(''), ...Array(5).fill('code=429'));
    const succeeded = reports.slice(0, 25);
    for (const report of succeeded) {
      assert.equal(report.violations, undefined);
      if (report.status === undefined) {
        assert.equal(report.outcome, 'unsent');
        assert.equal(report.error, undefined, 'the snapshot could not be read');
      } else {
        assert.equal(report.kind, 'refused'); // success: false
      }
    }
    for (const report of reports.slice(25)) {
      assert.equal(report.violations, undefined);
      assert.equal(report.kind, 'rate limited');
    }
  });
});
