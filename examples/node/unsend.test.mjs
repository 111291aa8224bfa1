// Tests in JavaScript against the mock. It runs once; each test scripts what goes wrong, reads what
// was sent, and begins with everything as it was at the start:
//
//   node --test examples/node
//
// The command is found on PATH, or named by $UNSEND.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, beforeEach, test } from 'node:test'
import { unsend } from './unsend.mjs'

const account = { apiKey: 'sk_sandbox_demo', connection: 'conn_demo' }
let base, mock

before(async () => {
  mock = spawn(process.env.UNSEND ?? 'unsend', ['mock', '--addr', '127.0.0.1:0', '--control', '--quiet'])
  mock.stderr.pipe(process.stderr)
  let printed = ''
  for await (const text of mock.stdout) {
    printed += text
    base = /listens on (\S+)\n/.exec(printed)?.[1]
    if (base) return
  }
  throw new Error(`the mock did not start: ${printed}`)
})
after(() => mock.kill('SIGINT'))
beforeEach(() => control('POST', 'reset'))

async function control(method, path, body) {
  const response = await fetch(`${base}/_mock/${path}`, { method, body: body && JSON.stringify(body) })
  const result = await response.json()
  assert.equal(response.status, 200, JSON.stringify(result))
  return result
}

test('a busy service is asked again, with the same request', async () => {
  await control('POST', 'faults', ['503', '429,retry-after=0'])
  assert.equal(await unsend(base, account, '7', '9'), 'unsent')
  const { requests, total } = await control('GET', 'requests')
  assert.equal(total, 3)
  assert.deepEqual(requests.map(r => [r.status, r.fault, r.acted]), [[503, '503', false], [429, '429,retry-after=0', false], [200, '', true]])
  for (const request of requests) {
    assert.equal(request.method + ' ' + request.path, 'DELETE /v2/access/chats/7/messages/9')
    assert.deepEqual(request.body, { withUserId: '7' })
    assert.equal(request.headers['x-connection-id'], 'conn_demo')
    assert.equal(request.headers.apikey, undefined, 'the mock shows no key')
  }
})

test('a response is lost after the message was unsent', async () => {
  await control('POST', 'faults', ['drop,acted'])
  assert.equal(await unsend(base, account, '7', '9'), 'already gone')
  assert.deepEqual(await control('GET', 'messages/7/9'), { exists: false, unsent: true })
})

test('a message that another device took away is no success', async () => {
  await control('DELETE', 'messages/7/9')
  await assert.rejects(unsend(base, account, '7', '9'), /404 RESOURCE_NOT_FOUND/)
  assert.equal((await control('GET', 'requests?status=404')).total, 1)
})

test('an expired session is not retried', async () => {
  await control('PUT', 'connections/conn_demo', { state: 'expired' })
  await assert.rejects(unsend(base, account, '7', '9'), /401 SESSION_EXPIRED/)
  assert.equal((await control('GET', 'requests')).total, 1)
})

test('success is believed as a boolean only', async () => {
  await control('POST', 'faults', ['set=success="true"'])
  assert.equal(await unsend(base, account, '7', '9'), 'unsent')
  assert.equal((await control('GET', 'requests')).total, 2)
})

test('a page in place of a response is no sign that the message was unsent', async () => {
  await control('DELETE', 'messages/7/9')
  await control('POST', 'faults', ['html,403'])
  await assert.rejects(unsend(base, account, '7', '9'), /^Error: 403/)
  await control('POST', 'faults', ['html,429', '429'])
  await assert.rejects(unsend(base, account, '7', '9'), /404 RESOURCE_NOT_FOUND/)
})

test('no test sees what another one did', async () => {
  assert.deepEqual(await control('GET', ''), { pending: 0, requests: 0 })
  assert.deepEqual(await control('GET', 'messages/7/9'), { exists: true, unsent: false })
  assert.equal(await unsend(base, account, '7', '9'), 'unsent')
})

test('bad input is one clear line', async () => {
  const response = await fetch(`${base}/_mock/faults`, { method: 'POST', body: '["drift-price-number"]' })
  assert.equal(response.status, 400)
  assert.match((await response.json()).error, /unknown kind "drift-price-number"; set the member as the last part, such as set=queue.price=0/)
})
