/** Once only: what comes again is answered 250 and stored once, and what only looks alike is stored each time. */

import { Writable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import type { TraceId } from '../../src/base/ids.ts';
import { withoutFields } from '../../src/wire/mime/messageHeader.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Inspection, OnceOnlyOptions, Origin } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';

const DEFAULTS: OnceOnlyOptions = {
  suppressResends: true,
  resendWindowDays: 7,
  suppressExchangeDuplicates: true,
  exchangeDuplicateWindowDays: 3,
  duplicatesAllowedDomains: [],
};
const RELAY_IN: Origin = {
  kind: 'smtp',
  listener: 'smtp',
  remoteAddress: '192.0.2.1',
  heloName: 'client.example.org',
  isExtended: true,
  tls: undefined,
  role: 'relayIn',
  submitter: { kind: 'anyone' },
};
const SUBMISSION: Origin = { ...RELAY_IN, role: 'submission' };
const MESSAGE = 'Subject: alarm\r\n\r\nThe pump has stopped.\r\n';
const NETWORK_ID = '7c7a2a80-2f4b-4bb8-9d2a-08dbf1a0c0de';

/** The inspection of a door that answers for what it lets in. */
const VOUCHING: Inspection = { header: (header) => header, isVouchedFor: true };

let shared: Promise<RoomSite> | undefined;
let doors = 0;

/** A door, and three accounts that nobody else uses. */
async function openDoor(options: Partial<OnceOnlyOptions> = {}) {
  shared ??= openRoomSite(t);
  const site = await shared;
  doors += 1;
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const { store, accounts } = site;
  const transfer = createTransfer({
    store,
    accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets: 1_000_000,
    onceOnly: { ...DEFAULTS, ...options },
    clock: systemClock,
    log: createLog(sink, 'info'),
  });
  const boxes: Account[] = [];
  for (const name of ['a', 'b', 'c']) boxes.push(await site.addAccount(`${name}${doors}@app.example.com`));
  const [a, b, c] = boxes.map(({ address }) => address);
  if (a === undefined || b === undefined || c === undefined) throw new Error('three accounts');
  return {
    site,
    lines,
    a,
    b,
    c,
    /** Hands a message over as accepted; answers its trace id. */
    async send(recipients: readonly string[], more: Partial<Sending> = {}): Promise<TraceId> {
      const { from = 's@example.org', message = MESSAGE, origin = RELAY_IN, inspection } = more;
      const envelope = { reversePath: from, recipients };
      const acceptance = await transfer.accept(envelope, octetByOctet(message), origin, inspection);
      if (acceptance.kind === 'refused') throw acceptance.error;
      return acceptance.traceId;
    },
    /** How many messages a, b and c have. */
    async counts(): Promise<number[]> {
      const usages = boxes.map(({ id }) => store.mailboxes.usage(id));
      return (await Promise.all(usages)).map(({ messages }) => messages);
    },
  };
}

interface Sending {
  readonly from: string;
  readonly message: string;
  readonly origin: Origin;
  readonly inspection: Inspection | undefined;
}

async function* octetByOctet(text: string): AsyncGenerator<Buffer> {
  const octets = Buffer.from(text);
  const size = 1 + (octets.length % 7);
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

t.test('what comes again is accepted and stored once, which both traces and the log tell', async (t) => {
  const { site, lines, a, send, counts } = await openDoor();
  const first = await send([a]);
  const again = await send([a]);
  t.not(again, first);
  t.same(await counts(), [1, 0, 0]);
  t.match((await site.store.trace.find(again))?.events, [
    { kind: 'accepted', fields: { remote: '192.0.2.1' } },
    { kind: 'duplicate', fields: { reason: 'resend', recipient: a, of: first } },
  ]);
  t.match((await site.store.trace.find(first))?.events.at(-1), { kind: 'duplicate', fields: { again } });
  t.match(
    lines.filter(({ event }) => event === 'transfer.message.duplicate'),
    [{ level: 'info', trace: again, of: first, recipient: a, reason: 'resend', from: 's@example.org' }],
  );
});

t.test('of twenty at the same moment one is stored', async (t) => {
  const { a, b, send, counts } = await openDoor();
  await Promise.all(Array.from({ length: 20 }, (_none, index) => send(index % 2 === 0 ? [a, b] : [b, a])));
  t.same(await counts(), [1, 1, 0]);
});

t.test('another sender, another octet and another recipient make another message', async (t) => {
  const { a, b, send, counts } = await openDoor();
  await send([a]);
  await send([a], { from: 'other@example.org' });
  await send([a], { from: '' });
  await send([a], { message: MESSAGE.replace('pump', 'pumP') });
  await send([a], { message: `${MESSAGE} ` });
  await send([a], { message: `X: y\r\n${MESSAGE}` });
  await send([b]);
  t.same(await counts(), [6, 1, 0]);
});

t.test('the order and the spelling of the recipients make no difference', async (t) => {
  const { a, b, c, send, counts } = await openDoor();
  await send([a, b, c]);
  await send([c, a, b]);
  await send([c.toUpperCase(), a.replace('app', 'APP'), b]);
  t.same(await counts(), [1, 1, 1]);
});

t.test(
  'who was refused at the first try gets the message at the next one, and nobody gets it twice',
  async (t) => {
    const { a, b, c, send, counts } = await openDoor();
    await send([a, b]);
    await send([c]);
    t.same(await counts(), [1, 1, 1], 'Exchange Online tries those again that were deferred');
    await send([a, b, c], { from: 'other@example.org' });
    await send([b], { from: 'other@example.org' });
    t.same(await counts(), [2, 2, 2], 'and a client whose answer was lost tries all or some of them');
  },
);

t.test('who was gone at the end of the data is given the message when it comes again', async (t) => {
  const { site, a, send, counts } = await openDoor();
  const late = 'late@app.example.com';
  const first = await send([a, late]);
  t.match((await site.store.trace.find(first))?.events, [
    {},
    { kind: 'refused', fields: { recipient: late } },
    {},
  ]);
  const account = await site.addAccount(late);
  await send([a, late]);
  t.same(await counts(), [1, 0, 0]);
  t.equal((await site.store.mailboxes.usage(account.id)).messages, 1);
});

t.test('a submitted message needs a Message-ID and a Date of its own to be known again', async (t) => {
  const { a, send, counts } = await openDoor();
  const id = 'Message-ID: <1@device>\r\n';
  const date = 'date : Sat, 28 Nov 2026 04:00:00 +0000\r\n';
  const table: [fields: string, stored: number][] = [
    ['', 2],
    [id, 2],
    [date, 2],
    [`Message-ID:\r\n${date}`, 2],
    [id + date, 1],
  ];
  let before = 0;
  for (const [fields, stored] of table) {
    for (let count = 0; count < 2; count += 1)
      await send([a], { message: fields + MESSAGE, origin: SUBMISSION });
    const now = (await counts())[0] ?? 0;
    t.equal(now - before, stored, JSON.stringify(fields));
    before = now;
  }
});

t.test(
  'what the inspection puts in or takes out makes no difference: the octets count as they came',
  async (t) => {
    const { a, send, counts } = await openDoor();
    const secret = (value: string) => `X-Secret: ${value}\r\nMessage-ID: <1@x>\r\nDate: now\r\n${MESSAGE}`;
    const inspection: Inspection = {
      header: (header) => withoutFields(header, new Set(['x-secret', 'date', 'message-id'])),
    };
    await send([a], { message: secret('1'), inspection, origin: SUBMISSION });
    await send([a], { message: secret('1'), inspection, origin: SUBMISSION });
    t.same(await counts(), [1, 0, 0]);
    await send([a], { message: secret('2'), inspection, origin: SUBMISSION });
    t.same(await counts(), [2, 0, 0]);
  },
);

function fromExchange(more: string, networkId = NETWORK_ID): string {
  const id = `X-MS-Exchange-CrossTenant-Network-Message-Id: ${networkId}\r\n`;
  return `Received: ${more}\r\nMessage-ID: <1@tenant.example>\r\n${id}${MESSAGE}`;
}

t.test(
  "Exchange's own copies are stored once for each recipient, where the door answers for them",
  async (t) => {
    const { site, a, b, send, counts } = await openDoor();
    const first = await send([a], { message: fromExchange('one'), inspection: VOUCHING });
    const other = await send([a, b], { message: fromExchange('two'), inspection: VOUCHING });
    t.same(await counts(), [1, 1, 0]);
    t.match((await site.store.trace.find(other))?.events[1], {
      kind: 'duplicate',
      fields: { reason: 'exchange', recipient: a, of: first },
    });
    await send([a], { message: fromExchange('two'), inspection: VOUCHING });
    t.same(await counts(), [1, 1, 0]);
  },
);

t.test("Exchange's ids count for nothing where they are not proved, not single, or none", async (t) => {
  const { a, send, counts } = await openDoor();
  const message = fromExchange('one');
  await send([a], { message, inspection: VOUCHING });
  let expected = 1;
  const others: [why: string, sending: Partial<Sending>][] = [
    ['nobody vouches', { message: fromExchange('2') }],
    ['the door does not', { message: fromExchange('3'), inspection: { ...VOUCHING, isVouchedFor: false } }],
    ['a second id', { message: `Message-ID: <2@x>\r\n${message}`, inspection: VOUCHING }],
    ['another id', { message: fromExchange('4', NETWORK_ID.replace('7', '8')), inspection: VOUCHING }],
    ['no GUID', { message: fromExchange('5', 'x'), inspection: VOUCHING }],
    ['no GUID once more', { message: fromExchange('6', 'x'), inspection: VOUCHING }],
    ['it is submitted', { message: fromExchange('7'), inspection: VOUCHING, origin: SUBMISSION }],
  ];
  for (const [why, sending] of others) {
    await send([a], sending);
    expected += 1;
    t.same(await counts(), [expected, 0, 0], why);
  }
  await send([a], { message: fromExchange('8', NETWORK_ID.toUpperCase()), inspection: VOUCHING });
  t.same(await counts(), [expected, 0, 0], 'the same id in another case');
});

t.test('each of the two has its switch, and a domain may have every copy', async (t) => {
  const off = { suppressResends: false, suppressExchangeDuplicates: false };
  const table: [options: Partial<OnceOnlyOptions>, resent: number, copied: number][] = [
    [{}, 1, 1],
    [{ suppressResends: false }, 2, 1],
    [{ suppressExchangeDuplicates: false }, 1, 2],
    [off, 2, 2],
    [{ duplicatesAllowedDomains: ['other.example', 'App.Example.com'] }, 2, 2],
  ];
  for (const [options, resent, copied] of table) {
    const { a, b, send, counts } = await openDoor(options);
    for (const more of ['1', '1']) await send([a], { message: `X: ${more}\r\n${MESSAGE}` });
    for (const more of ['1', '2']) await send([b], { message: fromExchange(more), inspection: VOUCHING });
    t.same(await counts(), [resent, copied, 0], JSON.stringify(options));
  }
});

t.test('whoever is named by any number of tries, at any time, has each message once', async (t) => {
  const { site, a, b, c, send } = await openDoor();
  const names = [a, b, c];
  const tries = fc.array(
    fc.record({
      message: fc.integer({ min: 0, max: 2 }),
      from: fc.constantFrom('', 's@example.org'),
      to: fc.subarray(names, { minLength: 1 }),
      isAlone: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(tries, async (all) => {
      run += 1;
      const wanted = new Map(names.map((name) => [name, new Set<string>()]));
      let underWay: Promise<unknown>[] = [];
      for (const { message, from, to, isAlone } of all) {
        const text = `Subject: run ${run} message ${message} from ${from}\r\n\r\n`;
        for (const name of to) wanted.get(name)?.add(text);
        underWay.push(send(to, { from, message: text }));
        if (isAlone) await Promise.all(underWay.splice(0));
      }
      await Promise.all(underWay);
      underWay = [];
      for (const [name, texts] of wanted) {
        const account = await site.store.directory.findAccount(name);
        if (account === undefined) return false;
        const got = (await site.inbox(account))
          .map((octets) => octets.toString())
          .filter((text) => text.includes(`run ${run} `));
        const subjects = got.map((text) => text.slice(text.indexOf('Subject: '))).sort();
        if (JSON.stringify(subjects) !== JSON.stringify([...texts].sort())) return false;
      }
      return true;
    }),
    { numRuns: 30, seed: 20261128 },
  );
  t.pass('30 runs');
});
