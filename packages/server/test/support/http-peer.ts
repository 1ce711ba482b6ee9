import type { Peer } from './peer.ts';
import type { Serving } from './serving.ts';

/** What was answered, as far as it has come. */
export interface HttpReply {
  readonly status: number;
  readonly reason: string;
  /** By name in lower case; repeated ones joined with a line end. */
  readonly fields: Record<string, string>;
  readonly body: string;
}

/** A request as it goes on the wire; HTTP/1.1 with a Host, unless the fields say otherwise. */
export function httpRequest(line: string, fields: string[] = [], body = ''): Buffer {
  const named = fields.some((field) => /^host:/i.test(field)) ? fields : ['Host: app.test', ...fields];
  return Buffer.from(`${line} HTTP/1.1\r\n${named.map((field) => `${field}\r\n`).join('')}\r\n${body}`, 'latin1');
}

/** All complete replies that have come. A reply without a length is complete when the connection has ended. */
export function repliesOf(peer: Peer, methods: readonly string[] = []): HttpReply[] {
  const replies: HttpReply[] = [];
  let { text } = peer;
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return replies;
    const [line, ...rest] = text.slice(0, end).split('\r\n');
    const [, status, reason] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line) ?? [];
    const fields: Record<string, string> = {};
    for (const field of rest) {
      const [name, value] = [field.slice(0, field.indexOf(':')).toLowerCase(), field.replace(/^[^:]*: ?/, '')];
      fields[name] = fields[name] === undefined ? value : `${fields[name]}\n${value}`;
    }
    text = text.slice(end + 4);
    let body = '';
    const bodyless = Number(status) < 200 || status === '204' || status === '304' || methods[replies.length] === 'HEAD';
    if (!bodyless && fields['transfer-encoding'] === 'chunked') {
      for (;;) {
        const size = /^([0-9a-f]+)\r\n/.exec(text);
        if (size === null) return replies;
        const bytes = Number.parseInt(size[1], 16);
        if (text.length < size[0].length + bytes + 2) return replies;
        body += text.slice(size[0].length, size[0].length + bytes);
        text = text.slice(size[0].length + bytes + 2);
        if (bytes === 0) break;
      }
    } else if (!bodyless && fields['content-length'] !== undefined) {
      const length = Number(fields['content-length']);
      if (text.length < length) return replies;
      body = text.slice(0, length);
      text = text.slice(length);
    } else if (!bodyless) {
      if (!peer.ended) return replies;
      body = text;
      text = '';
    }
    replies.push({ status: Number(status), reason, fields, body });
  }
}

/** Waits for so many replies. */
export async function httpReplies(peer: Peer, count = 1, methods: readonly string[] = []): Promise<HttpReply[]> {
  await peer.when(() => repliesOf(peer, methods).length >= count);
  return repliesOf(peer, methods);
}

/** One request on a connection of its own, and its reply. */
export async function asked(
  all: Serving,
  line: string,
  fields: string[] = [],
  body = '',
): Promise<HttpReply & { peer: Peer }> {
  const peer = await all.connect();
  peer.write(httpRequest(line, fields, body));
  const replies = await httpReplies(peer, 1, [line.split(' ')[0]]);
  return { ...replies[0], peer };
}
