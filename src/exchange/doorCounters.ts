/**
 * What came to one door: messages, each signal of where they are from, refusals, and the last contact with Exchange Online.
 *
 * Counted since the start of the server, in memory. A signal is `valid` as far as it can be judged: a tenant id only where ids are
 * configured, a secret where there is one, DKIM and the certificate where their level is set.
 */

import type { UnixMs } from '../base/clock.ts';

/** What the door can ask for. */
export const DOOR_LEVELS = ['ip', 'tls', 'tenant', 'secret', 'dkim'] as const;
export type DoorLevel = (typeof DOOR_LEVELS)[number];

/** What shows where a message is from. */
export const SIGNALS = [
  'sourceAddress',
  'heloName',
  'certificate',
  'crossTenantId',
  'ldProcessed',
  'originatorOrg',
  'secret',
  'dkim',
] as const;
export type Signal = (typeof SIGNALS)[number];

/** How often a signal was there, was as wanted, and was not. What is there and cannot be judged is neither. */
export interface SignalCount {
  readonly present: number;
  readonly valid: number;
  readonly refused: number;
}

/** The last client that came from Exchange Online, or said so. */
export interface ExchangeContact {
  readonly at: UnixMs;
  readonly remoteAddress: string;
  /** Empty where it has said no MAIL yet. */
  readonly heloName: string;
  /** Whether the address is one of Exchange Online's. */
  readonly isFromRanges: boolean;
  /** Whether the name in EHLO is. */
  readonly isNamedAsExchange: boolean;
}

/** The state of a door, for status. */
export interface DoorStatus {
  readonly levels: readonly DoorLevel[];
  /** Messages that were handed over, taken or not. */
  readonly messages: number;
  /** Messages, or transactions at MAIL, that a level kept out. */
  readonly refusals: Readonly<Record<DoorLevel, number>>;
  readonly signals: Readonly<Record<Signal, SignalCount>>;
  readonly lastContact: ExchangeContact | null;
}

/** The counters of one door. */
export interface DoorCounters {
  noteMessage(): void;
  noteRefusal(level: DoorLevel): void;
  noteContact(contact: ExchangeContact): void;
  /** `finding` says how the signal was; 'unjudged' where there is nothing to hold it against. */
  noteSignal(signal: Signal, finding: 'absent' | 'valid' | 'refused' | 'unjudged'): void;
  status(levels: readonly DoorLevel[]): DoorStatus;
}

/** Counters at nought. */
export function createDoorCounters(): DoorCounters {
  const refusals = recordOf(DOOR_LEVELS, () => 0);
  const signals = recordOf(SIGNALS, () => ({ present: 0, valid: 0, refused: 0 }));
  let messages = 0;
  let lastContact: ExchangeContact | null = null;
  return {
    noteMessage() {
      messages += 1;
    },
    noteRefusal(level) {
      refusals[level] += 1;
    },
    noteContact(contact) {
      lastContact = contact;
    },
    noteSignal(signal, finding) {
      if (finding === 'absent') return;
      signals[signal].present += 1;
      if (finding !== 'unjudged') signals[signal][finding] += 1;
    },
    status: (levels) => ({
      levels,
      messages,
      refusals: { ...refusals },
      signals: recordOf(SIGNALS, (signal) => ({ ...signals[signal] })),
      lastContact,
    }),
  };
}

function recordOf<Key extends string, Value>(
  keys: readonly Key[],
  make: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<Key, Value>;
}
