import type { Sniffer } from './opening.ts';

/** Longer request lines are not waited for. */
const MAX_LINE = 8192;
/** Empty lines before a request line that are passed over (RFC 9112 §2.2), in bytes. */
const MAX_EMPTY = 16;

const REQUEST_LINE = /^[A-Z]{3,12} [!-~\x80-\xff]+ HTTP\/1\.[01]\r?\n/;
const BEGINNING = /^(?:[A-Z]{1,12}|[A-Z]{3,12} (?:[!-~\x80-\xff]+(?: [HTP/1.0]{0,8}\r?)?)?)$/;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** A whole request line of HTTP/1: who sends that understands an answer in HTTP. */
export const httpRequestLine: Sniffer = {
  name: 'http',
  sniff(bytes) {
    const text = latin1(bytes.subarray(0, MAX_LINE));
    if (REQUEST_LINE.test(text)) return 'yes';
    return bytes.length < MAX_LINE && BEGINNING.test(text) ? 'more' : 'no';
  },
};

/** A protocol whose connections begin with these bytes. */
function beginsWith(name: string, beginning: string): Sniffer {
  return {
    name,
    sniff(bytes) {
      const text = latin1(bytes.subarray(0, beginning.length));
      if (!beginning.startsWith(text)) return 'no';
      return text.length === beginning.length ? 'yes' : 'more';
    },
  };
}

const proxy1 = beginsWith('PROXY protocol', 'PROXY ');
const http2 = beginsWith('HTTP/2', 'PRI * HTTP/2.0\r\n');
const ssh = beginsWith('SSH', 'SSH-');
/** Those that begin as a method of HTTP could. */
const lettered = [proxy1, http2, ssh];

/** A record of a handshake (22), version 3.x, two bytes of length, a ClientHello (1). */
const tls: Sniffer = {
  name: 'TLS',
  sniff(bytes) {
    const [type = 22, major = 3, minor = 0, , , message = 1] = bytes;
    if (type !== 22 || major !== 3 || minor > 4 || message !== 1) return 'no';
    return bytes.length < 6 ? 'more' : 'yes';
  },
};

/** What is not served here, and comes to a wrong port all the same. */
export const foreignProtocols: readonly Sniffer[] = [
  tls,
  proxy1,
  beginsWith('PROXY protocol', '\r\n\r\n\0\r\nQUIT\n'),
  http2,
  ssh,
];

/** What node:http is given: an upper-case letter, which no other protocol begins with but those that are named here. */
export const httpBeginning: Sniffer = {
  name: 'http',
  sniff(bytes) {
    let at = 0;
    while (at < bytes.length && at < MAX_EMPTY && (bytes[at] === 13 || bytes[at] === 10)) at++;
    if (at === bytes.length) return 'more';
    if (bytes[at] < 0x41 || bytes[at] > 0x5a) return 'no';
    let open = false;
    for (const { sniff } of lettered) {
      const answer = sniff(bytes.subarray(at));
      if (answer === 'yes') return 'no';
      if (answer === 'more') open = true;
    }
    return open ? 'more' : 'yes';
  },
};
