import { printable, RemoteProtocolError } from '@postern/core';
import { Attribute } from './constants.ts';
import type { PayloadReader } from './strings.ts';

/** The request attributes that are let in, and the variable that each becomes. No other reaches the application. */
const allowed = new Map([
  ['AJP_LOCAL_ADDR', 'SERVER_ADDR'],
  ['AJP_REMOTE_PORT', 'REMOTE_PORT'],
  ['AJP_SSL_PROTOCOL', 'SSL_PROTOCOL'],
  ['JK_LB_ACTIVATION', 'JK_LB_ACTIVATION'],
  ['javax.servlet.request.cipher_suite', 'SSL_CIPHER'],
  ['javax.servlet.request.key_size', 'SSL_CIPHER_USEKEYSIZE'],
  ['javax.servlet.request.ssl_session', 'SSL_SESSION_ID'],
  ['javax.servlet.request.X509Certificate', 'SSL_CLIENT_CERT'],
  // IIS, by way of mod_jk
  ['CERT_ISSUER', 'CERT_ISSUER'],
  ['CERT_SUBJECT', 'CERT_SUBJECT'],
  ['CERT_COOKIE', 'CERT_COOKIE'],
  ['CERT_FLAGS', 'CERT_FLAGS'],
  ['CERT_SERIALNUMBER', 'CERT_SERIALNUMBER'],
  ['HTTPS_SERVER_SUBJECT', 'HTTPS_SERVER_SUBJECT'],
  ['HTTPS_SERVER_ISSUER', 'HTTPS_SERVER_ISSUER'],
  ['HTTPS_SECRETKEYSIZE', 'HTTPS_SECRETKEYSIZE'],
  ['HTTPS_KEYSIZE', 'HTTPS_KEYSIZE'],
]);

export interface Attributes {
  /** Undefined: none was sent. */
  queryString: string | undefined;
  storedMethod: string | undefined;
}

function refuse(message: string, status: number): never {
  throw new RemoteProtocolError('ERR_AJP_ATTRIBUTE', message, { scope: 'request', status });
}

/** Sets a variable; names stay unique. */
export function setVariable(variables: string[], name: string, value: string | undefined): void {
  if (value === undefined) return;
  for (let i = 0; i < variables.length; i += 2) {
    if (variables[i] !== name) continue;
    variables[i + 1] = value;
    return;
  }
  variables.push(name, value);
}

/**
 * The attributes of a FORWARD_REQUEST, up to its end. What becomes a variable is added to `variables`, flat
 * [name, value, …]. REMOTE_USER and AUTH_TYPE are left out: anybody who can connect can send them.
 *
 * @throws RemoteProtocolError ERR_AJP_ATTRIBUTE: a request attribute that is not let in (403), an attribute that is
 * unknown, so that its length is too, or a secret where none is set (400); ERR_AJP_PACKET (400)
 */
export function readAttributes(payload: PayloadReader, variables: string[]): Attributes {
  const found: Attributes = { queryString: undefined, storedMethod: undefined };
  for (;;) {
    const code = payload.u8();
    switch (code) {
      case Attribute.CONTEXT:
      case Attribute.SERVLET_PATH:
      case Attribute.REMOTE_USER:
      case Attribute.AUTH_TYPE:
        payload.string();
        break;
      case Attribute.QUERY_STRING:
        found.queryString = payload.string();
        break;
      case Attribute.JVM_ROUTE:
        setVariable(variables, 'AJP_ROUTE', payload.string());
        break;
      case Attribute.SSL_CERT:
        setVariable(variables, 'SSL_CLIENT_CERT', payload.string());
        break;
      case Attribute.SSL_CIPHER:
        setVariable(variables, 'SSL_CIPHER', payload.string());
        break;
      case Attribute.SSL_SESSION:
        setVariable(variables, 'SSL_SESSION_ID', payload.string());
        break;
      case Attribute.SSL_KEY_SIZE:
        setVariable(variables, 'SSL_CIPHER_USEKEYSIZE', payload.keySize()?.toString());
        break;
      case Attribute.STORED_METHOD:
        found.storedMethod = payload.string() ?? '';
        break;
      case Attribute.REQ_ATTRIBUTE:
        readRequestAttribute(payload, variables);
        break;
      case Attribute.END:
        if (payload.left > 0) refuse(`${payload.left} bytes behind the end of the attributes`, 400);
        return found;
      case Attribute.SECRET:
        refuse('the web server sends a secret, and none is set here', 400);
        break;
      default:
        refuse(`attribute code ${code} is unknown`, 400);
    }
  }
}

function readRequestAttribute(payload: PayloadReader, variables: string[]): void {
  const name = payload.string() ?? '';
  const value = payload.string();
  const variable = allowed.get(name);
  if (variable === undefined) refuse(`the request attribute "${printable(name.slice(0, 80))}" is not let in`, 403);
  if (name === 'AJP_REMOTE_PORT' && !/^[0-9]{1,5}$/.test(value ?? '')) return;
  setVariable(variables, variable, value);
}
