import { CgiReplyReader, type ClientProtocol, limitsWith } from '@postern/core';
import { record } from '@postern/testkit';
import fc from 'fast-check';
import { ajp } from '../../../packages/ajp/src/index.ts';
import { fastcgi } from '../../../packages/fastcgi/src/index.ts';
import { scgi } from '../../../packages/scgi/src/index.ts';
import { uwsgi } from '../../../packages/uwsgi/src/index.ts';
import * as container from '../ajp-answers.ts';
import { ask } from '../targets/client.ts';
import { bodies, type Case, cut, fields, pieces, places, shortValues, sizes, statuses, type Valid } from './common.ts';

/** A reply, whatever carries it. */
interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly fields: [name: string, value: string][];
  readonly body: string;
}

const replies: fc.Arbitrary<Reply> = fc.record({
  status: statuses,
  reason: shortValues.filter((text) => text !== ''),
  fields,
  body: bodies,
});

function headOf({ status, reason, fields: list }: Reply): [number, string, string[]] {
  return [status, reason, list.flat()];
}

function expected(id: number, reply: Reply): unknown {
  return { id, head: headOf(reply), body: reply.body };
}

/** How the head of a reply may be written: its lines end with LF or CRLF, blanks stand around values, interim heads before it. */
const forms = fc.record({
  end: fc.constantFrom('\n', '\r\n'),
  blank: fc.constantFrom('', ' ', '\t '),
  interim: fc.nat(3),
  statusLine: fc.boolean(),
});
type Form = typeof forms extends fc.Arbitrary<infer F> ? F : never;

function textOf(reply: Reply, form: Form): string {
  const { end, blank, interim } = form;
  const { status, reason } = reply;
  const first = form.statusLine ? `HTTP/1.1 ${status} ${reason}` : `Status:${blank}${status} ${reason}`;
  const before = `${form.statusLine ? 'HTTP/1.1 103' : 'Status: 103'} Early Hints${end}X: y${end}${end}`.repeat(
    interim,
  );
  const lines = [first, ...reply.fields.map(([name, value]) => `${name}:${blank}${value}${blank}`)];
  return `${before}${lines.join(end)}${end}${end}${reply.body}`;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function decode(protocol: ClientProtocol, chunks: readonly Uint8Array[], count: number): unknown {
  const variables = ['REQUEST_METHOD', 'GET'];
  const askings = Array.from({ length: count }, (_, i) => ({
    ask: [{ type: 'request', id: i + 1, variables, keep: count > 1 } as const],
  }));
  const { heard, error } = ask(protocol.client(limitsWith(), { nph: true }), chunks, {
    askings,
    together: true,
    pulls: 'at once',
    highWater: limitsWith().replyHighWater,
    aborts: false,
  });
  return error ?? heard.map(({ id, head, body }) => ({ id, head: JSON.parse(head ?? 'null'), body }));
}

/** Over a connection whose end is the end of the reply. */
function oneShot(protocol: ClientProtocol): Valid {
  return {
    cases: fc.tuple(replies, forms, places).map(([reply, form, at]): Case => {
      return { chunks: cut(latin1(textOf(reply, form)), at), expected: [expected(1, reply)] };
    }),
    decode: (chunks) => decode(protocol, chunks, 1),
  };
}

export const scgiClient = oneShot(scgi);
export const uwsgiClient = oneShot(uwsgi);

/** Two replies at once, their records mixed, with STDERR between them. */
export const fastcgiClient: Valid = {
  cases: fc
    .tuple(replies, replies, forms, fc.array(sizes(65_535), { maxLength: 4 }), fc.constantFrom(0, 1, 7, 255), places)
    .map(([one, two, form, most, padding, at]) => {
      const lists = [one, two].map((reply, i) => {
        const stdout = pieces(textOf(reply, form), most, 65_535).map((piece) => record(6, i + 1, piece, { padding }));
        return [...stdout, record(6, i + 1), record(3, i + 1, Buffer.alloc(8), { padding })];
      });
      const all: Buffer[] = [];
      for (let i = 0; i < Math.max(lists[0].length, lists[1].length); i++) {
        for (const list of lists) if (i < list.length) all.push(list[i]);
        if (i === 0) all.push(record(7, 1, 'a line\n'), record(7, 2));
      }
      return { chunks: cut(Buffer.concat(all), at), expected: [expected(1, one), expected(2, two)] };
    }),
  decode: (chunks) => decode(fastcgi, chunks, 2),
};

/** What fits a packet. */
function ajpOf(reply: Reply): Reply {
  const list = reply.fields.map(([name, value]): [string, string] => [name, value.slice(0, 1000)]);
  return { ...reply, fields: list, body: reply.body.slice(0, 30_000) };
}

export const ajpClient: Valid = {
  cases: fc
    .tuple(replies.map(ajpOf), fc.array(sizes(8184), { maxLength: 4 }), fc.boolean(), places)
    .map(([reply, most, nul, at]) => {
      const { status, reason } = reply;
      const bytes = Buffer.concat([
        container.headers(reply.fields, { status, reason }),
        container.FLUSH,
        ...pieces(reply.body, most, 8184).map((piece) => container.chunk(piece, { nul })),
        container.end(0),
      ]);
      return { chunks: cut(bytes, at), expected: [expected(1, reply)] };
    }),
  decode: (chunks) => decode({ ...ajp, client: (limits) => ajp.client(limits) }, chunks, 1),
};

export const cgiReply: Valid = {
  cases: fc.tuple(replies, forms, places).map(([reply, form, at]) => {
    return { chunks: cut(latin1(textOf(reply, form)), at), expected: { head: headOf(reply), body: reply.body } };
  }),
  decode(chunks) {
    const reader = new CgiReplyReader(limitsWith(), true);
    let head: unknown;
    let body = '';
    for (const chunk of chunks) {
      const found = head === undefined ? reader.push(chunk) : undefined;
      if (found !== undefined) head = [found.status, found.reason, found.headers];
      if (head !== undefined) body += Buffer.from(found?.rest ?? chunk).toString('latin1');
    }
    return { head, body };
  },
};
