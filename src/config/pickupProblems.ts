/**
 * What is wrong with pickup directories beyond the form of each key: names, directories that lie in each other, relays that are
 * not there; and what works, and lets too much through.
 *
 * Paths are absolute here. Links are not followed: the configuration may name directories that a share brings later.
 */

import { join, sep } from 'node:path';

import type { PickupConfig } from './pickupKeys.ts';
import type { Config } from './schema.ts';

/** A key of a pickup, and what is wrong there. */
export type PickupProblem = readonly [key: keyof PickupConfig, text: string];

/** A directory of the configuration. */
interface Place {
  readonly path: string;
  /** As a sentence says it. */
  readonly what: string;
}

/** Where bad files of a pickup go. */
export function badmailOf({ directory, badmailDirectory }: PickupConfig): string {
  return badmailDirectory ?? join(directory, 'badmail');
}

/** The faults of one pickup of a configuration whose paths are absolute. */
export function pickupProblems(pickup: PickupConfig, config: Config): readonly PickupProblem[] {
  return [
    ...nameProblems(pickup, config.pickups),
    ...placeProblems(pickup, config),
    ...relayProblems(pickup, config),
    ...(pickup.kind === 'replay' && pickup.defaultSender !== undefined
      ? [['defaultSender', 'is for kind = "pickup"; a replayed file has to name its sender'] as const]
      : []),
  ];
}

/** What works, and an administrator should know. */
export function pickupWarnings({ pickups, server }: Config): string[] {
  return pickups.flatMap((pickup) => [
    ...opennessWarnings(pickup),
    ...(isWithin(pickup.directory, server.dataDirectory)
      ? [
          `pickup ${pickup.name} lies in server.dataDirectory (${server.dataDirectory}): whoever writes into it has to be let into the directory that holds all mail and its keys; a place apart is safer`,
        ]
      : []),
  ]);
}

/** That a directory lets its writers send in anybody's name. */
function opennessWarnings({ name, kind, directory, senders, recipients }: PickupConfig): string[] {
  if (!senders.includes('*')) return [];
  if (recipients.includes('*'))
    return [
      `pickup ${name} takes any sender and any recipient: whoever can write into ${directory} can send anything to anybody in anybody’s name; name its senders, or its recipients`,
    ];
  if (kind === 'replay')
    return [
      `pickup ${name} replays with any sender: whoever can write into ${directory} can send in anybody’s name; name its senders`,
    ];
  return [];
}

function nameProblems(pickup: PickupConfig, all: readonly PickupConfig[]): PickupProblem[] {
  const first = all.find(({ name }) => name === pickup.name);
  return first === pickup ? [] : [['name', `found "${pickup.name}" a second time; names are unique`]];
}

/** Each pair of directories is told once, at the later pickup. */
function placeProblems(pickup: PickupConfig, { server, pickups, drops }: Config): PickupProblem[] {
  const { directory } = pickup;
  // That a drop has the very directory is told at the drop.
  const others = [
    ...pickups.slice(0, pickups.indexOf(pickup)).flatMap(placesOf),
    ...drops
      .filter((drop) => drop.directory !== directory)
      .map((drop) => ({ path: drop.directory, what: `the directory of drop ${drop.name}` })),
  ];
  const badmail = badmailOf(pickup);
  const problems: PickupProblem[] = [];
  const add = (key: keyof PickupConfig, text: string) => problems.push([key, text]);
  if (isWithin(server.dataDirectory, directory))
    add(
      'directory',
      `found "${directory}"; it cannot be server.dataDirectory, "${server.dataDirectory}", or hold it`,
    );
  const clash = clashOf(directory, others);
  const badmailClash = clashOf(badmail, others);
  if (clash !== undefined) add('directory', clash);
  else if (badmailClash !== undefined) add('badmailDirectory', badmailClash);
  if (isWithin(directory, badmail))
    add('badmailDirectory', `found "${badmail}"; it cannot be the pickup directory itself, or hold it`);
  if (isWithin(server.dataDirectory, badmail))
    add('badmailDirectory', `found "${badmail}"; it cannot be server.dataDirectory, or hold it`);
  return problems;
}

function placesOf(owner: PickupConfig): readonly Place[] {
  return [
    { path: owner.directory, what: `the directory of pickup ${owner.name}` },
    { path: badmailOf(owner), what: `the badmail directory of pickup ${owner.name}` },
  ];
}

/** How a path lies to one of `others`, where they do not lie apart. */
function clashOf(path: string, others: readonly Place[]): string | undefined {
  for (const { path: other, what } of others) {
    const isInside = isWithin(path, other);
    const holds = isWithin(other, path);
    if (isInside && holds) return `found "${path}", which is ${what} as well; each needs one of its own`;
    if (isInside || holds)
      return `found "${path}", which ${isInside ? 'lies in' : 'holds'} ${what}, "${other}"; they have to lie apart`;
  }
  return undefined;
}

/** Whether `path` is `outer` or lies in it. */
function isWithin(path: string, outer: string): boolean {
  const [inside, around] = [path, outer].map((one) => (sep === '\\' ? one.toLowerCase() : one));
  return inside === around || (inside ?? '').startsWith(`${around}${around?.endsWith(sep) ? '' : sep}`);
}

function relayProblems({ relay }: PickupConfig, { relays }: Config): PickupProblem[] {
  if (relay === undefined || relays.some(({ name }) => name === relay)) return [];
  const names = relays.map(({ name }) => name);
  const allowed =
    names.length === 0 ? 'none is configured ([[relays]], docs/SENDING.md)' : `allowed: ${names.join(', ')}`;
  return [['relay', `found "${relay}"; ${allowed}`]];
}
