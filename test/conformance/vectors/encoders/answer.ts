import { ajp } from '@postern/ajp';
import {
  type Application,
  type ClientConnection,
  type ClientProtocol,
  environHandler,
  type Handler,
  type LimitName,
  limitsWith,
} from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { outputText, readRecords } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import type { Framed } from '../answers.ts';
import { observe, type Seen } from '../observe.ts';

export const framed: readonly Framed[] = ['fastcgi', 'scgi', 'ajp', 'uwsgi'];
const clients: Record<Framed, ClientProtocol> = { fastcgi, scgi, ajp, uwsgi };

/** What an application answers, or does. */
export type Answer = Application | { readonly handler: Handler };

/** One row of what an application may give. */
export interface AnswerVector {
  /** vE1, … */
  readonly row: string;
  readonly title: string;
  /** Several by name are run one by one. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** What the client gets: `200`, `500`, `200 cut`, `none`. */
  readonly status: string;
  readonly body?: string;
  /** The codes of what the operator is told of the application. */
  readonly reported?: readonly string[];
  readonly method?: string;
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly check?: (seen: Seen, protocol: Framed) => void;
}

/** The bytes of a request without a body, as our own client writes them. */
export function requestOf(protocol: Framed, method: string, ...more: string[]): Buffer {
  const connection = clientOf(protocol);
  const variables = ['REQUEST_METHOD', method, 'REQUEST_URI', '/', 'SERVER_PROTOCOL', 'HTTP/1.1', ...more];
  connection.send({ type: 'request', id: 1, variables, keep: false });
  connection.send({ type: 'end', id: 1 });
  return Buffer.from(outputText(connection), 'latin1');
}

/** A client's side of a protocol. */
export function clientOf(protocol: Framed): ClientConnection {
  return clients[protocol].client(limitsWith());
}

/** Runs an application behind one request. */
export function answered(
  protocol: Framed,
  answer: Answer,
  { method = 'GET', limits, more = [] }: { method?: string; limits?: AnswerVector['limits']; more?: string[] } = {},
): Promise<Seen> {
  const app = typeof answer === 'function' ? environHandler(answer) : answer.handler;
  return observe(protocol, { app, limits }, [requestOf(protocol, method, ...more)]);
}

/** Each by its text as the name. */
export function named<T>(list: readonly T[], answer: (one: T) => Answer): Record<string, Answer> {
  return Object.fromEntries(
    list.map((one) => [typeof one === 'string' ? JSON.stringify(one) : String(one), answer(one)]),
  );
}

/** What was written for the client: without what goes to the error log of the web server. */
export function replyOf(protocol: Framed, output: string): string {
  if (protocol !== 'fastcgi') return output;
  const records = readRecords(Buffer.from(output, 'latin1'));
  return records.map(({ type, content }) => (type === 6 ? content : '')).join('');
}

/** The head of a reply as fields by the letters of the wire, from a protocol whose replies are text, or from AJP. */
export function fieldsOf(protocol: Framed, output: string): [string, string][] {
  if (protocol === 'ajp') return sendHeadersOf(output).fields;
  const text = replyOf(protocol, output);
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n').slice(1);
  return lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
}

const codes = [
  ...['Content-Type', 'Content-Language', 'Content-Length', 'Date', 'Last-Modified', 'Location', 'Set-Cookie'],
  ...['Set-Cookie2', 'Servlet-Engine', 'Status', 'WWW-Authenticate'],
];

/** SEND_HEADERS, the first packet, read by hand. */
export function sendHeadersOf(output: string): { reason: string; coded: boolean; fields: [string, string][] } {
  const bytes = Buffer.from(output, 'latin1');
  if (bytes.toString('latin1', 0, 2) !== 'AB' || bytes[4] !== 4) throw new Error('no SEND_HEADERS');
  let at = 7;
  const text = (): string => {
    const length = bytes.readUInt16BE(at);
    if (bytes[at + 2 + length] !== 0) throw new Error('a string without its end');
    at += 3 + length;
    return bytes.toString('latin1', at - 1 - length, at - 1);
  };
  const reason = text();
  const count = bytes.readUInt16BE(at);
  at += 2;
  const coded = bytes[at] === 0xa0;
  const fields = Array.from({ length: count }, (): [string, string] => {
    if (bytes[at] !== 0xa0) return [text(), text()];
    at += 2;
    return [codes[bytes[at - 1] - 1], text()];
  });
  if (at !== 4 + bytes.readUInt16BE(2)) throw new Error('SEND_HEADERS has another length');
  return { reason, coded, fields };
}
