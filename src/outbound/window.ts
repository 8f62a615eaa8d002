/**
 * The window: transactions of one hop that are leased and wait for their turn, and the pairs of sender and recipient under way.
 */

import type { QueueItem } from '../store/contract/queue.ts';
import { nextTransaction, type Transaction } from './grouping.ts';

/** A transaction with the monotonic time until which its attempt has to have begun. */
export interface WaitingTransaction extends Transaction {
  readonly beginsBeforeMs: number;
}

/** What waits, in lease order, and what is under way. */
export class TransactionWindow {
  #waiting: WaitingTransaction[] = [];
  readonly #underWay = new Set<string>();
  #items = 0;
  #attempts = 0;

  /** Items that wait. */
  get items(): number {
    return this.#items;
  }

  /** Transactions under way. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Adds transactions behind all others. */
  add(transactions: readonly WaitingTransaction[]): void {
    this.#waiting.push(...transactions);
    for (const { items } of transactions) this.#items += items.length;
  }

  /** The transaction whose turn it is; it stays. */
  next(): WaitingTransaction | undefined {
    return nextTransaction(this.#waiting, this.#underWay);
  }

  /** The transaction begins. */
  begin(transaction: WaitingTransaction): void {
    this.#waiting = this.#waiting.filter((each) => each !== transaction);
    this.#items -= transaction.items.length;
    for (const pair of transaction.pairs) this.#underWay.add(pair);
    this.#attempts += 1;
  }

  /** The transaction is settled. */
  end(transaction: WaitingTransaction): void {
    for (const pair of transaction.pairs) this.#underWay.delete(pair);
    this.#attempts -= 1;
  }

  /** Takes out what must have begun before `nowMs`: its lease would end under way. */
  takeLate(nowMs: number): readonly QueueItem[] {
    const late = this.#waiting.filter(({ beginsBeforeMs }) => beginsBeforeMs <= nowMs);
    if (late.length === 0) return [];
    this.#waiting = this.#waiting.filter(({ beginsBeforeMs }) => beginsBeforeMs > nowMs);
    const items = late.flatMap((transaction) => transaction.items);
    this.#items -= items.length;
    return items;
  }

  /** Takes out all that waits. */
  takeAll(): readonly QueueItem[] {
    return this.takeLate(Number.POSITIVE_INFINITY);
  }
}
