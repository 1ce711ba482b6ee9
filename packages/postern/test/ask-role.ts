import { connect, type NetConnectOpts } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { begin, pairs, params, plainGet, type ReadReply, readReplies, record, stdin } from '@postern/testkit';

export interface AskedAs {
  readonly variables?: Record<string, string>;
  /** What a filter works on. */
  readonly file?: string;
}

const numbers = { responder: 1, authorizer: 2, filter: 3 };

/** Asks over FastCGI as a web server does in one role, an authorizer without any STDIN. */
export async function askAs(
  role: keyof typeof numbers,
  address: string,
  { variables = {}, file = '' }: AskedAs = {},
): Promise<ReadReply> {
  const socket = connect(target(address));
  const parts = [begin(1, 0, numbers[role]), params(pairs({ ...plainGet, ...variables })), params()];
  if (role !== 'authorizer') parts.push(stdin());
  if (role === 'filter') parts.push(record(8, 1, file), record(8, 1));
  socket.write(Buffer.concat(parts));
  return readReplies(await buffer(socket)).replies[0];
}

function target(address: string): NetConnectOpts {
  if (address.startsWith('fastcgi+unix:')) return { path: address.slice('fastcgi+unix:'.length) };
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

/** The END_REQUEST of a role that is not offered. */
export const unknownRole = '0000000003000000';
