import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { scgi } from '../../packages/scgi/src/index.ts';
import { bytes, DEEP_THOUGHT, QUESTION } from '../../packages/scgi/test/writer.ts';
import { scgiClient } from './generators/clients.ts';
import { scgiServer } from './generators/servers.ts';
import { holds } from './properties.ts';
import { serve } from './targets/server.ts';

holds('scgi-server', scgiServer);
holds('scgi-client', scgiClient);

describe('a request that is cut short', () => {
  it('is none before its head is whole, and then the one that it is', () => {
    const valid = bytes(DEEP_THOUGHT + QUESTION);
    const conduct = { answer: 'end', pulls: 'at once', last: 'nothing' } as const;
    for (let at = 0; at <= valid.length; at++) {
      const { seen, errors } = serve(scgi.server(limitsWith()), [valid.subarray(0, at)], conduct);
      const begun = at >= DEEP_THOUGHT.length;
      expect(seen.map(({ line, body }) => [line.split(' ')[1], body])).toEqual(
        begun ? [['/deepthought', QUESTION.slice(0, at - DEEP_THOUGHT.length)]] : [],
      );
      expect(errors).toEqual(begun || at === 0 ? [] : ['ERR_SCGI_NETSTRING']);
    }
  });
});
