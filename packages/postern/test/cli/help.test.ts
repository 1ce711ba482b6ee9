import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { repository } from '@postern/testkit';
import { cleanUp, folderWith, postern } from './workshop.ts';

afterEach(cleanUp);

async function printed(...args: string[]): Promise<string> {
  const child = postern(folderWith(), args);
  expect((await child.ended()).code).toBe(0);
  return child.output();
}

describe('--help', () => {
  it.each([
    [[], 'postern serve ./app.mjs --listen fastcgi://127.0.0.1:9000'],
    [['serve'], 'postern serve ./app.mjs --listen fastcgi://127.0.0.1:9000'],
    [['config'], 'postern config nginx --listen fastcgi://127.0.0.1:9000'],
  ])('of %j shows an example first', async (command, example) => {
    const text = await printed(...command, '--help');
    expect(text.startsWith(`Example:\n${example}`)).toBe(true);
    expect(await printed(...command, '-h')).toBe(text);
  });

  it('shows what there is, and nothing that there is not', async () => {
    const [all, serve, config] = [
      await printed('--help'),
      await printed('serve', '--help'),
      await printed('config', '--help'),
    ];
    expect(all).toMatch(/serve <module>/);
    expect(all).toMatch(/config <target>/);
    expect(all).not.toMatch(/request|proxy|tap|dump|replay|load|doctor|lint|conform|status|reload/);
    for (const flag of ['listen', 'interface', 'mount', 'ready-file', 'grace', 'max-body', 'app-timeout'])
      expect(serve).toContain(`--${flag} `);
    expect(serve).not.toMatch(/--(?:workers|access-log|status|max-requests|pid-file|user|group|watch|lint|config)\b/);
    expect(serve.replace(/\s+/g, ' ')).toContain('uwsgi, http, https or auto');
    expect(serve).toContain('PROTOCOL+systemd:NAME');
    for (const word of [
      'nginx|apache|lighttpd|caddy|haproxy|systemd',
      '--server-name ',
      '--root ',
      '--module ',
      '--role ',
      '--program ',
    ])
      expect(config).toContain(word);
  });
});

it('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'packages/postern/package.json'), 'utf8'));
  expect(await printed('--version')).toBe(`${version}\n`);
});

it.each([
  ['apache', 'ServerName a.example', '</VirtualHost>\n'],
  ['lighttpd', '$HTTP["host"] == "a.example"', '}\n'],
])('postern config %s prints what the module makes', async (server, line, end) => {
  const listen = 'ajp+unix:/run/app.sock';
  const text = await printed('config', server, '--listen', listen, '--server-name', 'a.example');
  expect(text).toContain(line);
  expect(text.endsWith(end)).toBe(true);
});

it('postern config nginx prints what the module makes', async () => {
  const text = await printed('config', 'nginx', '--listen', 'fastcgi+unix:/run/app.sock', '--server-name', 'a.example');
  expect(text).toContain('server unix:/run/app.sock;');
  expect(text).toContain('server_name a.example;');
  expect(text.endsWith('}\n')).toBe(true);
});
