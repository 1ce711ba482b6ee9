import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CgiHead } from '../src/cgi-head.ts';
import { buildEnviron, type Environ } from '../src/environ.ts';
import type { Exchange } from '../src/exchange.ts';
import { variableNames } from '../src/variable-names.ts';

/** More requests than it takes until a class is made. */
const MANY = 40;

function environOf(head: CgiHead, mount?: string): Environ {
  return buildEnviron({ head, protocol: 'fastcgi', role: 'responder' } as unknown as Exchange, mount);
}

/** The environs of the same request, often enough: the last ones come out of a class. */
function environs(flat: readonly string[], mount?: string): Environ[] {
  const names = variableNames(flat.filter((_, i) => i % 2 === 0));
  const values = flat.filter((_, i) => i % 2 === 1);
  return Array.from({ length: MANY }, () => environOf(new CgiHead(names, values), mount));
}

const name = fc.oneof(
  fc.constantFrom(
    'SCRIPT_NAME',
    'PATH_INFO',
    'QUERY_STRING',
    'REQUEST_URI',
    'CONTENT_TYPE',
    'CONTENT_LENGTH',
    'HTTP_PROXY',
  ),
  fc.constantFrom(
    'constructor',
    'toString',
    '__proto__',
    'gateway.input',
    'HTTP_A',
    'HTTPS',
    'a"];throw(1);//',
    "'",
    '\\',
    '`$x`',
  ),
  fc.stringMatching(/^[!-<>-~]{1,12}$/),
);
const flat = fc
  .uniqueArray(fc.tuple(name, fc.stringMatching(/^[\x20-\x7e]{0,8}$/)), { selector: ([one]) => one, maxLength: 12 })
  .map((pairs) =>
    pairs.filter(([one]) => one !== 'CONTENT_LENGTH' && one !== 'REQUEST_METHOD' && one !== 'SERVER_PROTOCOL'),
  )
  .map((pairs) => [['REQUEST_METHOD', 'GET'], ...pairs].flat());

describe('an environ out of a class', () => {
  it('is the same as one that was filled by hand, key by key', () => {
    fc.assert(
      fc.property(
        flat,
        fc.constantFrom('', '0', '12', undefined),
        fc.constantFrom(undefined, '/m'),
        (some, length, mount) => {
          const sent = length === undefined ? some : [...some, 'CONTENT_LENGTH', length];
          const all = environs(sent, mount);
          for (const environ of all) {
            expect(Object.entries(environ).sort()).toEqual(Object.entries(all[0]).sort());
            expect(environ['gateway.protocol']).toBe('fastcgi');
            expect(Reflect.has(environ, 'constructor')).toBe(sent.includes('constructor'));
          }
        },
      ),
    );
  });

  it('keeps the order in which the web server sent its variables', () => {
    const all = environs(['B', '1', 'REQUEST_METHOD', 'GET', 'A', '2', 'SCRIPT_NAME', '/x', 'REQUEST_URI', '/x']);
    const sent = ['B', 'REQUEST_METHOD', 'A', 'SCRIPT_NAME', 'REQUEST_URI'];
    for (const environ of all) expect(Object.keys(environ).filter((key) => sent.includes(key))).toEqual(sent);
  });

  it('is a new object for every request, which nobody else sees changed', () => {
    const names = variableNames(['REQUEST_METHOD', 'HTTP_A']);
    for (let i = 0; i < MANY; i++) {
      const environ = environOf(new CgiHead(names, ['GET', `value ${i}`]));
      expect(environ.HTTP_A).toBe(`value ${i}`);
      expect(environ.MINE).toBeUndefined();
      environ.MINE = i;
      environ.HTTP_A = 'changed';
    }
  });

  it('tells requests with and without a body apart, although they come with the same names', () => {
    const names = variableNames(['REQUEST_METHOD', 'CONTENT_TYPE', 'CONTENT_LENGTH']);
    for (let i = 0; i < 4 * MANY; i++) {
      const [type, length] = [i % 2 === 0 ? '' : 'text/plain', i % 4 < 2 ? '' : '3'];
      const environ = environOf(new CgiHead(names, ['POST', type, length]));
      expect(environ.CONTENT_TYPE).toBe(type || undefined);
      expect('CONTENT_TYPE' in environ).toBe(type !== '');
      expect(environ.CONTENT_LENGTH).toBe(length || undefined);
      expect('CONTENT_LENGTH' in environ).toBe(length !== '');
    }
  });

  it('is filled by hand where a process may not make code', () => {
    const program = `import { buildEnviron, CgiHead, variableNames } from '@postern/core';
const names = variableNames(['REQUEST_METHOD', 'HTTP_A']);
for (let i = 0; i < ${MANY}; i++) console.log(buildEnviron({ head: new CgiHead(names, ['GET', 'x' + i]) }).HTTP_A);`;
    const core = join(__dirname, '..');
    const args = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program];
    const output = execFileSync(process.execPath, args, { cwd: core, encoding: 'utf8' });
    expect(output.trim().split('\n')).toEqual(Array.from({ length: MANY }, (_, i) => `x${i}`));
  });
});
