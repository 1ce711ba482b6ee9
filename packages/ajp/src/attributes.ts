import { printable, RemoteProtocolError } from '@postern/core';
import { Attribute } from './constants.ts';
import type { Peer } from './peer.ts';
import type { PayloadReader } from './strings.ts';
import type { Variables } from './variables.ts';

export interface Attributes {
  /** Undefined: none was sent. */
  queryString: string | undefined;
  storedMethod: string | undefined;
}

export type AttributeRules = Pick<Peer, 'secret' | 'trustRemoteUser' | 'attributes'>;

function refuse(message: string, status: number): never {
  throw new RemoteProtocolError('ERR_AJP_ATTRIBUTE', message, { scope: 'request', status });
}

/**
 * The attributes of a FORWARD_REQUEST, up to its end. What becomes a variable is added to `variables`:
 * REMOTE_USER and AUTH_TYPE only where they are trusted, for anybody who can connect can send them.
 * A secret that comes where none is set means nothing: a web server may have it before this side does.
 *
 * @throws RemoteProtocolError ERR_AJP_SECRET (403): the secret is missing or another; ERR_AJP_ATTRIBUTE: a request
 * attribute that is not let in (403), one that is unknown, so that its length is too (400); ERR_AJP_PACKET (400)
 */
export function readAttributes(payload: PayloadReader, rules: AttributeRules, variables: Variables): Attributes {
  const found: Attributes = { queryString: undefined, storedMethod: undefined };
  let secret: string | undefined;
  let unwelcome: string | undefined;
  for (;;) {
    const code = payload.u8();
    switch (code) {
      case Attribute.CONTEXT:
      case Attribute.SERVLET_PATH:
        payload.string();
        break;
      case Attribute.REMOTE_USER:
      case Attribute.AUTH_TYPE: {
        const value = payload.string();
        if (rules.trustRemoteUser && value !== '')
          variables.add(code === Attribute.REMOTE_USER ? 'REMOTE_USER' : 'AUTH_TYPE', value);
        break;
      }
      case Attribute.QUERY_STRING:
        found.queryString = payload.string();
        break;
      case Attribute.JVM_ROUTE:
        variables.add('AJP_ROUTE', payload.string());
        break;
      case Attribute.SSL_CERT:
        variables.add('SSL_CLIENT_CERT', payload.string());
        break;
      case Attribute.SSL_CIPHER:
        variables.add('SSL_CIPHER', payload.string());
        break;
      case Attribute.SSL_SESSION:
        variables.add('SSL_SESSION_ID', payload.string());
        break;
      case Attribute.SSL_KEY_SIZE:
        variables.add('SSL_CIPHER_USEKEYSIZE', payload.keySize()?.toString());
        break;
      case Attribute.STORED_METHOD:
        found.storedMethod = payload.string();
        break;
      case Attribute.SECRET: {
        const given = payload.string() ?? '';
        // of two that differ one is wrong, and no secret is ''
        secret = secret === undefined || secret === given ? given : '';
        break;
      }
      case Attribute.REQ_ATTRIBUTE: {
        const name = readRequestAttribute(payload, rules.attributes, variables);
        unwelcome ??= name;
        break;
      }
      case Attribute.END:
        if (payload.left > 0) refuse(`${payload.left} bytes behind the end of the attributes`, 400);
        // whoever has not the secret learns, and has logged, nothing but that
        if (rules.secret?.is(secret ?? '') === false) refuseSecret(secret);
        if (unwelcome !== undefined)
          refuse(`the request attribute "${printable(unwelcome.slice(0, 80))}" is not let in`, 403);
        return found;
      default:
        refuse(`attribute code ${code} is unknown`, 400);
    }
  }
}

function refuseSecret(given: string | undefined): never {
  const message = given === undefined ? 'no secret came, and one is set' : 'the secret is not the one that is set here';
  throw new RemoteProtocolError('ERR_AJP_SECRET', message, { scope: 'request', status: 403 });
}

/** Returns the name of an attribute that is not let in. */
function readRequestAttribute(
  payload: PayloadReader,
  attributes: ReadonlyMap<string, string>,
  variables: Variables,
): string | undefined {
  const name = payload.name() ?? '';
  const value = payload.string();
  const variable = attributes.get(name);
  if (variable === undefined) return name;
  if (name === 'AJP_REMOTE_PORT' && !/^[0-9]{1,5}$/.test(String(value))) return undefined;
  variables.add(variable, value);
  return undefined;
}
