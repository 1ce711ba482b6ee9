import { expect, it } from '@jest/globals';
import { PosternError } from '@postern/core';
import { appLines, errorLine } from '../../src/demo/log-lines.ts';

it('what the app wrote is told line by line, made safe', () => {
  expect(appLines('first\nsecond \x1b[2J "quoted"\n')).toEqual(['app: first', 'app: second \\x1b[2J "quoted"']);
  expect(appLines('\n')).toEqual([]);
});

it('a failure is told with its code', () => {
  expect(errorLine(new PosternError('ERR_REPLY', 'the reply is malformed'))).toBe('ERR_REPLY: the reply is malformed');
  expect(errorLine(new Error('odd'))).toMatch(/^ERR_INTERNAL: Error: odd/);
});
