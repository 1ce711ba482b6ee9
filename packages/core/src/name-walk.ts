import { NamePlan } from './name-plan.ts';
import type { NameNode, NameTree } from './name-tree.ts';
import { variableNames } from './variable-names.ts';

/** Nothing is known of what comes next. */
const NO_PLAN = new NamePlan(variableNames([]), []);

/**
 * Goes through a tree with the names of one request after another: `begin`, then each name by its place, `end`. As long as
 * they are those of the sequence that came the last time, nothing is looked up.
 */
export class NameWalk {
  readonly #tree: NameTree;
  /** What the names have followed so far. */
  #plan: NamePlan = NO_PLAN;
  /** The place of the first name that was another than was expected; -1: there was none. */
  #turn = -1;
  /** The last of those. */
  #node: NameNode;

  constructor(tree: NameTree) {
    this.#tree = tree;
    this.#node = tree.root;
  }

  /** A request begins. @returns what is likely to come */
  begin(): NamePlan {
    this.#plan = this.#tree.likely;
    this.#turn = -1;
    return this.#plan;
  }

  /** The name at this place is one of which nothing is known yet. */
  add(place: number, name: string): void {
    if (this.#plan.nodes[place]?.name !== name) this.turnTo(place, name);
  }

  /** The name at this place is another than was expected. @returns what is likely to follow; it may be empty */
  turnTo(place: number, name: string): NamePlan {
    this.#node = this.#tree.follow(this.#before(place), name);
    if (this.#turn < 0) this.#turn = place;
    this.#plan = this.#node.likely ?? NO_PLAN;
    return this.#plan;
  }

  /** The names in front of this place. */
  #before(place: number): NameNode {
    return place === 0 ? this.#tree.root : (this.#plan.nodes[place - 1] ?? this.#node);
  }

  /** The sequence of all `count` names. @throws RemoteProtocolError ERR_ENV_NAME (400) */
  end(count: number): NamePlan {
    if (this.#turn < 0 && this.#plan.nodes.length === count) return this.#plan;
    const plan = this.#tree.planOf(this.#before(count));
    // the next request that turns off there is likely to go on as this one did
    if (this.#turn >= 0) plan.nodes[this.#turn].likely = plan;
    this.#tree.remember(plan);
    return plan;
  }
}
