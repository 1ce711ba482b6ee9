import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { initialEnvironment, requestVariables } from '../src/cgi-environment.ts';

/** The names that are left of these. */
function kept(...names: string[]): string[] {
  return requestVariables(names.flatMap((name) => [name, 'x'])).filter((_, i) => i % 2 === 0);
}

describe('the variables of a request', () => {
  it('are what the web server sends and what its configuration sets', () => {
    const sent = [
      ...['GATEWAY_INTERFACE', 'REQUEST_METHOD', 'QUERY_STRING', 'CONTENT_LENGTH', 'CONTENT_TYPE', 'PATH_INFO'],
      ...['PATH_TRANSLATED', 'SCRIPT_NAME', 'SCRIPT_FILENAME', 'SCRIPT_URI', 'REQUEST_URI', 'DOCUMENT_ROOT'],
      ...['SERVER_NAME', 'SERVER_PORT', 'SERVER_ADMIN', 'SERVER_SIGNATURE', 'CONTEXT_PREFIX', 'CONTEXT_DOCUMENT_ROOT'],
      ...['REMOTE_ADDR', 'REMOTE_USER', 'AUTH_TYPE', 'HTTPS', 'SSL_PROTOCOL', 'SSL_CLIENT_CERT', 'UNIQUE_ID'],
      ...['REDIRECT_STATUS', 'REDIRECT_URL', 'HTTP_HOST', 'HTTP_PATH', 'HTTP_NODE_OPTIONS', 'HTTP_USER'],
      ...['MY_SETTING', 'DATABASE_URL', 'ENVIRONMENT', 'LANGUAGE_CODE', 'USER_ID', 'my.dotted-name', 'CUSTOM_PATH'],
    ];
    expect(kept(...sent)).toEqual(sent);
  });

  it('are not what belongs to the process', () => {
    const own = [
      ...['PATH', 'HOME', 'PWD', 'OLDPWD', 'SHELL', 'SHLVL', '_', 'USER', 'LOGNAME', 'HOSTNAME', 'MAIL'],
      ...[
        'LANG',
        'LC_ALL',
        'LC_CTYPE',
        'TERM',
        'TZ',
        'TMPDIR',
        'LD_PRELOAD',
        'LD_LIBRARY_PATH',
        'DYLD_INSERT_LIBRARIES',
      ],
      ...['NODE_OPTIONS', 'NODE_ENV', 'npm_config_cache', 'XDG_RUNTIME_DIR', 'SSH_AUTH_SOCK', 'SUDO_USER'],
      ...['NOTIFY_SOCKET', 'LISTEN_FDS', 'INVOCATION_ID', 'SSL_CERT_FILE', 'AJP_SECRET', 'BASH_FUNC_x%%'],
    ];
    expect(kept(...own)).toEqual([]);
  });

  it('have names that a variable of a request can have', () => {
    expect(kept('WITH SPACE', 'GOOD', '\xc3\xa4', 'A\tB')).toEqual(['GOOD']);
  });
});

describe('the initial environment', () => {
  it('is of bytes, whatever they are, and of the start of the process', () => {
    const program = ['run-typescript.cjs', 'print-environment.ts'].map((name) => join(__dirname, 'support', name));
    const variables = ['A=caf\u00e9', 'EMPTY=', 'EQUALS=a=b', 'LINES=one\ntwo'];
    const flat = JSON.parse(
      execFileSync('env', ['-i', ...variables, process.execPath, ...program], { encoding: 'utf8' }),
    );
    expect(flat).toEqual(['A', 'caf\xc3\xa9', 'EMPTY', '', 'EQUALS', 'a=b', 'LINES', 'one\ntwo']);
  });

  it('is that of this process', () => {
    expect(initialEnvironment()).toContain('PATH');
  });
});
