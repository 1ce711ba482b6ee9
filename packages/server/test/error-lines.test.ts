import { expect, it } from '@jest/globals';
import { limitCounts, limitsWith, type ReplyEvent } from '@postern/core';
import { ErrorLines } from '../src/error-lines.ts';
import type { ExchangeHost } from '../src/exchange-host.ts';

function lines(limits: Parameters<typeof limitsWith>[0]): {
  errors: ErrorLines;
  sent: string[];
  counts: ReturnType<typeof limitCounts>;
} {
  const sent: string[] = [];
  const counts = limitCounts();
  const host = {
    protocol: { name: 'fastcgi', carriesLog: true },
    limits: limitsWith(limits),
    context: { counts },
    send: (event: ReplyEvent) => sent.push(event.type === 'log' ? `${event.id} ${event.text}` : event.type),
    flushSoon: () => sent.push('flush'),
  };
  return { errors: new ErrorLines(host as unknown as ExchangeHost, 7), sent, counts };
}

it('lines go out safe, as they are written', () => {
  const { errors, sent } = lines({});
  errors.write('one\ntwo\x1b[0m');
  expect(sent).toEqual(['7 one\ntwo\\x1b[0m\n', 'flush']);
});

it('bytes are counted as they are sent, not as characters', () => {
  const { errors, sent, counts } = lines({ maxStderrLineBytes: 10, maxStderrBytes: 30 });
  errors.write('\u00fc'.repeat(5));
  errors.write('\u00fc'.repeat(6));
  errors.write('z');
  errors.write('never');
  expect(sent.filter((text) => text !== 'flush')).toEqual([
    `7 ${'\u00fc'.repeat(5)}\n`,
    `7 ${'\u00fc'.repeat(5)} [2 bytes [the rest is dropped]\n`,
  ]);
  expect(counts).toMatchObject({ maxStderrLineBytes: 1, maxStderrBytes: 1 });
});
