import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { repository } from '../../packages/testkit/src/index.ts';

it('the real web servers send what was recorded, and each difference between them is explained', async () => {
  const golden = spawn(process.execPath, [join(repository, 'scripts/golden/main.mjs'), '--check', '--built'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints = text(golden.stderr);
  const code = await new Promise((resolve, reject) => {
    golden.on('error', reject);
    golden.on('close', resolve);
  });
  expect(await complaints).toBe('');
  expect(code).toBe(0);
}, 120_000);
