/**
 * Makes a relay of what is configured: the one place that knows every kind.
 */

import { MailError } from '../base/error.ts';
import type { Relay } from '../transfer/relay.ts';
import type { RelayOptions } from './contract.ts';

/** Makes the relay. Nothing is connected before it is used. */
export function createRelay(options: RelayOptions): Relay {
  throw new MailError('cannot', `relays of the kind ${options.kind} are not built yet`);
}
