import { symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@postern/testkit';
import { withoutQueryWords } from '../src/query-words.ts';

const { path: folder, remove } = temporaryFolder();
afterAll(remove);
const program = join(folder, 'app.cgi');
const link = join(folder, 'link.cgi');
writeFileSync(program, '');
symlinkSync(program, link);

const words = ['--listen', 'http://0.0.0.0:80'];
const cgi = { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET' };

describe('the command line of a CGI program', () => {
  it.each([
    ['is the program', program],
    ['is the program, by another name', link],
    ['is the program, seen from where it runs', relative(process.cwd(), program)],
  ])('ends with the module, where that %s', (_, module) => {
    const env = { ...cgi, SCRIPT_FILENAME: program };
    expect(withoutQueryWords(['serve', '--mount', '/', module, ...words], env)).toEqual([
      'serve',
      '--mount',
      '/',
      module,
    ]);
  });

  it('ends with the module, where SCRIPT_NAME alone tells that it is the program', () => {
    const env = { ...cgi, SCRIPT_NAME: '/cgi-bin/app.cgi' };
    expect(withoutQueryWords(['serve', program, ...words], env)).toEqual(['serve', program]);
  });

  it.each([
    [
      'a wrapper that has flags of its own',
      { ...cgi, SCRIPT_FILENAME: join(folder, 'wrapper.cgi'), SCRIPT_NAME: '/app.cgi' },
    ],
    ['a wrapper, by SCRIPT_NAME', { ...cgi, SCRIPT_NAME: '/cgi-bin/wrapper.cgi' }],
    ['a web server that tells neither', { ...cgi, SCRIPT_NAME: '' }],
    ['no CGI', { SCRIPT_FILENAME: program }],
  ])('stays as it is with %s', (_, env) => {
    const argv = ['serve', program, ...words];
    expect(withoutQueryWords(argv, env)).toEqual(argv);
  });
});
