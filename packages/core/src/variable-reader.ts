import { checkValues } from './cgi-values.ts';
import { RemoteProtocolError } from './errors.ts';
import { comparePlanned } from './name-plan.ts';
import type { NameTree } from './name-tree.ts';
import { NameWalk } from './name-walk.ts';
import type { VariableNames } from './variable-names.ts';

export interface Variables {
  readonly names: VariableNames;
  /** In the order of the names; bytes as latin-1. */
  readonly values: string[];
}

interface ReaderLimits {
  readonly maxEnvCount: number;
  readonly maxNameBytes: number;
  readonly maxValueBytes: number;
}

/** Behind every byte of a block. */
const NOWHERE = 0x7fffffff;
const NOTHING = Buffer.alloc(0);
const NO_WORDS = new Int32Array(1);
const NO_VIEW = new DataView(new ArrayBuffer(0));

function tooLarge(code: 'ERR_ENV_ITEM' | 'ERR_ENV_COUNT', limit: keyof ReaderLimits, message: string): never {
  throw new RemoteProtocolError(code, message, { scope: 'request', status: 431, limit });
}

/** @throws RemoteProtocolError ERR_ENV_ITEM (431): a name or value has more bytes than the limit */
export function checkItem(nameLength: number, valueLength: number, limits: ReaderLimits): void {
  if (nameLength > limits.maxNameBytes)
    tooLarge('ERR_ENV_ITEM', 'maxNameBytes', `a name of ${nameLength} bytes, maxNameBytes is ${limits.maxNameBytes}`);
  if (valueLength > limits.maxValueBytes)
    tooLarge(
      'ERR_ENV_ITEM',
      'maxValueBytes',
      `a value of ${valueLength} bytes, maxValueBytes is ${limits.maxValueBytes}`,
    );
}

/**
 * Collects the variables of a request out of the block that holds them, which FastCGI, SCGI and uwsgi frame in their own
 * ways: `begin`, `add` for each pair, `end`. The block is decoded once and cut into substrings.
 */
export class VariableReader {
  readonly #walk: NameWalk;
  #limits: ReaderLimits | undefined;
  #mostName = 0;
  #mostValue = 0;
  #mostCount = 0;
  #bytes: Buffer = NOTHING;
  /** Of the bytes that blocks lie in, which are mostly the same as before. */
  #view: DataView = NO_VIEW;
  #viewed: Buffer = NOTHING;
  #offset = 0;
  /** Where the block begins in its bytes. */
  #from = 0;
  #text = '';
  #values: string[] = [];
  #count = 0;
  /** How many there were the last time. */
  #usual = 0;
  /** Of the names that are expected, and where the next one stands. */
  #words: Int32Array = NO_WORDS;
  #wordAt = 0;
  /** Where the next NUL, CR and LF stand, as far as that was looked for, and the first of them. */
  #nul = -1;
  #cr = -1;
  #lf = -1;
  #control = -1;
  #suspect = false;

  constructor(tree: NameTree) {
    this.#walk = new NameWalk(tree);
  }

  /** The block as latin-1, from `begin` to `end`. */
  get text(): string {
    return this.#text;
  }

  /** A block that lies in these bytes. */
  begin(bytes: Buffer, limits: ReaderLimits, from = 0, to = bytes.length): void {
    this.#limits = limits;
    this.#mostName = limits.maxNameBytes;
    this.#mostValue = limits.maxValueBytes;
    this.#mostCount = limits.maxEnvCount;
    this.#bytes = bytes;
    if (bytes !== this.#viewed) this.#lookAt(bytes);
    this.#from = from;
    this.#text = bytes.toString('latin1', from, to);
    this.#values = new Array(this.#usual);
    this.#count = 0;
    this.#words = this.#walk.begin().words;
    this.#wordAt = 0;
    this.#nul = -1;
    this.#cr = -1;
    this.#lf = -1;
    this.#control = -1;
    this.#suspect = false;
  }

  #lookAt(bytes: Buffer): void {
    this.#viewed = bytes;
    this.#offset = bytes.byteOffset;
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
  }

  /**
   * A pair by its places in the bytes, which must lie inside the block.
   * @throws RemoteProtocolError ERR_ENV_ITEM, ERR_ENV_COUNT (431)
   */
  add(nameAt: number, nameLength: number, valueAt: number, valueLength: number): void {
    const start = valueAt - this.#from;
    const end = start + valueLength;
    if (nameLength > this.#mostName || valueLength > this.#mostValue || this.#count === this.#mostCount)
      this.#refuse(nameLength, valueLength);
    this.#wordAt = comparePlanned(this.#words, this.#wordAt, this.#view, this.#offset + nameAt, nameLength);
    if (this.#wordAt === 0) this.#turnTo(this.#bytes.toString('latin1', nameAt, nameAt + nameLength));
    if (this.#control < end) this.#look(start, end);
    this.#values[this.#count++] = this.#text.substring(start, end);
  }

  /** The next name is another than was expected. */
  #turnTo(name: string): void {
    const { words, starts } = this.#walk.turnTo(this.#count, name);
    this.#words = words;
    this.#wordAt = starts[this.#count + 1] ?? 0;
  }

  #refuse(nameLength: number, valueLength: number): void {
    const limits = this.#limits as ReaderLimits;
    checkItem(nameLength, valueLength, limits);
    tooLarge('ERR_ENV_COUNT', 'maxEnvCount', `more than ${limits.maxEnvCount} variables`);
  }

  /** Most of the time what is found there is a length, not a part of a value. */
  #look(from: number, end: number): void {
    if (this.#nul < from) this.#nul = this.#seek('\0', from);
    if (this.#cr < from) this.#cr = this.#seek('\r', from);
    if (this.#lf < from) this.#lf = this.#seek('\n', from);
    this.#control = Math.min(this.#nul, this.#cr, this.#lf);
    if (this.#control < end) this.#suspect = true;
  }

  #seek(character: string, from: number): number {
    const at = this.#text.indexOf(character, from);
    return at < 0 ? NOWHERE : at;
  }

  /** @throws RemoteProtocolError ERR_ENV_NAME, ERR_ENV_VALUE (400) */
  end(): Variables {
    const values = this.#values;
    if (values.length > this.#count) values.length = this.#count;
    this.#usual = this.#count;
    // no text of a request outlives it here
    this.#bytes = NOTHING;
    this.#text = '';
    this.#values = [];
    const { names } = this.#walk.end(values.length);
    if (this.#suspect) checkValues(names, values);
    return { names, values };
  }
}
