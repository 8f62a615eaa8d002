/**
 * The room on a directory of its own, with the real store and the real door behind it and a clock in the test's hands: nothing
 * happens that is a matter of time unless the test lets it pass, and no time passes while the disk or the door is at work. So a disk
 * that is slow for a moment makes no file old, and a test never looks at something half done.
 */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { MIB, SECOND_MS } from '../../src/base/units.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import type { Pickup, PickupDirectory, PickupOptions, PickupStatus } from '../../src/pickup/contract.ts';
import { openPickup } from '../../src/pickup/pickup.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';

const UNTIL_DEADLINE_MS = 180_000;
const LOOK_MS = 2;
/** How much of the test's time passes at each look. */
const STEP_MS = 50;
/** In how many steps a long time passes at most. */
const PASS_STEPS = 600;

/** How a room is opened. */
export interface PickupRoomOptions {
  readonly rules?: Partial<PickupDirectory>;
  /** Between the room and the door. */
  readonly door?: (transfer: Transfer) => PickupOptions['transfer'];
  readonly isPaused?: () => boolean;
  /** Before the room is opened. */
  readonly prepare?: (directory: string) => void;
}

/** An open room. */
export interface PickupRoom {
  readonly site: RoomSite;
  readonly account: Account;
  readonly clock: TestClock;
  readonly pickup: Pickup;
  readonly rules: PickupDirectory;
  readonly transfer: Transfer;
  readonly directory: string;
  readonly badmail: string;
  /** Events of the log with their fields. */
  readonly logged: readonly (readonly [event: string, fields: Readonly<Record<string, unknown>>])[];
  /** Writes a file in place. */
  write(name: string | Buffer, octets: string | Buffer): void;
  /** Names in the directory, but for badmail. */
  names(): readonly string[];
  status(): Promise<PickupStatus>;
  /** Lets time pass until nothing is under way and `isSo`. */
  until(isSo: () => boolean | Promise<boolean>, stepMs?: number): Promise<void>;
  /** Lets so much time pass, and what is due in it happen. */
  pass(ms: number): Promise<void>;
  /** Subjects of the messages in the account's INBOX, sorted. */
  subjects(): Promise<readonly string[]>;
  /** Opens the room again, as after a restart. */
  reopen(): Promise<Pickup>;
}

/** A message to the account, with a subject of its own. */
export function letter(subject: string, to = 'box@example.com'): string {
  return `From: box@example.com\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
}

/** Opens a room; it closes with the test. */
export async function openPickupRoom(t: Test, options: PickupRoomOptions = {}): Promise<PickupRoom> {
  const site = await openRoomSite(t);
  const account = await site.addAccount('box@example.com');
  const logged: [string, Readonly<Record<string, unknown>>][] = [];
  const note = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void logged.push([event, fields]);
  const log: Log = { ...silentLog, debug: note, info: note, warn: note, error: note };
  const atDoor = new Set<Promise<unknown>>();
  const transfer = openDoor(site, atDoor);
  const root = mkdtempSync(join(tmpdir(), 'hauspost-pickup-'));
  const directory = options.rules?.directory ?? join(root, 'pickup');
  mkdirSync(directory, { recursive: true });
  options.prepare?.(directory);
  const rules = rulesFor(directory, options.rules);
  const clock = createTestClock();
  const open = () => {
    const door = options.door?.(transfer) ?? transfer;
    return openPickup({ directories: [rules], transfer: door, clock, log, ...pausedBy(options) });
  };
  let pickup = await open();
  t.teardown(async () => {
    await pickup.close(10 * SECOND_MS);
    rmSync(root, { recursive: true, force: true });
  });
  const until: PickupRoom['until'] = async (isSo, stepMs = STEP_MS) => {
    const begunMs = performance.now();
    const isUnderWay = () => atDoor.size > 0 || isDiskAsked();
    // Asking takes its time as well, in which an event may have called for a look.
    while (isUnderWay() || !(await isSo()) || isUnderWay()) {
      if (performance.now() - begunMs > UNTIL_DEADLINE_MS)
        throw new Error(`it never came: ${JSON.stringify(await pickup.status())}`);
      if (!isUnderWay()) clock.advance(stepMs);
      await systemClock.sleep(LOOK_MS);
    }
  };
  const status = async () => {
    const [first] = await pickup.status();
    if (first === undefined) throw new Error('no directory');
    return first;
  };
  return {
    site,
    account,
    clock,
    get pickup() {
      return pickup;
    },
    rules,
    transfer,
    directory,
    badmail: rules.badmailDirectory,
    logged,
    write: (name, octets) =>
      writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]), octets),
    names: () => (existsSync(directory) ? readdirSync(directory).filter((name) => name !== 'badmail') : []),
    status,
    until,
    async pass(ms) {
      const endsAtMs = clock.monotonic() + ms;
      await until(() => clock.monotonic() >= endsAtMs, Math.max(STEP_MS, ms / PASS_STEPS));
    },
    async subjects() {
      const messages = await site.inbox(account);
      return messages.map((message) => /^Subject: (.*)\r$/m.exec(message.toString())?.[1] ?? '').sort();
    },
    async reopen() {
      await pickup.close(10 * SECOND_MS);
      pickup = await open();
      return pickup;
    },
  };
}

/** The real door, with what is asked of it in `asked` until it has answered. */
function openDoor({ store, accounts }: RoomSite, asked: Set<Promise<unknown>>): Transfer {
  const transfer = createTransfer({
    store,
    accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets: 4 * MIB,
    clock: systemClock,
    log: silentLog,
  });
  const watched = <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    const ended: Promise<Answer> = answer.finally(() => asked.delete(ended));
    asked.add(ended);
    return ended;
  };
  return {
    ...transfer,
    accept: (...message) => watched(transfer.accept(...message)),
    wasAccepted: (id) => watched(transfer.wasAccepted(id)),
  };
}

/** Whether a call of the file system is under way in this thread. */
function isDiskAsked(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|CloseReq)/.test(name));
}

function pausedBy({ isPaused }: PickupRoomOptions): Pick<PickupOptions, 'isPaused'> {
  return isPaused === undefined ? {} : { isPaused };
}

/** Rules of `exchange` for a directory, and what is changed of them. */
export function rulesFor(directory: string, changed: Partial<PickupDirectory> = {}): PickupDirectory {
  return {
    name: 'app',
    kind: 'pickup',
    directory,
    badmailDirectory: join(directory, 'badmail'),
    fileNames: 'eml',
    dots: 'auto',
    senderFirst: false,
    removesTrace: false,
    scanMs: SECOND_MS,
    settleMs: 5 * SECOND_MS,
    messagesPerMinuteLimit: 0,
    headerLimitOctets: 64 * 1024,
    recipientLimit: 100,
    sizeLimitOctets: MIB,
    senders: ['local'],
    recipients: ['*'],
    ...changed,
  };
}

/** The text of a file's reason. */
export function reasonOf(badmail: string, file: string): string {
  return readFileSync(join(badmail, `${file}.reason.txt`), 'utf8');
}
