import { describe, expect, it } from '@jest/globals';
import { buildEnviron, CgiHead, type Exchange, RequestBody, variableNames } from '@postern/core';
import { type EnvironRow, environGroups, readable } from '../../src/demo/environ-groups.ts';

function groupsOf(variables: Record<string, string>): Record<string, EnvironRow[]> {
  const all = { REQUEST_METHOD: 'GET', REQUEST_URI: '/', ...variables };
  const head = new CgiHead(variableNames(Object.keys(all)), Object.values(all));
  const input = new RequestBody({ wantBody() {} }, head.contentLength, head.contentLength < 1);
  const exchange = { head, input, protocol: 'fastcgi', role: 'responder' } as Partial<Exchange> as Exchange;
  const groups = environGroups(buildEnviron(exchange));
  return Object.fromEntries(groups.map(({ id, rows }) => [id, rows]));
}

const row = (rows: EnvironRow[], name: string): EnvironRow | undefined => rows.find((one) => one.name === name);

describe('the groups of an environ', () => {
  it('hold each variable once, where a reader looks for it', () => {
    const groups = groupsOf({
      HTTP_HOST: 'x',
      REMOTE_ADDR: '::1',
      SERVER_PORT: '80',
      SSL_CIPHER: 'y',
      AUTH_TYPE: 'Basic',
    });
    const names = Object.fromEntries(Object.entries(groups).map(([id, rows]) => [id, rows.map(({ name }) => name)]));
    expect(names).toMatchObject({
      request: ['REQUEST_METHOD', 'SERVER_PROTOCOL', 'REQUEST_SCHEME'],
      paths: ['REQUEST_URI', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING'],
      client: ['REMOTE_ADDR', 'AUTH_TYPE'],
      server: ['SERVER_PORT'],
      headers: ['HTTP_HOST'],
      other: ['SSL_CIPHER'],
    });
    expect(names.gateway).toContain('gateway.protocol');
    expect(Object.keys(groupsOf({}))).toEqual(['request', 'paths', 'gateway']);
  });

  it('show bytes as the text that they are, and how the app holds them', () => {
    const { paths } = groupsOf({ REQUEST_URI: '/caf%C3%A9', SCRIPT_NAME: '' });
    expect(row(paths, 'PATH_INFO')).toEqual({
      name: 'PATH_INFO',
      value: '/café',
      note: 'held as bytes: /caf\\xc3\\xa9',
    });
    expect(row(paths, 'SCRIPT_NAME')).toEqual({ name: 'SCRIPT_NAME', value: 'empty', special: true });
    expect(readable('\xff\xfe')).toBe('\xff\xfe');
  });

  it.each([
    [{}, 'RequestBody, empty'],
    [{ CONTENT_LENGTH: '1' }, 'RequestBody, 1 byte'],
    [{ CONTENT_LENGTH: '1234' }, 'RequestBody, 1234 bytes'],
  ])('say what is known of the body (%j)', (variables, text) => {
    expect(row(groupsOf(variables).gateway, 'gateway.input')?.value).toBe(text);
  });
});
