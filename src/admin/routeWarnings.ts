/**
 * What an administrator should know of routes beside the configuration: those that lead to a relay or drop directory which is not in it.
 *
 * Mail that such a route takes waits and does not expire; nobody would look for it otherwise. Shown by `hauspost status`, and where
 * routes are looked at: `hauspost route list` and `route test`.
 */

import type { NextHop } from '../store/contract/queue.ts';
import type { RouteReport } from '../accounts/administerRoutes.ts';

/** A route with what an administrator should know of it; null is nothing. */
export interface WarnedRoute extends RouteReport {
  readonly warning: string | null;
}

/** The next hops of the configuration. A relay and a drop may have the same name. */
export interface ConfiguredHops {
  relays(): readonly { readonly name: string }[];
  drops(): readonly { readonly name: string }[];
}

/** Each route with its warning: one that is enabled and leads to a hop that is not configured has one. */
export function warnOfRoutes(routes: readonly RouteReport[], hops: ConfiguredHops): readonly WarnedRoute[] {
  return routes.map((route) => {
    const { name, isEnabled, target } = route;
    const hop = isEnabled ? hopOf(target) : undefined;
    const missing = hop === undefined ? undefined : missingHop(hop, hops);
    return { ...route, warning: missing === undefined ? null : `route ${name} leads to ${missing}` };
  });
}

/** A sentence for each enabled route to a hop that is not configured. */
export function routeWarnings(routes: readonly RouteReport[], hops: ConfiguredHops): readonly string[] {
  return warnOfRoutes(routes, hops).flatMap(({ warning }) => warning ?? []);
}

/** That a hop is not configured, for the end of a sentence; undefined where it is. */
export function missingHop(wanted: NextHop, hops: ConfiguredHops): string | undefined {
  if (isConfigured(wanted, hops)) return undefined;
  const where =
    wanted.kind === 'relay'
      ? { what: 'relay', how: '[[relays]], docs/SENDING.md' }
      : { what: 'drop directory', how: '[[drops]], docs/DROP.md' };
  return `the ${where.what} ${wanted.name}, which is not in the configuration: what it takes waits (${where.how})`;
}

/** Whether a hop is in the configuration. */
export function isConfigured({ kind, name }: NextHop, { relays, drops }: ConfiguredHops): boolean {
  return (kind === 'relay' ? relays() : drops()).some((hop) => hop.name === name);
}

function hopOf(target: RouteReport['target']): NextHop | undefined {
  switch (target.kind) {
    case 'relay':
      return { kind: 'relay', name: target.relay };
    case 'drop':
      return { kind: 'drop', name: target.directory };
    case 'local':
    case 'refuse':
      return undefined;
  }
}
