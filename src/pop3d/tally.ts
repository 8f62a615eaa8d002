/**
 * What a session fetched and deleted, for the log's line at its end, as Dovecot has it (top, retr, del, size): whether an
 * application got its mail is the first question of whoever looks for a fault.
 */

import type { Maildrop } from './maildrop.ts';

/** Messages sent whole, and octets sent, of a broken message too, with the dots stuffed. */
export interface SentCount {
  messages: number;
  octets: number;
}

/** The counts of a session. */
export interface Tally {
  readonly top: SentCount;
  readonly retr: SentCount;
}

/** Counts at 0. */
export function createTally(): Tally {
  return { top: { messages: 0, octets: 0 }, retr: { messages: 0, octets: 0 } };
}

/** The counts as fields of a log line; `messages` and `octets` are the maildrop's as it was at login. */
export function tallyFields({ top, retr }: Tally, maildrop: Maildrop, deleted: number) {
  return {
    top: top.messages,
    topOctets: top.octets,
    retr: retr.messages,
    retrOctets: retr.octets,
    deleted,
    messages: maildrop.countAtLogin,
    octets: maildrop.octetsAtLogin,
  };
}
