import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Child,
  type FrontEnd,
  http,
  repository,
  servePostern,
  startApache,
  startCaddy,
  startChild,
  startHaproxy,
  startLighttpd,
  startNginx,
} from '../../packages/testkit/src/index.ts';

interface Block {
  readonly page: string;
  readonly language: string;
  readonly code: string;
  /** Of a block whose first line is `// name`. */
  readonly name: string | undefined;
}

function pages(): string[] {
  const docs = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' });
  return ['README.md', ...docs.filter((page) => page.endsWith('.md')).map((page) => join('docs', page))];
}

const blocks: Block[] = pages().flatMap((page) =>
  [...readFileSync(join(repository, page), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, language, code]) => ({
      page,
      language,
      code,
      name: /^\/\/ (\S+\.m?js)\n/.exec(code)?.[1],
    }),
  ),
);

/** Apache's modules that the stanzas need: beside a packaged Apache, each is `a2enmod` away. */
const proxies = ['proxy', 'proxy_ajp', 'proxy_fcgi'];
const authorization = ['authn_core', 'auth_basic', 'authz_user', 'authnz_fcgi'];

function withLanguage(language: string): Block[] {
  return blocks.filter((block) => block.language === language);
}

// inside the repository, so that the imports of the blocks are found
const folder = join(repository, '.cache', `docs-${process.pid}`);

function save(block: Block): string {
  const path = join(folder, `${blocks.indexOf(block)}.mjs`);
  writeFileSync(path, block.code);
  return path;
}

async function serveAndAsk(module: string): Promise<{ child: Child; status: number }> {
  const { child, addresses } = await servePostern(module, ['fastcgi://127.0.0.1:0']);
  const nginx = await startNginx(
    (port) =>
      `server { listen 127.0.0.1:${port}; location / { include /etc/nginx/fastcgi_params; fastcgi_pass ${addresses[0].slice(10)}; } }`,
  );
  const { status } = await http({ port: nginx.port, path: '/' });
  await nginx.stop();
  return { child, status };
}

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the code blocks of the docs', () => {
  it.each(withLanguage('js').filter((block) => block.name !== undefined))(
    '$page: the app $name answers behind nginx',
    async (block) => {
      const { child, status } = await serveAndAsk(save(block).slice(repository.length + 1));
      expect(status).toBe(200);
      expect((await child.stop()).code).toBe(0);
    },
  );

  it.each(withLanguage('js').filter((block) => block.name === undefined))(
    '$page: a fragment is JavaScript whose imports exist',
    async (block) => {
      const path = save(block);
      const checked = startChild(process.execPath, ['--check', path]);
      expect([(await checked.ended()).code, checked.output()]).toEqual([0, '']);
      for (const [, specifier] of block.code.matchAll(/from '([^']+)'/g))
        expect(() => require.resolve(specifier)).not.toThrow();
    },
  );

  it('of the client are programs that ask an app', async () => {
    const app = join(folder, 'asked.mjs');
    const roles = withLanguage('js').filter(({ name }) => name === 'guard.mjs' || name === 'upper.mjs');
    writeFileSync(
      app,
      roles.map(({ code }, i) => (i === 0 ? code : code.replace(/^export default.*$/m, ''))).join('\n'),
    );
    const socket = join(tmpdir(), `postern-docs-${process.pid}.sock`);
    const { child } = await servePostern(app.slice(repository.length + 1), [`fastcgi+unix:${socket}`]);
    const programs = withLanguage('js').filter(({ page }) => page === 'docs/how-to/client.md');
    const said: string[] = [];
    for (const block of programs) {
      const path = save({ ...block, code: block.code.replaceAll('/run/app.sock', socket) });
      const program = startChild(process.execPath, [path]);
      expect([(await program.ended()).code, program.output()]).toEqual([0, expect.stringMatching(/./)]);
      said.push(program.output());
    }
    expect((await child.stop()).code).toBe(0);
    expect(said).toEqual([
      expect.stringMatching(/^200 \[[\s\S]*hello stranger/),
      expect.stringContaining("[ '/three', 200, 15 ]"),
      expect.stringContaining("'REMOTE_USER',\n  'ada'"),
      'THE FILE THAT IS TO BE FILTERED\n',
      expect.stringMatching(/^\d+ 1 \d+\n$/),
    ]);
  });

  it.each(withLanguage('nginx'))('$page: a stanza is accepted by nginx', async ({ code }) => {
    const included = code.replaceAll('include fastcgi_params', 'include /etc/nginx/fastcgi_params');
    const nginx: FrontEnd = await startNginx((port) =>
      included.startsWith('location')
        ? `server { listen 127.0.0.1:${port};\n${included} }`
        : included.replace(/listen \d+/, `listen 127.0.0.1:${port}`),
    );
    await nginx.stop();
  });

  it.each(withLanguage('lighttpd'))('$page: a stanza is accepted by lighttpd', async ({ code }) => {
    await (await startLighttpd(() => code)).stop();
  });

  it.each(withLanguage('apache'))('$page: a stanza is accepted by Apache', async ({ code }) => {
    await (await startApache([...proxies, ...authorization], () => code)).stop();
  });

  it.each(withLanguage('caddyfile'))('$page: a stanza is accepted by Caddy', async ({ code }) => {
    await (await startCaddy((port) => code.replace(/:\d+ \{/, `:${port} {`))).stop();
  });

  it.each(withLanguage('haproxy'))('$page: a stanza is accepted by HAProxy', async ({ code }) => {
    await (await startHaproxy((port) => code.replace(/bind :\d+/, `bind 127.0.0.1:${port}`))).stop();
  });

  it('docs/how-to/systemd.md: the units are accepted by systemd without a word', async () => {
    const paths = withLanguage('ini').map(({ code }) => {
      const path = join(folder, /^# \/etc\/systemd\/system\/(\S+)\n/.exec(code)?.[1] as string);
      writeFileSync(path, code.replace('/usr/bin/node', process.execPath));
      return path;
    });
    expect(paths).toHaveLength(2);
    const verified = startChild('systemd-analyze', ['verify', ...paths]);
    expect([(await verified.ended()).code, verified.output()]).toEqual([0, '']);
  });

  it.each(readdirSync(join(repository, 'docs/examples')).filter((name) => name.endsWith('.mjs')))(
    'docs/examples/%s answers behind nginx',
    async (name) => {
      const { child, status } = await serveAndAsk(join('docs/examples', name));
      expect(status).toBe(200);
      expect((await child.stop()).code).toBe(0);
    },
  );

  it('have no link that leads nowhere', () => {
    for (const page of [...pages(), 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']) {
      const text = readFileSync(join(repository, page), 'utf8').replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        const path = join(repository, page, '..', target);
        expect(() => readFileSync(path)).not.toThrow();
      }
    }
  });
});
