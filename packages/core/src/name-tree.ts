import { NamePlan } from './name-plan.ts';
import { variableNames } from './variable-names.ts';

/** Names that are kept, counted once in the tree and once in each list of them. */
const MOST_NAMES = 16_384;

/** The names of a request up to this one. */
export class NameNode {
  readonly name: string;
  readonly before: NameNode | undefined;
  /** How many names these are. */
  readonly count: number;
  /** The sequence with these names that came the last time. */
  likely: NamePlan | undefined;
  #others: Map<string, NameNode> | undefined;
  #plan: NamePlan | undefined;

  constructor(name: string, before: NameNode | undefined) {
    this.name = name;
    this.before = before;
    this.count = before === undefined ? 0 : before.count + 1;
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

  /** The sequence of a request that ends here; undefined: no request did. */
  get known(): NamePlan | undefined {
    return this.#plan;
  }

  /** @throws RemoteProtocolError ERR_ENV_NAME (400) */
  end(): NamePlan {
    const nodes = new Array<NameNode>(this.count);
    for (let node: NameNode = this; node.before !== undefined; node = node.before) nodes[node.count - 1] = node;
    this.#plan = new NamePlan(variableNames(nodes.map(({ name }) => name)), nodes);
    for (const node of nodes) node.likely ??= this.#plan;
    return this.#plan;
  }
}

/**
 * The sequences of names that requests came with. Web servers send the same names in the same order, and each kind of
 * client adds its own behind them: what follows a name is guessed, compared, and seldom made again. Names are kept, never
 * a value; a tree that was filled with names that no other request had is thrown away.
 */
export class NameTree {
  #root = new NameNode('', undefined);
  #size = 0;
  #likely = this.#root.end();

  /** The sequence that came the last time; before the first the empty one. */
  get likely(): NamePlan {
    return this.#likely;
  }

  /** Where a request begins. */
  get root(): NameNode {
    return this.#root;
  }

  /** The node of the next name. */
  follow(node: NameNode, name: string): NameNode {
    const next = node.get(name);
    if (next !== undefined) return next;
    this.#grow(1);
    return node.add(name);
  }

  /** What follows from the names up to this one. @throws RemoteProtocolError ERR_ENV_NAME (400) */
  planOf(node: NameNode): NamePlan {
    const known = node.known;
    if (known !== undefined) return known;
    const plan = node.end();
    this.#grow(node.count);
    return plan;
  }

  /** A request came with this sequence, unless its nodes were thrown away meanwhile. */
  remember(plan: NamePlan): void {
    if (plan.nodes.length > 0 && plan.nodes[0].before === this.#root) this.#likely = plan;
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size <= MOST_NAMES) return;
    this.#root = new NameNode('', undefined);
    this.#size = 0;
    this.#likely = this.#root.end();
  }
}
