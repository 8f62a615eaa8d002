/**
 * Takes one claimed file through the door: opens it, finds its envelope, hands its message over, looks whether it stayed what it was.
 *
 * The file is read in blocks, twice where only its lines tell whether dots are doubled. A file that somebody still writes to is
 * noticed before the commit, or, if he was late, afterwards: then the message is sent and the file is kept.
 *
 * Trust: nothing of the file; the grammar judges its envelope (wire/pickup), transfer its sender and recipients.
 */

import type { FileHandle } from 'node:fs/promises';

import type { Clock } from '../base/clock.ts';
import { MailError, type MailErrorCode } from '../base/error.ts';
import { newTraceId, type TraceId } from '../base/ids.ts';
import { createDotJudge } from '../wire/pickup/dots.ts';
import { createFileDecoder, type FileDecoder } from '../wire/pickup/fileDecoder.ts';
import { type PickupOpening, readOpening } from '../wire/pickup/opening.ts';
import type { Envelope, Origin, Transfer } from '../transfer/contract.ts';
import type { PickupDirectory } from './contract.ts';
import { lookAt, lookAtHandle } from './fileLook.ts';
import { FileChanged, FileOctets, openFile } from './fileReading.ts';
import { MessageReading } from './messageReading.ts';
import { codeOf } from './moveFile.ts';
import { isSame, type Look } from './observation.ts';
import { policyOf } from './policy.ts';
import { type Verdict, verdictOnGrowth, verdictOnProblem, verdictOnRefusal } from './verdict.ts';

/** What taking needs. */
export interface TakeSurroundings {
  readonly rules: PickupDirectory;
  readonly transfer: Pick<Transfer, 'accept'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Ends the reading of what is not committed yet. */
  readonly signal: AbortSignal;
}

/** A file to take. */
export interface FileToTake {
  readonly path: Buffer;
  /** As shown. */
  readonly file: string;
  readonly handoverId: string;
  /** What it was when it was found to be finished. */
  readonly expected: Look;
}

/** How taking ended. */
export type Taken =
  /** The message is committed. `growth`: what is wrong with the file nevertheless. */
  | {
      readonly kind: 'accepted';
      readonly traceId: TraceId;
      readonly octets: number;
      /** How the file was read, for the log: what was changed, what was taken out, how dots were judged. */
      readonly notes: Readonly<Record<string, string>>;
      readonly growth: Verdict | undefined;
    }
  | { readonly kind: 'bad'; readonly verdict: Verdict }
  /**
   * Not now. `isCommon`: it would be the same with any other file. `verdict`: what is wrong with it where it is refused for now for so
   * long that nobody waits any more.
   */
  | {
      readonly kind: 'deferred';
      readonly error: unknown;
      readonly isCommon: boolean;
      readonly verdict?: Verdict;
    }
  /** Somebody has written to it. */
  | { readonly kind: 'changed'; readonly look: Look }
  | { readonly kind: 'gone' }
  /** It is no regular file. */
  | { readonly kind: 'leftAlone' };

/** Refusals that have nothing to do with the message: the next one would be refused as well. */
const COMMON_REFUSALS: readonly MailErrorCode[] = [
  'internal',
  'storeUnavailable',
  'diskFull',
  'shuttingDown',
  'tooBusy',
  'deadlineExceeded',
  'sendingLimit',
];
/** Errors of the system that the next file would meet as well. */
const COMMON_ERRORS: readonly unknown[] = [
  'EMFILE',
  'ENFILE',
  'ESTALE',
  'EIO',
  'ENOTCONN',
  'EHOSTDOWN',
  'ETIMEDOUT',
];

/** Takes a file. Never rejects. */
export async function takeFile(surroundings: TakeSurroundings, file: FileToTake): Promise<Taken> {
  let handle: FileHandle | undefined;
  try {
    handle = await openFile(file.path);
    const look = await lookAtHandle(handle);
    if (look.form !== 'file') return { kind: 'leftAlone' };
    if (!isSame(look, file.expected)) return { kind: 'changed', look };
    return await takeOpened(surroundings, file, handle, look);
  } catch (error) {
    if (error instanceof FileChanged) return await lookAgain(file);
    return unreadable(error);
  } finally {
    await handle?.close().catch(() => {});
  }
}

function unreadable(error: unknown): Taken {
  const code = codeOf(error);
  if (code === 'ENOENT') return { kind: 'gone' };
  if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') return { kind: 'leftAlone' };
  return { kind: 'deferred', error, isCommon: COMMON_ERRORS.includes(code) };
}

async function lookAgain({ path }: FileToTake): Promise<Taken> {
  try {
    return { kind: 'changed', look: await lookAt(path) };
  } catch (error) {
    return unreadable(error);
  }
}

async function takeOpened(
  surroundings: TakeSurroundings,
  file: FileToTake,
  handle: FileHandle,
  look: Look,
): Promise<Taken> {
  const { rules, transfer, clock, signal } = surroundings;
  const octets = new FileOctets(handle, look.octets);
  const decoder = createFileDecoder();
  const reading = new MessageReading(octets.decoded(decoder), signal);
  const opening = await readEnvelope(reading, rules);
  const known = knownOf(opening);
  const bad = (verdict: Verdict): Taken => ({ kind: 'bad', verdict });
  if (opening.kind === 'bad') return bad(verdictOnProblem(opening.problem, newTraceId(clock.now()), known));
  if (leastOctets(look.octets, decoder.encoding) > rules.sizeLimitOctets) {
    const error = new MailError('messageTooLarge');
    return bad(verdictOnRefusal(error, newTraceId(clock.now()), known));
  }
  const dots = rules.dots === 'auto' ? await judgeDots(octets) : { kind: rules.dots, isAmbiguous: false };
  const message = reading.message(opening.header, dots.kind === 'stuffed', async () => {
    if (!isSame(look, await lookAtHandle(handle))) throw new FileChanged();
  });
  const envelope = envelopeOf(opening, rules, file);
  const acceptance = await transfer.accept(envelope, message, originOf(rules, file, look));
  const { traceId } = acceptance;
  if (acceptance.kind === 'accepted') {
    const isSameStill = isSame(look, await lookAtHandle(handle));
    const growth = isSameStill ? undefined : verdictOnGrowth(traceId, known);
    const notes = notesOf(opening, decoder, dots);
    return { kind: 'accepted', traceId, octets: look.octets, notes, growth };
  }
  if (reading.error instanceof FileChanged) return await lookAgain(file);
  if (codeOf(reading.error) !== undefined) return unreadable(reading.error);
  const { error } = acceptance;
  const verdict = verdictOnRefusal(error, traceId, known);
  if (!error.reply.isTemporary) return bad(verdict);
  if (COMMON_REFUSALS.includes(error.code)) return { kind: 'deferred', error, isCommon: true };
  return { kind: 'deferred', error, isCommon: false, verdict };
}

async function readEnvelope(reading: MessageReading, rules: PickupDirectory): Promise<PickupOpening> {
  const { kind, recipientLimit, senderFirst, removesTrace, headerLimitOctets } = rules;
  const { header, isWhole } = await reading.readHeader(headerLimitOctets);
  const hasDefaultSender = rules.defaultSender !== undefined;
  return readOpening(header, isWhole, { kind, recipientLimit, senderFirst, removesTrace, hasDefaultSender });
}

/** How lines that begin with a dot are read, and whether that was a guess. */
interface Dots {
  readonly kind: 'stuffed' | 'raw';
  readonly isAmbiguous: boolean;
}

async function judgeDots(octets: FileOctets): Promise<Dots> {
  const judge = createDotJudge();
  for await (const block of octets.decoded()) judge.push(block);
  return { kind: judge.end(), isAmbiguous: judge.isAmbiguous };
}

function notesOf(
  { removed }: Extract<PickupOpening, { kind: 'envelope' }>,
  { changes }: FileDecoder,
  { kind, isAmbiguous }: Dots,
): Readonly<Record<string, string>> {
  return {
    ...(changes.length === 0 ? {} : { changes: changes.join(', ') }),
    ...(removed.length === 0 ? {} : { removed: removed.join(', ') }),
    ...(kind === 'raw' && !isAmbiguous ? {} : { dots: isAmbiguous ? `${kind}, by guess` : kind }),
  };
}

/** What a file has at least once it is decoded: two octets of UTF-16 are one or more. */
function leastOctets(octets: number, encoding: FileDecoder['encoding']): number {
  const MARK_OCTETS = 3;
  return encoding === 'utf8' ? octets - MARK_OCTETS : (octets - MARK_OCTETS) / 2;
}

function knownOf({ reversePath, recipients }: PickupOpening): Pick<Verdict, 'reversePath' | 'recipients'> {
  return { reversePath, recipients };
}

function envelopeOf(
  { reversePath, recipients, isSmtpUtf8, dsn }: Extract<PickupOpening, { kind: 'envelope' }>,
  { defaultSender }: PickupDirectory,
  { handoverId }: FileToTake,
): Envelope {
  const paths = { reversePath: reversePath ?? defaultSender ?? '', recipients };
  return { ...paths, isSmtpUtf8, handoverId, ...(dsn === undefined ? {} : { dsn }) };
}

function originOf(rules: PickupDirectory, { file }: FileToTake, { octets }: Look): Origin {
  const submitter = { kind: 'directory', directory: policyOf(rules) } as const;
  return { kind: 'pickup', listener: rules.name, file, octets, role: 'submission', submitter };
}
