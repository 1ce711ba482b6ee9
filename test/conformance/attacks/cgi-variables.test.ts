import { describe, expect, it } from '@jest/globals';
import { fiveProtocols } from '@postern/testkit';
import { attacked, refused, send } from './attacked.ts';
import { withFields, withVariables } from './fields.ts';

/** The web server has made the names of variables out of those of fields. */
const mapped = ['fastcgi', 'scgi', 'uwsgi'] as const;
/** We make them. */
const mapping = ['ajp', 'http'] as const;

describe.each(fiveProtocols)('over %s', (protocol) => {
  it(`C1 (CVE-2016-5385): over ${protocol} a field Proxy sets no proxy`, async () => {
    const own = process.env.HTTP_PROXY;
    const all = await attacked(protocol);
    for (const name of ['Proxy', 'PROXY', 'proxy'])
      expect((await send(all, withFields(protocol, [name, 'http://evil.test:1/'], ['X-A', 'b']))).status).toBe(200);
    for (const { environ } of all.seen) {
      expect(environ.HTTP_X_A).toBe('b');
      expect('HTTP_PROXY' in environ).toBe(false);
    }
    expect(process.env.HTTP_PROXY).toBe(own);
  });

  it(`C8 (CVE-2014-6271): over ${protocol} a field that a shell would run is text`, async () => {
    const all = await attacked(protocol);
    const own = { ...process.env };
    const text = '() { :;}; /usr/bin/touch /tmp/owned';
    await send(all, withFields(protocol, ['User-Agent', text], ['X-Test', '$(id) `id`; id']));
    expect(all.seen[0].environ).toMatchObject({ HTTP_USER_AGENT: text, HTTP_X_TEST: '$(id) `id`; id' });
    expect(process.env).toEqual(own);
  });

  it(`D9 (CVE-2026-21710): over ${protocol} names of Object.prototype are names like others, or left out`, async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    const all = await attacked(protocol);
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
    const fields = names.map((name) => [name, 'x'] as const);
    const bytes =
      protocol === 'ajp' || protocol === 'http'
        ? withFields(protocol, ...fields)
        : withVariables(protocol, ...fields, ...names.map((name) => [`HTTP_${name.toUpperCase()}`, 'y'] as const));
    expect((await send(all, bytes)).status).toBe(200);
    const { environ } = all.seen[0];
    expect(Object.keys(environ)).not.toContain('__proto__');
    expect(Object.getPrototypeOf(environ)).not.toBe('x');
    // no name that was not sent can be found
    for (const name of ['isPrototypeOf', 'propertyIsEnumerable', '__defineGetter__'])
      expect(environ[name]).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe.each(mapping)('where fields become variables here: over %s', (protocol) => {
  it(`C2 (CVE-2015-0219): over ${protocol} a field with an underscore is left out`, async () => {
    const all = await attacked(protocol);
    await send(all, withFields(protocol, ['X_Auth_User', 'evil'], ['X-Auth-User', 'ada']));
    await send(all, withFields(protocol, ['X-Auth-User', 'ada'], ['X_Auth_User', 'evil'], ['X-Auth_User', 'evil']));
    await send(all, withFields(protocol, ['X_Auth_User', 'evil']));
    expect(all.seen.map(({ environ }) => environ.HTTP_X_AUTH_USER)).toEqual(['ada', 'ada', undefined]);
  });

  it(`C3: over ${protocol} Content_Length and Transfer_Encoding frame nothing`, async () => {
    const all = await attacked(protocol);
    const { status } = await send(all, withFields(protocol, ['Content_Length', '5'], ['Transfer_Encoding', 'chunked']));
    expect(status).toBe(200);
    const { environ, body } = all.seen[0];
    expect(body).toBe('');
    expect(Object.keys(environ).filter((name) => /LENGTH|ENCODING/.test(name))).toEqual([]);
  });
});

describe.each(mapped)('where the web server has made variables of fields: over %s', (protocol) => {
  it(`C2 (CVE-2015-0219): over ${protocol} two values of a header are joined, none wins`, async () => {
    const all = await attacked(protocol);
    await send(all, withVariables(protocol, ['HTTP_X_AUTH_USER', 'evil'], ['HTTP_X_AUTH_USER', 'ada']));
    expect(all.seen[0].environ.HTTP_X_AUTH_USER).toBe('evil, ada');
  });

  it.each(['CONTENT_LENGTH', 'REQUEST_METHOD', 'HTTP_AUTHORIZATION', 'HTTP_RANGE', 'HTTP_EXPECT'])(
    `C2 (CVE-2015-0219): over ${protocol} two values of %s are refused`,
    async (name) => {
      const all = await attacked(protocol);
      const [one, other] = name === 'CONTENT_LENGTH' ? ['0', '1'] : ['GET', 'PUT'];
      await refused(all, 400, withVariables(protocol, [name, one], [name, other]));
      expect((await send(all, withVariables(protocol, [name, one], [name, one]))).status).toBe(200);
    },
  );

  it(`C3: over ${protocol} HTTP_CONTENT_LENGTH and HTTP_TRANSFER_ENCODING are neither a length nor there`, async () => {
    const all = await attacked(protocol);
    const claims = [
      ['HTTP_CONTENT_LENGTH', '5'],
      ['HTTP_TRANSFER_ENCODING', 'chunked'],
      ['HTTP_CONTENT_TYPE', 'text/evil'],
    ] as const;
    expect((await send(all, withVariables(protocol, ['CONTENT_LENGTH', '0'], ...claims))).status).toBe(200);
    const { environ, body } = all.seen[0];
    expect(body).toBe('');
    expect(Object.keys(environ).filter((name) => /LENGTH|ENCODING|TYPE/.test(name))).toEqual([]);
  });
});
