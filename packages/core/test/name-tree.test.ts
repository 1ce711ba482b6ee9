import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '../src/errors.ts';
import { type NameNode, NameTree } from '../src/name-tree.ts';

function path(tree: NameTree, ...names: string[]): NameNode {
  return names.reduce((node, name) => tree.follow(node, name), tree.root);
}

function isAt(node: NameNode, text: string, at: number, length = node.name.length): boolean {
  const bytes = Buffer.from(text, 'latin1');
  return node.isAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at, length);
}

const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13];

describe('a node', () => {
  it.each(lengths)('of %i bytes is found where its name stands, and nowhere else', (length) => {
    const name = 'ABCDEFGHIJKLM'.slice(0, length);
    const node = path(new NameTree(), name);
    expect(isAt(node, `..${name}..`, 2)).toBe(true);
    expect(isAt(node, `..${name}..`, 1)).toBe(false);
    expect(isAt(node, `..${name}..`, 2, length + 1)).toBe(false);
    expect(isAt(node, `..${name}..`, 2, length - 1)).toBe(false);
    for (let i = 0; i < length; i++) {
      const other = `${name.slice(0, i)}x${name.slice(i + 1)}`;
      expect([other, isAt(node, `..${other}..`, 2)]).toEqual([other, false]);
    }
  });

  it('is found at the very end of a block', () => {
    for (const length of lengths) {
      const name = 'ABCDEFGHIJKLM'.slice(0, length);
      expect(isAt(path(new NameTree(), name), name, 0)).toBe(true);
    }
  });

  it('with high bytes is found', () => {
    for (const name of ['\xff', 'AB\x80', '\xff\xfe\xfd\xfc', 'A\xff\xfe\xfd\xfcB'])
      expect(isAt(path(new NameTree(), name), `.${name}.`, 1)).toBe(true);
  });
});

describe('a tree', () => {
  it('gives the same node for the same names, and remembers which came the last time', () => {
    const tree = new NameTree();
    const first = path(tree, 'A', 'B');
    const other = path(tree, 'A', 'C');
    expect(path(tree, 'A', 'B')).toBe(first);
    expect(other).not.toBe(first);
    expect(path(tree, 'B')).not.toBe(first);
    expect(tree.root.likely).toBe(path(tree, 'B'));
    expect(path(tree, 'A').likely).toBe(first);
    expect(tree.root.likely?.name).toBe('A');
  });

  it('gives what follows from the names in their order, as one object', () => {
    const tree = new NameTree();
    const node = path(tree, 'REQUEST_METHOD', 'HTTP_A', 'HTTP_B');
    expect(node.known).toBeUndefined();
    const names = tree.namesOf(node);
    expect(names.names).toEqual(['REQUEST_METHOD', 'HTTP_A', 'HTTP_B']);
    expect([tree.namesOf(node), node.known]).toEqual([names, names]);
    expect(tree.namesOf(node)).toBe(names);
    expect(tree.namesOf(tree.root).names).toEqual([]);
  });

  it('refuses a bad name each time, and keeps nothing of it', () => {
    const tree = new NameTree();
    const node = path(tree, 'A B');
    for (let i = 0; i < 2; i++) expect(() => tree.namesOf(node)).toThrow(RemoteProtocolError);
    expect(node.known).toBeUndefined();
  });

  it('holds 16,384 names, and begins anew with the next', () => {
    const tree = new NameTree();
    const { root } = tree;
    for (let i = 0; i < 16_384; i++) tree.follow(root, `A${i}`);
    expect(tree.root).toBe(root);
    const last = tree.follow(root, 'B');
    expect(tree.root).not.toBe(root);
    expect(tree.namesOf(last).names).toEqual(['B']);
    for (let i = 0; i < 16_383; i++) tree.follow(tree.root, `A${i}`);
    const again = tree.root;
    expect(again.likely).toBeDefined();
    tree.namesOf(path(tree, 'C', 'D'));
    expect(tree.root).not.toBe(again);
  });

  it('counts the names of a list once for each list', () => {
    const tree = new NameTree();
    const { root } = tree;
    let node = root;
    for (let i = 0; i < 1000; i++) node = tree.follow(node, `A${i}`);
    // 1000 in the tree, and lists of 1000
    for (let i = 0; i < 15; i++) tree.namesOf(tree.follow(node, `B${i}`));
    expect(tree.root).toBe(root);
    for (let i = 0; i < 10; i++) tree.namesOf(node);
    expect(tree.root).not.toBe(root);
  });
});
