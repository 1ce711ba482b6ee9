export const HEADER_LENGTH = 4;

/** The first two bytes of a packet, by its direction. */
export const Magic = { request: 0x1234, reply: 0x4142 } as const;

/** The first byte of a payload. Packets with body bytes of a request have none. */
export const MessageType = {
  FORWARD_REQUEST: 2,
  SEND_BODY_CHUNK: 3,
  SEND_HEADERS: 4,
  END_RESPONSE: 5,
  GET_BODY_CHUNK: 6,
  SHUTDOWN: 7,
  PING: 8,
  CPONG: 9,
  CPING: 10,
} as const;

/** More header fields than this are refused, before any of them is read. */
export const MAX_HEADERS = 256;

/** Method codes, from 1. */
export const methods = [
  'OPTIONS',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'ACL',
  'REPORT',
  'VERSION-CONTROL',
  'CHECKIN',
  'CHECKOUT',
  'UNCHECKOUT',
  'SEARCH',
  'MKWORKSPACE',
  'UPDATE',
  'LABEL',
  'MERGE',
  'BASELINE-CONTROL',
  'MKACTIVITY',
] as const;
/** The method stands in the attribute `stored_method`. */
export const STORED_METHOD = 0xff;

/**
 * Header names are sent as 0xA000 plus their place in these lists, from 1. A name of so many bytes that its length would
 * read as a code cannot be sent.
 */
export const HEADER_CODE = 0xa000;

export const requestHeaders = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'authorization',
  'connection',
  'content-type',
  'content-length',
  'cookie',
  'cookie2',
  'host',
  'pragma',
  'referer',
  'user-agent',
] as const;

export const replyHeaders = [
  'Content-Type',
  'Content-Language',
  'Content-Length',
  'Date',
  'Last-Modified',
  'Location',
  'Set-Cookie',
  'Set-Cookie2',
  'Servlet-Engine',
  'Status',
  'WWW-Authenticate',
] as const;

export const Attribute = {
  CONTEXT: 1,
  SERVLET_PATH: 2,
  REMOTE_USER: 3,
  AUTH_TYPE: 4,
  QUERY_STRING: 5,
  JVM_ROUTE: 6,
  SSL_CERT: 7,
  SSL_CIPHER: 8,
  SSL_SESSION: 9,
  REQ_ATTRIBUTE: 10,
  SSL_KEY_SIZE: 11,
  SECRET: 12,
  STORED_METHOD: 13,
  END: 0xff,
} as const;
