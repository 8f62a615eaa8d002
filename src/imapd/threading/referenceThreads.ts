/**
 * Steps 2 to 6 of THREAD=REFERENCES: from links to threads (RFC 5256 section 3).
 *
 * Pure. Dummies go where they are not needed, threads of one base subject are merged, siblings are sorted by sent date.
 * Trust: threads are as deep and as wide as senders make them: nothing recurses, everything is linear but the sorting.
 */

import { sortInSlices, STEP_ITEMS } from '../slices.ts';
import type { SlicedWork } from '../slices.ts';
import type { ReferenceLinks } from './referenceLinks.ts';
import { compareSent, threadNode } from './threadedMessage.ts';
import type { ThreadedMessage, ThreadNode } from './threadedMessage.ts';

/** The threads that the links make. */
export function* threadByReferences(links: ReferenceLinks): SlicedWork<readonly ThreadNode[]> {
  const { tops, members } = yield* pruneDummies(links);
  yield* sortChildren(tops.filter(isDummy));
  const sorted = yield* sortInSlices(tops, compareFirst);
  const merged = yield* mergeSubjects(sorted);
  yield* sortChildren(members);
  yield* sortChildren(merged.filter(isDummy));
  return yield* sortInSlices(merged, compareFirst);
}

interface Forest {
  /** The first level: messages, and dummies with two children at least. */
  readonly tops: readonly ThreadNode[];
  /** All that are no dummies. */
  readonly members: readonly ThreadNode[];
}

/** Steps 2 and 3. A dummy's children go up to what is above it; only at the first level one stays, if it has several. */
function* pruneDummies(links: ReferenceLinks): SlicedWork<Forest> {
  const nodes: ThreadNode[] = [];
  /** What the children of a node hang on: itself, or, for an inner dummy, what is above it, once it has been looked for. */
  const anchors: (ThreadNode | undefined)[] = [];
  for (let index = 0; index < links.count; index += 1) {
    const node = threadNode(links.messageAt(index));
    nodes.push(node);
    anchors.push(isDummy(node) && links.parentOf(index) !== undefined ? undefined : node);
    if (index % STEP_ITEMS === 0) yield;
  }
  const members: ThreadNode[] = [];
  const heads: ThreadNode[] = [];
  for (const [index, node] of nodes.entries()) {
    const parent = links.parentOf(index);
    if (parent === undefined) heads.push(node);
    if (!isDummy(node)) members.push(node);
    if (!isDummy(node) && parent !== undefined) anchorOf(parent, links, anchors).children.push(node);
    if (index % STEP_ITEMS === 0) yield;
  }
  const tops = heads.flatMap((head) => (isDummy(head) && head.children.length < 2 ? head.children : [head]));
  return { tops, members };
}

/** Looks for an anchor and notes it for all that was passed on the way, so that no way is gone twice. */
function anchorOf(index: number, links: ReferenceLinks, anchors: (ThreadNode | undefined)[]): ThreadNode {
  const path: number[] = [];
  let at = index;
  let anchor = anchors[at];
  while (anchor === undefined) {
    path.push(at);
    at = links.parentOf(at) as number;
    anchor = anchors[at];
  }
  for (const passed of path) anchors[passed] = anchor;
  return anchor;
}

/** Step 5: threads whose first messages have one base subject, as one. */
function* mergeSubjects(tops: readonly ThreadNode[]): SlicedWork<readonly ThreadNode[]> {
  const table = new Map<string, ThreadNode>();
  for (const [index, node] of tops.entries()) {
    const { subject } = firstOf(node);
    const known = table.get(subject);
    if (subject !== '' && (known === undefined || takesPlaceOf(node, known))) table.set(subject, node);
    if (index % STEP_ITEMS === 0) yield;
  }
  const merged = new Set(tops);
  for (const [index, node] of tops.entries()) {
    const { subject } = firstOf(node);
    const known = table.get(subject);
    if (known !== undefined && known !== node) mergeInto(known, node, table, merged);
    if (index % STEP_ITEMS === 0) yield;
  }
  return [...merged];
}

/** 5 (B) (iv): whether `node` replaces what stands in the subject table. */
function takesPlaceOf(node: ThreadNode, known: ThreadNode): boolean {
  if (known.message === undefined) return false;
  return node.message === undefined || (known.message.isReplyOrForward && !node.message.isReplyOrForward);
}

/** 5 (C). */
function mergeInto(
  known: ThreadNode,
  node: ThreadNode,
  table: Map<string, ThreadNode>,
  merged: Set<ThreadNode>,
): void {
  merged.delete(node);
  if (known.message === undefined) {
    for (const child of node.message === undefined ? node.children : [node]) known.children.push(child);
    return;
  }
  if (node.message?.isReplyOrForward === true && !known.message.isReplyOrForward) {
    known.children.push(node);
    return;
  }
  const dummy = threadNode(undefined);
  dummy.children.push(known, node);
  table.set(known.message.subject, dummy);
  merged.delete(known);
  merged.add(dummy);
}

/** Steps 4 and 6: siblings by sent date. */
function* sortChildren(nodes: readonly ThreadNode[]): SlicedWork<void> {
  for (const [index, node] of nodes.entries()) {
    if (node.children.length > 1) node.children = [...(yield* sortInSlices(node.children, compareFirst))];
    if (index % STEP_ITEMS === 0) yield;
  }
}

function isDummy({ message }: ThreadNode): boolean {
  return message === undefined;
}

function compareFirst(left: ThreadNode, right: ThreadNode): number {
  return compareSent(firstOf(left), firstOf(right));
}

/** The message, or a dummy's first child, which always is one. */
function firstOf({ message, children }: ThreadNode): ThreadedMessage {
  return message ?? (children[0]?.message as ThreadedMessage);
}
