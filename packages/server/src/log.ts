import type { Socket } from 'node:net';
import { describeError, type ErrorCode, type Exchange, type Notice, PosternError, printable } from '@postern/core';

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

  constructor(log: PeerLogContext, protocol: string, socket: Socket) {
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

  defect(error: unknown): void {
    this.write('error', 'internal', 'ERR_INTERNAL', describeError(error));
  }
}

/** The other side of a socket: 192.0.2.1:1234, [2001:db8::1]:1234, or unix. */
export function peerName({ remoteAddress, remotePort, remoteFamily }: Socket): string {
  if (remoteAddress === undefined) return 'unix';
  return `${remoteFamily === 'IPv6' ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

/** One line on stderr for what is a warning or worse; bytes of a peer are made safe. */
export function logToStderr(entry: LogEntry): void {
  if (entry.level === 'info') return;
  const id = entry.id === undefined ? '' : ` id=${entry.id}`;
  writeLine(
    `${entry.level} event=${entry.event} proto=${entry.protocol} rule=${entry.code} peer=${printable(entry.peer)}${id} ${printable(entry.message)}`,
  );
}

/** An application's failure on stderr, with its stack. Never throws. */
export function errorToStderr(error: unknown, exchange: Exchange | undefined): void {
  const code = error instanceof PosternError ? error.code : 'ERR_APP_ERROR';
  const where =
    exchange === undefined ? '' : ` ${exchange.head.method} ${printable(exchange.head.target.slice(0, 200))}`;
  writeLine(`${code}:${where} ${stackOf(error)}`);
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
  return text
    .split('\n')
    .map((line) => line.replace(CONTROLS, toHex))
    .join('\n    ');
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

/** What the application writes for the operator where the protocol reaches no log of the web server. */
export function textToStderr(text: string): void {
  process.stderr.write(text);
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
