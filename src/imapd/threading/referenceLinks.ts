/**
 * Step 1 of THREAD=REFERENCES: who is whose parent, by message IDs (RFC 5256 section 3).
 *
 * Pure. Message after message is added, in the mailbox's order; message IDs that no message has become dummies. No link ever
 * closes a loop.
 * Trust: the number of references of a message is the caller's to bound. Each costs logarithmic time (ancestry.ts).
 */

import { Ancestry } from './ancestry.ts';
import type { ThreadedMessage } from './threadedMessage.ts';

/** What a message says of itself and of those before it. */
export interface MessageReferences {
  /** Undefined without a valid Message-ID. */
  readonly messageId: string | undefined;
  /** The oldest first. */
  readonly references: readonly string[];
}

/** Messages and dummies, by number. */
export class ReferenceLinks {
  readonly #nodes = new Map<string, number>();
  readonly #messages: (ThreadedMessage | undefined)[] = [];
  readonly #parents: (number | undefined)[] = [];
  readonly #ancestry = new Ancestry();

  /** Nodes so far. */
  get count(): number {
    return this.#messages.length;
  }

  /** The node's message; undefined for a dummy. */
  messageAt(node: number): ThreadedMessage | undefined {
    return this.#messages[node];
  }

  /** The node's parent; undefined at the top of a thread. */
  parentOf(node: number): number | undefined {
    return this.#parents[node];
  }

  /** Adds a message; answers how many characters of message IDs are kept because of it. */
  add(message: ThreadedMessage, { messageId, references }: MessageReferences): number {
    const before = this.count;
    const chain = references.map((id) => this.#nodeOf(id));
    const node = this.#ownNodeOf(messageId);
    this.#messages[node] = message;
    this.#linkChain(chain);
    this.#linkMessage(node, chain.at(-1));
    const ids = messageId === undefined ? references : [...references, messageId];
    return this.count === before ? 0 : ids.reduce((sum, id) => sum + id.length, 0);
  }

  /** 1 (A): each reference is the parent of the next, where that has none. */
  #linkChain(chain: readonly number[]): void {
    for (let index = 1; index < chain.length; index += 1) {
      const [parent, child] = [chain[index - 1] as number, chain[index] as number];
      if (this.#parents[child] === undefined) this.#link(child, parent);
    }
  }

  /** 1 (B): the last reference is the message's parent, whatever other messages made of it. */
  #linkMessage(node: number, parent: number | undefined): void {
    if (this.#parents[node] === parent) return;
    if (this.#parents[node] !== undefined) {
      this.#ancestry.cut(node);
      this.#parents[node] = undefined;
    }
    if (parent !== undefined) this.#link(node, parent);
  }

  /** Links `child`, which has no parent, unless that would close a loop: then it is the top of the tree that `parent` is in. */
  #link(child: number, parent: number): void {
    if (this.#ancestry.topOf(parent) === child) return;
    this.#ancestry.link(child, parent);
    this.#parents[child] = parent;
  }

  /** The node of a message ID; of several messages with one ID the first has it. */
  #nodeOf(id: string): number {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const node = this.#add();
    this.#nodes.set(copyOf(id), node);
    return node;
  }

  #ownNodeOf(messageId: string | undefined): number {
    if (messageId === undefined) return this.#add();
    const node = this.#nodeOf(messageId);
    return this.#messages[node] === undefined ? node : this.#add();
  }

  #add(): number {
    this.#messages.push(undefined);
    this.#parents.push(undefined);
    return this.#ancestry.add();
  }
}

/** The same text without the memory of the field that it was cut from. */
function copyOf(id: string): string {
  return Buffer.from(id, 'latin1').toString('latin1');
}
