/**
 * The delimiters that are being looked for: the boundaries of all multiparts that are open.
 *
 * RFC 2046 section 5.1.1: a line is a delimiter when it begins with `--` and the boundary; what follows does not matter. Where
 * several boundaries fit (`b` and `b1`), the longest one counts; where two multiparts use the same one, the inner (as
 * Dovecot). Kept as a tree by octet, so that a line costs no more than its own length and the number of open boundaries
 * together, whatever they have in common. Multiparts close from the inside out, so boundaries go in the order opposite to
 * their coming.
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

/** The open boundaries, each with its owner. */
export interface Boundaries<Owner> {
  readonly size: number;
  /** Adds a boundary of at least one octet. */
  add(boundary: string, owner: Owner): void;
  /** Takes the boundary away that was added last. */
  removeLast(): void;
  clear(): void;
  /** Matches the line that begins at `at` of `bytes`. With `isEnd` there is nothing after `bytes`. */
  match(bytes: Uint8Array, at: number, isEnd: boolean): Delimiter<Owner> | typeof NEEDS_MORE | undefined;
}

/** No boundaries. */
export function createBoundaries<Owner>(): Boundaries<Owner> {
  const root = createBranch<Owner>(0, undefined);
  const undo: (() => void)[] = [];
  return {
    get size() {
      return undo.length;
    },
    add: (boundary, owner) => {
      undo.push(addTo(root, boundary, owner));
    },
    removeLast: () => undo.pop()?.(),
    clear: () => {
      undo.length = 0;
      root.child = undefined;
    },
    match: (bytes, at, isEnd) => matchLine(root, bytes, at, isEnd),
  };
}

/** One octet of one or more boundaries. */
interface Branch<Owner> {
  readonly octet: number;
  /** The next branch beside this one. */
  readonly sibling: Branch<Owner> | undefined;
  /** The first of the branches for the next octet. */
  child: Branch<Owner> | undefined;
  /** Whose boundary ends here. */
  owner: Owner | undefined;
}

function createBranch<Owner>(octet: number, sibling: Branch<Owner> | undefined): Branch<Owner> {
  return { octet, sibling, child: undefined, owner: undefined };
}

/** Adds a boundary, and returns what undoes it while nothing that was added later is there. */
function addTo<Owner>(root: Branch<Owner>, boundary: string, owner: Owner): () => void {
  let branch = root;
  let undo: (() => void) | undefined;
  for (let index = 0; index < boundary.length; index += 1) {
    const octet = boundary.charCodeAt(index);
    let child = childFor(branch, octet);
    if (child === undefined) {
      const { child: former } = branch;
      const parent = branch;
      child = createBranch(octet, former);
      parent.child = child;
      undo ??= () => {
        parent.child = former;
      };
    }
    branch = child;
  }
  const { owner: outer } = branch;
  branch.owner = owner;
  return (
    undo ??
    (() => {
      branch.owner = outer;
    })
  );
}

function childFor<Owner>(branch: Branch<Owner>, octet: number | undefined): Branch<Owner> | undefined {
  let child = branch.child;
  while (child !== undefined && child.octet !== octet) child = child.sibling;
  return child;
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
    if (branch.owner !== undefined) {
      owner = branch.owner;
      ownerEnd = at;
    }
    if (at >= bytes.length && branch.child !== undefined && !isEnd) return NEEDS_MORE;
    const child = at < bytes.length ? childFor(branch, bytes[at]) : undefined;
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
