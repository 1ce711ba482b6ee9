import type { FileHandle } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Environ } from './environ.ts';

/** A string is sent as UTF-8. */
export type Chunk = string | Uint8Array;

/** A file, or the bytes `start` to `end` (inclusive) of it, read in pieces of 64 KiB. A handle is not closed. */
export type FileBody = ({ path: string } | { handle: FileHandle }) & { start?: number; end?: number };

export type ReplyBody = null | Chunk | Iterable<Chunk> | AsyncIterable<Chunk> | ReadableStream | FileBody;

/** The reply of an environ application: PSGI's shape. */
export interface Reply {
  status: number;
  /** Without it the standard phrase of the status. */
  reason?: string;
  /** An array gives the field several times, as Set-Cookie needs. */
  headers?: Record<string, string | string[]> | Iterable<readonly [string, string]>;
  body?: ReplyBody;
}

/** An environ application. It answers undefined only where it has called `gateway.upgrade`. */
export type Application = (environ: Environ) => Reply | undefined | Promise<Reply | undefined>;

/** A request may pass. The variables reach the application behind, by these names; strings hold bytes as latin-1. */
export interface Allowance {
  readonly allow: Readonly<Record<string, string>>;
}

/**
 * Decides whether a web server lets a request through (FastCGI 1.0 §6.3). A Reply is what the client gets in its place:
 * any status but 2xx.
 */
export type Authorizer = (environ: Environ) => Allowance | Reply | Promise<Allowance | Reply>;
