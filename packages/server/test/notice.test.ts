import { expect, it } from '@jest/globals';
import { begin, pairs, params, plainGet, request, stdin } from '@postern/testkit';
import { hello, serving } from './support/serving.ts';

const post = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' });
const excess = Buffer.concat([begin(1, 1), params(post), params(), stdin('abcdef'), stdin('more'), stdin()]);

it('what a web server does amiss without harm is logged once in ten minutes, over all connections', async () => {
  const all = await serving(async (exchange) => exchange.respond(200, 'OK', [], await exchange.input.bytes()));
  for (let i = 1; i <= 2; i++) {
    const peer = await all.connect();
    for (let j = 1; j <= 2; j++) {
      peer.write(excess);
      expect((await peer.replies(j))[j - 1].stdout).toContain('\r\n\r\nabc');
    }
  }
  const line = { level: 'warn', event: 'protocol_error', code: 'ERR_BODY_EXCESS', protocol: 'fastcgi' };
  expect(all.logs).toMatchObject([line]);
  all.clock.advance(600_000);
  const peer = await all.connect();
  peer.write(excess);
  await peer.reply();
  expect(all.logs).toMatchObject([line, line]);
});

it('nothing is logged of a request in order', async () => {
  const all = await serving(hello);
  const peer = await all.connect();
  peer.write(request(plainGet, { flags: 1 }));
  await peer.reply();
  expect(all.logs).toEqual([]);
});
