import crypto from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { bodyPacket, forward, get, later, secret } from './ajp/bytes.ts';
import { ajpNeighbour, ajpVectors } from './ajp.ts';
import { observe } from './observe.ts';
import { runVectors } from './run-vectors.ts';

describe('AJP', () => {
  runVectors('ajp', ajpVectors, ajpNeighbour);
});

describe('AJP: what comes behind', () => {
  const forged = get.subarray(4);
  const post = forward({ method: 'POST', headers: ['host', 'a', 'content-length', String(forged.length)] });

  it('vA69: and the next request is the next one', async () => {
    const before = Buffer.concat([post, bodyPacket(forged)]);
    const seen = await observe('ajp', { app: later }, [forward({ uri: '/next' })], { before });
    expect(seen.asked.map(({ method, target }) => `${method} ${target}`)).toEqual(['POST /', 'GET /next']);
    expect(seen).toMatchObject({ answers: ['200', '200'], marks: [1, 1], closed: 'open', log: [] });
  });
});

describe('AJP: the secret', () => {
  it('vA59: is compared once, by its hash and in constant time, whatever was sent', async () => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    const wrong = [forward(), ...['', 'o', 'open sesam', 'x'.repeat(4000)].map((one) => secret(one))];
    for (const request of [...wrong, secret('open sesame')]) {
      compare.mockClear();
      const { answers } = await observe('ajp', { peer: { secret: 'open sesame' } }, [request]);
      expect(answers).toEqual([wrong.includes(request) ? '403' : '200']);
      expect(compare.mock.calls.map((both) => both.map(({ byteLength }) => byteLength))).toEqual([[32, 32]]);
    }
    compare.mockRestore();
  });
});
