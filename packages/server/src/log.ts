import {
  describeError,
  type ErrorCode,
  type Exchange,
  limitTable,
  type Notice,
  PosternError,
  printable,
} from '@postern/core';
import type { FramedSocket } from './light-socket.ts';

/** What a peer did wrong, or what a clock ended. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: 'protocol_error' | 'timeout' | 'limit' | 'abort' | 'internal';
  readonly code: ErrorCode;
  readonly message: string;
  readonly protocol: string;
  readonly peer: string;
  readonly id?: number;
}

export interface PeerLogContext {
  log(entry: LogEntry): void;
  /** Logs a kind once in a while: it may concern every connection. */
  notice(code: ErrorCode, message: string, protocol: string, peer: string): void;
}

/** What is said of one connection. */
export class PeerLog {
  readonly #log: PeerLogContext;
  readonly #protocol: string;
  readonly #peer: string;

  constructor(log: PeerLogContext, protocol: string, socket: FramedSocket) {
    this.#log = log;
    this.#protocol = protocol;
    this.#peer = peerName(socket);
  }

  write(level: LogEntry['level'], event: LogEntry['event'], code: ErrorCode, message: string, id?: number): void {
    const entry: LogEntry = { level, event, code, message, protocol: this.#protocol, peer: this.#peer };
    this.#log.log(id === undefined ? entry : { ...entry, id });
  }

  notice({ code, message }: Notice): void {
    this.#log.notice(code, message, this.#protocol, this.#peer);
  }

  /** Reading or writing failed. Most often the peer has left, which is no news. */
  broken({ code, message }: NodeJS.ErrnoException): void {
    if (code !== 'ENOBUFS' && code !== 'ENOMEM') return;
    this.write('warn', 'limit', 'ERR_ABORTED', `the system has no memory for this connection (${message})`);
  }

  defect(error: unknown): void {
    this.write('error', 'internal', 'ERR_INTERNAL', describeError(error));
  }
}

/** The other side of a socket: 192.0.2.1:1234, [2001:db8::1]:1234, or unix. */
export function peerName({ remoteAddress, remotePort, remoteFamily }: FramedSocket): string {
  if (remoteAddress === undefined) return 'unix';
  return `${remoteFamily === 'IPv6' ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

const MOST_BYTES: number = limitTable.maxLogLineBytes.default;
/** Of one failure: its message can have any number of them. */
const MOST_LINES = 100;

/**
 * One line on stderr for what is a warning or worse; bytes of a peer are made safe.
 * @returns it was longer than `most` bytes, and cut
 */
export function logToStderr(entry: LogEntry, most = MOST_BYTES): boolean {
  if (entry.level === 'info') return false;
  const id = entry.id === undefined ? '' : ` id=${entry.id}`;
  return writeLine(
    `${entry.level} event=${entry.event} proto=${entry.protocol} rule=${entry.code} peer=${printable(entry.peer)}${id} ${printable(entry.message)}`,
    most,
  );
}

/** An application's failure on stderr, with its stack. Never throws. @returns a line was longer than `most` bytes, and cut */
export function errorToStderr(error: unknown, exchange: Exchange | undefined, most = MOST_BYTES): boolean {
  const code = error instanceof PosternError ? error.code : 'ERR_APP_ERROR';
  const where =
    exchange === undefined ? '' : ` ${exchange.head.method} ${printable(exchange.head.target.slice(0, 200))}`;
  return writeLine(`${code}:${where} ${stackOf(error)}`, most);
}

/** The lines behind the first are indented, and controls are made safe: a message cannot pose as a line of its own. */
function stackOf(error: unknown): string {
  let stack: unknown;
  try {
    stack = error instanceof Error ? error.stack : undefined;
  } catch {
    // told below
  }
  const text = typeof stack === 'string' ? stack : describeError(error);
  const lines = text.split('\n').map((line) => line.replace(CONTROLS, toHex));
  if (lines.length > MOST_LINES) lines.splice(MOST_LINES, lines.length, `[${lines.length - MOST_LINES} lines dropped]`);
  return lines.join('\n    ');
}

const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;

function toHex(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** What the application writes for an error log: lines without controls. */
export function safeLines(text: string): string {
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').map(printable);
  return `${lines.join('\n')}\n`;
}

/** Lines of at most so many bytes each; the rest of a longer one is counted in it. */
export function cutLines(text: string, most: number): string {
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  return text
    .split('\n')
    .map((line) => cutLine(line, most))
    .join('\n');
}

function cutLine(line: string, most: number): string {
  const bytes = Buffer.from(line);
  return bytes.length <= most ? line : `${bytes.toString('utf8', 0, most)} [${bytes.length - most} bytes dropped]`;
}

/** What the application writes for the operator where the protocol reaches no log of the web server. */
export function textToStderr(text: string): void {
  process.stderr.write(text);
}

function writeLine(line: string, most: number): boolean {
  const cut = cutLines(line, most);
  process.stderr.write(`${cut}\n`);
  return cut !== line;
}
