/**
 * The contract of a Relay (src/transfer/relay.ts) as one suite: every way to a next hop passes it against a peer of its own.
 *
 * A peer tells what it took and can be told how to behave. What a way cannot do at all (Graph answers for all recipients at once) it
 * leaves out of `can`.
 */

import type { Test } from 'tap';

import type { RecipientOutcome, Relay, RelayedMessage } from '../../src/transfer/relay.ts';
import { messageOf } from './relayedMessages.ts';

/** How the other side behaves from now on. */
export type PeerBehaviour =
  | 'takes'
  /** Not now, for the message. */
  | 'defers'
  /** Never, for the message. */
  | 'refuses'
  /** Never, for recipients whose address begins with `refused`. */
  | 'refusesSome'
  /** Too much at a time. */
  | 'throttles'
  /** Nothing will go until an administrator does something. */
  | 'isMisconfigured'
  /** Nobody is there. */
  | 'isAway'
  /** Cuts the connection in the middle of the message. */
  | 'cutsInTheMiddle'
  /** Takes the message and cuts the connection without an answer. */
  | 'cutsAtTheEnd';

/** The other side of one relay. */
export interface RelayPeer {
  readonly relay: Relay;
  /** What it knows to do beside `takes`, `isAway` and `refuses`. */
  readonly can: ReadonlySet<PeerBehaviour>;
  behave(behaviour: PeerBehaviour): Promise<void> | void;
  /** Messages that it took whole, in order. */
  received(): readonly PeerMessage[];
  /** Octets of a message that the way carries. */
  readonly largestOctets: number;
  /** Whether the octets may come in another form (Graph adds a Bcc); then only the body is compared. */
  readonly changesHeader?: boolean;
}

/** A message as a peer took it. */
export interface PeerMessage {
  readonly recipients: readonly string[];
  readonly octets: Buffer;
}

/** Names nobody, so that it may go to anybody by a way that has no envelope. */
const TEXT =
  'From: sender@example.com\r\nTo: undisclosed-recipients:;\r\nSubject: contract\r\n\r\n.dot\r\nlast line\r\n';
const BOTH = ['a@example.org', 'b@example.org'];
const NEVER = new AbortController().signal;

/** Runs the suite; `open` gives each test a relay and a peer of its own, which end with it. */
export function relayContract(
  t: Test,
  kind: string,
  open: (t: Test) => Promise<RelayPeer>,
): Promise<unknown> {
  return Promise.resolve(
    t.test(`${kind} keeps the contract of a relay`, async (t) => {
      for (const [sentence, run] of CASES)
        await t.test(sentence, async (t) => {
          await run(t, await open(t));
        });
    }),
  );
}

type Case = readonly [sentence: string, run: (t: Test, peer: RelayPeer) => Promise<void>];

const CASES: readonly Case[] = [
  [
    'what the other side takes is relayed, recipient by recipient, octet by octet',
    async (t, peer) => {
      const { outcomes, trouble } = await peer.relay.relay(messageOf(TEXT, BOTH), NEVER);
      t.equal(trouble, undefined);
      t.same(kinds(outcomes), ['relayed', 'relayed']);
      for (const outcome of outcomes)
        if (outcome.kind === 'relayed') t.ok(isOneLine(outcome.reply) && outcome.server !== '');
      const [message, ...others] = peer.received();
      t.same([...(message?.recipients ?? [])].sort(), BOTH);
      t.equal(comparable(peer, message?.octets), comparable(peer, Buffer.from(TEXT)));
      t.same(others, []);
    },
  ],
  [
    'one message after another goes out, and each is opened anew',
    async (t, peer) => {
      for (const address of BOTH)
        t.same(kinds((await peer.relay.relay(messageOf(TEXT, [address]), NEVER)).outcomes), ['relayed']);
      t.same(
        peer.received().flatMap(({ recipients }) => recipients),
        BOTH,
      );
    },
  ],
  [
    'what the other side will never take fails, and is no trouble of the relay',
    async (t, peer) => {
      await peer.behave('refuses');
      const { outcomes, trouble } = await peer.relay.relay(messageOf(TEXT, BOTH), NEVER);
      t.equal(trouble, undefined);
      t.same(kinds(outcomes), ['failed', 'failed']);
      for (const outcome of outcomes)
        if (outcome.kind === 'failed') t.ok(/^5\.\d+\.\d+$/.test(outcome.status) && isOneLine(outcome.reply));
    },
  ],
  [
    'what it does not take now is deferred',
    async (t, peer) => {
      if (!peer.can.has('defers')) return;
      await peer.behave('defers');
      const { outcomes, trouble } = await peer.relay.relay(messageOf(TEXT, BOTH), NEVER);
      t.equal(trouble, undefined);
      t.same(kinds(outcomes), ['deferred', 'deferred']);
      for (const outcome of outcomes)
        if (outcome.kind === 'deferred')
          t.ok(/^4\.\d+\.\d+$/.test(outcome.status) && isOneLine(outcome.reply));
    },
  ],
  [
    'a recipient that is refused does not keep the others from the message',
    async (t, peer) => {
      if (!peer.can.has('refusesSome')) return;
      await peer.behave('refusesSome');
      const recipients = ['a@example.org', 'refused@example.org', 'b@example.org'];
      const { outcomes } = await peer.relay.relay(messageOf(TEXT, recipients), NEVER);
      t.same(kinds(outcomes), ['relayed', 'failed', 'relayed']);
      t.same([...(peer.received()[0]?.recipients ?? [])].sort(), BOTH);
      const { outcomes: all } = await peer.relay.relay(messageOf(TEXT, ['refused@example.org']), NEVER);
      t.same(kinds(all), ['failed']);
      t.equal(peer.received().length, 1, 'a message for nobody is not sent');
    },
  ],
  [
    'trouble of the relay leaves every recipient untried, and passes',
    async (t, peer) => {
      for (const [behaviour, kind] of TROUBLES) {
        if (behaviour !== 'isAway' && !peer.can.has(behaviour)) continue;
        await peer.behave(behaviour);
        const { outcomes, trouble } = await peer.relay.relay(messageOf(TEXT, BOTH), NEVER);
        t.equal(trouble?.kind, kind, behaviour);
        t.same(kinds(outcomes), ['untried', 'untried'], behaviour);
        if (trouble !== undefined) t.ok(isOneLine(trouble.reason), trouble.reason);
        if (trouble?.kind === 'misconfigured') t.match(trouble.advice, /\w.{10,}/);
        await peer.behave('takes');
        t.same(kinds((await peer.relay.relay(messageOf(TEXT, BOTH), NEVER)).outcomes), [
          'relayed',
          'relayed',
        ]);
      }
    },
  ],
  [
    'a connection that is lost in the middle delivers nothing, one that is lost at the end defers',
    async (t, peer) => {
      if (peer.can.has('cutsInTheMiddle')) {
        await peer.behave('cutsInTheMiddle');
        // Larger than what the system's buffers swallow, so that the loss shows before the end.
        const message = messageOf(large(peer, 16_000_000), BOTH);
        const { outcomes, trouble } = await peer.relay.relay(message, NEVER);
        t.equal(trouble?.kind, 'unreachable');
        t.same(peer.received(), []);
        t.ok(outcomes.every(({ kind }) => kind === 'untried' || kind === 'deferred'));
      }
      if (peer.can.has('cutsAtTheEnd')) {
        await peer.behave('cutsAtTheEnd');
        const { outcomes } = await peer.relay.relay(messageOf(TEXT, BOTH), NEVER);
        t.same(kinds(outcomes), ['deferred', 'deferred']);
      }
    },
  ],
  [
    'a message that cannot be read is not sent, in part or whole, and is no trouble of the relay',
    async (t, peer) => {
      for (const after of [0, 1]) {
        const { outcomes, trouble } = await peer.relay.relay(unreadable(peer, after), NEVER);
        t.equal(trouble, undefined);
        t.same(kinds(outcomes), ['deferred']);
      }
      t.same(peer.received(), []);
      t.same(kinds((await peer.relay.relay(messageOf(TEXT, BOTH), NEVER)).outcomes), ['relayed', 'relayed']);
    },
  ],
  [
    'an abort before the end leaves recipients untried and nothing at the other side',
    async (t, peer) => {
      const aborted = await peer.relay.relay(messageOf(TEXT, BOTH), AbortSignal.abort());
      t.same([kinds(aborted.outcomes), aborted.trouble], [['untried', 'untried'], undefined]);
      const abort = new AbortController();
      const message = messageOf(large(peer), BOTH, { pieceOctets: 16 * 1024 });
      const open = async function* () {
        let pieces = 0;
        for await (const piece of message.open()) {
          if (pieces++ === 3) abort.abort();
          yield piece;
        }
      };
      const { outcomes, trouble } = await peer.relay.relay({ ...message, open }, abort.signal);
      t.same([kinds(outcomes), trouble], [['untried', 'untried'], undefined]);
      t.same(peer.received(), []);
      t.same(kinds((await peer.relay.relay(messageOf(TEXT, BOTH), NEVER)).outcomes), ['relayed', 'relayed']);
    },
  ],
  [
    'an address that is none is never sent',
    async (t, peer) => {
      for (const address of [
        'a@example.org\r\nRCPT TO:<b@example.org>',
        'a@b@example.org',
        'a\0@example.org',
        '',
      ]) {
        const { outcomes } = await peer.relay.relay(messageOf(TEXT, [address]), NEVER);
        t.same(kinds(outcomes), ['failed'], JSON.stringify(address));
      }
      t.same(peer.received(), []);
    },
  ],
  [
    'check says whether a message would go, without one',
    async (t, peer) => {
      const ready = await peer.relay.check(NEVER);
      t.equal(ready.isReady, true);
      t.ok(ready.steps.length > 0 && ready.steps.every(isOneLine));
      await peer.behave('isAway');
      const away = await peer.relay.check(NEVER);
      t.same([away.isReady, away.trouble?.kind], [false, 'unreachable']);
      t.same(peer.received(), []);
      await peer.relay.close();
      await peer.relay.close();
    },
  ],
];

const TROUBLES: readonly (readonly [PeerBehaviour, string])[] = [
  ['throttles', 'throttled'],
  ['isMisconfigured', 'misconfigured'],
  ['isAway', 'unreachable'],
];

function kinds(outcomes: readonly RecipientOutcome[]): string[] {
  return outcomes.map(({ kind }) => kind);
}

function isOneLine(text: string): boolean {
  return text !== '' && !/[\r\n\0]/.test(text);
}

function comparable({ changesHeader = false }: RelayPeer, octets: Buffer | undefined): string | undefined {
  const text = octets?.toString('latin1');
  return changesHeader ? text?.slice(text.indexOf('\r\n\r\n')) : text;
}

/** A message of some size that the way carries. */
function large({ largestOctets }: RelayPeer, wantedOctets = 1_000_000): Buffer {
  const line = `${'x'.repeat(76)}\r\n`;
  const lines = Math.floor((Math.min(wantedOctets, largestOctets) - TEXT.length) / line.length);
  return Buffer.from(TEXT + line.repeat(lines));
}

/** A message whose reading breaks off after so many pieces. */
function unreadable(peer: RelayPeer, after: number): RelayedMessage {
  const message = messageOf(large(peer), ['a@example.org'], { pieceOctets: 16 * 1024 });
  return {
    ...message,
    open: async function* () {
      let pieces = 0;
      for await (const piece of message.open()) {
        if (pieces++ === after) throw new Error('a page of the disk is damaged');
        yield piece;
      }
    },
  };
}
