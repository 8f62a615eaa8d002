/**
 * The delimiters that are being looked for: the boundaries of all multiparts that are open.
 *
 * RFC 2046 section 5.1.1: a line is a delimiter when it begins with `--` and the boundary; what follows does not matter. Where
 * several boundaries fit (`b` and `b1`), the longest one counts; where two multiparts use the same one, the inner (as
 * Dovecot). Kept as a tree by octet, so that a line costs no more than its own length, however many boundaries are open.
 */

const DASH = 0x2d;

/** A boundary that a line begins with. */
export interface Delimiter<Owner> {
  readonly owner: Owner;
  /** Whether `--` follows: the end of the multipart. */
  readonly isClosing: boolean;
}

/** The octets at hand may be the beginning of a delimiter. */
export const NEEDS_MORE = Symbol('needs more');

interface Branch<Owner> {
  readonly children: Map<number, Branch<Owner>>;
  /** Who uses the boundary that ends here, the innermost last. */
  readonly owners: Owner[];
}

/** The open boundaries, each with its owner. */
export interface Boundaries<Owner> {
  readonly size: number;
  add(boundary: string, owner: Owner): void;
  /** Takes away what `add` put in last for this boundary. */
  remove(boundary: string): void;
  clear(): void;
  /** Matches the line that begins at `at` of `bytes`. With `isEnd` there is nothing after `bytes`. */
  match(bytes: Uint8Array, at: number, isEnd: boolean): Delimiter<Owner> | typeof NEEDS_MORE | undefined;
}

/** No boundaries. */
export function createBoundaries<Owner>(): Boundaries<Owner> {
  let root = createBranch<Owner>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    add: (boundary, owner) => {
      size += 1;
      branchFor(root, boundary).owners.push(owner);
    },
    remove: (boundary) => {
      if (removeFrom(root, boundary)) size -= 1;
    },
    clear: () => {
      size = 0;
      root = createBranch();
    },
    match: (bytes, at, isEnd) => matchLine(root, bytes, at, isEnd),
  };
}

function createBranch<Owner>(): Branch<Owner> {
  return { children: new Map(), owners: [] };
}

function branchFor<Owner>(root: Branch<Owner>, boundary: string): Branch<Owner> {
  let branch = root;
  for (let index = 0; index < boundary.length; index += 1) {
    const octet = boundary.charCodeAt(index);
    const child = branch.children.get(octet) ?? createBranch<Owner>();
    branch.children.set(octet, child);
    branch = child;
  }
  return branch;
}

/** Takes the last owner away, and the branches that then lead nowhere; tells whether there was one. */
function removeFrom<Owner>(root: Branch<Owner>, boundary: string): boolean {
  const path: Branch<Owner>[] = [root];
  for (let index = 0; index < boundary.length; index += 1) {
    const child = path[index]?.children.get(boundary.charCodeAt(index));
    if (child === undefined) return false;
    path.push(child);
  }
  const owner = path[boundary.length]?.owners.pop();
  for (let depth = boundary.length; depth > 0; depth -= 1) {
    const branch = path[depth];
    if (branch === undefined || branch.owners.length > 0 || branch.children.size > 0) break;
    path[depth - 1]?.children.delete(boundary.charCodeAt(depth - 1));
  }
  return owner !== undefined;
}

function matchLine<Owner>(
  root: Branch<Owner>,
  bytes: Uint8Array,
  start: number,
  isEnd: boolean,
): Delimiter<Owner> | typeof NEEDS_MORE | undefined {
  if (startsWithDashes(bytes, start) === false) return undefined;
  let branch = root;
  let owner: Owner | undefined;
  let ownerEnd = start;
  for (let at = start + 2; ; at += 1) {
    if (branch.owners.length > 0) {
      owner = branch.owners.at(-1);
      ownerEnd = at;
    }
    if (at >= bytes.length && branch.children.size > 0 && !isEnd) return NEEDS_MORE;
    const child = at < bytes.length ? branch.children.get(bytes[at] as number) : undefined;
    if (child === undefined) break;
    branch = child;
  }
  if (owner === undefined) return undefined;
  const closing = startsWithDashes(bytes, ownerEnd);
  if (closing === undefined && !isEnd) return NEEDS_MORE;
  return { owner, isClosing: closing === true };
}

/** Whether `--` stands at `at`; undefined when `bytes` ends before that is known. */
function startsWithDashes(bytes: Uint8Array, at: number): boolean | undefined {
  if (at < bytes.length && bytes[at] !== DASH) return false;
  if (at + 1 < bytes.length) return bytes[at + 1] === DASH;
  return undefined;
}
