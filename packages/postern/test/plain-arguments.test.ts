import { describe, expect, it } from '@jest/globals';
import { plainServe } from '../src/commands/serve.ts';

describe('a plain command line', () => {
  // what yargs gives, but for its own keys
  it.each<[string[], Record<string, unknown>]>([
    [['app.mjs'], { module: 'app.mjs' }],
    [
      ['./a b.mjs', '--listen', 'fastcgi://127.0.0.1:9000'],
      { module: './a b.mjs', listen: ['fastcgi://127.0.0.1:9000'] },
    ],
    [
      ['--listen', 'scgi+fd:0', 'app.mjs', '--listen=auto+unix:/run/a.sock?mode=0660&group=www-data'],
      { module: 'app.mjs', listen: ['scgi+fd:0', 'auto+unix:/run/a.sock?mode=0660&group=www-data'] },
    ],
    [
      ['app.mjs', '--mount=/a=b', '--grace', '5s', '--max-body', '10m', '--interface', 'node'],
      { module: 'app.mjs', mount: '/a=b', grace: '5s', 'max-body': '10m', interface: 'node' },
    ],
    [['7', '--ready-file', '08', '--mount', 'true'], { module: '7', 'ready-file': '08', mount: 'true' }],
    [['app.mjs', '--mount=/a\n/b'], { module: 'app.mjs', mount: '/a\n/b' }],
  ])('%j is read here', (words, args) => {
    expect(plainServe(words)).toEqual(args);
  });

  it.each([
    [[]],
    [['--listen', 'fastcgi+fd:0']],
    [['app.mjs', 'other.mjs']],
    [['app.mjs', '--listen']],
    [['app.mjs', '--listen', '--mount']],
    [['app.mjs', '--listen', "'fastcgi+fd:0'"]],
    [['"app.mjs"']],
    [['app.mjs', '--mount', '/a', '--mount', '/b']],
    [['app.mjs', '--mount=']],
    [['app.mjs', '--max-body', '-1']],
    [['app.mjs', '--help']],
    [['--version', 'app.mjs']],
    [['-h']],
    [['app.mjs', '--lisen', 'x']],
    [['app.mjs', '--workers', '2']],
    [['app.mjs', '--watch']],
    [['app.mjs', '--']],
    [['app.mjs', '--constructor', 'x']],
  ])('%j is left to yargs', (words) => {
    expect(plainServe(words)).toBeUndefined();
  });
});
