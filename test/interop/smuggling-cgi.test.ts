import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  freePort,
  http,
  repository,
  startApache,
  startLighttpd,
} from '../../packages/testkit/src/index.ts';

/** The program that docs/how-to/cgi.md begins with: the app itself, started by its first line. */
function install(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(join(repository, 'packages/postern/bin/postern.js'), join(bin, 'postern'));
  symlinkSync(process.execPath, join(bin, 'node'));
  const program = join(folder, 'app.cgi');
  const app = `export default (environ) => ({
  status: 200,
  body: JSON.stringify({ words: process.argv.slice(4), query: environ.QUERY_STRING, script: environ.SCRIPT_NAME }),
});\n`;
  writeFileSync(program, `#!/usr/bin/env -S postern serve\n${app}`);
  chmodSync(program, 0o755);
  return `${bin}:/usr/bin:/bin`;
}

const start = {
  Apache: () =>
    startApache(
      ['cgid', 'env'],
      (_, folder) => `SetEnv PATH "${install(folder)}"
ScriptSock ${folder}/cgid.sock
<Directory "${folder}">
  Options +ExecCGI
  Require all granted
</Directory>
<FilesMatch "[.]cgi$">
  SetHandler cgi-script
</FilesMatch>`,
    ),
  lighttpd: () =>
    startLighttpd(
      (_, folder) => `server.modules += ( "mod_cgi", "mod_setenv" )
setenv.add-environment = ( "PATH" => "${install(folder)}" )
cgi.assign = ( ".cgi" => "" )`,
    ),
};

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe.each(['Apache', 'lighttpd'] as const)('a CGI program under %s', (name) => {
  let frontEnd: FrontEnd;
  beforeAll(async () => {
    frontEnd = await start[name]();
  });
  afterAll(() => frontEnd?.stop());

  it('C7 (CVE-2012-1823): takes no flag out of the query', async () => {
    const port = await freePort();
    for (const query of [`--listen+http://127.0.0.1:${port}`, '--mount+/evil', '--help', '-d+x', 'hello+world']) {
      const reply = await http({ port: frontEnd.port, path: `/app.cgi?${query}` });
      expect([query, reply.status]).toEqual([query, 200]);
      // Apache has put them there
      const words = name === 'Apache' ? query.split('+') : [];
      expect(JSON.parse(reply.text)).toEqual({ words, query, script: '/app.cgi' });
    }
    expect(await connects(port)).toBe(false);
  });
});
