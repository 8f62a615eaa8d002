/**
 * Reading the directory in slices: short statements, each after the last row of the one before, with a turn of the event loop
 * in between.
 */

import { yieldTurn } from '../../base/pacer.ts';
import type { Domain } from '../contract/directory.ts';
import { selectDomain, selectDomainsAfter } from './directoryQueries.ts';
import { DIRECTORY_SLICE_ROWS } from './limits.ts';
import type { Reader } from './reader.ts';

/** All domains. */
export async function listDomains(reader: Reader): Promise<Domain[]> {
  return inSlices((last: Domain | undefined) =>
    reader.read((db) => selectDomainsAfter(db, last?.name ?? '', DIRECTORY_SLICE_ROWS)),
  );
}

/** The domain of this name, or all of them. */
export async function chosenDomains(reader: Reader, name: string | undefined): Promise<readonly Domain[]> {
  if (name === undefined) return listDomains(reader);
  const domain = reader.read((db) => selectDomain(db, name));
  return domain === undefined ? [] : [domain];
}

/** Reads slice after slice; `read` is given the last row of the slice before and answers DIRECTORY_SLICE_ROWS rows unless it is the last. */
export async function inSlices<Row>(read: (last: Row | undefined) => Row[]): Promise<Row[]> {
  const rows = read(undefined);
  for (let count = rows.length; count === DIRECTORY_SLICE_ROWS; ) {
    await yieldTurn();
    const slice = read(rows.at(-1));
    rows.push(...slice);
    count = slice.length;
  }
  return rows;
}

/** What stands before the @ of a row's address; empty for no row. */
export function localPartOf(row: { readonly address: string } | undefined): string {
  return row === undefined ? '' : row.address.slice(0, row.address.lastIndexOf('@'));
}
