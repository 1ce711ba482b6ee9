import { NameTree, type VariableNames } from '@postern/core';

/** The names of requests, in the order in which they come. */
const tree = new NameTree();

/** The variables of one request, as they are read. */
export class Variables {
  /** In the order of the names, bytes as latin-1. */
  readonly values: string[] = [];
  #node = tree.root;

  /** Undefined: there is none. */
  add(name: string, value: string | undefined): void {
    if (value === undefined) return;
    const { likely } = this.#node;
    this.#node = likely?.name === name ? likely : tree.follow(this.#node, name);
    this.values.push(value);
  }

  /** Where the value that is added next will stand. */
  get place(): number {
    return this.values.length;
  }

  /** Of all that were added. */
  get names(): VariableNames {
    return tree.namesOf(this.#node);
  }
}
