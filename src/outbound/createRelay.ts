/**
 * Makes a relay of what is configured: the one place that knows every kind.
 */

import type { GraphTurns } from '../exchange/graph/turns.ts';
import type { Relay } from '../transfer/relay.ts';
import type { RelayOptions } from './contract.ts';
import { createDropRelay } from './drop/dropRelay.ts';
import { createGraphRelay } from './graph/graphRelay.ts';
import { createDirectRelay } from './smtp/directRelay.ts';
import { createSmtpRelay, type RelaySurroundings } from './smtp/smtpRelay.ts';

/** What relays of every kind are handed beside their options. */
export interface AnyRelaySurroundings extends RelaySurroundings {
  /** One for the whole server (`createGraphTurns()`): Graph counts by application, whatever the relays. */
  readonly graphTurns: GraphTurns;
}

/** Makes the relay. Nothing is connected before it is used. */
export function createRelay(options: RelayOptions, surroundings: AnyRelaySurroundings): Relay {
  switch (options.kind) {
    case 'smtp':
      return createSmtpRelay(options, surroundings);
    case 'graph': {
      const { clock, log, graphTurns: turns } = surroundings;
      const fallback =
        options.fallback === undefined ? undefined : createSmtpRelay(options.fallback, surroundings);
      return createGraphRelay(options, { clock, log, turns, fallback });
    }
    case 'direct':
      return createDirectRelay(options, surroundings);
    case 'drop':
      return createDropRelay(options, surroundings);
  }
}
