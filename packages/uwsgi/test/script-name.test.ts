import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '@postern/core';
import fc from 'fast-check';
import { withoutScriptName } from '../src/script-name.ts';

/** SCRIPT_NAME and PATH_INFO afterwards. */
function cut(script: string, path: string): [string, string] {
  const { names, values } = CgiHead.of(['REQUEST_METHOD', 'GET', 'SCRIPT_NAME', script, 'PATH_INFO', path, 'A', 'b']);
  const after = withoutScriptName(names, values);
  expect([after[0], after[3], after.length]).toEqual(['GET', 'b', 4]);
  return [after[1], after[2]];
}

describe('withoutScriptName', () => {
  it.each([
    ['/app', '/app/x', '/app', '/x'],
    ['/app', '/app/', '/app', '/'],
    ['/app', '/app', '/app', ''],
    ['/app/', '/app/x', '/app', '/x'],
    ['/app/', '/app', '/app', ''],
    ['/a/b', '/a/b/c/d', '/a/b', '/c/d'],
    ['/', '/x', '', '/x'],
    ['', '/x', '', '/x'],
    ['', '', '', ''],
    ['/app', '/application', '/app', '/application'],
    ['/app', '/other/app/x', '/app', '/other/app/x'],
    ['/app', '/APP/x', '/app', '/APP/x'],
    ['/app', '', '/app', ''],
    ['/app', '/ap', '/app', '/ap'],
    ['app', '/app/x', 'app', '/app/x'],
  ])('makes of %j and %j: %j and %j', (script, path, newScript, newPath) => {
    expect(cut(script, path)).toEqual([newScript, newPath]);
  });

  it('loses nothing: what was cut off stands in SCRIPT_NAME', () => {
    const path = fc
      .array(fc.constantFrom('/', 'a', 'b', '.', '%'), { maxLength: 6 })
      .map((parts) => `/${parts.join('')}`);
    fc.assert(
      fc.property(path, path, (script, rest) => {
        const prefix = script.replace(/\/$/, '');
        const [newScript, newPath] = cut(script, prefix + rest);
        expect(newScript + newPath).toBe(prefix + rest);
        expect(newPath).toBe(rest);
      }),
    );
  });

  it.each([
    ['SCRIPT_NAME', ['REQUEST_METHOD', 'GET', 'PATH_INFO', '/app/x']],
    ['PATH_INFO', ['REQUEST_METHOD', 'GET', 'SCRIPT_NAME', '/app']],
  ])('leaves a request without %s as it is', (_, flat) => {
    const { names, values } = CgiHead.of(flat);
    expect(withoutScriptName(names, values)).toEqual(values);
  });

  it('leaves the values that it was given alone', () => {
    const { names, values } = CgiHead.of(['REQUEST_METHOD', 'GET', 'SCRIPT_NAME', '/a', 'PATH_INFO', '/a/x']);
    const before = [...values];
    withoutScriptName(names, values);
    expect(values).toEqual(before);
  });
});
