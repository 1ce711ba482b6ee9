import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from '../../packages/testkit/src/index.ts';

const names = readdirSync(join(repository, 'packages'));

/** What a program prints that imports what was built. */
function printed(code: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: repository, encoding: 'utf8' });
}

describe('the packages as they were built', () => {
  // a class that names itself gets a line before its name
  it.each(names)('%s: classes and functions have their names, as stack traces show them', (name) => {
    const code = `import * as all from '${name === 'postern' ? name : `@postern/${name}`}';
      const named = Object.entries(all).filter(([, it]) => typeof it === 'function');
      console.log(JSON.stringify(named.map(([name, it]) => [name, it.name.replace(/^_/, '')])));`;
    const named = JSON.parse(printed(code)) as [string, string][];
    expect(named.filter(([exported, own]) => exported !== own)).toEqual([]);
  });

  it('share their modules: an error of a protocol is an error of the core that an application imports', () => {
    const code = `import { PosternError } from '@postern/core';
      import { PosternError as same, serve } from 'postern';
      const error = await serve(() => {}, { listen: 'fastcgi://127.0.0.1:99999' }).catch((error) => error);
      console.log(same === PosternError, error instanceof PosternError);`;
    expect(printed(code)).toBe('true true\n');
  });
});
