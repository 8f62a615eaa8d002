/**
 * Turns: how many requests are under way at a time, for one application and for one of its mailboxes.
 *
 * Graph counts by application whatever the relays, so one GraphTurns serves all of them. Who came first goes first, but for a mailbox
 * that has its number already: others pass it.
 */

import { APPLICATION_TURNS, MAILBOX_TURNS } from './limits.ts';

/** Ends a turn; once. */
export type EndTurn = () => void;

/** Turns of all applications. */
export interface GraphTurns {
  /** A turn as soon as there is one. Rejects with the signal's reason when it aborts first. */
  take(application: string, mailbox: string, signal: AbortSignal): Promise<EndTurn>;
}

interface Waiting {
  readonly keys: readonly [application: string, mailbox: string];
  readonly begin: () => void;
}

/** Turns with nobody under way. */
export function createGraphTurns(): GraphTurns {
  const underWay = new Map<string, number>();
  const waiting = new Set<Waiting>();
  const count = (key: string, by: 1 | -1) => {
    const now = (underWay.get(key) ?? 0) + by;
    if (now === 0) underWay.delete(key);
    else underWay.set(key, now);
  };
  const isFree = ([application, mailbox]: Waiting['keys']) =>
    (underWay.get(application) ?? 0) < APPLICATION_TURNS && (underWay.get(mailbox) ?? 0) < MAILBOX_TURNS;
  const beginDue = () => {
    for (const each of waiting) if (isFree(each.keys)) each.begin();
  };
  return {
    take: (application, mailbox, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return void reject(signal.reason);
        const keys = [application, `${application} ${mailbox.toLowerCase()}`] as const;
        const onAbort = () => {
          waiting.delete(own);
          reject(signal.reason);
        };
        const own: Waiting = {
          keys,
          begin: () => {
            signal.removeEventListener('abort', onAbort);
            waiting.delete(own);
            for (const key of keys) count(key, 1);
            resolve(() => {
              for (const key of keys) count(key, -1);
              beginDue();
            });
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.add(own);
        beginDue();
      }),
  };
}
