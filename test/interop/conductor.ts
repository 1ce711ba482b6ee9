import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whom an app of test/fixtures/event-streams asks before each event, and tells that its client has left. */
export class Conductor {
  readonly #server = createServer((req, res) => this.#asked(req, res));
  readonly #waiting: ServerResponse[] = [];
  /** How long an ask waits for its answer, in milliseconds; undefined: until `go`. */
  #pace: number | undefined;
  asks = 0;
  /** The app heard that its client left; undefined: it has not yet. */
  leftAt: number | undefined;

  async listen(pace?: number): Promise<number> {
    this.#pace = pace;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  #asked(req: IncomingMessage, res: ServerResponse): void {
    if (req.url === '/left') {
      this.#left();
      res.end();
      return;
    }
    this.asks++;
    // a CGI program ends when its client leaves, in the middle of what it asks
    res.on('close', () => {
      if (!res.writableEnded) this.#left();
    });
    this.#waiting.push(res);
    if (this.#pace !== undefined) setTimeout(() => this.go(), this.#pace);
  }

  #left(): void {
    this.leftAt ??= performance.now();
  }

  get asked(): boolean {
    return this.#waiting.length > 0;
  }

  /** Lets the next event go. */
  go(): void {
    this.#waiting.shift()?.end('go');
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A browser that listens to an event stream. */
export class Listening {
  /** The head of the reply has come. */
  headed = false;
  text = '';
  headers: IncomingMessage['headers'] = {};
  readonly #request;

  constructor(
    port: number,
    path: string,
    headers: Record<string, string> = {},
    decode = (res: IncomingMessage) => res as NodeJS.ReadableStream,
  ) {
    this.#request = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      this.headed = true;
      this.headers = response.headers;
      response.on('error', () => {});
      const decoded = decode(response);
      decoded.on('error', () => {});
      decoded.on('data', (chunk: Buffer) => {
        this.text += chunk;
      });
    });
    this.#request.on('error', () => {});
    this.#request.end();
  }

  leave(): void {
    this.#request.destroy();
  }
}
