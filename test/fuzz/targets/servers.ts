import {
  type LimitName,
  type Limits,
  limitsWith,
  type PeerOptions,
  type Role,
  type ServerConnection,
} from '@postern/core';
import { readRecords, readReplies } from '@postern/testkit';
import { ajp } from '../../../packages/ajp/src/index.ts';
import { type Message, readMessages } from '../../../packages/ajp/test/writer.ts';
import { fastcgi } from '../../../packages/fastcgi/src/index.ts';
import { scgi } from '../../../packages/scgi/src/index.ts';
import { uwsgiWith } from '../../../packages/uwsgi/src/index.ts';
import * as repair from '../repair.ts';
import * as seeds from '../seeds.ts';
import * as tokens from '../tokens.ts';
import * as units from '../units.ts';
import { serve } from './server.ts';
import { answers, type Conduct, type Served } from './serving.ts';
import { check, type Manner, type Played, type Target } from './target.ts';

/** A server's limits and options. */
interface Setting {
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
  /** Of uwsgi. */
  readonly ping?: boolean;
  readonly modifier30?: boolean;
}

interface Server {
  readonly name: string;
  readonly settings: readonly Setting[];
  /** A body comes unasked, up to bodyHighWater; without it a packet at a time. */
  readonly windowed: boolean;
  /** Bytes of a refusal that the smallest provocation costs, for each of its own. */
  readonly amplifies: number;
  open(limits: Limits, setting: Setting): ServerConnection;
  /** What was written, as the web server reads it, so that it can be compared. @throws Broken, Error */
  read(served: Served, bytes: Buffer): unknown;
  /** What was skipped of a body may depend on when it came. */
  comparable(conduct: Conduct, served: Served, setting: Setting): boolean;
}

const pulls = ['at once', 'at once', 'late', 'never'] as const;
const lasts = ['nothing', 'nothing', 'expire', 'shutdown'] as const;

function conductOf({ conduct, more }: Manner, highWater: number | undefined): Conduct {
  return {
    answer: answers[conduct & 7],
    pulls: pulls[(conduct >> 3) & 3],
    highWater,
    last: lasts[more & 3],
  };
}

function target(server: Server, rest: Omit<Target, 'name' | 'play'>): Target {
  return {
    name: `${server.name}-server`,
    ...rest,
    play(manner, chunks): Played {
      const setting = server.settings[manner.setting % server.settings.length];
      const limits = limitsWith(setting.limits);
      const conduct = conductOf(manner, server.windowed ? limits.bodyHighWater : undefined);
      const served = serve(server.open(limits, setting), chunks, conduct);
      const bytes = Buffer.concat(chunks);
      const most = 128 + bytes.length * server.amplifies + served.said;
      check(served.output.length <= most, `${served.output.length} bytes were written, more than ${most}`);
      const written = server.read(served, bytes);
      const { seen, errors, close } = served;
      // who does not ask for a body has as much of it as its window lets in
      const comparable = conduct.pulls !== 'never' && server.comparable(conduct, served, setting);
      // who answers early may not know yet that there is no more of the body
      const early = conduct.answer === 'head' || conduct.answer === 'pieces' || conduct.answer === 'break';
      // what is due when the connection breaks may be lost
      const lost = close === 'reset' ? undefined : written;
      const told = early ? seen.map(({ body: _, ended: __, ...one }) => one) : seen;
      // of two limits that one message breaks, the one is told that is seen first
      const limited = errors.map((error) => error.replace(/^ERR_ENV_\w+ 431/, 'a limit 431'));
      return { outcome: { seen: told, errors: limited, close, written: lost }, comparable };
    },
  };
}

/** How many were answered whole by the application, or refused. */
function answered({ seen, errors }: Served): number {
  const refusals = errors.filter((error) => error.includes(' ')).length;
  return refusals + seen.filter(({ answer, aborted }) => answer === 'whole' && !aborted).length;
}

const allRoles: Role[] = ['responder', 'authorizer', 'filter'];
const small = { bodyHighWater: 3, maxEnvBytes: 150, maxEnvCount: 6, maxNameBytes: 20, maxValueBytes: 40 };

const fastcgiServer: Server = {
  name: 'fastcgi',
  amplifies: 12,
  windowed: true,
  settings: [
    {},
    { limits: { maxConcurrentPerConnection: 2, maxJunkRecords: 8 }, peer: { roles: allRoles } },
    { limits: { ...small, maxParamsRecords: 3 }, peer: { roles: allRoles, halfCloseServes: true } },
    {
      limits: { maxConcurrentPerConnection: 1, maxConnectionRequests: 2, bodyHighWater: 4 },
      peer: { peer: 'haproxy', roles: allRoles },
    },
  ],
  open: (limits, { peer }) => fastcgi.server(limits, peer),
  read({ output, seen, errors }, bytes) {
    const broke = seen.some(({ answer }) => answer === 'broken');
    const records = readRecords(output);
    for (const [i, { version, reserved }] of records.entries()) {
      // a header of zeros ends a reply that broke off
      const zeros = broke && version === 0 && i === records.length - 1 && output.endsWith('\0'.repeat(8));
      check(zeros || (version === 1 && reserved === 0), `a record of version ${version}`);
    }
    const { replies, others } = readReplies(output);
    for (const { id } of others) check(id === 0, `a record of no reply, id ${id}`);
    const begun = begins(bytes);
    for (const id of new Set([...replies.map((one) => one.id), ...seen.map((one) => one.id)])) {
      const ended = replies.filter((one) => one.id === id && one.end !== undefined).length;
      const most = begun.get(id) ?? 0;
      check(ended <= most, `${ended} answers to ${most} requests with id ${id}`);
      const due = seen.filter((one) => one.id === id && one.answer === 'whole' && !one.aborted).length;
      check(ended >= due, `${ended} answers with id ${id}, ${due} were given`);
      const asked = seen.filter((one) => one.id === id).length + errors.filter((e) => e.endsWith(` ${id}`)).length;
      check(asked <= most, `${asked} requests with id ${id}, ${most} were begun`);
    }
    for (const { stdout, closed, end, id } of replies) {
      // what the web server gave up ends with another exit status
      const given = end?.startsWith('00000001') === true;
      check(closed || stdout === '' || end === undefined || broke || given, `STDOUT of id ${id} is not closed`);
      checkHead(stdout, 'Status: ');
    }
    return { replies, others };
  },
  // how much of a body came before its reply was broken off, or its connection closed, depends on when it came
  comparable: ({ pulls }, { close }) => pulls === 'at once' || close === false,
};

function begins(bytes: Uint8Array): Map<number, number> {
  const count = new Map<number, number>();
  const starts = units.records(bytes);
  for (const at of starts) {
    if (bytes[at] !== 1 || bytes[at + 1] !== 1 || at + 8 > bytes.length) continue;
    const id = (bytes[at + 2] << 8) | bytes[at + 3];
    count.set(id, (count.get(id) ?? 0) + 1);
  }
  return count;
}

/** A reply that begins has a head. */
function checkHead(text: string, first: string): void {
  if (text === '') return;
  check(
    /^[0-9]{3} [\x20-\x7e]*\r\n(?:[!-~]+: [\x20-\xff]*\r\n)*\r\n/.test(text.slice(first.length)),
    () => `head "${text.slice(0, 200)}"`,
  );
  check(text.startsWith(first), () => `a head that begins with ${text.slice(0, 20)}`);
}

/** SCGI: digits, a colon, that many bytes, a comma; in them names and values, each with its NUL. */
function isNetstring(bytes: Buffer): boolean {
  const length = /^(0|[1-9][0-9]*):/.exec(bytes.toString('latin1', 0, 20))?.[1];
  if (length === undefined) return false;
  const from = length.length + 1;
  const block = bytes.toString('latin1', from, from + Number(length));
  const strings = block.split('\0');
  return bytes[from + Number(length)] === 0x2c && strings.at(-1) === '' && strings.length % 2 === 1;
}

/** uwsgi: names and values fill the block that the head tells of. */
function isBlock(bytes: Buffer): boolean {
  const end = 4 + bytes.readUInt16LE(1);
  let at = 4;
  let count = 0;
  for (; at + 2 <= end; count++) at += 2 + bytes.readUInt16LE(at);
  return at === end && count % 2 === 0 && end <= bytes.length;
}

/** One request on a connection, one text. */
function readOneShot(first: string, isWhole: (bytes: Buffer) => boolean, pong = ''): Server['read'] {
  return (served, bytes) => {
    const { output, seen, errors } = served;
    check(seen.length === 0 || isWhole(bytes), 'a block is read that is cut off');
    check(seen.length + errors.length <= 1, `${seen.length} requests and ${errors.length} errors`);
    if (pong !== '' && output === pong) return output;
    checkHead(output, first);
    const heads = output.split(/^/m).filter((line) => line.startsWith(first) && !line.startsWith(`${first}103`));
    check(heads.length <= 1, `${heads.length} answers`);
    if (answered(served) === 1) check(heads.length === 1, 'the answer is not written');
    return output;
  };
}

/** Of a body that is asked for late the peer's leaving takes a part, if it does. */
const oneShot: Server['comparable'] = ({ pulls }, _, { peer }) => pulls === 'at once' || peer?.halfCloseServes === true;

const scgiServer: Server = {
  name: 'scgi',
  amplifies: 40,
  windowed: true,
  settings: [
    {},
    { limits: small, peer: { strict: true } },
    { limits: { bodyHighWater: 3 }, peer: { halfCloseServes: true } },
  ],
  open: (limits, { peer }) => scgi.server(limits, peer),
  read: readOneShot('Status: ', isNetstring),
  comparable: oneShot,
};

const uwsgiServer: Server = {
  name: 'uwsgi',
  amplifies: 40,
  windowed: true,
  settings: [
    {},
    { limits: small, ping: true, modifier30: true },
    { limits: { bodyHighWater: 3 }, peer: { halfCloseServes: true }, modifier30: true },
  ],
  open: (limits, { peer, ping, modifier30 }) => uwsgiWith({ ping, modifier30 }).server(limits, peer),
  read: readOneShot('HTTP/1.1 ', isBlock, 'd\0\0\x01'),
  comparable: oneShot,
};

const ajpServer: Server = {
  name: 'ajp',
  amplifies: 12,
  windowed: false,
  settings: [
    {},
    { peer: { peer: 'lighttpd', halfCloseServes: true } },
    { peer: { secret: 'x' } },
    {
      limits: { ...small, maxConnectionRequests: 3 },
      peer: { trustRemoteUser: true, attributes: ['x'], packetSize: 16_384 },
    },
  ],
  open: (limits, { peer }) => ajp.server(limits, peer),
  read(served) {
    const messages = readMessages(served.output).map(undated);
    check(ends(messages) === answered(served), `${ends(messages)} answers, ${answered(served)} were given`);
    return messages;
  },
  // a body that the application leaves is skipped where it has come, else the connection is not kept
  comparable: ({ answer, pulls }) =>
    pulls === 'at once' && (answer === 'end' || answer === 'never' || answer === 'interim'),
};

/** Date is the clock's. */
function undated(message: Message): Message {
  if (message.type !== 'headers') return message;
  return { ...message, headers: message.headers.filter((_, i, all) => all[i - (i % 2)] !== 'Date*') };
}

/** A head, what follows it, its end: and so on. The last one may be broken off. */
function ends(messages: readonly Message[]): number {
  let count = 0;
  let open = false;
  for (const message of messages) {
    switch (message.type) {
      case 'headers':
        check(!open, 'a head within a reply');
        open = message.status >= 200;
        break;
      case 'body':
        check(open, 'a body without a head');
        break;
      case 'end':
        check(open, 'an end without a head');
        open = false;
        count++;
    }
  }
  return count;
}

export const servers: readonly Target[] = [
  target(fastcgiServer, {
    packages: ['fastcgi', 'wire', 'core'],
    seeds: seeds.fastcgiServer,
    tokens: tokens.fastcgi,
    units: units.records,
    repair: repair.records,
  }),
  target(scgiServer, {
    packages: ['scgi', 'wire', 'core'],
    seeds: seeds.scgiServer,
    tokens: tokens.cgi,
    units: units.texts,
    repair: repair.netstring,
  }),
  target(ajpServer, {
    packages: ['ajp', 'wire', 'core'],
    seeds: seeds.ajpServer,
    tokens: tokens.ajp,
    units: units.packets,
    repair: repair.packets,
  }),
  target(uwsgiServer, {
    packages: ['uwsgi', 'wire', 'core'],
    seeds: seeds.uwsgiServer,
    tokens: tokens.uwsgi,
    units: units.items,
    repair: repair.block,
  }),
];
