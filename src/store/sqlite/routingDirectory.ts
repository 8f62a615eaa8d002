/**
 * Routes, distribution lists, forwards and rules of the Directory view: short reads on the reading connection, writes are jobs.
 */

import type {
  DistributionList,
  DistributionListHead,
  Forward,
  RoutingDirectory,
} from '../contract/routing.ts';
import { chosenDomains, inSlices, localPartOf } from './directorySlices.ts';
import { selectAddress } from './directoryQueries.ts';
import { DIRECTORY_SLICE_ROWS } from './limits.ts';
import { selectIsMember, selectListByAddress, selectListsAfter, selectMembersAfter } from './listQueries.ts';
import type { Reader } from './reader.ts';
import {
  type StoredForward,
  selectForward,
  selectForwardsAfter,
  selectRoutes,
  selectRuleOwnersAfter,
  selectRules,
} from './routingQueries.ts';
import type { Writer } from './writer/client.ts';

/** The routing part of the Directory that reads by `reader` and writes by `writer`. */
export function createRoutingDirectory(reader: Reader, writer: Writer): RoutingDirectory {
  return {
    routes: async () => reader.read(selectRoutes),
    addRoute: (route) => writer.run('addRoute', route),
    setRoute: (name, changes) => writer.run('setRoute', { name, changes }),
    removeRoute: (name) => writer.run('removeRoute', name),

    lists: (domain) => listLists(reader, domain),
    findList: (address) => findList(reader, address),
    isListMember: async (address, member) =>
      reader.read((db) => {
        const stored = selectListByAddress(db, address);
        return stored !== undefined && selectIsMember(db, stored.id, member);
      }),
    addList: (list) => writer.run('addList', list),
    setList: (address, changes) => writer.run('setList', { address, changes }),
    removeList: (address) => writer.run('removeList', address),

    forwards: (domain) => listForwards(reader, domain),
    forwardOf: async (accountId) => reader.read((db) => selectForward(db, accountId)),
    addForward: (forward) => writer.run('addForward', forward),
    setForward: (account, changes) => writer.run('setForward', { account, changes }),
    removeForward: (account) => writer.run('removeForward', account),

    rules: async (accountId) => reader.read((db) => selectRules(db, accountId ?? null)),
    accountsWithRules: () => listRuleOwners(reader),
    addRule: (rule) => writer.run('addRule', rule),
    setRule: (account, name, changes) => writer.run('setRule', { account, name, changes }),
    removeRule: (account, name) => writer.run('removeRule', { account, name }),
  };
}

async function listLists(reader: Reader, name: string | undefined): Promise<DistributionListHead[]> {
  const lists: DistributionListHead[] = [];
  for (const domain of await chosenDomains(reader, name)) {
    const slice = (last: DistributionListHead | undefined) =>
      reader.read((db) => selectListsAfter(db, domain, localPartOf(last), DIRECTORY_SLICE_ROWS));
    lists.push(...(await inSlices(slice)));
  }
  return lists;
}

/** The members are those of the moments in which they are read; one that is added meanwhile may be missing. */
async function findList(reader: Reader, address: string): Promise<DistributionList | undefined> {
  const stored = reader.read((db) => selectListByAddress(db, address));
  if (stored === undefined) return undefined;
  const members = await inSlices((last: string | undefined) =>
    reader.read((db) => selectMembersAfter(db, stored.id, last ?? '', DIRECTORY_SLICE_ROWS)),
  );
  return { ...stored.list, members };
}

async function listForwards(reader: Reader, name: string | undefined): Promise<Forward[]> {
  const stored = await inSlices((last: StoredForward | undefined) =>
    reader.read((db) => selectForwardsAfter(db, last?.accountId ?? 0, DIRECTORY_SLICE_ROWS)),
  );
  const domains = new Set((await chosenDomains(reader, name)).map((domain) => domain.name));
  return stored
    .map(({ forward }) => forward)
    .filter(({ account }) => domains.has(account.slice(account.lastIndexOf('@') + 1)))
    .sort((one, other) => (one.account < other.account ? -1 : 1));
}

async function listRuleOwners(reader: Reader): Promise<string[]> {
  const ids = await inSlices((last: number | undefined) =>
    reader.read((db) => selectRuleOwnersAfter(db, last ?? 0, DIRECTORY_SLICE_ROWS)),
  );
  const addresses = ids.map((id) => reader.read((db) => selectAddress(db, id)));
  return addresses.filter((address) => address !== undefined).sort();
}
