/**
 * What is found on the way from a recipient to where its mail goes: ends of the way, refusals, and the steps between, which
 * `route test` tells the administrator.
 */

import { MailError } from '../../base/error.ts';
import type { Account } from '../../store/contract/directory.ts';
import type { NextHop } from '../../store/contract/queue.ts';
import type { DistributionListHead, RouteTarget } from '../../store/contract/routing.ts';
import type { PostingBar } from './posting.ts';
import type { RouteBar } from './routes.ts';

/** What a refusal repeats of a domain; RFC 5321 section 4.5.3.1.2 allows no more. */
const DOMAIN_LIMIT_CHARS = 255;

/** What becomes of the DSN parameters on the way (RFC 3461 section 5.2.7): lists end them, an alias for many cannot tell of success. */
export type DsnPassage = 'all' | 'withoutSuccess' | 'none';

/** What of the envelope goes on. */
export interface Passed {
  /** Without angle brackets; empty for the null path. */
  readonly reversePath: string;
  readonly dsn: DsnPassage;
}

/** Where a way ends. */
export type Finding =
  | ({ readonly kind: 'account'; readonly account: Account } & Passed)
  /** Before its members. */
  | { readonly kind: 'list'; readonly list: DistributionListHead }
  | ({
      readonly kind: 'nextHop';
      readonly recipient: string;
      readonly nextHop: NextHop;
      /** Which route, or the pickup directory whose relay it is. */
      readonly chosenBy: { readonly route: string } | { readonly directory: string };
    } & Passed)
  /** Another way of the same message has been here before and was followed: `key` names it. */
  | { readonly kind: 'sameAs'; readonly key: string }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

/** Why an address gets nothing. */
export type Refusal = { readonly address: string } & (
  | { readonly reason: 'unknown' | 'disabled' | 'foreign' | 'relayRoutesOff' }
  | { readonly reason: 'routeRefuses'; readonly route: string; readonly text: string | undefined }
  | { readonly reason: 'mayNotPost'; readonly bar: PostingBar }
  | { readonly reason: 'notForDirectory'; readonly directory: string }
);

/** A step of the way. */
export type Step = { readonly address: string } & (
  | { readonly kind: 'routePassedOver'; readonly route: string; readonly bar: RouteBar }
  | {
      readonly kind: 'routeTaken';
      readonly route: string;
      readonly position: number;
      readonly target: RouteTarget;
    }
  | { readonly kind: 'directoryRelay'; readonly directory: string; readonly relay: string }
  | { readonly kind: 'account'; readonly account: string; readonly detail: string | undefined }
  | { readonly kind: 'alias'; readonly alias: string; readonly targets: readonly string[] }
  | { readonly kind: 'list'; readonly list: string; readonly members: number }
  | { readonly kind: 'catchAll'; readonly target: string }
  /** It stands for the sender of something that was forwarded. */
  | { readonly kind: 'rewrittenSender'; readonly target: string }
  | { readonly kind: 'postmaster'; readonly target: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
);

/** The refusal as the other side hears it. */
export function refusalError(refusal: Refusal): MailError {
  const { address } = refusal;
  switch (refusal.reason) {
    case 'unknown':
      return new MailError('recipientUnknown', `${address} is nobody's`);
    case 'disabled':
      return new MailError('recipientDisabled', `${address} is disabled`);
    case 'foreign':
      return new MailError('relayingDenied', `${address} is not ours, and no route takes it`);
    case 'relayRoutesOff':
      return new MailError('relayingDenied', `a route takes ${address}, but transfer.relayRoutes is off`);
    case 'routeRefuses':
      return new MailError('policyRefused', `the route ${refusal.route} refuses ${address}`, {
        publicText: refusal.text ?? 'This recipient does not take your message',
      });
    case 'mayNotPost':
      return new MailError('policyRefused', `the list ${address} does not take ${refusal.bar}`, {
        publicText: `This list does not take ${refusal.bar}`,
      });
    case 'notForDirectory': {
      const text = `Files of the pickup directory ${refusal.directory} may not go there: its recipients would have to name ${domainIn(address)}`;
      return new MailError('policyRefused', `${address}: ${text}`, { publicText: text });
    }
  }
}

function domainIn(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).slice(0, DOMAIN_LIMIT_CHARS);
}

/** Reasons, the one that says most to the sender first. */
const REASONS: readonly Refusal['reason'][] = [
  'routeRefuses',
  'mayNotPost',
  'notForDirectory',
  'disabled',
  'unknown',
  'relayRoutesOff',
  'foreign',
];

/** Of several refusals the one that says most to the sender. */
export function worstOf(refusals: readonly Refusal[]): Refusal | undefined {
  const reason = REASONS.find((candidate) => refusals.some((refusal) => refusal.reason === candidate));
  return refusals.find((refusal) => refusal.reason === reason);
}
