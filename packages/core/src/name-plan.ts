import type { NameNode } from './name-tree.ts';
import type { VariableNames } from './variable-names.ts';

/** Behind the last name: no name has this length. */
const END = -1;

/** A sequence of names in one piece of memory, so that those of a request can be compared with it as they come. */
export class NamePlan {
  readonly names: VariableNames;
  readonly nodes: readonly NameNode[];
  /**
   * Of each name its length, and its bytes four by four, little-endian; the last four begin where they must to end with
   * the name. One of fewer bytes is a single number.
   */
  readonly words: Int32Array;
  /** Where the length of each name stands among the words. */
  readonly starts: readonly number[];

  constructor(names: VariableNames, nodes: readonly NameNode[]) {
    const words: number[] = [];
    const starts: number[] = [];
    for (const name of names.names) {
      starts.push(words.length);
      words.push(name.length, ...wordsOf(Buffer.from(name, 'latin1')));
    }
    starts.push(words.length);
    words.push(END);
    this.names = names;
    this.nodes = nodes;
    this.words = Int32Array.from(words);
    this.starts = starts;
  }
}

function wordsOf(bytes: Buffer): number[] {
  if (bytes.length < 4) return [bytes.reduceRight((word, byte) => (word << 8) | byte, 0)];
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) words.push(bytes.readInt32LE(Math.min(at, bytes.length - 4)));
  return words;
}

/**
 * Whether the name whose length stands at `at` among the words lies in `view` at `from`.
 * @returns where the next name stands among the words; 0: it is another
 */
export function comparePlanned(words: Int32Array, at: number, view: DataView, from: number, length: number): number {
  if (words[at] !== length) return 0;
  let next = at + 1;
  if (length < 4) {
    let word = 0;
    for (let i = length - 1; i >= 0; i--) word = (word << 8) | view.getUint8(from + i);
    return word === words[next] ? next + 1 : 0;
  }
  const last = from + length - 4;
  for (let place = from; place < last; place += 4) if (view.getInt32(place, true) !== words[next++]) return 0;
  return view.getInt32(last, true) === words[next] ? next + 1 : 0;
}
