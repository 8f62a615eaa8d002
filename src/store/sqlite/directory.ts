/**
 * The Directory view of the SQLite store: reads are short look-ups on the reading connection, writes are jobs.
 *
 * Called for every recipient and every login, so nothing here is kept in memory: a look-up costs some 10 µs.
 */

import type { Account, Alias, Directory } from '../contract/directory.ts';
import {
  selectAccountByAddress,
  selectAccountsAfter,
  selectAliasByAddress,
  selectAliasesAfter,
  selectCredentials,
  selectDomain,
} from './directoryQueries.ts';
import { chosenDomains, inSlices, listDomains, localPartOf } from './directorySlices.ts';
import { selectIpRange, selectIpRanges } from './ipRangeQueries.ts';
import { DIRECTORY_SLICE_ROWS } from './limits.ts';
import type { Reader } from './reader.ts';
import { selectResolution } from './resolution.ts';
import { createRoutingDirectory } from './routingDirectory.ts';
import { createVacationDirectory } from './vacationDirectory.ts';
import type { Writer } from './writer/client.ts';

/** The Directory that reads by `reader` and writes by `writer`. */
export function createDirectory(reader: Reader, writer: Writer): Directory {
  return {
    domains: () => listDomains(reader),
    findDomain: async (name) => reader.read((db) => selectDomain(db, name)),
    addDomain: (name, changes) => writer.run('addDomain', { name, changes }),
    setDomain: (name, changes) => writer.run('setDomain', { name, changes }),
    removeDomain: (name) => writer.run('removeDomain', name),

    accounts: (domain) => listAccounts(reader, domain),
    findAccount: async (address) => reader.read((db) => selectAccountByAddress(db, address)),
    findCredentials: async (...loginNames) => reader.read((db) => selectCredentials(db, loginNames)),
    addAccount: (account) => writer.run('addAccount', account),
    setAccount: (address, changes) => writer.run('setAccount', { address, changes }),
    removeAccount: (address) => writer.run('removeAccount', address),

    aliases: (domain) => listAliases(reader, domain),
    findAlias: async (address) => reader.read((db) => selectAliasByAddress(db, address)?.alias),
    addAlias: (alias) => writer.run('addAlias', alias),
    setAlias: (address, changes) => writer.run('setAlias', { address, changes }),
    removeAlias: (address) => writer.run('removeAlias', address),

    ipRanges: async () => reader.read(selectIpRanges),
    findIpRange: async (name) => reader.read((db) => selectIpRange(db, name)),
    addIpRange: (range) => writer.run('addIpRange', range),
    setIpRange: (name, changes) => writer.run('setIpRange', { name, changes }),
    removeIpRange: (name) => writer.run('removeIpRange', name),

    ...createRoutingDirectory(reader, writer),
    ...createVacationDirectory(reader, writer),

    resolve: async (address) => reader.read((db) => selectResolution(db, address)),
  };
}

async function listAccounts(reader: Reader, name: string | undefined): Promise<Account[]> {
  const accounts: Account[] = [];
  for (const domain of await chosenDomains(reader, name)) {
    const slice = (last: Account | undefined) =>
      reader.read((db) => selectAccountsAfter(db, domain, localPartOf(last), DIRECTORY_SLICE_ROWS));
    accounts.push(...(await inSlices(slice)));
  }
  return accounts;
}

async function listAliases(reader: Reader, name: string | undefined): Promise<Alias[]> {
  const aliases: Alias[] = [];
  for (const domain of await chosenDomains(reader, name)) {
    const slice = (last: Alias | undefined) =>
      reader.read((db) => selectAliasesAfter(db, domain, localPartOf(last), DIRECTORY_SLICE_ROWS));
    aliases.push(...(await inSlices(slice)));
  }
  return aliases;
}
