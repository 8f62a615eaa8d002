/**
 * THREAD=ORDEREDSUBJECT: messages of one base subject are a thread, the first of which has all others as children (RFC 5256
 * section 3). Pure.
 */

import { sortInSlices, STEP_ITEMS } from '../slices.ts';
import type { SlicedWork } from '../slices.ts';
import { compareSent, threadNode } from './threadedMessage.ts';
import type { ThreadedMessage, ThreadNode } from './threadedMessage.ts';

/** Threads `messages`. */
export function* threadBySubject(messages: readonly ThreadedMessage[]): SlicedWork<readonly ThreadNode[]> {
  const sorted = yield* sortInSlices(messages, (left, right) => {
    if (left.subject !== right.subject) return left.subject < right.subject ? -1 : 1;
    return compareSent(left, right);
  });
  const threads: { readonly first: ThreadedMessage; readonly node: ThreadNode }[] = [];
  for (const [index, message] of sorted.entries()) {
    if (index % STEP_ITEMS === 0) yield;
    const thread = threads.at(-1);
    if (thread?.first.subject === message.subject) thread.node.children.push(threadNode(message));
    else threads.push({ first: message, node: threadNode(message) });
  }
  const ordered = yield* sortInSlices(threads, (left, right) => compareSent(left.first, right.first));
  return ordered.map(({ node }) => node);
}
