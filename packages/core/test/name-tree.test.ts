import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '../src/errors.ts';
import { type NameNode, NameTree } from '../src/name-tree.ts';

function path(tree: NameTree, ...names: string[]): NameNode {
  return names.reduce((node, name) => tree.follow(node, name), tree.root);
}

describe('a tree', () => {
  it('gives the same node for the same names', () => {
    const tree = new NameTree();
    const first = path(tree, 'A', 'B');
    expect(path(tree, 'A', 'B')).toBe(first);
    expect(path(tree, 'A', 'C')).not.toBe(first);
    expect(path(tree, 'B')).not.toBe(first);
    expect([first.name, first.count, first.before?.name, tree.root.count]).toEqual(['B', 2, 'A', 0]);
  });

  it('gives what follows from the names in their order, as one object', () => {
    const tree = new NameTree();
    const node = path(tree, 'REQUEST_METHOD', 'HTTP_A', 'HTTP_B');
    expect(node.known).toBeUndefined();
    const plan = tree.planOf(node);
    expect(plan.names.names).toEqual(['REQUEST_METHOD', 'HTTP_A', 'HTTP_B']);
    expect(plan.nodes.map(({ name }) => name)).toEqual(plan.names.names);
    expect([tree.planOf(node), node.known, node.likely]).toEqual([plan, plan, plan]);
    expect(tree.planOf(node)).toBe(plan);
    expect(tree.planOf(tree.root).names.names).toEqual([]);
  });

  it('takes the first sequence through a node for the likely one', () => {
    const tree = new NameTree();
    const plan = tree.planOf(path(tree, 'A', 'B'));
    tree.planOf(path(tree, 'A', 'C'));
    expect(path(tree, 'A').likely).toBe(plan);
  });

  it('remembers the sequence that came the last time, unless it was thrown away with its tree', () => {
    const tree = new NameTree();
    expect(tree.likely.nodes).toEqual([]);
    const plan = tree.planOf(path(tree, 'A', 'B'));
    tree.remember(plan);
    expect(tree.likely).toBe(plan);
    tree.remember(tree.planOf(tree.root));
    expect(tree.likely).toBe(plan);
    for (let i = 0; i < 16_384; i++) tree.follow(tree.root, `A${i}`);
    expect(tree.likely.nodes).toEqual([]);
    tree.remember(plan);
    expect(tree.likely.nodes).toEqual([]);
  });

  it('refuses a bad name each time, and keeps nothing of it', () => {
    const tree = new NameTree();
    const node = path(tree, 'A B');
    for (let i = 0; i < 2; i++) expect(() => tree.planOf(node)).toThrow(RemoteProtocolError);
    expect(node.known).toBeUndefined();
  });

  it('holds 16,384 names, and begins anew with the next', () => {
    const tree = new NameTree();
    const { root } = tree;
    for (let i = 0; i < 16_384; i++) tree.follow(root, `A${i}`);
    expect(tree.root).toBe(root);
    const last = tree.follow(root, 'B');
    expect(tree.root).not.toBe(root);
    expect(tree.planOf(last).names.names).toEqual(['B']);
    for (let i = 0; i < 16_383; i++) tree.follow(tree.root, `A${i}`);
    const again = tree.root;
    tree.planOf(path(tree, 'C', 'D'));
    expect(tree.root).not.toBe(again);
  });

  it('counts the names of a list once for each list', () => {
    const tree = new NameTree();
    const { root } = tree;
    let node = root;
    for (let i = 0; i < 1000; i++) node = tree.follow(node, `A${i}`);
    // 1000 in the tree, and lists of 1000
    for (let i = 0; i < 15; i++) tree.planOf(tree.follow(node, `B${i}`));
    expect(tree.root).toBe(root);
    for (let i = 0; i < 10; i++) tree.planOf(node);
    expect(tree.root).not.toBe(root);
  });
});
