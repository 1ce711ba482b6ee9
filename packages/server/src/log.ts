import { describeError, type ErrorCode, type Exchange, PosternError, printable } from '@postern/core';

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

/** One line on stderr for what is a warning or worse; bytes of a peer are made safe. */
export function logToStderr(entry: LogEntry): void {
  if (entry.level === 'info') return;
  const id = entry.id === undefined ? '' : ` id=${entry.id}`;
  writeLine(
    `${entry.level} event=${entry.event} proto=${entry.protocol} rule=${entry.code} peer=${printable(entry.peer)}${id} ${printable(entry.message)}`,
  );
}

/** An application's failure on stderr, with its stack. */
export function errorToStderr(error: unknown, exchange: Exchange | undefined): void {
  const code = error instanceof PosternError ? error.code : 'ERR_APP_ERROR';
  const where =
    exchange === undefined ? '' : ` ${exchange.head.method} ${printable(exchange.head.target.slice(0, 200))}`;
  writeLine(
    `${code}:${where} ${error instanceof Error && error.stack !== undefined ? error.stack : describeError(error)}`,
  );
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
