/**
 * Makes a relay of what is configured: the one place that knows every kind.
 */

import { MailError } from '../base/error.ts';
import type { Relay } from '../transfer/relay.ts';
import type { RelayOptions } from './contract.ts';
import { createSmtpRelay, type RelaySurroundings } from './smtp/smtpRelay.ts';

/** Makes the relay. Nothing is connected before it is used. */
export function createRelay(options: RelayOptions, surroundings: RelaySurroundings): Relay {
  switch (options.kind) {
    case 'smtp':
      return createSmtpRelay(options, surroundings);
    case 'direct':
    case 'graph':
      throw new MailError('cannot', `relay ${options.name}: this version has no relays of its kind yet`);
  }
}
