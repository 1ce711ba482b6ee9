import type { LimitName } from '@postern/core';

/** How a back-end answers: what of its protocol a reply in CGI's form may look like. */
export type BackEnd = 'fastcgi' | 'scgi' | 'uwsgi' | 'fastcgi, nph' | 'scgi, nph';

/** All that take Status and no status line of HTTP. */
export const statusOnly: readonly BackEnd[] = ['fastcgi', 'scgi'];
/** All that take both. */
export const statusLines: readonly BackEnd[] = ['uwsgi', 'fastcgi, nph', 'scgi, nph'];

/** What a caller of the client got. */
export interface Got {
  /** Of the head; 0: there was none. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  /** Bytes as latin-1. */
  readonly body: string;
  /** `whole`, `waiting`, or the code of the error and the status that a gateway answers with. */
  readonly ended: string;
  /** What was written for an error log. */
  readonly log: string;
  /** The connection may carry another request. */
  readonly kept: boolean;
}

/** One row of replies that a client is sent. */
export interface ReplyVector {
  /** vC1, … */
  readonly row: string;
  readonly title: string;
  /** What the application writes, bytes as latin-1; several by name are run one by one. */
  readonly reply: string | Readonly<Record<string, string>>;
  readonly want: Partial<Got>;
  /** Without it all. */
  readonly backEnds?: readonly BackEnd[];
  readonly method?: string;
  readonly limits?: Partial<Record<LimitName, number>>;
  /** The back-end does not end its reply: what is wanted is there before. */
  readonly open?: boolean;
  /** It takes tens of kilobytes: cut at random, and not at every place. */
  readonly long?: boolean;
}

/** A gateway answers 502: nothing of the reply reached the caller. */
export const refused: Partial<Got> = { status: 0, headers: [], body: '', ended: 'ERR_REPLY 502', kept: false };

/** A whole reply. */
export function whole(status: number, more: Partial<Got> = {}): Partial<Got> {
  return { status, ended: 'whole', log: '', ...more };
}

/** Each by a name in which it can be read. */
export function each(...replies: string[]): Record<string, string> {
  return Object.fromEntries(replies.map((reply) => [JSON.stringify(reply), reply]));
}
