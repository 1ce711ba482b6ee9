import type { ExchangeHost } from './exchange-host.ts';
import { cutLines, safeLines, textToStderr } from './log.ts';

/** What the application writes for the error log while it serves one request: safe lines, and not too many bytes. */
export class ErrorLines {
  readonly #host: ExchangeHost;
  readonly #id: number;
  #bytes = 0;

  constructor(host: ExchangeHost, id: number) {
    this.#host = host;
    this.#id = id;
  }

  /** The lines go to the web server's error log, or to the process's own. */
  write(text: string): void {
    const lines = this.#take(text);
    if (lines === undefined) return;
    if (!this.#host.protocol.carriesLog) {
      textToStderr(lines);
      return;
    }
    this.#host.send({ type: 'log', id: this.#id, text: lines });
    this.#host.flushSoon();
  }

  /** undefined: there has been too much already. */
  #take(text: string): string | undefined {
    const { maxStderrBytes, maxStderrLineBytes } = this.#host.limits;
    const room = maxStderrBytes - this.#bytes;
    if (room < 0) return undefined;
    const { counts } = this.#host.context;
    const safe = safeLines(text);
    const lines = cutLines(safe, maxStderrLineBytes);
    if (lines !== safe) counts.maxStderrLineBytes++;
    const bytes = Buffer.from(lines);
    this.#bytes += bytes.length;
    if (bytes.length <= room) return lines;
    counts.maxStderrBytes++;
    return `${bytes.toString('utf8', 0, room)} [the rest is dropped]\n`;
  }
}
