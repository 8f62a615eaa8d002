/**
 * What makes a message come once only: the claims of its delivery, made from what was handed over, before our trace fields and
 * before any edit.
 *
 * Who did not hear our 250 sends the message again (RFC 5321 section 4.5.4.2); Exchange Online delivers at least once. Each
 * recipient has claims of its own: a next try may leave out those who were accepted before, or bring those who were deferred,
 * and whoever has the message already must not get it again. The store decides, inside the delivering transaction.
 * Trust: octets and header are the sender's. Who does not know a message to the octet can't keep it away by sending it before;
 * Exchange's ids count only where the inspection answers for the sender.
 */

import { createHash } from 'node:crypto';

import type { UnixMs } from '../base/clock.ts';
import { yieldTurn } from '../base/pacer.ts';
import { DAY_MS } from '../base/units.ts';
import { type MessageHeader, valuesOf } from '../wire/mime/messageHeader.ts';
import { CLAIM_KEY_OCTETS, type PlannedClaim } from '../store/contract/claims.ts';
import { parseAddress } from '../accounts/address.ts';
import type { Envelope, OnceOnlyOptions, Origin } from './contract.ts';

/** Recipients whose claims are made in one turn of the event loop, some milliseconds. */
const CLAIMS_PER_TURN = 200;
/** Given by Exchange Online to a message, and kept by all its copies. */
const NETWORK_MESSAGE_ID = 'x-ms-exchange-crosstenant-network-message-id';
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const NOTHING_KEPT_AWAY: OnceOnlyOptions = {
  suppressResends: false,
  resendWindowDays: 0,
  suppressExchangeDuplicates: false,
  exchangeDuplicateWindowDays: 0,
  duplicatesAllowedDomains: [],
};

/** One message on its way in, as it is told from others. */
export interface Fingerprint {
  /** The header as it was handed over. */
  header(header: MessageHeader): void;
  /** All octets as they were handed over, the header's among them. */
  octets(block: Buffer): void;
  /** The claims for `recipients`; `isVouched`: whether what Exchange Online says in the header is proved to come from it. */
  claims(recipients: readonly string[], at: UnixMs, isVouched: boolean): Promise<readonly PlannedClaim[]>;
}

/** The fingerprint of a message that begins. */
export function createFingerprint(
  options: OnceOnlyOptions = NOTHING_KEPT_AWAY,
  { reversePath }: Envelope,
  { role }: Origin,
): Fingerprint {
  const hash = options.suppressResends ? createHash('sha256') : undefined;
  const exempt = new Set(options.duplicatesAllowedDomains.map((name) => name.toLowerCase()));
  let isTellable = role === 'relayIn';
  let exchangeIds: readonly string[] | undefined;
  return {
    header(header) {
      // A device sends the same octets for each of its alarms: only ids and times of its own tell one from another.
      isTellable ||= hasValue(header, 'message-id') && hasValue(header, 'date');
      if (role === 'relayIn') exchangeIds = exchangeIdsOf(header);
    },
    octets(block) {
      hash?.update(block);
    },
    async claims(recipients, at, isVouched) {
      const octetsKey = isTellable ? hash?.digest('hex') : undefined;
      const ids = isVouched && options.suppressExchangeDuplicates ? exchangeIds : undefined;
      const claims: PlannedClaim[] = [];
      if (octetsKey === undefined && ids === undefined) return claims;
      for (const [index, recipient] of recipients.entries()) {
        if (index % CLAIMS_PER_TURN === CLAIMS_PER_TURN - 1) await yieldTurn();
        const address = normalizedPath(recipient);
        if (exempt.has(address.slice(address.lastIndexOf('@') + 1))) continue;
        if (octetsKey !== undefined)
          claims.push({
            kind: 'resend',
            recipient,
            key: claimKey(['resend', reversePath, address, octetsKey]),
            expiresAt: later(at, options.resendWindowDays),
          });
        if (ids !== undefined)
          claims.push({
            kind: 'exchange',
            recipient,
            key: claimKey(['exchange', address, ...ids]),
            expiresAt: later(at, options.exchangeDuplicateWindowDays),
          });
      }
      return claims;
    },
  };
}

/** Message-ID and Network-Message-Id; undefined unless there is exactly one of each. */
function exchangeIdsOf(header: MessageHeader): readonly string[] | undefined {
  const [messageId, ...moreIds] = valuesOf(header, 'message-id');
  const [networkId, ...moreNetworkIds] = valuesOf(header, NETWORK_MESSAGE_ID).map((id) => id.toLowerCase());
  if (!messageId || !networkId || moreIds.length + moreNetworkIds.length > 0) return undefined;
  return GUID.test(networkId) ? [messageId, networkId] : undefined;
}

/** A path in the one form of its address, where it is one. */
export function normalizedPath(path: string): string {
  const parsed = parseAddress(path);
  return parsed.kind === 'address' ? parsed.address : path.toLowerCase();
}

function hasValue(header: MessageHeader, name: string): boolean {
  return valuesOf(header, name).some((value) => value !== '');
}

/** The key of a claim. The parts are framed as JSON does it, so that none can be taken for another. */
export function claimKey(parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts))
    .digest('hex')
    .slice(0, 2 * CLAIM_KEY_OCTETS);
}

function later(at: UnixMs, days: number): UnixMs {
  return (at + days * DAY_MS) as UnixMs;
}
