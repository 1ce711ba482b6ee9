import { type VariableNames, variableNames } from './variable-names.ts';

/** Names that are kept, counted once in the tree and once in each list of them. */
const MOST_NAMES = 16_384;

/** The names of a request up to this one. */
export class NameNode {
  readonly name: string;
  /** The same in bytes, four by four, little-endian; the last four begin where they must to end with the name. */
  readonly #words: Int32Array;
  readonly #before: NameNode | undefined;
  readonly #place: number;
  /** What came next the last time. */
  likely: NameNode | undefined;
  #others: Map<string, NameNode> | undefined;
  #names: VariableNames | undefined;

  constructor(name: string, before: NameNode | undefined) {
    this.name = name;
    this.#words = wordsOf(Buffer.from(name, 'latin1'));
    this.#before = before;
    this.#place = before === undefined ? 0 : before.#place + 1;
  }

  /** Whether this name stands there. */
  isAt(view: DataView, at: number, length: number): boolean {
    if (this.name.length !== length) return false;
    if (length < 4) {
      for (let i = 0; i < length; i++) if (view.getUint8(at + i) !== this.name.charCodeAt(i)) return false;
      return true;
    }
    const words = this.#words;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (view.getInt32(at + i * 4, true) !== words[i]) return false;
    return view.getInt32(at + length - 4, true) === words[last];
  }

  get(name: string): NameNode | undefined {
    return this.#others?.get(name);
  }

  add(name: string): NameNode {
    const node = new NameNode(name, this);
    this.#others ??= new Map();
    this.#others.set(name, node);
    return node;
  }

  /** What follows from the names of a request that ends here; undefined: no request did. */
  get known(): VariableNames | undefined {
    return this.#names;
  }

  /** @throws RemoteProtocolError ERR_ENV_NAME (400) */
  end(): VariableNames {
    const names = new Array<string>(this.#place);
    for (let node: NameNode = this; node.#before !== undefined; node = node.#before) names[node.#place - 1] = node.name;
    this.#names = variableNames(names);
    return this.#names;
  }
}

function wordsOf(bytes: Buffer): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  if (bytes.length < 4) return words;
  for (let i = 0; i < words.length; i++) words[i] = bytes.readInt32LE(Math.min(i * 4, bytes.length - 4));
  return words;
}

/**
 * The sequences of names that requests came with. Web servers send the same names in the same order, and each kind of
 * client adds its own behind them: what follows a name is guessed, compared, and seldom made again. Names are kept, never
 * a value; a tree that was filled with names that no other request had is thrown away.
 */
export class NameTree {
  #root = new NameNode('', undefined);
  #size = 0;

  /** Where a request begins. */
  get root(): NameNode {
    return this.#root;
  }

  /** The node of the next name. */
  follow(node: NameNode, name: string): NameNode {
    let next = node.get(name);
    if (next === undefined) {
      this.#grow(1);
      next = node.add(name);
    }
    node.likely = next;
    return next;
  }

  /** What follows from the names up to this one. @throws RemoteProtocolError ERR_ENV_NAME (400) */
  namesOf(node: NameNode): VariableNames {
    const known = node.known;
    if (known !== undefined) return known;
    const names = node.end();
    this.#grow(names.names.length);
    return names;
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size <= MOST_NAMES) return;
    this.#root = new NameNode('', undefined);
    this.#size = 0;
  }
}
