import { errorCodes, RemoteProtocolError, type RequestHead } from '@postern/core';
import { check } from './target.ts';

export function codeOf(error: Error): string {
  return (error as { code?: string }).code ?? error.name;
}

/** A code of the registry, and a message of one line that can be shown. */
export function checkError(error: Error): void {
  const code = codeOf(error);
  check(code in errorCodes && code !== 'ERR_INTERNAL', () => `an error without a code: ${error}`);
  check(/^[\x20-\x7e\xa0-\xff]{1,400}$/.test(error.message), () => `a message that cannot be shown: ${error.message}`);
  if (!(error instanceof RemoteProtocolError)) return;
  check(error.statusHint >= 400 && error.statusHint < 600, `status ${error.statusHint}`);
}

const latin1 = /^[\x00-\xff]*$/;
const never = new Set(['HTTP_PROXY', 'HTTP_TRANSFER_ENCODING', 'HTTP_CONTENT_LENGTH', '__proto__', '']);

/** What every application may rely on. */
export function checkHead(head: RequestHead): void {
  check(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(head.method), () => `method "${head.method}"`);
  check(/^HTTP\/[0-9.]+$/.test(head.protocol), () => `protocol "${head.protocol}"`);
  check(head.target !== '' && latin1.test(head.target), () => `target "${head.target}"`);
  check(Number.isSafeInteger(head.contentLength) && head.contentLength >= -1, `length ${head.contentLength}`);
  const variables = head.variables();
  for (let i = 0; i < variables.length; i += 2) {
    check(!never.has(variables[i]), () => `variable ${variables[i]}`);
    check(latin1.test(variables[i + 1]), () => `the value of ${variables[i]}`);
    if (variables[i].startsWith('HTTP_')) check(!/[\r\n\0]/.test(variables[i + 1]), () => `value of ${variables[i]}`);
  }
  const headers = head.headers();
  for (let i = 0; i < headers.length; i += 2)
    check(!/[\r\n\0]/.test(headers[i] + headers[i + 1]), () => `header ${headers[i]}`);
}

/** What came of the body of one request. */
interface Received {
  readonly contentLength: number;
  readonly body: string;
  readonly ended: string | undefined;
  readonly upgraded: boolean;
}

/** As long as was stated. */
export function checkBody({ contentLength, body, ended, upgraded }: Received): void {
  if (contentLength < 0 || upgraded) return;
  check(body.length <= contentLength, `${body.length} bytes of body, ${contentLength} were stated`);
  if (ended === 'end') check(body.length === contentLength, `a body of ${contentLength} ends after ${body.length}`);
}

/** What a reader holds of the stream of each id since it asked for more. */
export class Held {
  readonly #most: number;
  readonly #bytes = new Map<number, number>();

  /** @param most from so many bytes on nothing more may come */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  add(id: number, chunk: Uint8Array): void {
    const before = this.#bytes.get(id) ?? 0;
    check(before < this.#most, () => `more although ${before} bytes wait for pull`);
    this.#bytes.set(id, before + chunk.length);
  }

  /** It asks for more. */
  clear(id: number): void {
    this.#bytes.delete(id);
  }
}
