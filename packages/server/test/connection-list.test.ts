import { describe, expect, it } from '@jest/globals';
import { ConnectionList } from '../src/connection-list.ts';
import type { ServedConnection } from '../src/served-connection.ts';

function connection(): ServedConnection {
  return { place: -1, idle: true, busy: false, check() {}, retire() {}, cut() {} };
}

describe('a ConnectionList', () => {
  it('has what was added and not deleted, in whatever order it goes', () => {
    const list = new ConnectionList();
    const all = [connection(), connection(), connection(), connection()];
    for (const one of all) list.add(one);
    list.delete(all[1]);
    list.delete(all[3]);
    expect(new Set(list)).toEqual(new Set([all[0], all[2]]));
    list.add(all[1]);
    expect(list.size).toBe(3);
    for (const one of [all[0], all[1], all[2]]) list.delete(one);
    expect([list.size, ...list]).toEqual([0]);
  });

  it('passes over what it does not have', () => {
    const [list, other] = [new ConnectionList(), new ConnectionList()];
    const [here, there] = [connection(), connection()];
    list.add(here);
    other.add(there);
    list.delete(there);
    list.delete(connection());
    expect([...list]).toEqual([here]);
    list.delete(here);
    list.delete(here);
    expect(list.size).toBe(0);
  });

  it('goes through those that were open when that began', () => {
    const list = new ConnectionList();
    const all = [connection(), connection(), connection()];
    for (const one of all) list.add(one);
    const seen: ServedConnection[] = [];
    for (const one of list) {
      seen.push(one);
      list.delete(all[0]);
      list.add(connection());
    }
    expect(seen.length).toBe(3);
    expect(new Set(seen)).toEqual(new Set(all));
  });
});
