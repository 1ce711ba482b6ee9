import { describe, expect, it } from '@jest/globals';
import { letIn } from '../src/request-attributes.ts';

describe('letIn', () => {
  it('has the usual names, and those that are given beside them', () => {
    const names = letIn(['x', 'AJP_REMOTE_PORT', 'org.apache.foo', 'DOCUMENT_ROOT']);
    expect(names.get('x')).toBe('x');
    expect(names.get('org.apache.foo')).toBe('org.apache.foo');
    expect(names.get('AJP_REMOTE_PORT')).toBe('REMOTE_PORT');
    expect(letIn().has('x')).toBe(false);
  });

  it.each([
    ['AJP_LOCAL_ADDR', 'SERVER_ADDR'],
    ['AJP_REMOTE_PORT', 'REMOTE_PORT'],
    ['AJP_SSL_PROTOCOL', 'SSL_PROTOCOL'],
    ['javax.servlet.request.cipher_suite', 'SSL_CIPHER'],
    ['javax.servlet.request.key_size', 'SSL_CIPHER_USEKEYSIZE'],
    ['javax.servlet.request.ssl_session', 'SSL_SESSION_ID'],
    ['javax.servlet.request.X509Certificate', 'SSL_CLIENT_CERT'],
  ])('makes of %s the variable %s', (name, variable) => expect(letIn().get(name)).toBe(variable));

  it.each([
    ...['JK_LB_ACTIVATION', 'CERT_ISSUER', 'CERT_SUBJECT', 'CERT_COOKIE', 'CERT_FLAGS', 'CERT_SERIALNUMBER'],
    ...['HTTPS_SERVER_SUBJECT', 'HTTPS_SERVER_ISSUER', 'HTTPS_SECRETKEYSIZE', 'HTTPS_KEYSIZE'],
  ])('leaves %s its name', (name) => expect(letIn().get(name)).toBe(name));

  it('makes no list anew where nothing is added', () => expect(letIn([])).toBe(letIn()));

  it.each([
    ...['REMOTE_ADDR', 'REMOTE_USER', 'HTTP_X', 'HTTP_PROXY', 'HTTPS', 'SSL_CIPHER', 'SSL_X', 'REQUEST_METHOD'],
    ...['REQUEST_SCHEME', 'SERVER_NAME', 'CONTENT_LENGTH', 'AUTH_TYPE', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING'],
    ...['GATEWAY_INTERFACE', 'gateway.input', 'wsgi.input', 'UWSGI_FILE', '__proto__', 'constructor', 'AJP_ROUTE'],
    ...['', 'a b', 'a=b', 'a\r\nb', '\xe9', 'x'.repeat(257)],
  ])('refuses %j', (name) => {
    expect(() => letIn(['x', name])).toThrow(expect.objectContaining({ name: 'ConfigError', code: 'ERR_OPTION' }));
  });
});
