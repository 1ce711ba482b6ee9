import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '../src/errors.ts';
import { mergeRepeated, Rule, variableNames } from '../src/variable-names.ts';

function merge(...flat: [string, string][]): Record<string, string> {
  const { names, values } = mergeRepeated(
    variableNames(flat.map(([name]) => name)),
    flat.map(([, value]) => value),
  );
  return Object.fromEntries(names.names.map((name, i) => [name, values[i]]));
}

function refusal(run: () => unknown): { code: string; scope: string; status: number } | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return { code: error.code, scope: error.scope, status: error.statusHint };
  }
  return undefined;
}

const badName = { code: 'ERR_ENV_NAME', scope: 'request', status: 400 };
const repeated = { code: 'ERR_ENV_REPEATED', scope: 'request', status: 400 };

describe('variableNames', () => {
  it('tells of a bad name in a line of bounded length', () => {
    expect(() => variableNames(['\0'.repeat(4096)])).toThrow(/^variable name "(?:\\x00){80}"$/);
  });

  it('knows which variables are request headers, and their field names', () => {
    const { rules, headers } = variableNames([
      'HTTP_USER_AGENT',
      'CONTENT_TYPE',
      'CONTENT_LENGTH',
      'REMOTE_ADDR',
      'HTTPS',
    ]);
    expect([...rules]).toEqual([Rule.header, Rule.header, Rule.header, Rule.plain, Rule.plain]);
    expect(headers).toEqual(['user-agent', 'content-type', 'content-length', undefined, undefined]);
  });

  it.each([
    'HTTP_PROXY',
    'HTTP_CONTENT_LENGTH',
    'HTTP_CONTENT_TYPE',
    'HTTP_TRANSFER_ENCODING',
    'HTTP_CONNECTION',
    'HTTP_KEEP_ALIVE',
    'HTTP_PROXY_CONNECTION',
    'HTTP_TE',
    'HTTP_TRAILER',
    '__proto__',
    'gateway.input',
    'wsgi.input',
    'wsgi.url_scheme',
    'psgi.input',
    'psgix.io',
    'sgi.body',
    'jsgi.errors',
    'UWSGI_FILE',
  ])('lets no application see %s', (name) => {
    expect([...variableNames([name]).rules]).toEqual([Rule.drop]);
  });

  it.each([
    'HTTP_PROXY_AUTHORIZATION',
    'HTTP_PROXYX',
    'PROXY',
    'wsgi',
    'gateway',
    'XUWSGI_FILE',
    'constructor',
    'toString',
  ])('takes %s for what it is, no name that is dropped', (name) =>
    expect([...variableNames([name]).rules]).not.toEqual([Rule.drop]),
  );

  it('keeps HTTP_CONNECTION where HTTP_UPGRADE is with it, and no other of its kind', () => {
    const { rules, headers } = variableNames(['HTTP_CONNECTION', 'HTTP_UPGRADE', 'HTTP_KEEP_ALIVE']);
    expect([...rules]).toEqual([Rule.header, Rule.header, Rule.drop]);
    expect(headers).toEqual(['connection', 'upgrade', undefined]);
  });

  it('finds the places of the variables that the head is made of, -1 where they are absent', () => {
    const names = ['REQUEST_URI', 'HTTPS', 'REQUEST_METHOD', 'SERVER_PROTOCOL', 'CONTENT_LENGTH', 'REQUEST_SCHEME'];
    const found = variableNames([...names, 'HTTP_TRANSFER_ENCODING']);
    expect(found).toMatchObject({ target: 0, https: 1, method: 2, protocol: 3, length: 4, scheme: 5, chunked: 6 });
    const none = { target: -1, https: -1, method: -1, protocol: -1, length: -1, scheme: -1, chunked: -1 };
    expect(variableNames(['constructor', '__proto__', 'toString'])).toMatchObject({ ...none, repeated: false });
  });

  it.each(['constructor', '__proto__', 'toString', 'A'])('sees that %s is repeated', (name) => {
    expect(variableNames([name]).repeated).toBe(false);
    expect(variableNames([name, 'B', name]).repeated).toBe(true);
  });

  it('refuses an empty name', () => expect(refusal(() => variableNames(['A', '']))).toEqual(badName));

  it('refuses every byte that is no visible ASCII, and the equals sign, anywhere in a name', () => {
    for (let byte = 0; byte < 256; byte++) {
      const visible = byte > 0x20 && byte < 0x7f && byte !== 0x3d;
      const char = String.fromCharCode(byte);
      for (const name of [char, `A${char}`, `${char}A`, `A${char}B`]) {
        expect([byte, refusal(() => variableNames([name]))]).toEqual([byte, visible ? undefined : badName]);
      }
    }
  });

  it('says a bad name in printable form', () => {
    expect(() => variableNames(['A\n"'])).toThrow('variable name "A\\x0a\\x22"');
  });
});

describe('places and rules', () => {
  it('are found for every variable that has one of its own', () => {
    const places = {
      ...{ method: 'REQUEST_METHOD', target: 'REQUEST_URI', protocol: 'SERVER_PROTOCOL', length: 'CONTENT_LENGTH' },
      ...{ type: 'CONTENT_TYPE', script: 'SCRIPT_NAME', path: 'PATH_INFO', query: 'QUERY_STRING', https: 'HTTPS' },
      ...{ scheme: 'REQUEST_SCHEME', chunked: 'HTTP_TRANSFER_ENCODING', upgrade: 'HTTP_UPGRADE' },
      software: 'SERVER_SOFTWARE',
    };
    const all = Object.entries(places);
    const found = variableNames(['A', ...all.map(([, name]) => name)]);
    expect(found).toMatchObject(Object.fromEntries(all.map(([place], i) => [place, i + 1])));
    expect(variableNames(['A'])).toMatchObject(Object.fromEntries(all.map(([place]) => [place, -1])));
  });

  it('drop names of libraries where they begin so, not where they only hold one', () => {
    const dropped = ['gateway.x', 'wsgi.x', 'psgi.x', 'sgi.x', 'jsgi.x', 'psgix.x', 'UWSGI_X'];
    expect([...variableNames(dropped).rules]).toEqual(dropped.map(() => Rule.drop));
    const kept = dropped.map((name) => `X_${name}`);
    expect([...variableNames(kept).rules]).toEqual(kept.map(() => Rule.plain));
  });
});

describe('mergeRepeated', () => {
  it('joins repeated headers with a comma, cookies with a semicolon', () => {
    expect(
      merge(['HTTP_X', 'a'], ['HTTP_COOKIE', 'a=1'], ['HTTP_X', 'b'], ['HTTP_COOKIE', 'b=2'], ['HTTP_X', 'c']),
    ).toEqual({
      HTTP_X: 'a, b, c',
      HTTP_COOKIE: 'a=1; b=2',
    });
  });

  it.each(['REMOTE_ADDR', 'SCRIPT_FILENAME', 'HTTPS', 'PATH_INFO', 'HTTP_HOST', 'CONTENT_TYPE'])(
    'lets the last %s win',
    (name) => {
      expect(merge([name, 'first'], ['X', 'y'], [name, 'last'])).toEqual({ [name]: 'last', X: 'y' });
    },
  );

  it.each(['CONTENT_LENGTH', 'REQUEST_METHOD', 'HTTP_AUTHORIZATION', 'HTTP_RANGE', 'HTTP_EXPECT'])(
    'takes %s twice only with the same value',
    (name) => {
      expect(merge([name, '3'], [name, '3'])).toEqual({ [name]: '3' });
      expect(refusal(() => merge([name, '3'], [name, '4']))).toEqual(repeated);
      expect(refusal(() => merge([name, ''], [name, '4']))).toEqual(repeated);
    },
  );

  it('keeps a header that is repeated with the same value once', () => {
    expect(merge(['HTTP_ACCEPT', 'a'], ['HTTP_ACCEPT', 'a'])).toEqual({ HTTP_ACCEPT: 'a' });
  });

  it('keeps what is not repeated in its order', () => {
    const { names } = mergeRepeated(variableNames(['C', 'A', 'C', 'B']), ['1', '2', '3', '4']);
    expect(names.names).toEqual(['C', 'A', 'B']);
    expect(names.repeated).toBe(false);
  });

  it('holds names of Object.prototype apart', () => {
    expect(merge(['constructor', 'a'], ['toString', 'b'], ['constructor', 'c'])).toEqual({
      constructor: 'c',
      toString: 'b',
    });
  });
});
