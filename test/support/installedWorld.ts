/**
 * A generated world in the real store, and out of it again, so that many can follow one another in one store.
 */

import type { Directory } from '../../src/store/contract/directory.ts';
import type { RoutingWorld } from './routingWorld.ts';

/** Puts a world into the directory; the answer takes it out. */
export async function installWorld(directory: Directory, world: RoutingWorld): Promise<() => Promise<void>> {
  const undo: (() => Promise<unknown>)[] = [];
  for (const { name, aliases = [], isEnabled = true, catchAll, plusSeparator } of world.domains) {
    const separator = plusSeparator ?? null;
    await directory.addDomain(name, {
      aliases,
      isEnabled,
      catchAll: catchAll ?? null,
      plusSeparator: separator,
    });
    undo.push(() => directory.removeDomain(name));
  }
  for (const { address, isEnabled = true, quotaOctets } of world.accounts) {
    await directory.addAccount({ address, passwordHash: 'none', quotaOctets });
    if (!isEnabled) await directory.setAccount(address, { isEnabled });
    undo.push(() => directory.removeAccount(address));
  }
  for (const alias of world.aliases ?? []) {
    await directory.addAlias({ isEnabled: true, ...alias });
    undo.push(() => directory.removeAlias(alias.address));
  }
  for (const list of world.lists ?? []) {
    const { address } = list;
    await directory.addList({ posters: { kind: 'anyone' }, isEnabled: true, ...list });
    undo.push(() => directory.removeList(address));
  }
  for (const forward of world.forwards ?? []) {
    await directory.addForward(forward);
    undo.push(() => directory.removeForward(forward.account));
  }
  for (const rule of world.rules ?? []) {
    await directory.addRule({ ...rule, position: undefined });
    undo.push(() => directory.removeRule(rule.account, rule.name));
  }
  for (const route of world.routes ?? []) {
    await directory.addRoute({ ...route, position: undefined });
    undo.push(() => directory.removeRoute(route.name));
  }
  return async () => {
    for (const step of undo.reverse()) await step();
  };
}
