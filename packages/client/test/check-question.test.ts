import { afterEach, describe, expect, it } from '@jest/globals';
import { fastcgi } from '@postern/fastcgi';
import { request } from '../src/index.ts';
import { cleanUp, played } from './back-ends.ts';

afterEach(cleanUp);

const GET = ['REQUEST_METHOD', 'GET'];

async function* stream(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}

describe('what no back-end can be sent', () => {
  it.each<[string, object, string]>([
    ['variables that are no pairs', { variables: ['A'] }, 'ERR_ENV_PAIR'],
    ['a value that is no string', { variables: ['A', 5] }, 'ERR_ENV_VALUE'],
    ['a body that is text', { variables: GET, body: 'text' }, 'ERR_OPTION'],
    ['a body that is null', { variables: GET, body: null }, 'ERR_OPTION'],
    ['a stream for an authorizer', { variables: GET, role: 'authorizer', body: stream() }, 'ERR_PROTOCOL_LACKS'],
    ['a file for a responder', { variables: GET, data: Buffer.from('x') }, 'ERR_PROTOCOL_LACKS'],
    ['a role that there is not', { variables: GET, role: 'Filter' }, 'ERR_PROTOCOL_LACKS'],
  ])('%s is refused before anything goes out', async (_, ask, code) => {
    const back = await played(() => {});
    await expect(request(fastcgi, back.target, ask as never)).rejects.toMatchObject({ code });
    expect(back.connections).toHaveLength(0);
  });
});
