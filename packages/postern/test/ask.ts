import { ajp } from '@postern/ajp';
import { type Answer, type ConnectTarget, request } from '@postern/client';
import type { ClientProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { uwsgi } from '@postern/uwsgi';
import { parseAddress } from '../src/address.ts';

const protocols: Record<string, ClientProtocol> = { fastcgi, ajp, uwsgi };

/** One request to an address, and its whole answer. */
export async function ask(
  address: string,
  path = '/',
  more: Record<string, string> = {},
  body?: Uint8Array,
): Promise<{ status: number; headers: string[]; text: string }> {
  const answer = await begin(address, path, more, body);
  return { status: answer.status, headers: answer.headers, text: await textOf(answer) };
}

/** One request to an address, as far as the head of its answer. */
export function begin(
  address: string,
  path: string,
  more: Record<string, string> = {},
  body?: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<Answer> {
  const variables = {
    REQUEST_METHOD: body === undefined ? 'GET' : 'POST',
    REQUEST_URI: path,
    SERVER_PROTOCOL: 'HTTP/1.1',
    REMOTE_ADDR: '192.0.2.1',
    HTTP_HOST: 'example.org',
    ...(body instanceof Uint8Array && { CONTENT_LENGTH: String(body.length) }),
    ...more,
  };
  const { protocol, target, backEnd } = parseAddress(address, 'connect');
  const asked = { variables: Object.entries(variables).flat(), body, options: backEnd };
  return request(protocols[protocol], target as ConnectTarget, asked);
}

export async function textOf(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
