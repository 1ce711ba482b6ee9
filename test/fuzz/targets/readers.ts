import {
  CgiReplyReader,
  type LimitName,
  limitsWith,
  NameTree,
  RemoteProtocolError,
  VariableReader,
} from '@postern/core';
import { checkLengths, readPairs, readParams } from '../../../packages/fastcgi/src/params.ts';
import * as seeds from '../seeds.ts';
import * as tokens from '../tokens.ts';
import * as units from '../units.ts';
import { checkError } from './checks.ts';
import { turn } from './cost.ts';
import { check, type Manner, type Played, type Target } from './target.ts';

/** Runs what may refuse. @returns the refusal as `CODE status`; undefined: there was none */
function refusal(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    checkError(error);
    return `${error.code} ${error.statusHint}`;
  }
}

const cgiReply: Target = {
  name: 'cgi-reply',
  packages: ['core'],
  seeds: seeds.cgiReply,
  tokens: tokens.reply,
  units: units.texts,
  play({ setting, conduct }, chunks): Played {
    const few = { maxReplyHeaders: 3, maxReplyHeaderBytes: 60 };
    const reader = new CgiReplyReader((setting & 1) === 0 ? limitsWith() : limitsWith(few), (conduct & 1) === 1);
    let head: unknown;
    let body = '';
    const error = refusal(() => {
      for (const chunk of chunks) {
        turn();
        if (head !== undefined) body += Buffer.from(chunk).toString('latin1');
        else {
          const { rest, ...found } = reader.push(chunk) ?? { rest: new Uint8Array() };
          if (!('status' in found)) continue;
          check(found.status >= 200 && found.status <= 999, `status ${found.status}`);
          check(
            found.headers.every((text) => !/[\r\n\0]/.test(text)),
            'a header holds a control character',
          );
          head = found;
          body += Buffer.from(rest).toString('latin1');
        }
      }
    });
    check(error === undefined || error === 'ERR_REPLY 502', `refused with ${error}`);
    return { outcome: error ?? { head, body }, comparable: true };
  },
};

/** Pairs as the specification has them (FastCGI 1.0 §3.4), read the slow and simple way; undefined: they are cut off. */
export function simplePairs(bytes: Uint8Array): [name: string, value: string][] | undefined {
  const view = Buffer.from(bytes);
  const found: [string, string][] = [];
  let at = 0;
  const length = (): number => {
    const size = view[at] < 128 ? 1 : 4;
    if (at + size > view.length) return Number.NaN;
    at += size;
    return size === 1 ? view[at - 1] : view.readUInt32BE(at - 4) - 0x80000000;
  };
  while (at < view.length) {
    const lengths = [length(), length()];
    if (!(at + lengths[0] + lengths[1] <= view.length)) return undefined;
    const value = at + lengths[0];
    found.push([view.toString('latin1', at, value), view.toString('latin1', value, value + lengths[1])]);
    at = value + lengths[1];
  }
  return found;
}

const few: Partial<Record<LimitName, number>> = { maxEnvCount: 4, maxNameBytes: 20, maxValueBytes: 40 };
const reader = new VariableReader(new NameTree());

function playPairs({ setting }: Manner, chunks: readonly Uint8Array[]): Played {
  const limits = limitsWith((setting & 1) === 0 ? {} : few);
  const bytes = Buffer.concat(chunks);
  const simple = simplePairs(bytes);
  const found: [string, string][] = [];
  const small = refusal(() => readPairs(bytes, (name, value) => found.push([name, value])));
  check(small === undefined || small === 'ERR_ENV_PAIR 400', `refused with ${small}`);
  check(
    (small === undefined) === (simple !== undefined),
    `the pairs are whole: ${simple !== undefined}, read: ${small}`,
  );
  if (simple !== undefined) check(JSON.stringify(found) === JSON.stringify(simple), 'the pairs are others');
  let variables: string[] = [];
  const refused = refusal(() => {
    const { names, values } = readParams(bytes, reader, limits);
    variables = names.names.flatMap((name, i) => [name, values[i]]);
  });
  if (refused === undefined) {
    check(simple !== undefined, 'pairs that are cut off are read');
    check(JSON.stringify(variables) === JSON.stringify(simple.flat()), 'the variables are others');
  }
  // what is looked at as it comes says the same sooner
  let checked = 0;
  let come = 0;
  const early = refusal(() => {
    for (const chunk of chunks) {
      turn();
      come += chunk.length;
      checked = checkLengths(bytes.subarray(0, come), checked, limits);
      check(checked <= come, 'looked behind the end');
    }
  });
  if (early !== undefined) check(refused !== undefined, `${early} although the pairs can be read`);
  return { outcome: { found, refused, early, variables }, comparable: true };
}

const fastcgiPairs: Target = {
  name: 'fastcgi-pairs',
  packages: ['fastcgi', 'core'],
  seeds: seeds.fastcgiPairs,
  tokens: tokens.fastcgi,
  units: units.pairs,
  play: playPairs,
};

export const readers: readonly Target[] = [cgiReply, fastcgiPairs];
