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
import type { GraphAnswer } from '../../exchange/graph/answer.ts';
import { createGraphClient, type GraphClient, type GraphMessage } from '../../exchange/graph/client.ts';
import type { GraphTurns } from '../../exchange/graph/turns.ts';
import { HEADER_LIMIT_OCTETS, readHeader } from '../../transfer/readHeader.ts';
import type {
  HopTrouble,
  RecipientOutcome,
  Relay,
  RelayedMessage,
  RelayResult,
} from '../../transfer/relay.ts';
import type { GraphRelayOptions } from '../contract.ts';
import { faultInPath } from '../smtp/checkPath.ts';
import { checkGraph } from './checkGraph.ts';
import { byFallback } from './fallback.ts';
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
    check: (signal) => checkGraph(client, mailbox, fallback, signal),
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

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}
