/**
 * What an administrator should know of routes beside the configuration: those that lead to a relay which is not in it.
 *
 * Mail that such a route takes waits and does not expire; nobody would look for it otherwise. Shown by `hauspost status`.
 */

import type { RouteReport } from '../accounts/administerRoutes.ts';

/** A sentence for each enabled route to a relay that is not configured. */
export function routeWarnings(
  routes: readonly RouteReport[],
  relays: readonly { readonly name: string }[],
): readonly string[] {
  return routes.flatMap(({ name, isEnabled, target }) =>
    isEnabled && target.kind === 'relay' && !relays.some((relay) => relay.name === target.relay)
      ? [
          `route ${name} leads to the relay ${target.relay}, which is not in the configuration: what it takes waits ([[relays]], docs/SENDING.md)`,
        ]
      : [],
  );
}
