import {
  CgiHead,
  type Limits,
  NameTree,
  type Notice,
  type PeerOptions,
  RemoteProtocolError,
  replyHeadText,
  type VariableNames,
  VariableReader,
} from '@postern/core';
import type { ByteQueue, OneShotFormat, OneShotHead } from '@postern/wire';
import { HEADER_LENGTH, Modifier, PONG } from './constants.ts';
import { packetHeader } from './layouts.ts';
import { withoutScriptName } from './script-name.ts';
import { readVars } from './vars.ts';

/** What of the protocol is served beside requests with modifier 0. */
export interface UwsgiOptions {
  /** PATH_INFO of a request with modifier 30 begins with SCRIPT_NAME, which is cut off. */
  readonly modifier30?: boolean;
  /** Pings (modifier 100) are answered. */
  readonly ping?: boolean;
}

/** Shared by all connections: their requests carry the same names. */
const reader = new VariableReader(new NameTree());

/** What is said of the variables of a request, by the list of their names: most requests share one. */
const notices = new WeakMap<VariableNames, Notice | 'nothing'>();

/** Who moved here from uWSGI may believe that these still choose what runs. */
function noticeOf(list: VariableNames): Notice | undefined {
  let notice = notices.get(list);
  if (notice === undefined) {
    const name = list.names.find((one) => one.startsWith('UWSGI_'));
    notice =
      name === undefined
        ? 'nothing'
        : { code: 'ERR_UWSGI_VARIABLE', message: `${name} is dropped: a request does not choose what is run` };
    notices.set(list, notice);
  }
  return notice === 'nothing' ? undefined : notice;
}

const PONG_TEXT = packetHeader.write({ modifier1: Modifier.PING, modifier2: PONG }).toString('latin1');

/** The header is read by hand: `packetHeader` is its description and oracle. */
class UwsgiHead implements OneShotHead {
  readonly #limits: Limits;
  readonly #options: UwsgiOptions;
  /** The web server, where the address names it. */
  readonly #peer: string | undefined;
  #modifier = 0;
  #modifier2 = 0;
  #length = 0;
  notice: Notice | undefined;

  constructor(limits: Limits, options: UwsgiOptions, { peer }: PeerOptions) {
    this.#limits = limits;
    this.#options = options;
    this.#peer = peer;
  }

  takeLength(input: ByteQueue): boolean {
    const first = input.peek(0) ?? 0;
    if (isLetter(first))
      throw new RemoteProtocolError('ERR_UWSGI_MODIFIER', `modifier ${first}: the peer does not speak uwsgi`);
    if (input.length < HEADER_LENGTH) return false;
    const header = input.take(HEADER_LENGTH);
    this.#modifier = header[0];
    this.#length = header[1] | (header[2] << 8);
    this.#modifier2 = header[3];
    return true;
  }

  takeBlock(input: ByteQueue): CgiHead | string | undefined {
    const modifier = this.#modifier;
    const cut = modifier === Modifier.SCRIPT_NAME && this.#options.modifier30 === true;
    const ping = modifier === Modifier.PING && this.#options.ping === true;
    if ((modifier !== Modifier.REQUEST && !cut && !ping) || this.#modifier2 !== 0) {
      throw new RemoteProtocolError(
        'ERR_UWSGI_MODIFIER',
        `modifiers ${modifier} and ${this.#modifier2} are not served`,
        { scope: 'request', status: 501 },
      );
    }
    if (ping) return PONG_TEXT;
    if (this.#length > this.#limits.maxEnvBytes) {
      throw new RemoteProtocolError(
        'ERR_ENV_BYTES',
        `a block of ${this.#length} bytes, maxEnvBytes is ${this.#limits.maxEnvBytes}`,
        { scope: 'request', status: 431, limit: 'maxEnvBytes' },
      );
    }
    if (input.length < this.#length) return undefined;
    const { names, values } = readVars(input.take(this.#length), reader, this.#limits);
    this.notice = noticeOf(names);
    return new CgiHead(names, cut ? withoutScriptName(names, values) : values, false, this.#peer);
  }
}

/** 'A' to 'Z': a request line of HTTP rather than one of uWSGI's rarer modifiers. */
function isLetter(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

export function uwsgiFormat(options: UwsgiOptions): OneShotFormat {
  return {
    broken: 'ERR_UWSGI_BLOCK',
    head: (limits, peer) => new UwsgiHead(limits, options, peer),
    replyHead: httpReplyHead,
  };
}

/** Apache demands a status line. The end of the connection is the end of the body, so there is no field for that. */
function httpReplyHead(status: number, reason: string, headers: readonly string[]): string {
  return replyHeadText(`HTTP/1.1 ${status} ${reason}\r\n`, headers);
}
