import { once } from 'node:events';
import WebSocket from 'ws';

/** How a WebSocket ended: its code, reason, and how long it took. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket that is open. */
export async function openSocket(url: string, options: WebSocket.ClientOptions = {}): Promise<WebSocket> {
  const client = new WebSocket(url, options);
  await once(client, 'open');
  client.on('error', () => {});
  return client;
}

export function ended(client: WebSocket): Promise<Ended> {
  return new Promise((resolve) => {
    client.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
}

/** How a request for a WebSocket is answered that is refused. */
export function refusal(url: string): Promise<{ status: number; text: string }> {
  const client = new WebSocket(url);
  return new Promise((resolve, reject) => {
    client.on('open', () => reject(new Error('it was taken')));
    client.on('error', reject);
    client.on('unexpected-response', async (_request, response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
  });
}

/** So many messages are under way at once. */
const AHEAD = 16;
const LONGEST = 1_000_000;

/** Sizes from 1 byte to 1 MB, as many of each order of magnitude, both ends among them. */
export function sizes(count: number): number[] {
  // steps of the golden section: small and large ones in turn, the same each time
  const spread = Array.from({ length: count - 2 }, (_, i) => ((i + 1) * 0.618_033_988_75) % 1);
  return [1, ...spread.map((share) => Math.round(LONGEST ** share)), LONGEST];
}

/**
 * Sends messages of these sizes and sees that each comes back as it was, in order.
 * @returns the bytes that went one way
 */
export async function echoAll(client: WebSocket, lengths: readonly number[]): Promise<number> {
  const pool = Buffer.alloc(LONGEST + 256);
  for (let i = 0; i < pool.length; i++) pool[i] = (i * 31 + (i >> 8)) & 255;
  const message = (i: number): Buffer => pool.subarray(i % 256, (i % 256) + lengths[i]);
  let sent = 0;
  let back = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const send = (): void => {
      while (sent < lengths.length && sent - back < AHEAD) client.send(message(sent++));
    };
    client.on('message', (data: Buffer) => {
      if (!data.equals(message(back)))
        reject(new Error(`message ${back} of ${lengths[back]} bytes came back otherwise`));
      bytes += data.length;
      back++;
      if (back === lengths.length) resolve();
      else send();
    });
    client.on('close', (code) => reject(new Error(`closed with ${code} behind ${back} messages`)));
    send();
  });
  return bytes;
}
