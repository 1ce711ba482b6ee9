import { describe, expect, it } from '@jest/globals';
import { everyWay } from '@postern/testkit';
import { UpgradeAnswer } from '../src/upgrade-answer.ts';

interface Read {
  readonly head: unknown;
  readonly rest: string;
  readonly whole: boolean;
}

function read(text: string): Read {
  return everyWay(Buffer.from(text, 'latin1'), (chunks) => {
    const answer = new UpgradeAnswer();
    for (const chunk of chunks) answer.push(Buffer.from(chunk));
    return { head: answer.head, rest: answer.rest.toString('latin1'), whole: answer.whole };
  });
}

describe('the raw answer to an upgrade', () => {
  it('is a 101 with what stands behind it', () => {
    expect(read('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX:  y \r\n\r\nraw\0bytes')).toEqual({
      head: {
        status: 101,
        reason: 'Switching Protocols',
        headers: ['Upgrade', 'websocket', 'X', 'y'],
        length: Number.POSITIVE_INFINITY,
      },
      rest: 'raw\0bytes',
      whole: false,
    });
  });

  it('is a refusal with so much body as it states', () => {
    expect(read('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nnot more')).toMatchObject({
      head: { status: 400, length: 2 },
      rest: 'no',
      whole: true,
    });
    expect(read('HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nno').whole).toBe(false);
  });

  it('is a refusal without a length, up to the end of the socket', () => {
    expect(read('HTTP/1.1 401\r\n\r\n')).toMatchObject({
      head: { status: 401, reason: '', length: Number.POSITIVE_INFINITY },
      whole: false,
    });
  });

  it('has no head before its end', () => {
    for (const text of ['', 'H', 'HTTP/1.1 101 x\r\n', 'HTTP/1.1 101 x\r\nA: b\r\n\r'])
      expect(read(text)).toMatchObject({ head: undefined, whole: false });
  });

  it('of a length that is right is taken, and one byte more is not', () => {
    const head = 'HTTP/1.1 400 x\r\n\r\n';
    const answer = new UpgradeAnswer();
    answer.push(Buffer.from(head));
    answer.push(Buffer.alloc(65_536));
    expect(() => answer.push(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'ERR_UPGRADE' }));
    const endless = new UpgradeAnswer();
    endless.push(Buffer.from(`HTTP/1.1 101 x\r\nA: ${'b'.repeat(65_536 - 19)}`));
    expect(() => endless.push(Buffer.from('c'))).toThrow(expect.objectContaining({ code: 'ERR_UPGRADE' }));
  });

  it('has no bound behind a 101', () => {
    const answer = new UpgradeAnswer();
    answer.push(Buffer.concat([Buffer.from('HTTP/1.1 101 x\r\n\r\n'), Buffer.alloc(1_000_000)]));
    expect(answer.rest.length).toBe(1_000_000);
  });

  it.each([
    ['raw bytes', '\x81\x05hello'],
    ['a request', 'GET / HTTP/1.1\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 101 x\r\n\r\n'],
    ['no status', 'HTTP/1.1 abc x\r\n\r\n'],
    ['another 1xx', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['a line that is no field', 'HTTP/1.1 400 x\r\nno field\r\n\r\n'],
    ['a continued line', 'HTTP/1.1 400 x\r\nA: b\r\n c: d\r\n\r\n'],
    ['a control in a field', 'HTTP/1.1 400 x\r\nA: b\nC: d\r\n\r\n'],
    ['a body in chunks', 'HTTP/1.1 400 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 400 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 400 x\r\nContent-Length: -1\r\n\r\n'],
  ])('is not %s', (_, text) => {
    for (const chunks of [[text], [...text]]) {
      const answer = new UpgradeAnswer();
      expect(() => {
        for (const chunk of chunks) answer.push(Buffer.from(chunk, 'latin1'));
      }).toThrow(expect.objectContaining({ code: 'ERR_UPGRADE' }));
    }
  });
});
