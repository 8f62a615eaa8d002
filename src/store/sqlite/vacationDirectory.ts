/**
 * Vacations of the Directory view: short reads on the reading connection, writes are jobs.
 */

import type { Vacation, VacationDirectory } from '../contract/vacation.ts';
import { chosenDomains, inSlices } from './directorySlices.ts';
import { DIRECTORY_SLICE_ROWS } from './limits.ts';
import type { Reader } from './reader.ts';
import { type StoredVacation, selectVacation, selectVacationsAfter } from './vacationQueries.ts';
import type { Writer } from './writer/client.ts';

/** The vacations of the Directory that reads by `reader` and writes by `writer`. */
export function createVacationDirectory(reader: Reader, writer: Writer): VacationDirectory {
  return {
    vacations: (domain) => listVacations(reader, domain),
    vacationOf: async (accountId) => reader.read((db) => selectVacation(db, accountId)),
    setVacation: (vacation) => writer.run('setVacation', vacation),
    removeVacation: (account) => writer.run('removeVacation', account),
  };
}

async function listVacations(reader: Reader, name: string | undefined): Promise<Vacation[]> {
  const stored = await inSlices((last: StoredVacation | undefined) =>
    reader.read((db) => selectVacationsAfter(db, last?.accountId ?? 0, DIRECTORY_SLICE_ROWS)),
  );
  const domains = new Set((await chosenDomains(reader, name)).map((domain) => domain.name));
  return stored
    .map(({ vacation }) => vacation)
    .filter(({ account }) => domains.has(account.slice(account.lastIndexOf('@') + 1)))
    .sort((one, other) => (one.account < other.account ? -1 : 1));
}
