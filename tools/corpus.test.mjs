// Prism, as a proxy that validates, judges the exchanges of contract/testdata/corpus, which our
// validator judges in `go test`. Where the two disagree, the exchange has to say so and why.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { contract, startPrism } from './prism.mjs';

const corpus = new URL('../contract/testdata/corpus/', import.meta.url);
const shared = new URL('../testdata/', import.meta.url);

/** A body as the corpus writes it: as JSON, as text, as a file, or not at all. */
function body({ json, text, file }) {
  if (file !== undefined) return readFileSync(new URL(file, shared));
  return text ?? (json === undefined ? '' : JSON.stringify(json));
}

// The server behind Prism: it gives the answer of the exchange that is being judged, marked, so
// that what Prism says itself can be told from it.
const mark = 'x-from-behind-prism';
let answer;
const upstream = createServer((req, res) => {
  req.resume();
  res.writeHead(answer.status, { ...answer.headers, [mark]: 'yes' });
  res.end(body(answer));
});

/** Sends a request of the corpus as it stands, dots and spaces in its path included. */
function send(url, { method, path, headers, ...rest }) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const content = body(rest);
    const sizes = content.length > 0 ? { 'Content-Length': Buffer.byteLength(content) } : {};
    const req = request({ hostname, port, method, path, headers: { ...headers, ...sizes }, maxHeaderSize: 1 << 20, agent: false });
    req.on('error', reject);
    req.on('response', async (res) => {
      let text = '';
      for await (const chunk of res) text += chunk;
      resolve({ headers: res.headers, text });
    });
    req.end(content);
  });
}

/** Where in a body Prism found fault, as the JSON pointer that our validator would give. */
function place({ location, code, message }) {
  const missing = code === 'required' ? /required property '(.*)'/.exec(message) : null;
  return [...location.slice(2), ...(missing ? [missing[1]] : [])].map((step) => `/${step}`).join('');
}

/** What Prism says of each side of an exchange; nothing of a side that it never came to. */
async function judge(url, exchange) {
  answer = exchange.response;
  const reply = await send(url, exchange.request);
  if (reply.headers[mark] === undefined) { // Prism could not read a side, and answered itself
    return JSON.parse(reply.text).type === 'FetchError'
      ? { request: { verdict: 'passes', complaints: [] }, response: { verdict: 'refuses', complaints: [reply.text] } }
      : { request: { verdict: 'refuses', complaints: [reply.text] } };
  }
  const found = JSON.parse(reply.headers['sl-violations'] ?? '[]');
  return Object.fromEntries(['request', 'response'].map((side) => {
    const violations = found.filter(({ location }) => location[0] === side);
    return [side, {
      verdict: violations.length > 0 ? 'refuses' : 'passes',
      complaints: violations.map(({ message }) => message),
      places: [...new Set(violations.filter(({ location }) => location[1] === 'body').map(place))].sort(),
    }];
  }));
}

let prism;
before(async () => {
  await new Promise((resolve) => { upstream.listen(0, '127.0.0.1', resolve); });
  prism = await startPrism('proxy', contract, `http://127.0.0.1:${upstream.address().port}`);
});
after(async () => {
  await prism.stop();
  upstream.close();
  upstream.closeAllConnections();
});

for (const name of readdirSync(corpus).filter((file) => file.endsWith('.json'))) {
  test(name, async () => {
    const exchange = JSON.parse(readFileSync(new URL(name, corpus)));
    const opinion = await judge(prism.url, exchange);
    for (const [side, { verdict, complaints, places }] of Object.entries(opinion)) {
      const ours = exchange.violations[side].length > 0 ? 'refuses' : 'passes';
      const differs = exchange.prism?.differs[side];
      const said = complaints.join('; ') || 'nothing';
      assert.notEqual(differs, ours, `the ${side} is said to be judged otherwise by Prism, and is not`);
      assert.equal(verdict, differs ?? ours, `${exchange.why} Prism says of the ${side}: ${said}`);

      // Where both read the body and find fault with nothing else, they mean the same members.
      const members = exchange.violations[side].filter((at) => at.startsWith('/'));
      if (places && !differs && members.length === exchange.violations[side].length) {
        assert.deepEqual(places, members.sort(), `other members of the ${side} depart: ${said}`);
      }
    }
    for (const side of Object.keys(exchange.prism?.differs ?? {})) {
      assert.ok(side in opinion, `Prism never came to the ${side} that it is said to differ on`);
    }
  });
}
