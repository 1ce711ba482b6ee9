import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Child,
  type FrontEnd,
  http,
  repository,
  startChild,
  temporaryFolder,
} from '../../packages/testkit/src/index.ts';
import { curlExitCode } from './broken-transfer.ts';
import { replaced, startByConfig } from './by-config.ts';
import { describeScenarios, type Quirks } from './scenarios.ts';

/** Where the program is, and what else a web server makes. */
const folder = temporaryFolder();
const program = join(folder.path, 'app.fcgi');
const sockets = join(folder.path, 'sockets');
let spawned: Child | undefined;

beforeAll(() => {
  const postern = join(repository, 'packages/postern/bin/postern.js');
  const app = join(repository, 'test/fixtures/plain.mjs');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${postern}' serve '${app}'\n`);
  chmodSync(program, 0o755);
  mkdirSync(sockets);
  // the workers of a web server run as another user
  chmodSync(sockets, 0o777);
});
afterAll(() => folder.remove());

const start = (server: 'apache' | 'lighttpd', edit: (text: string) => string): Promise<FrontEnd> =>
  startByConfig(server, 'fastcgi+fd:0', edit, [
    ...['--program', program],
    ...(server === 'apache' ? ['--module', 'fcgid'] : []),
  ]);

/** mod_fcgid in folders of the test. */
const fcgid = (edit = (text: string): string => text): Promise<FrontEnd> =>
  start('apache', (text) => `FcgidIPCDir ${sockets}\nFcgidProcessTableFile ${sockets}/table\n${edit(text)}`);

const lighttpd = (): Promise<FrontEnd> => start('lighttpd', (text) => replaced(text, '/run/lighttpd/', `${sockets}/`));

async function spawnFcgi(): Promise<FrontEnd> {
  const socket = join(sockets, 'spawned.sock');
  spawned = startChild('spawn-fcgi', ['-n', '-s', socket, '-M', '0666', '--', program]);
  await spawned.said(/listening fastcgi\+fd:0/);
  return startByConfig('nginx', `fastcgi+unix:${socket}`);
}

const ways: { name: string; begin: () => Promise<FrontEnd>; quirks?: Quirks; restarts: boolean; hides: boolean }[] = [
  {
    name: 'Apache (mod_fcgid)',
    begin: fcgid,
    quirks: { hearsByWriting: true, hidesBreaks: true, completesOnClose: true, severalProcesses: true },
    restarts: true,
    hides: true,
  },
  {
    name: 'lighttpd (bin-path)',
    begin: lighttpd,
    quirks: { hearsByWriting: true, completesOnClose: true },
    restarts: true,
    hides: false,
  },
  { name: 'spawn-fcgi, behind nginx', begin: spawnFcgi, restarts: false, hides: false },
];

describe.each(ways)('an app on descriptor 0, started by $name', ({ name, begin, quirks, restarts, hides }) => {
  let frontEnd: FrontEnd;

  beforeAll(async () => {
    frontEnd = await begin();
  });
  afterAll(async () => {
    await frontEnd.stop();
    await spawned?.stop();
  });

  describeScenarios(name, () => frontEnd.port, quirks);

  if (!restarts) return;

  it.each([
    ['throws', 'SIGUSR2'],
    ['is killed', 'SIGKILL'],
  ] as const)('that %s behind the head of a reply: without Content-Length, then with it', async (_, signal) => {
    expect(await curlExitCode(frontEnd.port, '', signal)).toBe(hides ? 0 : 18);
    expect(await curlExitCode(frontEnd.port, '?length=100000', signal)).toBe(18);
  });
});

it('gets 131,072 bytes from a mod_fcgid that was not told how much to take, and no more', async () => {
  const apache = await fcgid((text) => replaced(text, 'FcgidMaxRequestLen', '#FcgidMaxRequestLen'));
  const upload = async (size: number): Promise<number> =>
    (await http({ port: apache.port, path: '/hash', method: 'POST', body: Buffer.alloc(size) })).status;
  expect([await upload(131_072), await upload(131_073)]).toEqual([200, 500]);
  await apache.stop();
});
