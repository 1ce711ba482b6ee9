import { NameTree, NameWalk, type VariableNames } from '@postern/core';

/** Through the names of requests, in the order in which they come. One request is read at a time. */
const walk = new NameWalk(new NameTree());

/** The variables of one request, as they are read. */
export class Variables {
  /** In the order of the names, bytes as latin-1. */
  readonly values: string[] = [];

  constructor() {
    walk.begin();
  }

  /** Undefined: there is none. */
  add(name: string, value: string | undefined): void {
    if (value === undefined) return;
    walk.add(this.values.length, name);
    this.values.push(value);
  }

  /** Where the value that is added next will stand. */
  get place(): number {
    return this.values.length;
  }

  /** Of all that were added. */
  get names(): VariableNames {
    return walk.end(this.values.length).names;
  }
}
