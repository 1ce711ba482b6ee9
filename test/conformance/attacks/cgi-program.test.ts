import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { repository, startChild, temporaryFolder } from '@postern/testkit';

const { path: folder, remove } = temporaryFolder();
afterAll(remove);
const program = join(folder, 'app.cgi');
writeFileSync(
  program,
  `export default async (environ) => ({
  status: 200,
  body: JSON.stringify({ environ, mount: environ.SCRIPT_NAME, body: await environ['gateway.input'].text() }),
});\n`,
);
chmodSync(program, 0o755);

const bin = join(repository, 'packages/postern/bin/postern.js');

/** `postern serve` as Apache starts it: the words of a query without "=" are on the command line. */
async function run(query: string, words: string[] = [], more: Record<string, string> = {}) {
  const child = startChild(process.execPath, [bin, 'serve', program, ...words], {
    env: {
      ...{ GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', SERVER_PROTOCOL: 'HTTP/1.1' },
      ...{ SCRIPT_NAME: '/app.cgi', SCRIPT_FILENAME: program, REQUEST_URI: `/app.cgi?${query}`, QUERY_STRING: query },
      ...more,
    },
  });
  const { code } = await child.ended();
  const output = child.output();
  const [head, body] = [output.slice(0, output.indexOf('\r\n\r\n')), output.slice(output.indexOf('\r\n\r\n') + 4)];
  return { code, head, body, seen: () => JSON.parse(body).environ };
}

describe('a CGI program', () => {
  it.each([
    ['--listen+http://127.0.0.1:0', ['--listen', 'http://127.0.0.1:0']],
    ['--mount+/evil', ['--mount', '/evil']],
    ['--ready-file+/tmp/owned', ['--ready-file', '/tmp/owned']],
    ['--help', ['--help']],
    ['-d+allow_url_include', ['-d', 'allow_url_include']],
    ['hello+world', ['hello', 'world']],
  ])('C7 (CVE-2012-1823): the words of the query %s are no flags', async (query, words) => {
    const { code, head, seen } = await run(query, words);
    expect([code, head]).toEqual([0, expect.stringMatching(/^Status: 200 /)]);
    expect(seen()).toMatchObject({ QUERY_STRING: query, SCRIPT_NAME: '/app.cgi' });
  });

  it('C8: sees the variables of its request, and nothing of its process', async () => {
    const own = {
      LD_LIBRARY_PATH: '/tmp',
      NODE_NO_WARNINGS: '1',
      PATH: '/usr/bin',
      HOME: '/root',
      AJP_SECRET: 'secret',
    };
    const { code, body, seen } = await run('', [], {
      ...own,
      'BASH_FUNC_x%%': '() { id; }',
      HTTP_PROXY: 'http://evil.test/',
      HTTP_USER_AGENT: '() { :;}; id',
      MY_SETTING: 'kept',
    });
    expect(code).toBe(0);
    expect(seen()).toMatchObject({ HTTP_USER_AGENT: '() { :;}; id', MY_SETTING: 'kept' });
    expect(Object.keys(seen()).filter((name) => name in own || /^(?:BASH_FUNC|HTTP_PROXY)/.test(name))).toEqual([]);
    expect(body).not.toContain('secret');
  });

  it('C1 (CVE-2016-5385): a field Proxy sets no proxy for a CGI program', async () => {
    const { seen } = await run('', [], { HTTP_PROXY: 'http://evil.test/', HTTP_X_A: 'b' });
    expect(seen().HTTP_X_A).toBe('b');
    expect(seen()).not.toHaveProperty('HTTP_PROXY');
  });

  it('C3: HTTP_CONTENT_LENGTH is no length for a CGI program', async () => {
    const { body } = await run('', [], { HTTP_CONTENT_LENGTH: '5' });
    expect(JSON.parse(body)).toMatchObject({ body: '' });
    expect(JSON.parse(body).environ).not.toHaveProperty('HTTP_CONTENT_LENGTH');
  });
});
