import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repository, startChild, temporaryFolder } from '../../packages/testkit/src/index.ts';

const folder = temporaryFolder();
const project = join(folder.path, 'project');
const packages = readdirSync(join(repository, 'packages')).filter((name) => name !== 'testkit');

async function run(command: string, args: string[], cwd = project): Promise<string> {
  const child = startChild(command, args, { cwd });
  const { code } = await child.ended();
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${child.output()}`);
  return child.output();
}

/** The names that `postern` gives to an app; each of the ways to load it must see the same. */
const names = ['createServer', 'environOf', 'serve'];

describe('the tarballs of npm pack, installed in an empty project', () => {
  beforeAll(async () => {
    mkdirSync(project);
    for (const name of packages)
      await run('npm', ['pack', '--silent', '--pack-destination', folder.path], join(repository, 'packages', name));
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }');
    const tarballs = readdirSync(folder.path).filter((name) => name.endsWith('.tgz'));
    expect(tarballs).toHaveLength(packages.length);
    await run('npm', [
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      ...tarballs.map((name) => join(folder.path, name)),
    ]);
  }, 300_000);

  afterAll(() => folder.remove());

  it('hold what was built, its types and its sources, and no tests', () => {
    const files = readdirSync(join(project, 'node_modules/@postern/core'), { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'package.json']));
    expect(files.filter((file) => file.includes('test'))).toEqual([]);
  });

  it.each(packages)('hold the sources that the source maps of what was built name: %s', (name) => {
    const own = join(project, 'node_modules', name === 'postern' ? name : `@postern/${name}`);
    const files = readdirSync(join(own, 'dist'), { recursive: true, encoding: 'utf8' });
    const maps = files.filter((file) => file.endsWith('.js.map')).map((file) => join(own, 'dist', file));
    expect(maps.length).toBeGreaterThan(0);
    expect(maps).toHaveLength(files.filter((file) => file.endsWith('.js')).length);
    const sources = maps.flatMap((map) =>
      (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources.map((source) => join(map, '..', source)),
    );
    expect(sources.filter((source) => !existsSync(source))).toEqual([]);
  });

  it('work with an ESM import', async () => {
    writeFileSync(
      join(project, 'a.mjs'),
      `import { ${names.join(', ')} } from 'postern'; console.log(${names.map((name) => `typeof ${name}`).join(', ')});`,
    );
    expect(await run(process.execPath, ['a.mjs'])).toBe('function function function\n');
  });

  it('work with a CommonJS require', async () => {
    writeFileSync(
      join(project, 'a.cjs'),
      `const { ${names.join(', ')} } = require('postern'); console.log(${names.map((name) => `typeof ${name}`).join(', ')});`,
    );
    expect(await run(process.execPath, ['--no-warnings', 'a.cjs'])).toBe('function function function\n');
  });

  it.each(packages)(
    'have types that tsc takes with skipLibCheck off: %s',
    async (name) => {
      const target = name === 'postern' ? 'postern' : `@postern/${name}`;
      for (const [file, line] of [
        [`${name}.mts`, `import * as it from '${target}';`],
        [`${name}.cts`, `import it = require('${target}');`],
      ]) {
        writeFileSync(join(project, file), `${line}\nexport const value: object = it;\n`);
      }
      const tsc = join(repository, 'node_modules/typescript/bin/tsc');
      const types = ['--typeRoots', join(repository, 'node_modules/@types'), '--types', 'node'];
      await run(process.execPath, [
        tsc,
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2023',
        '--skipLibCheck',
        'false',
        ...types,
        `${name}.mts`,
        `${name}.cts`,
      ]);
    },
    60_000,
  );

  it('have a README example that tsc takes', async () => {
    const readme = readFileSync(join(repository, 'README.md'), 'utf8');
    const [, code] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(code).toBeDefined();
    writeFileSync(join(project, 'readme.mts'), code as string);
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const types = ['--typeRoots', join(repository, 'node_modules/@types'), '--types', 'node'];
    await run(process.execPath, [
      tsc,
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--skipLibCheck',
      'false',
      ...types,
      'readme.mts',
    ]);
  }, 60_000);

  it('bring the postern command', async () => {
    const output = await run(join(project, 'node_modules/.bin/postern'), ['--version']);
    expect(output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
