/**
 * The relay by SMTP to a smarthost: one message at a time through a session of its pool, a transaction or several.
 *
 * RFC 5321 (client), RFC 3207, RFC 4954. Called by the scheduler through transfer's Relay; test/outbound holds it to that contract.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type {
  HopTrouble,
  RecipientOutcome,
  Relay,
  RelayCheck,
  RelayedMessage,
  RelayRecipient,
  RelayResult,
} from '../../transfer/relay.ts';
import type { SmtpRelayOptions } from '../contract.ts';
import { faultInPath, isAscii } from './checkPath.ts';
import { checkSession } from './checkSession.ts';
import { TRANSACTIONS_PER_MESSAGE } from './limits.ts';
import { lookAt, type MessageLook } from './messageLook.ts';
import { SessionPool } from './sessionPool.ts';
import { transact, type TransactionResult } from './transaction.ts';

/** What a relay is handed beside its options. */
export interface RelaySurroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** The name that this server gives in EHLO. */
  readonly serverName: string;
}

/** A relay to a smarthost. */
export function createSmtpRelay(options: SmtpRelayOptions, surroundings: RelaySurroundings): Relay {
  const { clock, serverName } = surroundings;
  const { name, hosts, tls, login } = options;
  const { sizeLimitOctets } = options.limits;
  const log = surroundings.log.with({ relay: name });
  const pool = new SessionPool(hosts, { clock, log, serverName, tls, login });
  return {
    name,
    relay: (message, signal) => relayThrough({ pool, clock, sizeLimitOctets }, message, signal),
    check: async (signal): Promise<RelayCheck> => {
      // Idle sessions count against what a server takes at a time.
      await pool.closeIdle();
      return checkSession(await pool.take(signal, true), login?.user);
    },
    close: () => pool.close(),
  };
}

/** What a message goes through. */
export interface Way {
  readonly pool: SessionPool;
  readonly clock: Clock;
  /** 0 is no limit. */
  readonly sizeLimitOctets: number;
}

/** Sends `message`. Never rejects. */
export async function relayThrough(
  { pool, clock, sizeLimitOctets }: Way,
  message: RelayedMessage,
  signal: AbortSignal,
): Promise<RelayResult> {
  const outcomes = outcomesBefore(message, sizeLimitOctets);
  const undecided = () => message.recipients.filter((recipient) => !outcomes.has(recipient));
  if (undecided().length === 0 || signal.aborted) return resultOf(message, outcomes);
  let look: MessageLook;
  try {
    look = await lookAt(message);
  } catch (error) {
    const reply = `the message cannot be read here: ${error instanceof Error ? error.message : 'unknown'}`;
    for (const recipient of undecided())
      outcomes.set(recipient, { kind: 'deferred', status: '4.3.0', reply });
    return resultOf(message, outcomes);
  }
  let recipients: readonly RelayRecipient[] = undecided();
  let trouble: HopTrouble | undefined;
  for (let turn = 0; turn < TRANSACTIONS_PER_MESSAGE && recipients.length > 0; turn += 1) {
    const result = await transactOnce(pool, { message, look, recipients, clock, signal });
    for (const [recipient, outcome] of result.outcomes) outcomes.set(recipient, outcome);
    trouble = result.trouble;
    if (trouble !== undefined || signal.aborted) break;
    recipients = result.again;
  }
  return resultOf(message, outcomes, signal.aborted ? undefined : trouble);
}

interface Attempt {
  readonly message: RelayedMessage;
  readonly look: MessageLook;
  readonly recipients: readonly RelayRecipient[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One transaction, on a new connection where a kept one turns out to be gone before anything was accepted. */
async function transactOnce(pool: SessionPool, attempt: Attempt): Promise<TransactionResult> {
  for (let isFresh = false; ; isFresh = true) {
    const session = await pool.take(attempt.signal, isFresh);
    if (session.kind === 'failed')
      return { outcomes: new Map(), trouble: session.trouble, again: [], isLostAtOnce: false };
    const { connection, isReused } = session;
    connection.messages += 1;
    const result = await transact({ ...attempt, connection, isProven: pool.isProven });
    if (hasRelayed(result)) pool.prove();
    pool.giveBack(connection);
    if (!isReused || !result.isLostAtOnce || attempt.signal.aborted) return result;
  }
}

function hasRelayed({ outcomes }: TransactionResult): boolean {
  return [...outcomes.values()].some(({ kind }) => kind === 'relayed');
}

/** Recipients that no server is asked about. */
function outcomesBefore(
  message: RelayedMessage,
  sizeLimitOctets: number,
): Map<RelayRecipient, RecipientOutcome> {
  const outcomes = new Map<RelayRecipient, RecipientOutcome>();
  const senderFault =
    faultInPath(message.reversePath, 'reverse') ?? faultWithoutUtf8(message, message.reversePath);
  for (const recipient of message.recipients) {
    const fault = faultInPath(recipient.address, 'forward') ?? faultWithoutUtf8(message, recipient.address);
    if (fault !== undefined) outcomes.set(recipient, failed('5.1.3', fault));
    else if (senderFault !== undefined) outcomes.set(recipient, failed('5.1.7', senderFault));
    else if (sizeLimitOctets > 0 && message.octets > sizeLimitOctets)
      outcomes.set(recipient, failed('5.3.4', `this relay takes ${sizeLimitOctets} octets`));
  }
  return outcomes;
}

function faultWithoutUtf8({ isSmtpUtf8 }: RelayedMessage, path: string): string | undefined {
  return isSmtpUtf8 || isAscii(path) ? undefined : 'an address beyond ASCII in a message without SMTPUTF8';
}

function failed(status: string, fault: string): RecipientOutcome {
  return { kind: 'failed', status, reply: `not sent: ${fault}` };
}

function resultOf(
  { recipients }: RelayedMessage,
  outcomes: ReadonlyMap<RelayRecipient, RecipientOutcome>,
  trouble?: HopTrouble,
): RelayResult {
  const inOrder = recipients.map((recipient) => outcomes.get(recipient) ?? UNTRIED);
  return trouble === undefined ? { outcomes: inOrder } : { outcomes: inOrder, trouble };
}

const UNTRIED: RecipientOutcome = { kind: 'untried' };
