/**
 * What an administrator should know of routes beside the configuration: those that lead to a relay which is not in it.
 *
 * Mail that such a route takes waits and does not expire; nobody would look for it otherwise. Shown by `hauspost status`, and where
 * routes are looked at: `hauspost route list` and `route test`.
 */

import type { RouteReport } from '../accounts/administerRoutes.ts';

/** A route with what an administrator should know of it; null is nothing. */
export interface WarnedRoute extends RouteReport {
  readonly warning: string | null;
}

/** Names of relays, as configured. */
type Relays = readonly { readonly name: string }[];

/** Each route with its warning: one that is enabled and leads to a relay that is not configured has one. */
export function warnOfRoutes(routes: readonly RouteReport[], relays: Relays): readonly WarnedRoute[] {
  return routes.map((route) => {
    const { name, isEnabled, target } = route;
    const missing = isEnabled && target.kind === 'relay' ? missingRelay(target.relay, relays) : undefined;
    return { ...route, warning: missing === undefined ? null : `route ${name} leads to ${missing}` };
  });
}

/** A sentence for each enabled route to a relay that is not configured. */
export function routeWarnings(routes: readonly RouteReport[], relays: Relays): readonly string[] {
  return warnOfRoutes(routes, relays).flatMap(({ warning }) => warning ?? []);
}

/** That a relay is not configured, for the end of a sentence; undefined where it is. */
export function missingRelay(wanted: string, relays: Relays): string | undefined {
  if (relays.some(({ name }) => name === wanted)) return undefined;
  return `the relay ${wanted}, which is not in the configuration: what it takes waits ([[relays]], docs/SENDING.md)`;
}
