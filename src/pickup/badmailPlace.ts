/**
 * Where badmail really is. Inside the pickup directory it stands among what writers may rename: a link in its place would have the
 * server put their files into directories in which they have no rights (a replay directory takes any sender), or move files out of
 * them when an administrator says retry. Elsewhere a link is the administrator's own.
 *
 * Trust: whoever swaps it at the very moment is not noticed; badmailDirectory can name a place that no writer reaches.
 */

import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';

import type { PickupDirectory } from './contract.ts';

/** Refuses badmail that a link in the pickup directory leads to. Errors: that there is one, the system's. */
export async function refuseLink({
  directory,
  badmailDirectory,
}: Pick<PickupDirectory, 'directory' | 'badmailDirectory'>): Promise<void> {
  const way = relative(directory, badmailDirectory);
  if (way.startsWith('..') || isAbsolute(way)) return;
  const [around, place] = await Promise.all([realpath(directory), realpath(badmailDirectory)]);
  if (place === join(around, way)) return;
  throw new Error(
    `${badmailDirectory} is a symbolic link in a directory that others write into, and is not followed; remove it, or set badmailDirectory`,
  );
}
