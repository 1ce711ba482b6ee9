import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repository, startChild, temporaryFolder } from '../packages/testkit/src/index.ts';

const folder = temporaryFolder();

async function check(): Promise<{ code: number | null; output: string }> {
  const child = startChild(process.execPath, [join(repository, 'scripts/layers.mjs'), folder.path]);
  const { code } = await child.ended();
  return { code, output: child.output() };
}

function addLine(file: string, line: string): () => void {
  const path = join(folder.path, file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, `${line}\n${before}`);
  return () => writeFileSync(path, before);
}

describe('the layer check', () => {
  beforeAll(() => {
    cpSync(join(repository, 'packages'), join(folder.path, 'packages'), {
      recursive: true,
      filter: (source) => !/\/(?:dist|node_modules|test)(?:\/|$)/.test(source),
    });
  });
  afterAll(() => folder.remove());

  it('passes on the repository as it is', async () => {
    expect(await check()).toMatchObject({ code: 0 });
  });

  it.each([
    ['packages/server/src/server.ts', "import { fastcgi } from '@postern/fastcgi';", 'is no arrow of the picture'],
    ['packages/core/src/index.ts', "export { connect } from 'node:net';", 'may not use'],
    ['packages/core/src/index.ts', "process.getBuiltinModule('node:net');", 'may not use'],
    ['packages/fastcgi/src/params.ts', "import { Parser } from 'binary-parser';", 'may not have'],
    ['packages/scgi/src/index.ts', "import '../../ajp/src/index.ts';", 'leaves its package'],
    ['packages/client/src/index.ts', "const yargs = await import('yargs');", 'may not have'],
    ['packages/fetch/src/index.ts', "export { a } from '@postern/core/dist/environ.js';", 'reaches behind'],
  ])('fails when %s gets %s', async (file, line, reason) => {
    const undo = addLine(file, line);
    const { code, output } = await check();
    undo();
    expect(code).toBe(1);
    expect(output).toContain(`${file}: `);
    expect(output).toContain(reason);
  });
});
