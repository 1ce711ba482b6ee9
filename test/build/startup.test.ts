import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startPostern, temporaryFolder } from '../../packages/testkit/src/index.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** What of Node `postern serve` has loaded when it ends. */
async function loaded(kind: string, app: string, listen: string[]): Promise<string[]> {
  const path = join(folder.path, `${kind}.mjs`);
  writeFileSync(path, `${app}\nprocess.on('exit', () => console.log(process.moduleLoadList.join('\\n')));\n`);
  const child = startPostern(['serve', path, ...listen.flatMap((address) => ['--listen', address])]);
  await child.said(/^listening/m);
  expect((await child.stop()).code).toBe(0);
  return child.output().match(/^NativeModule .*/gm) ?? [];
}

// a fetch app loads it by the first Request or Response, which are Node's
const apps = {
  environ: 'export default (environ) => ({ status: 200, headers: {}, body: environ.REQUEST_METHOD });',
  node: 'export default (req, res) => res.end();',
};
const tls = ['NativeModule tls', 'NativeModule https', 'NativeModule crypto'];

describe('postern serve without TLS', () => {
  it.each(Object.entries(apps))('does not load it for an app of the kind %s', async (kind, app) => {
    const modules = await loaded(kind, app, ['fastcgi://127.0.0.1:0', `fastcgi+unix:${folder.path}/s`]);
    expect(modules).toContain('NativeModule net');
    expect(modules.filter((name) => tls.includes(name))).toEqual([]);
  });
});
