/**
 * Relay: what a next hop is to whoever sends, whatever way it goes (SMTP, Graph, a directory).
 *
 * One suite holds every implementation to it (test/outbound/relayContract.ts). A relay knows neither queue nor schedule: it tries once
 * and tells what each recipient was answered with.
 */

import type { QueueId, TraceId } from '../base/ids.ts';
import type { DsnCondition } from '../store/contract/queue.ts';

/** A recipient of a message that leaves. */
export interface RelayRecipient {
  readonly queueId: QueueId;
  /** Forward path without angle brackets; strictly checked (RFC 5321 section 4.1.2) before it comes here. */
  readonly address: string;
  readonly notify?: readonly DsnCondition[] | undefined;
  /** With xtext, as it goes on the wire (RFC 3461 section 4.2). */
  readonly orcpt?: string | undefined;
}

/** One message on its way to one hop, in one transaction. */
export interface RelayedMessage {
  readonly traceId: TraceId;
  /** Without angle brackets; empty for the null path. Strictly checked. */
  readonly reversePath: string;
  /** One or more. */
  readonly recipients: readonly RelayRecipient[];
  readonly isSmtpUtf8: boolean;
  readonly ret?: 'FULL' | 'HDRS' | undefined;
  /** In xtext, as it goes on the wire. */
  readonly envid?: string | undefined;
  /** Octets that `open` yields. */
  readonly octets: number;
  /**
   * The message as it leaves: without Return-Path, with Delivered-To where it is forwarded. May be opened more than once.
   * Rejects with `contentCorrupt` or the store's errors while it is read.
   */
  open(): AsyncIterable<Buffer>;
}

/** What became of one recipient. `reply` is what the other side said, or why it was not asked: one line. */
export type RecipientOutcome =
  /**
   * The other side took it. `tellsSender`: it took over the RFC 3461 parameters too, so that success is its to report; else
   * it is ours to say `relayed`.
   */
  | {
      readonly kind: 'relayed';
      readonly reply: string;
      readonly server: string;
      readonly tellsSender: boolean;
    }
  /** Try again; `retryAfterMs` where the other side said when. */
  | {
      readonly kind: 'deferred';
      readonly reply: string;
      /** RFC 3463, class 4. */
      readonly status: string;
      readonly server?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly reply: string;
      /** RFC 3463, class 5. */
      readonly status: string;
      readonly server?: string | undefined;
    }
  /** This relay cannot carry this message as long as it is set up as it is: the item waits for an administrator. */
  | { readonly kind: 'held'; readonly reason: string }
  /** Its turn never came, because of the hop's trouble or an abort: no attempt. */
  | { readonly kind: 'untried' };

/** Trouble that is the hop's, not the message's. `advice` tells the administrator what to do. */
export type HopTrouble =
  /** No host could be reached, or none was ready. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly advice?: string | undefined }
  /** Too much at a time: wait, a little longer each time. */
  | {
      readonly kind: 'throttled';
      readonly reason: string;
      readonly advice?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    }
  /** The day's or hour's ration is used up: wait for hours, and say so. */
  | { readonly kind: 'quota'; readonly reason: string; readonly advice: string }
  /** Nothing will go until somebody changes something: the relay is held, and that is an alarm. */
  | { readonly kind: 'misconfigured'; readonly reason: string; readonly advice: string };

/** What an attempt ended with: an outcome for each recipient, in their order. */
export interface RelayResult {
  readonly outcomes: readonly RecipientOutcome[];
  readonly trouble?: HopTrouble | undefined;
}

/** What a relay says of itself when it is tried without a message. `steps` are for the administrator, in order. */
export interface RelayCheck {
  readonly isReady: boolean;
  readonly steps: readonly string[];
  readonly trouble?: HopTrouble | undefined;
}

/** A next hop. */
export interface Relay {
  readonly name: string;
  /** Tries once. Never rejects; an abort ends it soon, with `untried` for whom nothing was decided before the message's end was sent. */
  relay(message: RelayedMessage, signal: AbortSignal): Promise<RelayResult>;
  /** Connects and logs in as for a message, without one. Never rejects. */
  check(signal: AbortSignal): Promise<RelayCheck>;
  /** Ends idle connections; attempts under way have been aborted or waited for. */
  close(): Promise<void>;
}
