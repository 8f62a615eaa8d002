/**
 * Random SMTP dialogues, in clear and in TLS, on both kinds of listener: each ends, a twin session that gets the same octets in other
 * pieces is answered the same and has the same messages accepted, no error is logged, and a session beside them is served while
 * they run. FUZZ_SEED and FUZZ_DIALOGUES change the run.
 */

import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';

import t, { type Test } from 'tap';

import { createLog } from '../../src/base/log.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { ask, DOMAIN, openSmtpSite, type SmtpServer } from '../smtpd/harness.ts';
import { type Below, randomNumbers } from '../support/randomNumbers.ts';
import { type Client, secureClient } from '../support/sockets.ts';
import { threadMs } from '../support/threadTime.ts';
import { SmtpGrammar } from './smtpGrammar.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 5321);
const DIALOGUES = Number(process.env.FUZZ_DIALOGUES ?? 2000);
const BATCH = 200;
/** A session that does not end by then hangs. */
const END_DEADLINE_MS = 120_000;
/** How long this thread, clients included, may work until a session beside the others is served. */
const CANARY_LIMIT_MS = 200;
/** Small, so that chunks beyond it are among them. */
const SIZE_LIMIT_OCTETS = 100_000;

t.setTimeout(300_000 + DIALOGUES * 100);
const site = await openSmtpSite(t);
const TICKETS = `tickets@${DOMAIN}`;

/** What one session came to. */
interface Outcome {
  readonly replies: string;
  readonly accepted: readonly string[];
}

/** Hands over to the real transfer, and notes what it accepted, by the client's HELO name. */
function noteAccepted(): Pick<Listener, 'accepted' | 'underWay'> & { readonly transfer: Transfer } {
  const real = site.createTransfer({ sizeLimitOctets: SIZE_LIMIT_OCTETS });
  const accepted: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  const take: Transfer['accept'] = async (envelope, message, origin, inspection) => {
    const hash = createHash('sha256');
    const noted = async function* () {
      for await (const block of message) {
        hash.update(block);
        yield block;
      }
    };
    const acceptance = await real.accept(envelope, noted(), origin, inspection);
    const { reversePath, recipients } = envelope;
    if (acceptance.kind === 'accepted') accepted.push(`${reversePath} ${recipients} ${hash.digest('hex')}`);
    return acceptance;
  };
  const accept: Transfer['accept'] = (...given) => {
    const taking = take(...given);
    underWay.add(taking);
    return taking.finally(() => underWay.delete(taking));
  };
  return { transfer: { ...real, accept }, accepted, underWay };
}

/** Sends in pieces where `below` is given, and closes the sending side. */
async function say(client: Client, octets: Buffer, below?: Below): Promise<void> {
  const count = below === undefined ? 0 : 1 + below(5);
  const cuts = Array.from({ length: count }, () => below?.(octets.length + 1) ?? 0).sort((a, b) => a - b);
  client.socket.setNoDelay(true);
  for (const [index, cut] of [...cuts, octets.length].entries()) {
    const piece = octets.subarray(cuts[index - 1] ?? 0, cut);
    if (piece.length > 0) client.send(piece);
    if (below !== undefined) await new Promise((resolve) => setImmediate(resolve));
  }
  client.socket.end();
}

/** What differs without being a difference: ids, and what follows a TLS handshake that is none. */
function comparable(replies: string): string {
  const end = replies.indexOf('220 2.0.0 Ready to start TLS\r\n');
  return (end < 0 ? replies : replies.slice(0, end))
    .replace(/as [0-9A-Z]{20}/g, 'as ID')
    .replace(/^334 .*/gm, '334');
}

async function withinDeadline<Value>(promise: Promise<Value>, said: string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`hangs: ${JSON.stringify(said)}`)), END_DEADLINE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A listener, and what it accepted. */
interface Listener {
  readonly server: SmtpServer;
  readonly accepted: string[];
  /** Messages on their way into the store. */
  readonly underWay: ReadonlySet<Promise<unknown>>;
  readonly canary: Client;
}

async function begin(t: Test, { server }: Listener, isSecured: boolean): Promise<Client> {
  const plain = await server.connect();
  if (!isSecured) return plain;
  await plain.until(/^220 .*\r\n/);
  await ask(plain, 'STARTTLS\r\n', '220 2.0.0');
  return secureClient(t, plain.socket);
}

async function play(
  t: Test,
  listener: Listener,
  said: string,
  isSecured: boolean,
  below?: Below,
): Promise<Outcome> {
  const client = await begin(t, listener, isSecured);
  listener.accepted.length = 0;
  await say(client, Buffer.from(said, 'latin1'), below);
  const { canary } = listener;
  const before = threadMs();
  await withinDeadline(ask(canary, 'NOOP\r\n', '250'), said);
  const tookMs = threadMs() - before;
  if (tookMs > CANARY_LIMIT_MS) t.fail(`${tookMs} ms until another is served: ${JSON.stringify(said)}`);
  const replies = await withinDeadline(client.closed(), said);
  client.socket.destroy();
  await Promise.all(listener.underWay);
  return { replies: comparable(replies), accepted: [...listener.accepted] };
}

/** Breaks off in the middle; what had been accepted by then is the beginning of `whole`. */
async function breakOff(
  t: Test,
  listener: Listener,
  said: string,
  whole: Outcome,
  below: Below,
): Promise<void> {
  const client = await begin(t, listener, false);
  listener.accepted.length = 0;
  client.send(Buffer.from(said.slice(0, below(said.length + 1)), 'latin1'));
  for (let turn = below(10); turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resetAndDestroy();
  while (listener.server.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all(listener.underWay);
  const { accepted } = listener;
  if (accepted.join('\n') !== whole.accepted.slice(0, accepted.length).join('\n'))
    t.fail(`cut off, ${accepted} was accepted: ${JSON.stringify(said)}`);
}

t.test(`${DIALOGUES} dialogues are answered alike, however they are cut (seed ${SEED})`, async (t) => {
  const logged: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  const log = createLog(sink, 'error');
  const below = randomNumbers(SEED);
  const grammar = new SmtpGrammar(below, TICKETS);
  let acceptedCount = 0;
  for (let done = 0; done < DIALOGUES; done += BATCH) {
    await t.test(`dialogues from ${done} on`, async (t) => {
      const listeners: Listener[] = [];
      for (const role of ['relayIn', 'submission'] as const) {
        const { transfer, ...noted } = noteAccepted();
        const server = await site.serve(t, { role, transfer, log, sizeLimitOctets: SIZE_LIMIT_OCTETS });
        listeners.push({ server, ...noted, canary: await server.greeted() });
      }
      for (let index = 0; index < Math.min(BATCH, DIALOGUES - done); index += 1) {
        const listener = listeners[below(2)] as Listener;
        // A message renews a canary's counts of commands that lead nowhere.
        if (index % 40 === 0)
          for (const { canary } of listeners)
            await ask(
              canary,
              `MAIL FROM:<${TICKETS}>\r\nRCPT TO:<${TICKETS}>\r\nBDAT 1 LAST\r\nx`,
              '250 2.0.0 Q',
            );
        const said = grammar.dialogue();
        const isSecured = below(30) === 0;
        const whole = await play(t, listener, said, isSecured);
        const cut = await play(t, listener, said, isSecured, below);
        if (JSON.stringify(cut) !== JSON.stringify(whole)) t.strictSame(cut, whole, JSON.stringify(said));
        acceptedCount += whole.accepted.length;
        if (index % 10 === 0) await breakOff(t, listener, said, whole, below);
      }
      t.strictSame(logged.splice(0), [], 'no error is logged');
      for (const { canary } of listeners) canary.socket.destroy();
    });
  }
  t.ok(acceptedCount > DIALOGUES / 4, `${acceptedCount} messages were accepted`);
});
