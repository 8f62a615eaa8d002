/**
 * Sender rewriting of what is forwarded: foreign reverse paths get an address of ours (wire/smtp/srs.ts), so that the next mail system
 * does not refuse a forward for its SPF; and what comes back to such an address goes to the sender that it stands for.
 *
 * Off unless the transfer room is handed a key. Where no SRS address can be made (64 octets are few), the forwarding account's own
 * address is the sender: it is told of what fails.
 */

import type { Clock } from '../../base/clock.ts';
import { DAY_MS } from '../../base/units.ts';
import { isSrs, restoreSrs, rewriteSrs } from '../../wire/smtp/srs.ts';
import { parsePath } from './parsePath.ts';

/** Rewrites senders. */
export interface SenderRewriting {
  /** The reverse path, which is not ours and not empty, with which `forwardedFor` sends it on. */
  rewrite(reversePath: string, forwardedFor: string): string;
  /** The path that `path` stands for; undefined where it is not made by us, or too old. */
  restore(path: string): string | undefined;
}

/** Sender rewriting with this key. */
export function createSenderRewriting(key: string, clock: Pick<Clock, 'now'>): SenderRewriting {
  const today = () => Math.floor(clock.now() / DAY_MS);
  return {
    rewrite(reversePath, forwardedFor) {
      const at = reversePath.lastIndexOf('@');
      const address = {
        localPart: reversePath.slice(0, at),
        domain: reversePath.slice(at + 1).toLowerCase(),
      };
      const localPart = rewriteSrs(address, key, today());
      const ours = forwardedFor.slice(forwardedFor.lastIndexOf('@') + 1);
      return localPart === undefined ? forwardedFor : `${localPart}@${ours}`;
    },
    restore(path) {
      const restored = restoreSrs(path.slice(0, path.lastIndexOf('@')), key, today());
      if (restored.kind !== 'restored') return undefined;
      const { localPart, domain } = restored.address;
      return `${localPart}@${domain}`;
    },
  };
}

/** Whether a path has the form of SRS. */
export function isRewrittenPath(path: string): boolean {
  const parsed = parsePath(path);
  return parsed.kind === 'address' && isSrs(parsed.written);
}
