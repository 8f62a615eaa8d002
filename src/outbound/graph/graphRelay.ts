/**
 * The relay by Microsoft Graph: a message goes by sendMail where its header names exactly the recipients, else by the fallback.
 *
 * 202 means that Exchange Online has taken the message over, which is what `relayed` says; it is not delivery, and reports of what
 * Graph cannot deliver go to the mailbox that sent. All recipients of a transaction have the same outcome. A connection lost after the
 * message's last octet is the doubtful window: the recipients are deferred, and the message may come twice. docs/GRAPH.md tells
 * administrators what this way can and cannot carry.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { HOUR_MS, MINUTE_MS } from '../../base/units.ts';
import type { GraphAnswer } from '../../exchange/graph/answer.ts';
import { createGraphClient, type GraphClient, type GraphMessage } from '../../exchange/graph/client.ts';
import type { GraphTurns } from '../../exchange/graph/turns.ts';
import { HEADER_LIMIT_OCTETS, readHeader } from '../../transfer/readHeader.ts';
import type {
  HopTrouble,
  RecipientOutcome,
  Relay,
  RelayCheck,
  RelayedMessage,
  RelayResult,
} from '../../transfer/relay.ts';
import type { GraphRelayOptions } from '../contract.ts';
import { faultInPath } from '../smtp/checkPath.ts';
import { envelopeFault, headerSuitability, type Unsuited } from './suitability.ts';

/** What a relay is handed beside its options. */
export interface GraphRelaySurroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** The same for all relays by Graph. */
  readonly turns: GraphTurns;
  /** Made of `options.fallback`; the relay closes it. */
  readonly fallback?: Relay | undefined;
}

const UNTRIED: RecipientOutcome = { kind: 'untried' };

/** A relay by Graph. */
export function createGraphRelay(options: GraphRelayOptions, surroundings: GraphRelaySurroundings): Relay {
  const { clock, turns, fallback } = surroundings;
  const { name, application, mailbox, endpoint, tokens, certificateAuthorities } = options;
  const log = surroundings.log.with({ relay: name });
  const client = createGraphClient({
    endpoint,
    application,
    mailbox,
    tokens,
    certificateAuthorities,
    turns,
    clock,
    log,
  });
  const way: Way = { client, log, sizeLimitOctets: options.limits.sizeLimitOctets, server: hostOf(endpoint) };
  return {
    name,
    relay: (message, signal) =>
      forSound(message, async (message) => {
        const tried = await relayByGraph(way, message, signal);
        if (tried.kind === 'tried') return tried.result;
        if (fallback === undefined) return forAll(message, tried.otherwise);
        log.info('outbound.graph.fallback', { trace: message.traceId, by: fallback.name, why: tried.why });
        return byFallback(await fallback.relay(message, signal), fallback.name, tried.why);
      }),
    check: (signal) => check(client, mailbox, fallback, signal),
    close: async () => fallback?.close(),
  };
}

/** `relay`, for the recipients whose addresses are some; the others fail, and are written nowhere. */
async function forSound(
  message: RelayedMessage,
  relay: (message: RelayedMessage) => Promise<RelayResult>,
): Promise<RelayResult> {
  const faults = message.recipients.map(({ address }) => faultInPath(address, 'forward'));
  const recipients = message.recipients.filter((_, index) => faults[index] === undefined);
  if (recipients.length === faults.length) return relay(message);
  const result = recipients.length === 0 ? { outcomes: [] } : await relay({ ...message, recipients });
  const sound = result.outcomes.values();
  const outcomes = faults.map(
    (fault): RecipientOutcome =>
      fault === undefined
        ? (sound.next().value ?? UNTRIED)
        : { kind: 'failed', status: '5.1.3', reply: fault },
  );
  return { ...result, outcomes };
}

interface Way {
  readonly client: GraphClient;
  readonly log: Log;
  readonly sizeLimitOctets: number;
  /** What an outcome names as the server. */
  readonly server: string;
}

/** What came of it, or why it cannot go this way. */
type Tried = { readonly kind: 'tried'; readonly result: RelayResult } | Unsuited;

async function relayByGraph(way: Way, message: RelayedMessage, signal: AbortSignal): Promise<Tried> {
  const fault = envelopeFault(message, way.sizeLimitOctets);
  if (fault !== undefined) return fault;
  if (signal.aborted) return tried(forAll(message, UNTRIED));
  let sent: GraphMessage | Unsuited;
  try {
    sent = await messageFor(message);
  } catch (error) {
    return tried(forAll(message, unreadable(error)));
  }
  if ('why' in sent) return sent;
  const log = way.log.with({ trace: message.traceId });
  const answer = await way.client.sendMail(sent, signal, log);
  if (answer.kind === 'permanent' && answer.isUnsuited)
    return {
      kind: 'unsuited',
      why: answer.reply,
      otherwise: failed(answer.reply, answer.status, way.server),
    };
  const result = resultOf(message, answer, way.server);
  return tried(signal.aborted ? { outcomes: result.outcomes } : result);
}

/** The message as Graph is to have it. Rejects as `open` does. */
async function messageFor(message: RelayedMessage): Promise<GraphMessage | Unsuited> {
  const octets = message.open()[Symbol.asyncIterator]();
  try {
    const opening = await readHeader(octets, HEADER_LIMIT_OCTETS);
    const suitability = headerSuitability(opening.header, message);
    if (suitability.kind === 'unsuited') return suitability;
    const { header } = suitability;
    const skipped = opening.octets.length;
    return {
      octets: header.length + message.octets - skipped,
      async *open() {
        yield header;
        yield* behind(message.open(), skipped);
      },
    };
  } finally {
    await octets.return?.();
  }
}

/** What comes behind the first `skipped` octets. */
async function* behind(pieces: AsyncIterable<Buffer>, skipped: number): AsyncGenerator<Buffer> {
  let left = skipped;
  for await (const piece of pieces) {
    if (left < piece.length) yield piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

function resultOf(message: RelayedMessage, answer: GraphAnswer, server: string): RelayResult {
  switch (answer.kind) {
    case 'accepted':
      // Success is ours to report: Graph has no place for NOTIFY (RFC 3461).
      return forAll(message, { kind: 'relayed', reply: answer.reply, server, tellsSender: false });
    case 'permanent':
      return forAll(message, failed(answer.reply, answer.status, server));
    case 'temporary': {
      const { reply, status, retryAfterMs, isLost } = answer;
      const deferred: RecipientOutcome = { kind: 'deferred', reply, status, server, retryAfterMs };
      // Both: an attempt, lest one message that a proxy breaks off on holds up all others, and trouble of the way.
      return forAll(message, deferred, isLost ? { kind: 'unreachable', reason: reply } : undefined);
    }
    case 'throttled':
    case 'quota':
    case 'misconfigured':
    case 'unreachable':
      return forAll(message, UNTRIED, answer);
    case 'unreadable':
      return forAll(message, unreadable(answer.error));
    case 'aborted':
      return forAll(message, UNTRIED);
  }
}

function forAll(
  { recipients }: RelayedMessage,
  outcome: RecipientOutcome,
  trouble?: HopTrouble,
): RelayResult {
  return { outcomes: recipients.map(() => outcome), ...(trouble === undefined ? {} : { trouble }) };
}

function tried(result: RelayResult): Tried {
  return { kind: 'tried', result };
}

function failed(reply: string, status: string, server: string): RecipientOutcome {
  return { kind: 'failed', reply, status, server };
}

function unreadable(error: unknown): RecipientOutcome {
  const text = error instanceof Error ? error.message : 'unknown';
  return { kind: 'deferred', status: '4.3.0', reply: `The message cannot be read here: ${text}` };
}

/**
 * The fallback's result as this relay's. Its trouble is not this hop's, which goes on with what Graph can carry; so who was not tried
 * because of it is deferred for as long as the trouble asks for.
 */
function byFallback({ outcomes, trouble }: RelayResult, name: string, why: string): RelayResult {
  const note = `(by ${name}, since it cannot go by Graph: ${why})`;
  return {
    outcomes: outcomes.map((outcome): RecipientOutcome => {
      if (outcome.kind === 'held') return { kind: 'held', reason: `${outcome.reason} ${note}` };
      if (outcome.kind !== 'untried') return { ...outcome, reply: `${outcome.reply} ${note}` };
      if (trouble === undefined) return outcome;
      return {
        kind: 'deferred',
        reply: `${adviceOf(trouble)} ${note}`,
        status: STATUS_OF_TROUBLE[trouble.kind],
        retryAfterMs: waitFor(trouble),
      };
    }),
  };
}

/** RFC 3463: 4.4.1 no answer from host, 4.3.2 not accepting messages, 4.3.5 incorrectly configured. */
const STATUS_OF_TROUBLE: Readonly<Record<HopTrouble['kind'], string>> = {
  unreachable: '4.4.1',
  throttled: '4.3.2',
  quota: '4.3.2',
  misconfigured: '4.3.5',
};

function adviceOf(trouble: HopTrouble): string {
  return 'advice' in trouble ? `${trouble.reason} (${trouble.advice})` : trouble.reason;
}

/** As the schedule of hops has it: a quota waits an hour, what is set up wrongly is probed every 15 minutes. */
function waitFor(trouble: HopTrouble): number | undefined {
  switch (trouble.kind) {
    case 'unreachable':
      return undefined;
    case 'throttled':
      return trouble.retryAfterMs;
    case 'quota':
      return HOUR_MS;
    case 'misconfigured':
      return 15 * MINUTE_MS;
  }
}

async function check(
  client: GraphClient,
  mailbox: string,
  fallback: Relay | undefined,
  signal: AbortSignal,
): Promise<RelayCheck> {
  const answer = await client.probe(signal);
  const own = checkOf(answer, mailbox);
  if (fallback === undefined)
    return { ...own, steps: [...own.steps, 'There is no fallback: what Graph cannot carry is held'] };
  const other = await fallback.check(signal);
  return {
    ...own,
    isReady: own.isReady && other.isReady,
    steps: [...own.steps, ...other.steps.map((step) => `Fallback ${fallback.name}: ${step}`)],
  };
}

function checkOf(answer: GraphAnswer, mailbox: string): RelayCheck {
  switch (answer.kind) {
    case 'accepted':
      return {
        isReady: true,
        steps: [`Graph takes our token and would read a message from ${mailbox}: ${answer.reply}`],
      };
    case 'throttled':
    case 'quota':
    case 'misconfigured':
    case 'unreachable': {
      const steps = 'advice' in answer ? [answer.reason, answer.advice] : [answer.reason];
      return { isReady: false, steps, trouble: answer };
    }
    case 'permanent':
    case 'temporary':
      return { isReady: false, steps: [`Graph answers as is not expected: ${answer.reply}`] };
    case 'unreadable':
    case 'aborted':
      return { isReady: false, steps: ['The check was ended'] };
  }
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}
