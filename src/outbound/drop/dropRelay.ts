/**
 * The relay into a drop directory: one complete file for each message, for an application that fetches files.
 *
 * `relayed` comes only after the file and its name are on disk. A crash between that and the commit of the answer makes the message
 * come again: under the same name, so that nothing is there twice unless the reader took the first file in that window (docs/DROP.md).
 * What the file system says against it is the directory's trouble, never the message's, but for a message that is too large.
 * NOTIFY, ORCPT, RET and ENVID (RFC 3461) have no place in a file: that it was handed on is ours to report.
 * Called by the scheduler through transfer's Relay; test/outbound holds it to that contract.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { HOUR_MS } from '../../base/units.ts';
import type {
  HopTrouble,
  RecipientOutcome,
  Relay,
  RelayedMessage,
  RelayRecipient,
  RelayResult,
} from '../../transfer/relay.ts';
import type { DropRelayOptions } from '../contract.ts';
import { faultInPath } from '../smtp/checkPath.ts';
import { checkDrop } from './checkDrop.ts';
import { makeDirectory } from './directory.ts';
import { dropFileName, linesInFront } from './dropFile.ts';
import { errorCode, fullTrouble, silentTrouble, troubleIn } from './fileTrouble.ts';
import { FULL_RETRY_MS, SWEEP_PERIOD_MS } from './limits.ts';
import { createDropLook } from './lookAtDrop.ts';
import { Occupancy } from './occupancy.ts';
import { placeFile } from './placeFile.ts';
import { whileItMoves } from './progress.ts';
import { sweepDrop } from './sweepDrop.ts';

/** What a relay is handed beside its options. */
export interface DropSurroundings {
  readonly clock: Clock;
  readonly log: Log;
}

/** A relay into a directory. Nothing is looked at before it is used. */
export function createDropRelay(options: DropRelayOptions, { clock, log }: DropSurroundings): Relay {
  const { name, directory, createDirectory, fileLimit, deleteAfterHours } = options;
  const closing = new AbortController();
  const dropLog = log.with({ drop: name });
  const sweep = { directory, deleteAfterMs: deleteAfterHours * HOUR_MS, clock, log: dropLog };
  const occupancy = new Occupancy(directory, fileLimit, clock);
  const place: DropPlace = { options, clock, log: dropLog, occupancy, silent: 0 };
  let sweeping: Promise<void> | undefined;
  const timer = clock.every(SWEEP_PERIOD_MS, () => {
    // One that hangs is not followed by others.
    if (sweeping !== undefined || place.silent > 0) return;
    sweeping = sweepDrop({ ...sweep, signal: closing.signal }).finally(() => {
      sweeping = undefined;
    });
  });
  const look = createDropLook(directory, clock);
  return {
    name,
    relay: (message, signal) => drop(place, message, signal),
    check: () => checkDrop({ directory, createDirectory, fileLimit, look }),
    close: async () => {
      timer.clear();
      closing.abort();
      await sweeping;
    },
  };
}

interface DropPlace {
  readonly options: DropRelayOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly occupancy: Occupancy;
  /** Files whose file system has not come back: as long as there is one, nobody else asks it. */
  silent: number;
}

/** What became of the sound recipients, all alike. */
interface Ending {
  readonly outcome: RecipientOutcome;
  readonly trouble?: HopTrouble | undefined;
}

const UNTRIED: RecipientOutcome = { kind: 'untried' };

async function drop(place: DropPlace, message: RelayedMessage, signal: AbortSignal): Promise<RelayResult> {
  const refusals = new Map<RelayRecipient, RecipientOutcome>();
  for (const recipient of message.recipients) {
    const refusal = refusalOf(place.options, message, recipient);
    if (refusal !== undefined) refusals.set(recipient, refusal);
  }
  const recipients = message.recipients.filter((recipient) => !refusals.has(recipient));
  const { outcome, trouble }: Ending =
    recipients.length === 0 || signal.aborted
      ? { outcome: UNTRIED }
      : await dropWatched(place, message, recipients, signal);
  const outcomes = message.recipients.map((recipient) => refusals.get(recipient) ?? outcome);
  return { outcomes, ...(trouble === undefined || signal.aborted ? {} : { trouble }) };
}

/** What never goes into a file: RFC 3463 section 3.2, 5.1.3 and 5.1.7, and 5.3.4, too large for this drop. */
function refusalOf(
  { limits }: DropRelayOptions,
  { reversePath, octets }: RelayedMessage,
  { address }: RelayRecipient,
): RecipientOutcome | undefined {
  const failed = (status: string, reply: string): RecipientOutcome => ({ kind: 'failed', status, reply });
  const fault = faultInPath(address, 'forward');
  if (fault !== undefined) return failed('5.1.3', `not written: ${fault}`);
  const senderFault = faultInPath(reversePath, 'reverse');
  if (senderFault !== undefined) return failed('5.1.7', `not written: ${senderFault}`);
  if (limits.sizeLimitOctets === 0 || octets <= limits.sizeLimitOctets) return undefined;
  return failed('5.3.4', `not written: this drop directory takes ${limits.sizeLimitOctets} octets`);
}

async function dropWatched(
  place: DropPlace,
  message: RelayedMessage,
  recipients: readonly RelayRecipient[],
  signal: AbortSignal,
): Promise<Ending> {
  const silent: Ending = { outcome: UNTRIED, trouble: silentTrouble(place.options.directory) };
  if (place.silent > 0) return silent;
  const watched = await whileItMoves(place.clock, signal, (progress, ending) =>
    dropFor(place, message, { recipients, progress, signal: ending }),
  );
  if (watched.kind === 'done') return watched.result;
  place.silent += 1;
  void watched.ended.finally(() => {
    place.silent -= 1;
  });
  return silent;
}

interface DropAttempt {
  readonly recipients: readonly RelayRecipient[];
  readonly signal: AbortSignal;
  progress(): void;
}

/** Never rejects. */
async function dropFor(
  { options, occupancy, log }: DropPlace,
  message: RelayedMessage,
  { recipients, progress, signal }: DropAttempt,
): Promise<Ending> {
  const { name, directory, format, fileLimit, createDirectory } = options;
  let unreadable: unknown;
  try {
    if (createDirectory) await makeDirectory(directory);
    if (await occupancy.isFull())
      return { outcome: UNTRIED, trouble: fullTrouble(directory, fileLimit, FULL_RETRY_MS) };
    const placing = await placeFile({
      directory,
      name: dropFileName(message.traceId, recipients),
      octets: octetsOf(linesInFront(format, message, recipients), message, (error) => {
        unreadable = error;
      }),
      signal,
      progress,
    });
    if (placing.kind === 'aborted') return { outcome: UNTRIED };
    if (placing.isRepeat) log.info('outbound.drop.repeated', { trace: message.traceId, file: placing.name });
    else occupancy.add();
    const reply = placing.isRepeat ? `${placing.name} is there already` : `written as ${placing.name}`;
    return { outcome: { kind: 'relayed', reply, server: `drop:${name}`, tellsSender: false } };
  } catch (error) {
    if (unreadable !== undefined) return { outcome: unreadableOutcome(unreadable) };
    if (errorCode(error) === 'EFBIG') return { outcome: TOO_LARGE_FOR_THE_SYSTEM };
    return { outcome: UNTRIED, trouble: await troubleIn(directory, error) };
  }
}

/** RFC 3463 section 3.4: 4.3.1, mail system full. A smaller message may fit. */
const TOO_LARGE_FOR_THE_SYSTEM: RecipientOutcome = {
  kind: 'deferred',
  status: '4.3.1',
  reply: 'the file system of the drop directory takes no file of this size (EFBIG)',
};

function unreadableOutcome(error: unknown): RecipientOutcome {
  const reply = `the message cannot be read here: ${error instanceof Error ? error.message : 'unknown'}`;
  return { kind: 'deferred', status: '4.3.0', reply };
}

/** The file's octets; `onUnreadable` is told when it is the message that cannot be read. */
async function* octetsOf(
  front: Buffer,
  message: RelayedMessage,
  onUnreadable: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  if (front.length > 0) yield front;
  try {
    yield* message.open();
  } catch (error) {
    onUnreadable(error);
    throw error;
  }
}
