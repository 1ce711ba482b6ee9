import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  askHttp,
  type FrontEnd,
  type HttpAsked,
  portOf,
  type Served,
  servePostern,
  startApache,
  startLighttpd,
  writeProgram,
} from '../../packages/testkit/src/index.ts';

let app: Served;
let fastcgi: number;
let scgi: number;
let uwsgi: number;
let ajp: number;
let plain: number;

beforeAll(async () => {
  const listen = ['fastcgi', 'scgi', 'uwsgi', 'ajp', 'http'].map((protocol) => `${protocol}://127.0.0.1:0`);
  listen[3] += '?attributes=SEEN';
  app = await servePostern('test/fixtures/guarded.mjs', listen);
  [fastcgi, scgi, uwsgi, ajp, plain] = app.addresses.map(portOf);
});
afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
});

function credentials(password: string): HttpAsked {
  return { headers: { Authorization: `Basic ${Buffer.from(`joe:${password}`).toString('base64')}` } };
}

/** What the app behind the authorizer was told. */
async function told(port: number, path: string, asked: HttpAsked = {}): Promise<Record<string, string>> {
  const { status, text } = await askHttp(port, path, asked);
  expect([status, text]).toEqual([200, expect.stringMatching(/^\{/)]);
  return JSON.parse(text);
}

/** As the app holds it, bytes as latin-1, JSON has it as UTF-8. */
const latin = 'Jürgen';

describe('Apache mod_authnz_fcgi', () => {
  let apache: FrontEnd;

  beforeAll(async () => {
    const modules = [
      ...['authn_core', 'auth_basic', 'authz_user', 'authnz_fcgi', 'headers'],
      ...['proxy', 'proxy_fcgi', 'proxy_scgi', 'proxy_uwsgi', 'proxy_ajp', 'proxy_http'],
    ];
    apache = await startApache(modules, () => {
      const basic = (provider: string): string => `AuthType Basic\n  AuthName "site"\n  AuthBasicProvider ${provider}`;
      return `
AuthnzFcgiDefineProvider authn  check-password fcgi://127.0.0.1:${fastcgi}/
AuthnzFcgiDefineProvider authz  check-right    fcgi://127.0.0.1:${fastcgi}/
AuthnzFcgiDefineProvider authnz check-both     fcgi://127.0.0.1:${fastcgi}/
ProxyPass "/scgi/" "scgi://127.0.0.1:${scgi}/scgi/"
ProxyPass "/uwsgi/" "uwsgi://127.0.0.1:${uwsgi}/uwsgi/"
ProxyPass "/ajp/" "ajp://127.0.0.1:${ajp}/ajp/"
ProxyPass "/http/" "http://127.0.0.1:${plain}/http/"
ProxyPass "/" "fcgi://127.0.0.1:${fastcgi}/"
<LocationMatch "^/(password|scgi)/">
  ${basic('check-password')}
  Require valid-user
</LocationMatch>
<Location "/right/">
  ${basic('check-password')}
  AuthzSendForbiddenOnFailure On
  Require check-right
</Location>
<Location "/both/">
  ${basic('check-both')}
  Require check-both
</Location>
<LocationMatch "^/(own|uwsgi|ajp|http)/">
  RequestHeader set X-User "%{REMOTE_USER}e"
  AuthnzFcgiCheckAuthnProvider check-password Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user
</LocationMatch>`;
    });
  });
  afterAll(() => apache.stop());

  it.each(['password', 'scgi', 'right', 'both'])(
    'asks for a password before /%s/, and refuses a wrong one',
    async (path) => {
      for (const asked of [{}, credentials('wrong')]) {
        const { status, headers } = await askHttp(apache.port, `/${path}/x`, asked);
        expect([status, headers['www-authenticate']]).toEqual([401, 'Basic realm="site"']);
      }
    },
  );

  it.each(['password', 'scgi'])(
    'as authn lets the right password through, and the app behind /%s/ gets the variables',
    async (path) => {
      expect(await told(apache.port, `/${path}/x`, credentials('open'))).toEqual({
        user: 'joe',
        seenAs: 'authorizer AUTHENTICATOR',
        seenBefore: '-',
        seenBody: '- 0',
        latin,
        got: '',
        role: 'responder',
      });
    },
  );

  it('as authz asks a second time, and tells what the first answer was', async () => {
    expect(await told(apache.port, '/right/x', credentials('open'))).toMatchObject({
      user: 'joe',
      seenAs: 'authorizer AUTHORIZER',
      seenBefore: 'authorizer AUTHENTICATOR',
    });
  });

  it('as authz passes the headers of a denial on, and makes the status and the body itself', async () => {
    const { status, headers, text } = await askHttp(apache.port, '/right/denied', credentials('open'));
    expect([status, headers['x-why'], headers['set-cookie']]).toEqual([403, 'because', ['a=1', 'b=2']]);
    expect(text).not.toContain('no entry');
  });

  it('as authnz asks once for both, and names no role of its own', async () => {
    expect(await told(apache.port, '/both/x', credentials('open'))).toMatchObject({
      user: 'joe',
      seenAs: 'authorizer -',
      seenBefore: '-',
    });
  });

  it('without Basic asks the authorizer alone, whose REMOTE_USER is the user', async () => {
    expect(await told(apache.port, '/own/x')).toMatchObject({
      user: 'mapped',
      seenAs: 'authorizer AUTHENTICATOR',
      latin,
    });
  });

  it.each([
    ['own', { user: 'mapped', seenAs: 'authorizer AUTHENTICATOR', header: 'mapped' }],
    ['uwsgi', { user: 'mapped', seenAs: 'authorizer AUTHENTICATOR', header: 'mapped' }],
    ['ajp', { attribute: 'yes', header: 'mapped' }],
    ['http', { header: 'mapped' }],
  ])(
    'passes the variables on to the app behind /%s/, as far as its protocol and mod_headers carry them',
    async (path, expected) => {
      const { got, role, latin: _, seenBefore, seenBody, ...answer } = await told(apache.port, `/${path}/x`);
      expect(answer).toEqual(expected);
      expect([got, role]).toEqual(['', 'responder']);
    },
  );

  it('without Basic passes a denial on as it is, but for its Content-Type', async () => {
    const { status, headers, text } = await askHttp(apache.port, '/own/denied');
    expect([status, text, headers['x-why'], headers['set-cookie']]).toEqual([
      403,
      'no entry\n',
      'because',
      ['a=1', 'b=2'],
    ]);
    expect(headers['content-type']).toBe('text/html; charset=iso-8859-1');
    const moved = await askHttp(apache.port, '/own/login');
    expect([moved.status, moved.headers.location]).toEqual([302, 'https://login.test/']);
  });

  it('without Basic passes a denial of HEAD on without a body', async () => {
    const { status, headers, text } = await askHttp(apache.port, '/own/denied', { method: 'HEAD' });
    expect([status, headers['x-why'], text]).toEqual([403, 'because', '']);
  });

  it.each(['own', 'right', 'both'])(
    'answers 500 where the authorizer of /%s/ fails, and tells nothing',
    async (path) => {
      for (const what of ['fails', 'plain']) {
        const { status, text } = await askHttp(apache.port, `/${path}/${what}`, credentials('open'));
        expect([what, status, /secret|come in/.test(text)]).toEqual([what, 500, false]);
      }
    },
  );

  it('keeps an upload for the app', async () => {
    const upload = 'x'.repeat(100_000);
    const answer = await told(apache.port, '/own/x', { method: 'POST', body: upload });
    expect(answer).toMatchObject({ seenBody: '- 0', got: upload });
  });

  it('has what failed in its error log', () => {
    const log = readFileSync(join(apache.folder, 'error.log'), 'latin1');
    expect(log).toMatch(/AH02507: .*Error: secret/);
    expect(log).toMatch(/AH02507: .*an authorizer answered 200, which is no allow and no denial/);
  });
});

describe('lighttpd with mode authorizer', () => {
  let lighttpd: FrontEnd;

  beforeAll(async () => {
    lighttpd = await startLighttpd((_, folder) => {
      mkdirSync(join(folder, 'files'));
      writeFileSync(join(folder, 'files', 'page.txt'), 'a page');
      const authorizer = `"mode" => "authorizer", "host" => "127.0.0.1", "port" => ${fastcgi}, "check-local" => "disable"`;
      const backEnd = (port: number): string => `"host" => "127.0.0.1", "port" => ${port}, "check-local" => "disable"`;
      return `
server.modules += ( "mod_fastcgi", "mod_scgi" )
$HTTP["url"] =~ "^/own/" {
    fastcgi.server = ( "/own/" => ( ( ${authorizer} ), ( ${backEnd(fastcgi)}, "fix-root-scriptname" => "enable" ) ) )
}
$HTTP["url"] =~ "^/scgi/" {
    fastcgi.server = ( "/scgi/" => ( ( ${authorizer} ) ) )
    scgi.server = ( "/scgi/" => ( ( ${backEnd(scgi)} ) ) )
}
$HTTP["url"] =~ "^/files/" {
    fastcgi.server = ( "/files/" => ( ( ${authorizer}, "docroot" => "${folder}" ) ) )
}`;
    });
  });
  afterAll(() => lighttpd.stop());

  it.each(['own', 'scgi'])(
    'lets a request through, and the app behind /%s/ gets the variables, REMOTE_USER too',
    async (path) => {
      expect(await told(lighttpd.port, `/${path}/x?y=1`)).toEqual({
        user: 'mapped',
        seenAs: 'authorizer -',
        seenBefore: '-',
        seenBody: '- 0',
        latin,
        got: '',
        role: 'responder',
      });
    },
  );

  it('lets a request for a file through', async () => {
    expect((await askHttp(lighttpd.port, '/files/page.txt')).text).toBe('a page');
  });

  it.each(['own', 'scgi', 'files'])('passes a denial for /%s/ on as it is', async (path) => {
    const { status, headers, text } = await askHttp(lighttpd.port, `/${path}/denied`);
    expect([status, text, headers['x-why'], headers['set-cookie'], headers['content-type']]).toEqual([
      403,
      'no entry\n',
      'because',
      ['a=1', 'b=2'],
      'text/plain',
    ]);
    const moved = await askHttp(lighttpd.port, `/${path}/login`);
    expect([moved.status, moved.headers.location]).toEqual([302, 'https://login.test/']);
    const head = await askHttp(lighttpd.port, `/${path}/denied`, { method: 'HEAD' });
    expect([head.status, head.headers['x-why'], head.text]).toEqual([403, 'because', '']);
  });

  it('answers 500 where the authorizer fails, and tells nothing', async () => {
    for (const what of ['fails', 'plain']) {
      const { status, text } = await askHttp(lighttpd.port, `/own/${what}`);
      expect([what, status, text]).toEqual([what, 500, '500 Internal Server Error\n']);
    }
    expect(readFileSync(join(lighttpd.folder, 'error.log'), 'latin1')).toMatch(/FastCGI-stderr:\s*Error: secret/);
  });

  it.each(['own', 'scgi'])('keeps an upload for the app behind /%s/', async (path) => {
    const upload = 'x'.repeat(100_000);
    const answer = await told(lighttpd.port, `/${path}/x`, { method: 'POST', body: upload });
    expect(answer).toMatchObject({ seenBody: '- 0', got: upload });
  });
});

describe('Apache mod_fcgid, which starts the authorizer itself', () => {
  let apache: FrontEnd;

  beforeAll(async () => {
    const modules = ['authn_core', 'auth_basic', 'authn_file', 'authz_user', 'fcgid', 'proxy', 'proxy_fcgi'];
    apache = await startApache(modules, (_, folder) => {
      const program = writeProgram(join(folder, 'authorizer'), 'test/fixtures/guarded.mjs');
      writeFileSync(join(folder, 'nobody'), '');
      mkdirSync(join(folder, 'sockets'));
      chmodSync(join(folder, 'sockets'), 0o777);
      return `
FcgidIPCDir ${folder}/sockets
FcgidProcessTableFile ${folder}/processes
ProxyPass "/" "fcgi://127.0.0.1:${fastcgi}/"
<Location "/right/">
  AuthType Basic
  AuthName "site"
  AuthBasicProvider file
  AuthUserFile ${folder}/nobody
  AuthBasicAuthoritative Off
  FcgidAuthenticator ${program}
  FcgidAuthorizer ${program}
  Require valid-user
</Location>
<Location "/check/">
  FcgidAccessChecker ${program}
  Require all granted
</Location>`;
    });
  });
  afterAll(() => apache.stop());

  it('asks it as authenticator and as authorizer, and passes the variables on, to the client too', async () => {
    const { status, headers, text } = await askHttp(apache.port, '/right/x', credentials('open'));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      user: 'joe',
      seenAs: 'authorizer AUTHENTICATOR, authorizer AUTHORIZER',
      latin: `${latin}, ${latin}`,
    });
    expect(headers).toHaveProperty('variable-seen_as');
    expect((await askHttp(apache.port, '/right/x', credentials('wrong'))).status).toBe(401);
    expect((await askHttp(apache.port, '/right/denied', credentials('open'))).status).toBe(401);
  });

  it('asks it as access checker, and answers 401 itself where that denies', async () => {
    expect(await told(apache.port, '/check/x')).toMatchObject({ seenAs: 'authorizer ACCESS_CHECKER' });
    const { status, headers, text } = await askHttp(apache.port, '/check/denied');
    expect([status, headers['x-why'], text.includes('no entry')]).toEqual([401, 'because', false]);
  });
});

describe('an app that offers no authorizer', () => {
  let alone: Served;
  beforeAll(async () => {
    alone = await servePostern('test/fixtures/plain.mjs', ['fastcgi://127.0.0.1:0']);
  });
  afterAll(async () => {
    expect((await alone.child.stop()).code).toBe(0);
  });

  it('lets nobody through lighttpd, neither to an app nor to files', async () => {
    const port = portOf(alone.addresses[0]);
    const lighttpd = await startLighttpd((_, folder) => {
      mkdirSync(join(folder, 'files'));
      writeFileSync(join(folder, 'files/page.txt'), 'a page');
      const guard = `"mode" => "authorizer", "host" => "127.0.0.1", "port" => ${port}, "check-local" => "disable"`;
      return `server.modules += ( "mod_fastcgi" )
$HTTP["url"] =~ "^/own/" { fastcgi.server = ( "/own/" => (
  ( ${guard} ),
  ( "host" => "127.0.0.1", "port" => ${fastcgi}, "check-local" => "disable", "fix-root-scriptname" => "enable" )
) ) }
$HTTP["url"] =~ "^/files/" { fastcgi.server = ( "/files/" => ( ( ${guard}, "docroot" => "${folder}" ) ) ) }`;
    });
    try {
      for (const path of ['/own/x', '/files/page.txt']) {
        const { status, text } = await askHttp(lighttpd.port, path);
        expect([path, status]).toEqual([path, 500]);
        expect(text).not.toContain('a page');
      }
    } finally {
      await lighttpd.stop();
    }
  });

  it('lets nobody through mod_fcgid', async () => {
    const apache = await startApache(['fcgid'], (_, folder) => {
      const program = writeProgram(join(folder, 'authorizer'), 'test/fixtures/plain.mjs');
      writeFileSync(join(folder, 'page.txt'), 'a page');
      mkdirSync(join(folder, 'sockets'));
      chmodSync(join(folder, 'sockets'), 0o777);
      return `FcgidIPCDir ${folder}/sockets
FcgidProcessTableFile ${folder}/processes
<Location "/">
  FcgidAccessChecker ${program}
  Require all granted
</Location>`;
    });
    try {
      const { status, text } = await askHttp(apache.port, '/page.txt');
      expect([status, text.includes('a page')]).toEqual([401, false]);
    } finally {
      await apache.stop();
    }
  });

  it('lets nobody through mod_authnz_fcgi', async () => {
    const port = portOf(alone.addresses[0]);
    const apache = await startApache(['authn_core', 'authz_user', 'authnz_fcgi', 'auth_basic'], (_, folder) => {
      writeFileSync(join(folder, 'page.txt'), 'a page');
      return `AuthnzFcgiDefineProvider authn guard fcgi://127.0.0.1:${port}/
<Location "/">
  AuthnzFcgiCheckAuthnProvider guard Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user
</Location>`;
    });
    try {
      const { status, text } = await askHttp(apache.port, '/page.txt');
      expect(status).toBe(500);
      expect(text).not.toContain('a page');
    } finally {
      await apache.stop();
    }
  });
});
