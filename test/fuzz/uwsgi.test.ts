import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import { post } from '../../packages/uwsgi/test/writer.ts';
import { uwsgiClient } from './generators/clients.ts';
import { uwsgiServer } from './generators/servers.ts';
import { holds } from './properties.ts';
import { serve } from './targets/server.ts';

holds('uwsgi-server', uwsgiServer);
holds('uwsgi-client', uwsgiClient);

describe('a request that is cut short', () => {
  it('is none before its head is whole, and then the one that it is', () => {
    const valid = post('hello', 'SCRIPT_NAME', '/p', 'PATH_INFO', '/p/x', 'HTTP_A', 'b');
    const begins = valid.length - 'hello'.length;
    const conduct = { answer: 'end', pulls: 'at once', last: 'nothing' } as const;
    for (let at = 0; at <= valid.length; at++) {
      const { seen, errors } = serve(uwsgi.server(limitsWith()), [valid.subarray(0, at)], conduct);
      expect(seen.map(({ line, body }) => [line.split(' ')[1], body])).toEqual(
        at >= begins ? [['/p', 'hello'.slice(0, at - begins)]] : [],
      );
      expect(errors).toEqual(at >= begins || at === 0 ? [] : ['ERR_UWSGI_BLOCK']);
    }
  });
});
