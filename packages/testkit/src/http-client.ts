import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface HttpAsked {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]> | string[];
  readonly body?: string | Uint8Array;
  readonly agent?: Agent;
}

interface HttpGot {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly text: string;
}

/** A request whose target goes out as it is written; it is not ended. */
export function openHttp(
  port: number,
  path: string,
  { method = 'GET', headers, agent = new Agent() }: HttpAsked = {},
): ClientRequest {
  return request({ host: '127.0.0.1', port, path, method, headers, agent });
}

export async function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  const [incoming] = (await once(asked, 'response')) as [IncomingMessage];
  return incoming;
}

/** Asks and reads the whole answer. */
export async function askHttp(port: number, path: string, asked: HttpAsked = {}): Promise<HttpGot> {
  const outgoing = openHttp(port, path, asked);
  outgoing.end(asked.body);
  const incoming = await answerOf(outgoing);
  const body = await buffer(incoming);
  const { statusCode = 0, statusMessage = '', headers } = incoming;
  return { status: statusCode, reason: statusMessage, headers, body, text: body.toString() };
}
