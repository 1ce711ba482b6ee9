import { describe, expect, it } from '@jest/globals';
import { letIn } from '../src/request-attributes.ts';

describe('letIn', () => {
  it('has the usual names, and those that are given beside them', () => {
    expect(letIn().get('AJP_LOCAL_ADDR')).toBe('SERVER_ADDR');
    const names = letIn(['x', 'AJP_REMOTE_PORT', 'org.apache.foo', 'DOCUMENT_ROOT']);
    expect(names.get('x')).toBe('x');
    expect(names.get('org.apache.foo')).toBe('org.apache.foo');
    expect(names.get('AJP_REMOTE_PORT')).toBe('REMOTE_PORT');
    expect(letIn().has('x')).toBe(false);
  });

  it.each([
    ...['REMOTE_ADDR', 'REMOTE_USER', 'HTTP_X', 'HTTP_PROXY', 'HTTPS', 'SSL_CIPHER', 'SSL_X', 'REQUEST_METHOD'],
    ...['REQUEST_SCHEME', 'SERVER_NAME', 'CONTENT_LENGTH', 'AUTH_TYPE', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING'],
    ...['GATEWAY_INTERFACE', 'gateway.input', 'wsgi.input', 'UWSGI_FILE', '__proto__', 'constructor', 'AJP_ROUTE'],
    ...['', 'a b', 'a=b', 'a\r\nb', '\xe9', 'x'.repeat(257)],
  ])('refuses %j', (name) => {
    expect(() => letIn(['x', name])).toThrow(expect.objectContaining({ name: 'ConfigError', code: 'ERR_OPTION' }));
  });
});
