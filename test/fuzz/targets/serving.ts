import type { ServerConnection } from '@postern/core';

/** What the application does with a request. */
export const answers = ['end', 'head', 'stream', 'break', 'never', 'interim', 'upgrade', 'pieces'] as const;

export interface Conduct {
  readonly answer: (typeof answers)[number];
  /** When the application asks for more of a body: `late`, when the memory of what came is used again. */
  readonly pulls: 'at once' | 'late' | 'never';
  /** The application may be given more of a body as long as it holds less than this, without having asked for it. */
  readonly highWater?: number;
  /** Behind all that came, in front of the FIN. */
  readonly last: 'nothing' | 'expire' | 'shutdown';
}

/** One request as the application sees it. */
export interface Seen {
  readonly id: number;
  readonly role: string;
  readonly line: string;
  readonly variables: string[];
  readonly headers: string[];
  readonly contentLength: number;
  body: string;
  /** 'end', or the code of what ended it. */
  ended: string | undefined;
  file: string | undefined;
  fileEnded: string | undefined;
  answer: 'none' | 'begun' | 'tunnel' | 'whole' | 'broken';
  /** It was answered with a 101. */
  upgraded: boolean;
  aborted: boolean;
}

export interface Served {
  readonly seen: Seen[];
  /** `CODE status`: refused without the application; `CODE`: the connection broke. */
  readonly errors: string[];
  /** Bytes as latin-1. */
  readonly output: string;
  readonly close: ServerConnection['wantsClose'];
  /** Bytes that were asked to be written. */
  readonly said: number;
}
