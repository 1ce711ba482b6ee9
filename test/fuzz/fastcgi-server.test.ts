import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { plainGet, request } from '@postern/testkit';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { fastcgiServer } from './generators/servers.ts';
import { holds } from './properties.ts';
import { serve } from './targets/server.ts';

holds('fastcgi-server', fastcgiServer);

describe('several requests that are cut short', () => {
  it('never bring a request twice, or one of another', () => {
    const bytes = Buffer.concat([1, 2, 3].map((id) => request({ ...plainGet, N: String(id) }, { id, flags: 1 })));
    const conduct = { answer: 'end', pulls: 'at once', last: 'nothing' } as const;
    for (let at = 0; at <= bytes.length; at++) {
      const { seen, errors } = serve(fastcgi.server(limitsWith()), [bytes.subarray(0, at)], conduct);
      expect(errors).toEqual([]);
      expect(seen.map(({ id, variables }) => [id, variables.at(-1)])).toEqual(
        seen.map((_, i) => [i + 1, String(i + 1)]),
      );
    }
  });
});
