/**
 * An appliance with one pickup directory and three boxes, the files that programs wrote for it, and the question what became of each:
 * it is still there, in badmail with its reason, or was delivered once, whole, to exactly its recipients.
 *
 * Messages that come again are not known again here (`suppressResends`), so that only the claim keeps a file from being sent twice.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { addAccount, createSite, type RunningServer, type Site } from './appliance.ts';
import { isWhole, nameOfMessage, PICKUP_BOXES, pickupMessage } from './pickupMessages.ts';
import type { WriterOptions } from './pickupWriters.ts';
import { RawImap } from './rawImap.ts';
import type { Login } from './rawPop3.ts';
import type { Teardown } from './sockets.ts';

/** The directory's name in the configuration. */
export const PICKUP_NAME = 'app';
const DRAIN_DEADLINE_MS = 240_000;
const DRAIN_LOOK_MS = 50;
/** Another file system than that of temporary files. */
const ELSEWHERE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** How the directory is set up. */
export interface PickupSiteOptions {
  readonly settleSeconds?: number;
  /** Where files are picked up, an absolute path; in the site's directory unless given. */
  readonly directory?: string;
  readonly badmailDirectory?: string;
  /** The same directory as other machines see it, who write into it; the directory itself unless given. */
  readonly writtenDirectory?: string;
  /** Further keys of the directory, and of all else. */
  readonly keys?: string;
  readonly extra?: string;
  readonly main?: string;
}

/** The appliance and what is beside it. */
export interface PickupSite {
  readonly site: Site;
  /** As the server sees it. */
  readonly directory: string;
  readonly badmailDirectory: string;
  readonly writer: WriterOptions;
  /** The first one is the sender of all. */
  readonly boxes: readonly Login[];
  /** Waits until no file is left in the directory, but for names that `isLeft`. */
  drain(isLeft?: (file: string) => boolean, deadlineMs?: number): Promise<void>;
  /** Asks the server, and the directories, what became of these messages. */
  findOutcome(
    server: RunningServer,
    names: readonly string[],
    /** Names that tell nothing and are left out. */
    ignored?: ReadonlySet<string>,
  ): Promise<Outcome>;
}

/** What became of messages, by their names; all lists are empty where all is well. */
export interface Outcome {
  /** Neither in the directory, in badmail, nor delivered. */
  readonly lost: readonly string[];
  /** Delivered to somebody twice, or in badmail twice, or both delivered and in badmail. */
  readonly doubled: readonly string[];
  /** Delivered to others than its recipients, or not to all of them. */
  readonly misdirected: readonly string[];
  /** Delivered or in badmail with other octets, in badmail without a reason; or octets that nobody wrote. */
  readonly damaged: readonly string[];
  /** Good files in badmail, or bad ones delivered. */
  readonly misjudged: readonly string[];
  /** How many were delivered, lie in badmail, are still there. */
  readonly counts: { readonly delivered: number; readonly bad: number; readonly left: number };
}

/** What `findOutcome` answers when nothing went wrong, but for the counts. */
export const ALL_WELL = { lost: [], doubled: [], misdirected: [], damaged: [], misjudged: [] };

/** Makes the site; everything goes with the test. */
export async function createPickupSite(t: Teardown, options: PickupSiteOptions = {}): Promise<PickupSite> {
  const { settleSeconds = 1, keys = '', extra = '', main } = options;
  const config = (directory: string) =>
    [
      extra,
      '[transfer]\nsuppressResends = false',
      `[[pickups]]\nname = "${PICKUP_NAME}"\npreset = "exchange"\ndirectory = ${JSON.stringify(directory)}`,
      `settleSeconds = ${settleSeconds}\nscanSeconds = 1\nmessagesPerMinuteLimit = 0`,
      options.badmailDirectory === undefined
        ? ''
        : `badmailDirectory = ${JSON.stringify(options.badmailDirectory)}`,
      keys,
    ].join('\n');
  const site = createSite(config(options.directory ?? 'pickup'), main);
  t.teardown(() => site.remove());
  const directory = options.directory ?? join(site.directory, 'pickup');
  const written = options.writtenDirectory ?? directory;
  const badmailDirectory = options.badmailDirectory ?? join(written, 'badmail');
  mkdirSync(directory, { recursive: true });
  const elsewhere = mkdtempSync(join(ELSEWHERE, 'hauspost-elsewhere-'));
  t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }));
  const boxes: Login[] = [];
  for (const box of PICKUP_BOXES) boxes.push(await addAccount(site, box));
  return {
    site,
    directory,
    badmailDirectory,
    boxes,
    writer: {
      directory: written,
      stage: `${written}-stage`,
      elsewhere,
      settleMs: settleSeconds * 1000,
    },
    drain: (isLeft = () => false, deadlineMs = DRAIN_DEADLINE_MS) => drain(written, isLeft, deadlineMs),
    findOutcome: (server, names, ignored = new Set()) =>
      findOutcome(server, { boxes, directory: written, badmailDirectory, names, ignored }),
  };
}

async function drain(
  directory: string,
  isLeft: (file: string) => boolean,
  deadlineMs: number,
): Promise<void> {
  const begunMs = performance.now();
  for (;;) {
    const left = namesIn(directory).filter((file) => file !== 'badmail' && !isLeft(file));
    if (left.length === 0) return;
    if (performance.now() - begunMs > deadlineMs)
      throw new Error(`${left.length} files are still there, as ${left.slice(0, 10).join(', ')}`);
    await pause(DRAIN_LOOK_MS);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

interface Question {
  readonly boxes: readonly Login[];
  readonly directory: string;
  readonly badmailDirectory: string;
  readonly names: readonly string[];
  readonly ignored: ReadonlySet<string>;
}

async function findOutcome(server: RunningServer, question: Question): Promise<Outcome> {
  const asked = new Set(question.names);
  const damaged: string[] = [];
  /** By name, the boxes that have it, as often as they have it. */
  const delivered = new Map<string, string[]>();
  for (const [index, box] of question.boxes.entries()) {
    for (const octets of await readBox(server, box)) {
      const name = nameOfMessage(octets);
      if (name !== undefined && question.ignored.has(name)) continue;
      if (name === undefined || !asked.has(name) || !isWhole(octets))
        damaged.push(`${name ?? 'a message without a name'} in ${PICKUP_BOXES[index]}`);
      if (name !== undefined)
        delivered.set(name, [...(delivered.get(name) ?? []), PICKUP_BOXES[index] ?? '']);
    }
  }
  const left = new Set(readMessages(question.directory).map(({ octets }) => nameOfMessage(octets)));
  const bad: string[] = [];
  for (const { file, octets } of readMessages(question.badmailDirectory)) {
    const name = nameOfMessage(octets);
    if (question.ignored.has(name ?? file.slice(0, file.indexOf('.')))) continue;
    if (name !== undefined) bad.push(name);
    if (name === undefined || !octets.equals(pickupMessage(name).file)) damaged.push(`${file} in badmail`);
    if (reasonOf(question.badmailDirectory, file).length < 20) damaged.push(`the reason of ${file}`);
  }
  const names = question.names;
  const copies = (name: string) => delivered.get(name) ?? [];
  const isTwice = (values: readonly string[]) => new Set(values).size < values.length;
  const recipientsOf = (name: string) => pickupMessage(name).recipients;
  return {
    lost: names.filter((name) => !delivered.has(name) && !bad.includes(name) && !left.has(name)),
    doubled: names.filter(
      (name) =>
        isTwice(copies(name)) ||
        bad.filter((each) => each === name).length > 1 ||
        (bad.includes(name) && delivered.has(name)),
    ),
    misdirected: names.filter(
      (name) => delivered.has(name) && `${[...new Set(copies(name))]}` !== `${recipientsOf(name)}`,
    ),
    damaged,
    misjudged: [
      ...bad.filter((name) => recipientsOf(name).length > 0),
      ...[...delivered.keys()].filter((name) => recipientsOf(name).length === 0),
    ],
    counts: { delivered: delivered.size, bad: bad.length, left: left.size },
  };
}

async function readBox(server: RunningServer, box: Login): Promise<readonly Buffer[]> {
  const imap = await RawImap.open(server.ports.imap, box);
  const fetched = (await imap.select()) > 0 ? await imap.fetch('1:*') : [];
  await imap.logout();
  return fetched.map(({ octets }) => octets);
}

/** Files that may be messages, reasons aside. */
function readMessages(directory: string): { readonly file: string; readonly octets: Buffer }[] {
  return namesIn(directory).flatMap((file) => {
    if (file.endsWith('.reason.txt') || file === 'badmail') return [];
    try {
      return [{ file, octets: readFileSync(join(directory, file)) }];
    } catch (error) {
      // It has been taken meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

function reasonOf(directory: string, file: string): string {
  const path = join(directory, `${file}.reason.txt`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
