/**
 * What belongs to the request ids of one connection. There is one most of the time, and a hundred at most: a list that
 * is looked through costs less than a hash table, whose entries come and go with every request.
 */
export class IdMap<T> {
  #ids: number[] = [];
  #values: T[] = [];

  get size(): number {
    return this.#ids.length;
  }

  get(id: number): T | undefined {
    const at = this.#ids.indexOf(id);
    return at < 0 ? undefined : this.#values[at];
  }

  set(id: number, value: T): void {
    const at = this.#ids.indexOf(id);
    if (at >= 0) {
      this.#values[at] = value;
      return;
    }
    this.#ids.push(id);
    this.#values.push(value);
  }

  delete(id: number): void {
    const at = this.#ids.indexOf(id);
    if (at < 0) return;
    const lastId = this.#ids.pop() as number;
    const last = this.#values.pop() as T;
    if (at === this.#ids.length) return;
    this.#ids[at] = lastId;
    this.#values[at] = last;
  }

  /** Those of now: what is set or deleted meanwhile changes nothing of it. */
  values(): T[] {
    return this.#values.slice();
  }

  entries(): [id: number, value: T][] {
    return this.#ids.map((id, at) => [id, this.#values[at]]);
  }
}
