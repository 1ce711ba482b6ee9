import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import { RemoteProtocolError } from '../src/errors.ts';
import { variableNames } from '../src/variable-names.ts';

function headOf(variables: Record<string, string> | [string, string][]): CgiHead {
  const list = Array.isArray(variables) ? variables : Object.entries(variables);
  return CgiHead.of(list.flat());
}

function head(more: Record<string, string> = {}): CgiHead {
  return headOf({ REQUEST_METHOD: 'GET', REQUEST_URI: '/', ...more });
}

function variables(from: CgiHead): Record<string, string> {
  const flat = from.variables();
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.scope} ${error.statusHint}`;
  }
  return undefined;
}

describe('the method', () => {
  it.each(['GET', 'PATCH', 'PROPFIND', 'get', 'M-SEARCH', "!#$%&'*+-.^_`|~", 'A'.repeat(32)])('may be %s', (method) => {
    expect(head({ REQUEST_METHOD: method }).method).toBe(method);
  });

  it.each(['', 'GE T', 'GET\r\n', 'GET\n', '(', 'G\xc9T', 'A'.repeat(33)])('may not be %j', (method) => {
    expect(refusal(() => head({ REQUEST_METHOD: method }))).toBe('ERR_ENV_METHOD request 400');
  });

  it('must be there; the error says what to change', () => {
    expect(refusal(() => headOf({ REQUEST_URI: '/' }))).toBe('ERR_ENV_METHOD request 400');
    expect(() => headOf({})).toThrow(/include fastcgi_params/);
  });

  it('is not taken from HTTP_REQUEST_METHOD or HTTP_X_HTTP_METHOD_OVERRIDE', () => {
    expect(head({ HTTP_REQUEST_METHOD: 'PUT', HTTP_X_HTTP_METHOD_OVERRIDE: 'PUT' }).method).toBe('GET');
  });
});

describe('CONTENT_LENGTH', () => {
  it.each([
    ['0', 0],
    ['3', 3],
    ['0003', 3],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['', -1],
  ])('%j means %d', (text, length) => expect(head({ CONTENT_LENGTH: text }).contentLength).toBe(length));

  it.each([
    '-1',
    '+5',
    '5 ',
    ' 5',
    '0x10',
    '1e3',
    '5,5',
    '5;',
    '5.0',
    '1_000',
    '9007199254740993',
    '9007199254740992',
    '99999999999999999999',
    '\xef\xbc\x95',
    'Infinity',
    'NaN',
    '000000000000000000003',
  ])('%j is refused', (text) => {
    expect(refusal(() => head({ CONTENT_LENGTH: text }))).toBe('ERR_ENV_LENGTH request 400');
  });

  it('is not taken from HTTP_CONTENT_LENGTH, whether there is one or not', () => {
    expect(head({ HTTP_CONTENT_LENGTH: '5' }).contentLength).toBe(-1);
    expect(head({ HTTP_CONTENT_LENGTH: '5', CONTENT_LENGTH: '3' }).contentLength).toBe(3);
    expect(variables(head({ HTTP_CONTENT_LENGTH: '5' }))).not.toHaveProperty('HTTP_CONTENT_LENGTH');
  });

  it('of -1 is "not stated" from Caddy alone, which sends it for chunked uploads', () => {
    const caddy = { REQUEST_METHOD: 'POST', SERVER_SOFTWARE: 'Caddy/v2.6.2', CONTENT_LENGTH: '-1' };
    expect(head(caddy).contentLength).toBe(-1);
    expect(head(caddy).openLength).toBe(true);
    expect(variables(head(caddy))).not.toHaveProperty('CONTENT_LENGTH');
    expect(head(caddy).headers()).not.toContain('content-length');
    for (const software of ['nginx/1.22.1', 'XCaddy/2', 'caddy/2', '']) {
      expect(refusal(() => head({ ...caddy, SERVER_SOFTWARE: software }))).toBe('ERR_ENV_LENGTH request 400');
    }
    expect(refusal(() => head({ ...caddy, CONTENT_LENGTH: '-2' }))).toBe('ERR_ENV_LENGTH request 400');
  });

  it('twice with the same value is one, with different values refused', () => {
    const twice = (second: string) =>
      headOf([
        ['REQUEST_METHOD', 'GET'],
        ['CONTENT_LENGTH', '3'],
        ['CONTENT_LENGTH', second],
      ]);
    expect(twice('3').contentLength).toBe(3);
    expect(refusal(() => twice('4'))).toBe('ERR_ENV_REPEATED request 400');
  });
});

describe('CONTENT_LENGTH of 0', () => {
  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])('is not passed on with %s, which has no body', (method) => {
    const one = head({ REQUEST_METHOD: method, CONTENT_LENGTH: '0' });
    expect(one.contentLength).toBe(0);
    expect(one.openLength).toBe(false);
    expect(variables(one)).not.toHaveProperty('CONTENT_LENGTH');
    expect(one.headers()).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'PROPFIND'])('is what the client said with %s', (method) => {
    const one = head({ REQUEST_METHOD: method, CONTENT_LENGTH: '0' });
    expect(variables(one).CONTENT_LENGTH).toBe('0');
    expect(one.headers()).toEqual(['content-length', '0']);
  });

  it('is passed on as it came where it is more', () => {
    expect(variables(head({ REQUEST_METHOD: 'DELETE', CONTENT_LENGTH: '1' })).CONTENT_LENGTH).toBe('1');
  });
});

describe('a body of unknown length', () => {
  it.each([
    ['GET', {}, false],
    ['HEAD', {}, false],
    ['POST', {}, true],
    ['DELETE', { CONTENT_LENGTH: '' }, true],
    ['GET', { HTTP_TRANSFER_ENCODING: 'chunked' }, true],
    ['POST', { CONTENT_LENGTH: '0' }, false],
    ['POST', { CONTENT_LENGTH: '3', HTTP_TRANSFER_ENCODING: 'chunked' }, false],
  ])('may come with %s and %j: %s', (method, more, open) => {
    expect(head({ REQUEST_METHOD: method, ...more }).openLength).toBe(open);
  });

  it('is no matter of the environ: HTTP_TRANSFER_ENCODING is never in it', () => {
    const chunked = head({ HTTP_TRANSFER_ENCODING: 'chunked' });
    expect(variables(chunked)).not.toHaveProperty('HTTP_TRANSFER_ENCODING');
    expect(chunked.headers()).not.toContain('transfer-encoding');
  });
});

describe('the head of a request that never has a body', () => {
  const bodyless = (more: Record<string, string>): CgiHead => {
    const all = { REQUEST_METHOD: 'POST', ...more };
    return new CgiHead(variableNames(Object.keys(all)), Object.values(all), true);
  };

  it.each([{}, { CONTENT_LENGTH: '5' }, { HTTP_TRANSFER_ENCODING: 'chunked' }])('has no length with %j', (more) => {
    expect(bodyless(more)).toMatchObject({ contentLength: -1, openLength: false });
    expect(variables(bodyless(more))).not.toHaveProperty('CONTENT_LENGTH');
    expect(bodyless(more).headers()).toEqual([]);
  });

  it('still refuses a length that is no number', () => {
    expect(refusal(() => bodyless({ CONTENT_LENGTH: 'x' }))).toBe('ERR_ENV_LENGTH request 400');
  });
});

describe('SERVER_PROTOCOL', () => {
  it.each([
    ['HTTP/1.1', 'HTTP/1.1'],
    ['HTTP/1.0', 'HTTP/1.0'],
    ['HTTP/2.0', 'HTTP/2.0'],
    ['HTTP/3', 'HTTP/3'],
    ['', 'HTTP/1.1'],
  ])('%j is %s', (sent, protocol) => expect(head({ SERVER_PROTOCOL: sent }).protocol).toBe(protocol));

  it('is HTTP/1.1 where it is absent', () => expect(head().protocol).toBe('HTTP/1.1'));

  it.each(['HTTP/1.1\r\nX: y', 'FTP/9', 'xHTTP/1.1', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', 'HTTP/1.1\n'])(
    'may not be %j',
    (protocol) => {
      expect(refusal(() => head({ SERVER_PROTOCOL: protocol }))).toBe('ERR_ENV_PROTOCOL request 400');
    },
  );
});

describe('the scheme', () => {
  it.each([
    [{}, 'http'],
    [{ HTTPS: '' }, 'http'],
    [{ HTTPS: 'off' }, 'http'],
    [{ HTTPS: 'on' }, 'https'],
    [{ HTTPS: 'ON' }, 'https'],
    [{ HTTPS: '1' }, 'https'],
    [{ HTTPS: 'https' }, 'https'],
    [{ HTTPS: 'only' }, 'http'],
    [{ HTTPS: 'non' }, 'http'],
    [{ REQUEST_SCHEME: 'http' }, 'http'],
    [{ REQUEST_SCHEME: 'https' }, 'https'],
    [{ REQUEST_SCHEME: 'HTTPS' }, 'https'],
    [{ HTTPS: 'on', REQUEST_SCHEME: 'http' }, 'https'],
    [{ HTTP_X_FORWARDED_PROTO: 'https', HTTP_HTTPS: 'on' }, 'http'],
  ])('of %j is %s', (more, scheme) => expect(head(more as Record<string, string>).scheme).toBe(scheme));
});

describe('the target', () => {
  it('is REQUEST_URI as it was sent', () => {
    expect(head({ REQUEST_URI: '//a%2Fb/../c?q=%41&r' }).target).toBe('//a%2Fb/../c?q=%41&r');
    expect(head({ REQUEST_URI: 'http://h.test/a', PATH_INFO: '/other' }).target).toBe('http://h.test/a');
    expect(head({ REQUEST_URI: '*', REQUEST_METHOD: 'OPTIONS' }).target).toBe('*');
  });

  it.each([
    [{ SCRIPT_NAME: '/app', PATH_INFO: '/a b', QUERY_STRING: 'q=%20' }, '/app/a%20b?q=%20'],
    [{ PATH_INFO: '/\xe4?#%' }, '/%E4%3F%23%25'],
    [{ SCRIPT_NAME: '', PATH_INFO: '/x', QUERY_STRING: '' }, '/x'],
    [{ QUERY_STRING: 'a' }, '/?a'],
    [{ REQUEST_URI: '' }, '/'],
    [{}, '/'],
  ])('without REQUEST_URI is put together from %j', (more, target) => {
    expect(headOf({ REQUEST_METHOD: 'GET', ...more } as Record<string, string>).target).toBe(target);
  });
});

describe('values', () => {
  it.each(['HTTP_X', 'PATH_INFO', 'REMOTE_USER', 'HTTP_PROXY', 'SSL_CLIENT_CERT'])('may hold no NUL in %s', (name) => {
    expect(refusal(() => head({ [name]: 'a\0b' }))).toBe('ERR_ENV_VALUE request 400');
  });

  it.each(['HTTP_X', 'CONTENT_TYPE'])('may hold no CR or LF in the header %s', (name) => {
    for (const value of ['a\r\nSet: b', 'a\rb', 'a\nb', '\n', 'a\r\n b']) {
      expect(refusal(() => head({ [name]: value }))).toBe('ERR_ENV_VALUE request 400');
    }
  });

  it.each(['PATH_INFO', 'SCRIPT_NAME', 'SSL_CLIENT_CERT', 'REMOTE_USER'])(
    'may hold line ends in %s, which is no header',
    (name) => {
      expect(variables(head({ [name]: '/a\nb\r\n' }))[name]).toBe('/a\nb\r\n');
    },
  );

  it('keep all bytes as they came', () => {
    const high = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('');
    expect(variables(head({ HTTP_X: high })).HTTP_X).toBe(high);
  });
});

describe('variables and headers', () => {
  it('leave an empty CONTENT_TYPE and CONTENT_LENGTH out, and keep other empty values', () => {
    const empty = head({ CONTENT_TYPE: '', CONTENT_LENGTH: '', QUERY_STRING: '', HTTP_X: '' });
    expect(variables(empty)).toEqual({ REQUEST_METHOD: 'GET', REQUEST_URI: '/', QUERY_STRING: '', HTTP_X: '' });
    expect(empty.headers()).toEqual(['x', '']);
  });

  it('give the request headers in lower case with hyphens, in the order of the wire', () => {
    const one = head({ HTTP_USER_AGENT: 'u', CONTENT_TYPE: 't', REMOTE_ADDR: 'r', CONTENT_LENGTH: '3', HTTP_X_A: 'x' });
    expect(one.headers()).toEqual(['user-agent', 'u', 'content-type', 't', 'content-length', '3', 'x-a', 'x']);
  });

  it('have neither HTTP_PROXY nor names of the library', () => {
    const dropped = { HTTP_PROXY: 'http://evil:1/', 'gateway.input': 'x', UWSGI_FILE: 'exec://id', ['__proto__']: 'x' };
    const one = headOf([['REQUEST_METHOD', 'GET'], ...Object.entries(dropped), ['constructor', 'x']]);
    expect(one.variables()).toEqual(['REQUEST_METHOD', 'GET', 'constructor', 'x']);
    expect(one.headers()).toEqual([]);
  });

  it('have each name once where the wire repeats it', () => {
    const one = headOf([
      ['REQUEST_METHOD', 'GET'],
      ['HTTP_HOST', 'a'],
      ['HTTP_X', '1'],
      ['HTTP_HOST', 'b:81'],
      ['HTTP_X', '2'],
    ]);
    expect(one.variables()).toEqual(['REQUEST_METHOD', 'GET', 'HTTP_HOST', 'b:81', 'HTTP_X', '1, 2']);
    expect(one.headers()).toEqual(['host', 'b:81', 'x', '1, 2']);
  });
});
