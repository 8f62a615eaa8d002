/**
 * The room's door: opens a keeper for each directory, tells how they stand, and changes them while the server runs.
 *
 * A directory whose rules stay the same is not touched by a change; of the others the counts go on.
 */

import { isDeepStrictEqual } from 'node:util';

import { listBad, moveBackFromBadmail } from './badmailList.ts';
import type { Pickup, PickupDirectory, PickupOptions } from './contract.ts';
import { DirectoryKeeper } from './directoryKeeper.ts';
import { RECONFIGURE_DEADLINE_MS } from './limits.ts';
import { DirectoryStatus } from './status.ts';
import { Tally } from './tally.ts';

/** A directory that is open. */
interface OpenDirectory {
  readonly keeper: DirectoryKeeper;
  readonly status: DirectoryStatus;
}

/** Opens the room: each directory is looked at from now on. One that cannot be read is no error; its status says so. */
export async function openPickup(options: PickupOptions): Promise<Pickup> {
  const tallies = new Map<string, Tally>();
  const open = (rules: PickupDirectory): OpenDirectory => {
    const tally = tallies.get(rules.name) ?? new Tally();
    tallies.set(rules.name, tally);
    const { transfer, clock, log, isPaused = () => false } = options;
    const keeper = new DirectoryKeeper({ rules, transfer, clock, log, tally, isPaused });
    return { keeper, status: new DirectoryStatus(keeper) };
  };
  let directories: readonly OpenDirectory[] = options.directories.map(open);
  let changing: Promise<void> = Promise.resolve();
  let isClosed = false;
  const find = (name: string) => directories.find(({ keeper }) => keeper.options.rules.name === name);

  const change = async (wanted: readonly PickupDirectory[]): Promise<void> => {
    if (isClosed) return;
    const isKept = ({ keeper }: OpenDirectory) =>
      wanted.some((rules) => isDeepStrictEqual(rules, keeper.options.rules));
    const kept = directories.filter(isKept);
    const ending = directories.filter((each) => !isKept(each));
    directories = kept;
    await Promise.all(ending.map(({ keeper }) => keeper.close(RECONFIGURE_DEADLINE_MS)));
    // The end may have come meanwhile.
    if (!isClosed) directories = wanted.map((rules) => find(rules.name) ?? open(rules));
  };

  return {
    status: () => Promise.all(directories.map(({ status }) => status.tell())),
    listBad: async (name, limit) => {
      const found = find(name);
      return found && (await listBad(found.keeper.options.rules.badmailDirectory, limit));
    },
    retry: async (name, files) => {
      const found = find(name);
      if (found === undefined) return undefined;
      const result = await moveBackFromBadmail(found.keeper.options.rules, files);
      found.status.forgetBad();
      found.keeper.hasten();
      return result;
    },
    reconfigure: (wanted) => {
      changing = changing.then(() => change(wanted));
      return changing;
    },
    close: async (deadlineMs) => {
      const ending = directories;
      isClosed = true;
      directories = [];
      await Promise.all(ending.map(({ keeper }) => keeper.close(deadlineMs)));
    },
  };
}
