import {
  type AskEvent,
  type BackEndOptions,
  type ClientConnection,
  type LimitName,
  type Limits,
  limitsWith,
} from '@postern/core';
import { ajp } from '../../../packages/ajp/src/index.ts';
import { fastcgi } from '../../../packages/fastcgi/src/index.ts';
import { scgi } from '../../../packages/scgi/src/index.ts';
import { uwsgi } from '../../../packages/uwsgi/src/index.ts';
import * as repair from '../repair.ts';
import * as seeds from '../seeds.ts';
import * as tokens from '../tokens.ts';
import * as units from '../units.ts';
import { type Asked, type Asking, ask, type ClientConduct } from './client.ts';
import { check, type Manner, type Played, type Target } from './target.ts';

interface Client {
  readonly name: string;
  readonly askings: readonly (readonly Asking[])[];
  readonly settings: readonly { limits?: Partial<Record<LimitName, number>>; options?: BackEndOptions }[];
  /** So many times replyHighWater is taken of a reply that nobody reads. */
  readonly windows: number;
  open(limits: Limits, options?: BackEndOptions): ClientConnection;
  /** @throws Broken what was sent is not what was asked */
  read(asked: Asked, conduct: ClientConduct): void;
  /** What may not depend on the cut; undefined: everything may. */
  outcome(asked: Asked, conduct: ClientConduct): unknown;
}

const BODY = Buffer.from('z'.repeat(40));
const get = ['REQUEST_METHOD', 'GET'];
const post = ['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', String(BODY.length)];
const chunked = ['REQUEST_METHOD', 'POST', 'HTTP_TRANSFER_ENCODING', 'chunked'];

function asks(id: number, variables: string[], more: Partial<Extract<AskEvent, { type: 'request' }>> = {}): Asking {
  const body = variables === get ? undefined : BODY;
  return { ask: [{ type: 'request', id, variables, keep: false, ...more }], body };
}

const pings: Asking = { ask: [{ type: 'ping', id: 1 }] };
const small = { maxReplyHeaderBytes: 60, maxReplyHeaders: 3, replyHighWater: 3, maxStderrBytes: 4, maxJunkRecords: 3 };
const settings: Client['settings'] = [{}, { limits: small }, { limits: small, options: { nph: true } }];

function target(client: Client, rest: Omit<Target, 'name' | 'play'>): Target {
  return {
    name: `${client.name}-client`,
    ...rest,
    play(manner, chunks): Played {
      const { limits: set, options } = client.settings[manner.setting % client.settings.length];
      const limits = limitsWith(set);
      const conduct = conductOf(client, manner, limits.replyHighWater);
      const asked = ask(client.open(limits, options), chunks, conduct);
      client.read(asked, conduct);
      const outcome = conduct.aborts ? undefined : client.outcome(asked, conduct);
      return { outcome, comparable: outcome !== undefined };
    },
  };
}

function conductOf({ askings, windows }: Client, { conduct, more }: Manner, highWater: number): ClientConduct {
  return {
    askings: askings[conduct % askings.length],
    together: (more & 1) !== 0,
    pulls: (more & 2) === 0 ? 'at once' : 'never',
    highWater: highWater * windows,
    aborts: (more & 12) === 4,
  };
}

function everything({ heard, error, close }: Asked): unknown {
  return { heard, error, close };
}

/** Each byte of the body goes out once, behind the request. */
function oneShotSent({ output }: Asked, { askings: [first] }: ClientConduct): void {
  const sent = output.split('z').length - 1;
  check(sent <= (first?.body?.length ?? 0), `${sent} bytes of body were sent`);
}

const fastcgiClient: Client = {
  name: 'fastcgi',
  windows: 4,
  settings,
  askings: [
    [asks(1, get)],
    [asks(1, post, { keep: true }), asks(2, get, { keep: true }), asks(3, chunked, { keep: true })],
    [asks(1, get, { keep: true }), asks(1, get, { keep: true }), asks(2, post)],
    [{ ask: [{ type: 'values', id: 9 }] }, asks(1, get, { keep: true }), asks(2, get, { role: 'authorizer' })],
    [
      {
        ask: [
          { type: 'request', id: 1, role: 'filter', variables: get, keep: true },
          { type: 'filter-data', id: 1, chunk: BODY },
          { type: 'filter-end', id: 1 },
        ],
      },
    ],
  ],
  open: (limits, options) => fastcgi.client(limits, options),
  read: ({ output }) => check(output.length % 8 === 0, 'a record is not padded'),
  // whether a connection can be used again depends on what is seen behind an end: what is asked later may not be asked
  outcome: ({ heard, error }, { together }) => {
    const first = (together ? heard.filter(({ at }) => at === 0) : heard.slice(0, 1)).map(({ over, ...one }) => {
      return { ...one, over: over?.replace(/^end .*/, 'end') };
    });
    return { first, error: first.every(({ over }) => over !== undefined) ? 'none of theirs' : error };
  },
};

const scgiClient: Client = {
  name: 'scgi',
  windows: 1,
  settings,
  askings: [[asks(1, get)], [asks(1, post)], []],
  open: (limits, options) => scgi.client(limits, options),
  read: oneShotSent,
  outcome: everything,
};

const uwsgiClient: Client = {
  name: 'uwsgi',
  windows: 1,
  settings,
  askings: [[asks(1, get)], [asks(1, post)], [pings], []],
  open: (limits) => uwsgi.client(limits),
  read: oneShotSent,
  outcome: everything,
};

const ajpClient: Client = {
  name: 'ajp',
  windows: 1,
  settings: [{}, { limits: small }, { limits: { replyHighWater: 3 }, options: { secret: 'x', packetSize: 16_384 } }],
  askings: [
    [asks(1, get)],
    [asks(1, post, { keep: true }), asks(2, get, { keep: true })],
    [asks(1, chunked, { keep: true }), pings],
    [pings, asks(2, post)],
    [],
  ],
  open: (limits, options) => ajp.client(limits, options),
  read({ output }, { askings }) {
    const most = askings.reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
    const sent = output.split('z').length - 1;
    check(sent <= most, `${sent} bytes of body were sent, ${most} were given`);
  },
  // whether bytes stood behind an end, and whether an answer was awaited, depends on when they came
  outcome: ({ heard: [first], error }) => (error === undefined ? { body: first?.body, head: first?.head } : undefined),
};

export const clients: readonly Target[] = [
  target(fastcgiClient, {
    packages: ['fastcgi', 'wire', 'core'],
    seeds: seeds.fastcgiClient,
    tokens: [...tokens.fastcgi, ...tokens.reply],
    units: units.records,
    repair: repair.records,
  }),
  target(scgiClient, {
    packages: ['scgi', 'wire', 'core'],
    seeds: seeds.scgiClient,
    tokens: tokens.reply,
    units: units.texts,
  }),
  target(ajpClient, {
    packages: ['ajp', 'wire', 'core'],
    seeds: seeds.ajpClient,
    tokens: tokens.ajp,
    units: units.packets,
    repair: repair.packets,
  }),
  target(uwsgiClient, {
    packages: ['uwsgi', 'wire', 'core'],
    seeds: seeds.uwsgiClient,
    tokens: tokens.reply,
    units: units.texts,
  }),
];
