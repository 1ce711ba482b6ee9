import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { repository, temporaryFolder } from '../../packages/testkit/src/index.ts';

const folder = temporaryFolder();
let root = '';
let count = 0;

/** Bundles as all scripts do, in a process of its own. */
function bundle(): void {
  const bundler = JSON.stringify(join(repository, 'scripts/lib/bundle.mjs'));
  const code = `import { bundlePackages } from ${bundler}; await bundlePackages(${JSON.stringify(root)});`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'pipe' });
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

function run(file: string): string {
  return execFileSync(process.execPath, [join(root, file)], { encoding: 'utf8' });
}

function built(): string[] {
  return readdirSync(join(root, 'packages/a/dist'), { recursive: true, encoding: 'utf8' }).sort();
}

describe('what the build makes of a package', () => {
  beforeEach(() => {
    root = join(folder.path, String(count++));
    write({
      'packages/a/package.json': '{ "type": "module" }',
      'packages/a/src/index.ts': "import { word } from './word.ts';\nconsole.log(word);\n",
      'packages/a/src/word.ts': "export const word: string = 'first';\n",
    });
  });
  afterAll(() => folder.remove());

  it('is one file, and where each line came from', () => {
    bundle();
    expect(built()).toEqual(['index.js', 'index.js.map']);
    expect(run('packages/a/dist/index.js')).toBe('first\n');
    expect(JSON.parse(readFileSync(join(root, 'packages/a/dist/index.js.map'), 'utf8')).sources).toEqual([
      '../src/word.ts',
      '../src/index.ts',
    ]);
  });

  it('is what the sources say, also where types alone were built since', () => {
    bundle();
    write({ 'packages/a/src/word.ts': "export const word: string = 'second';\n", 'packages/a/dist/word.d.ts': '' });
    bundle();
    expect(run('packages/a/dist/index.js')).toBe('second\n');
    expect(built()).toContain('word.d.ts');
  });

  it('leaves no JavaScript behind that was built in another way', () => {
    write({ 'packages/a/dist/word.js': '', 'packages/a/dist/word.js.map': '', 'packages/a/dist/shared-OLD.js': '' });
    bundle();
    expect(built()).toEqual(['index.js', 'index.js.map']);
  });

  it('is not touched where nothing has changed', () => {
    bundle();
    const before = statSync(join(root, 'packages/a/dist/index.js'));
    bundle();
    const { ino, mtimeMs } = statSync(join(root, 'packages/a/dist/index.js'));
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
  });
});
