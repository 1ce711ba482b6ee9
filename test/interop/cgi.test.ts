import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  repository,
  startApache,
  startLighttpd,
  until,
} from '../../packages/testkit/src/index.ts';
import { describeScenarios, leaveMidway } from './scenarios.ts';

/** The app file that listens on every protocol elsewhere, as a CGI program: a wrapper, for the folder may not be in PATH. */
function installProgram(folder: string, app: string): string {
  const program = join(folder, 'cgi', 'app.cgi');
  mkdirSync(join(folder, 'cgi'));
  const postern = join(repository, 'packages/postern/bin/postern.js');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${postern}' serve '${join(repository, app)}'\n`);
  chmodSync(program, 0o755);
  return program;
}

const startApacheCgi = (app: string): Promise<FrontEnd> =>
  startApache(
    ['cgid', 'alias'],
    (_, folder) => `ScriptSock ${folder}/cgid.sock
AllowEncodedSlashes NoDecode
ScriptAlias / "${installProgram(folder, app)}/"
<Directory "${folder}/cgi">
  Require all granted
  CGIPassAuth On
</Directory>`,
  );

const startLighttpdCgi = (app: string): Promise<FrontEnd> =>
  startLighttpd((_, folder) => {
    installProgram(folder, app);
    return `server.modules += ( "mod_cgi", "mod_rewrite" )
server.stream-response-body = 1
cgi.assign = ( ".cgi" => "" )
url.rewrite-once = ( "" => "/cgi/app.cgi\${url.path}\${qsa}" )`;
  });

describe.each([
  ['Apache mod_cgid', startApacheCgi],
  ['lighttpd mod_cgi', startLighttpdCgi],
])('CGI under %s', (name, start) => {
  let frontEnd: FrontEnd;
  beforeAll(async () => {
    frontEnd = await start('test/fixtures/plain.mjs');
  });
  afterAll(() => frontEnd.stop());

  describeScenarios(name, () => frontEnd.port, { processPerRequest: true });

  it('ends the program when the client leaves', async () => {
    const { pid } = JSON.parse((await http({ port: frontEnd.port, path: '/' })).text);
    // the program of a request that is complete is gone
    await until(
      () => isAlive(pid),
      (alive) => !alive,
    );
    const running = await pidOfTicks(frontEnd.port);
    await until(
      () => isAlive(running),
      (alive) => !alive,
    );
  });
});

/** The program whose client left in the middle of its reply. */
async function pidOfTicks(port: number): Promise<number> {
  let seen = '';
  await leaveMidway(port, '/ticks', (chunk) => {
    seen += chunk;
  });
  return Number(/^pid (\d+)/.exec(seen)?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('an app that cannot be loaded, as a CGI program under Apache', () => {
  let frontEnd: FrontEnd;
  beforeAll(async () => {
    frontEnd = await startApacheCgi('test/fixtures/none.mjs');
  });
  afterAll(() => frontEnd.stop());

  it('is answered 500, without the cause', async () => {
    const reply = await http({ port: frontEnd.port, path: '/' });
    expect(reply.status).toBe(500);
    expect(reply.text).toBe('500 Internal Server Error\n');
  });
});
