/** A packet with its header of four bytes; both sides must have the same (Tomcat packetSize, httpd ProxyIOBufferSize). */
export const PACKET_SIZE = 8192;
export const HEADER_LENGTH = 4;
export const MAX_PAYLOAD = PACKET_SIZE - HEADER_LENGTH;
/** Request body bytes of one packet: header and inner length go off. */
export const MAX_REQUEST_PIECE = PACKET_SIZE - 6;
/** Reply body bytes of one packet: header, type, length and the NUL behind them go off. */
export const MAX_REPLY_PIECE = PACKET_SIZE - 8;

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

/** Header names are sent as 0xA000 plus their place in these lists, from 1. */
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
  'content-type',
  'content-language',
  'content-length',
  'date',
  'last-modified',
  'location',
  'set-cookie',
  'set-cookie2',
  'servlet-engine',
  'status',
  'www-authenticate',
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
