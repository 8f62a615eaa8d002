/**
 * A forest of nodes that are linked and cut, which says in logarithmic time at the top of which tree a node stands.
 *
 * Pure. Threads are as deep as senders make them, and step 1 of REFERENCES asks before each link whether it would close a loop
 * (RFC 5256 section 3): walking up would be quadratic. These are the link-cut trees of Sleator and Tarjan (1983): each path
 * from a node to the top is held in splay trees, ordered by depth, which hang on each other.
 */

const NONE = -1;

/** Nodes by number, in trees. */
export class Ancestry {
  readonly #shallower: number[] = [];
  readonly #deeper: number[] = [];
  /** The parent in the node's splay tree, or, for its root, the node of another path that it hangs on. */
  readonly #above: number[] = [];

  /** A new node, alone in its tree: 0, then 1, and so on. */
  add(): number {
    this.#shallower.push(NONE);
    this.#deeper.push(NONE);
    return this.#above.push(NONE) - 1;
  }

  /** The node at the top of the tree that `node` is in. */
  topOf(node: number): number {
    this.#expose(node);
    let top = node;
    for (let next = top; next !== NONE; next = this.#shallower[top] as number) top = next;
    this.#splay(top);
    return top;
  }

  /** Makes `parent`, which is in another tree, the parent of `child`, which is the top of its own. */
  link(child: number, parent: number): void {
    this.#expose(child);
    this.#expose(parent);
    this.#above[child] = parent;
  }

  /** Takes `child` from its parent, with all that is below it. */
  cut(child: number): void {
    this.#expose(child);
    const path = this.#shallower[child] as number;
    if (path === NONE) return;
    this.#above[path] = NONE;
    this.#shallower[child] = NONE;
  }

  /** Makes the path from the top to `node` one splay tree with `node` as its root and its deepest. */
  #expose(node: number): void {
    this.#splay(node);
    this.#deeper[node] = NONE;
    for (let over = this.#above[node] as number; over !== NONE; over = this.#above[node] as number) {
      this.#splay(over);
      this.#deeper[over] = node;
      this.#splay(node);
    }
  }

  #splay(node: number): void {
    while (!this.#isRoot(node)) {
      const parent = this.#above[node] as number;
      if (!this.#isRoot(parent)) {
        const grandparent = this.#above[parent] as number;
        const isStraight = this.#isShallower(node, parent) === this.#isShallower(parent, grandparent);
        this.#rotate(isStraight ? parent : node);
      }
      this.#rotate(node);
    }
  }

  #rotate(node: number): void {
    const parent = this.#above[node] as number;
    const over = this.#above[parent] as number;
    const isParentRoot = this.#isRoot(parent);
    const [near, far] = this.#isShallower(node, parent)
      ? [this.#shallower, this.#deeper]
      : [this.#deeper, this.#shallower];
    const inner = far[node] as number;
    near[parent] = inner;
    if (inner !== NONE) this.#above[inner] = parent;
    far[node] = parent;
    if (!isParentRoot) (this.#isShallower(parent, over) ? this.#shallower : this.#deeper)[over] = node;
    this.#above[parent] = node;
    this.#above[node] = over;
  }

  #isRoot(node: number): boolean {
    const over = this.#above[node] as number;
    return over === NONE || (this.#shallower[over] !== node && this.#deeper[over] !== node);
  }

  #isShallower(node: number, parent: number): boolean {
    return this.#shallower[parent] === node;
  }
}
