import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

/** What a process says of its descriptor 0. */
function listens(stdin: number | 'pipe' | 'ignore'): Promise<string> {
  const program = ['../../server/test/support/run-typescript.cjs', 'support/says-whether-it-listens.ts'];
  const child = spawn(
    process.execPath,
    program.map((name) => join(__dirname, name)),
    { stdio: [stdin, 'pipe', 'inherit'] },
  );
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', () => resolve(text));
  });
}

it('a descriptor listens when it is a socket that does, which is left as it was', async () => {
  const server = createServer((socket) => socket.end('served'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  expect(await listens(fd)).toBe('true true');
  await new Promise((resolve) => server.close(resolve));
});

it.each(['pipe', 'ignore'] as const)('what is no listening socket does not listen: %s', async (stdin) => {
  expect(await listens(stdin)).toBe('false false');
});
