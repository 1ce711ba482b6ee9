import { describe, expect, it } from '@jest/globals';
import { Upload } from '../src/upload.ts';
import { bodyPackets } from './container.ts';

function upload(length: number, most = 10): Upload {
  const one = new Upload(most);
  one.begin(length);
  return one;
}

const sent = (one: Upload): string | undefined => {
  const packet = one.take();
  return packet && bodyPackets(packet.header + Buffer.concat(packet.pieces).toString('latin1'))[0];
};
const give = (one: Upload, text: string): void => one.push(Buffer.from(text));

describe('a body of a stated length', () => {
  it('goes in one packet unasked, and in further ones as they are asked for', () => {
    const one = upload(25);
    expect([sent(one), one.owes]).toEqual([undefined, true]);
    give(one, 'abcdefghijklm');
    expect(sent(one)).toBe('abcdefghij');
    expect([sent(one), one.owes, one.queued]).toEqual([undefined, false, 3]);
    give(one, 'nopqrstuvwxy');
    expect(one.ask(4)).toBe(true);
    expect(sent(one)).toBe('klmn');
    expect(one.ask(0xffff)).toBe(true);
    expect(sent(one)).toBe('opqrstuvwx');
    expect(one.ask(10)).toBe(true);
    expect([sent(one), one.owes, one.queued]).toEqual(['y', false, 0]);
  });

  it('goes as soon as there are bytes', () => {
    const one = upload(25);
    give(one, 'a');
    expect(sent(one)).toBe('a');
    one.ask(10);
    expect([sent(one), one.owes]).toEqual([undefined, true]);
    give(one, 'b');
    expect(sent(one)).toBe('b');
  });

  it('that is whole is followed by its end where more is asked for, once', () => {
    for (const length of [0, 3]) {
      const one = upload(length);
      give(one, 'abc'.slice(0, length));
      one.complete();
      expect(sent(one)).toBe(length === 0 ? undefined : 'abc');
      expect([one.ask(10), one.owes, one.ask(10)]).toEqual([true, true, false]);
      expect([sent(one), sent(one), one.ask(10)]).toEqual(['', undefined, false]);
    }
  });

  it('may not end short: a container would take it for whole', () => {
    const one = upload(5);
    const cut = expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_BODY_CUT' });
    expect(() => one.complete()).toThrow(cut);
    give(one, 'abcd');
    expect(() => one.complete()).toThrow(cut);
    expect([sent(one), sent(one)]).toEqual(['abcd', undefined]);
    one.ask(10);
    give(one, 'e');
    expect(() => one.complete()).not.toThrow();
    expect(sent(one)).toBe('e');
  });

  it('may end short where nobody waits for the rest', () => {
    const one = upload(5);
    one.drop();
    expect(() => one.complete()).not.toThrow();
  });

  it('may not be given longer', () => {
    const one = upload(3);
    give(one, 'ab');
    expect(() => give(one, 'cd')).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_BODY_LONG' }),
    );
    expect(() => give(upload(0), 'x')).toThrow(expect.objectContaining({ code: 'ERR_BODY_LONG' }));
    expect(() => give(upload(0), '')).not.toThrow();
  });
});

describe('a body of unknown length', () => {
  const unknown = () => upload(Number.POSITIVE_INFINITY);

  it('goes only when it is asked for, and ends with a packet of its own', () => {
    const one = unknown();
    give(one, 'abcdefghijklm');
    expect([sent(one), one.owes]).toEqual([undefined, false]);
    one.ask(10);
    expect(sent(one)).toBe('abcdefghij');
    one.ask(10);
    expect(sent(one)).toBe('klm');
    one.ask(10);
    expect([sent(one), one.owes]).toEqual([undefined, true]);
    one.complete();
    expect([sent(one), one.owes, one.ask(10)]).toEqual(['', false, false]);
  });

  it('ends for who asks for no bytes', () => {
    const one = unknown();
    give(one, 'abc');
    one.ask(0);
    expect([sent(one), one.queued, one.ask(10)]).toEqual(['', 0, false]);
  });
});

it('of which nobody wants the rest is dropped', () => {
  const one = upload(25);
  give(one, 'abc');
  one.drop();
  expect([one.queued, one.owes, sent(one), one.ask(1)]).toEqual([0, false, undefined, false]);
  give(one, 'x'.repeat(100));
  expect(one.queued).toBe(0);
  one.begin(2);
  give(one, 'ab');
  expect(sent(one)).toBe('ab');
});

it('asked for while a packet is due already is refused', () => {
  expect(upload(5).ask(5)).toBe(false);
  const one = upload(Number.POSITIVE_INFINITY);
  expect([one.ask(5), one.ask(5)]).toEqual([true, false]);
});
