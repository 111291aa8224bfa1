// Starts Prism, a reading of OpenAPI that shares no code with ours.
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const cli = fileURLToPath(new URL('node_modules/@stoplight/prism-cli/dist/index.js', import.meta.url));

/** The path of the contract. */
export const contract = fileURLToPath(new URL('../openapi.yaml', import.meta.url));

/**
 * Runs `prism` with these arguments on a free port, and resolves to its URL and a function that
 * stops it. It runs as a thread, so that nothing of it can outlive this process.
 */
export async function startPrism(...argv) {
  const worker = new Worker(cli, { argv: [...argv, '--port', '0'], stdout: true, stderr: true });
  const url = await new Promise((resolve, reject) => {
    let log = '';
    const read = (chunk) => {
      log += chunk;
      const listening = /listening on (\S+)\n/.exec(log);
      if (listening) resolve(listening[1]);
    };
    worker.stdout.on('data', read);
    worker.stderr.on('data', read);
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`prism ${argv.join(' ')} ended with ${code}:\n${log}`)));
  });
  return { url, stop: () => worker.terminate() };
}
