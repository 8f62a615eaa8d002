/** Files of pickup directories at the one door: whose they may be, whom they may reach, and that each comes in once. */

import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import Database from 'better-sqlite3';
import t from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import type { Deliveries } from '../../src/store/contract/deliveries.ts';
import type { MessageTrace } from '../../src/store/contract/trace.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type {
  Acceptance,
  DirectoryPolicy,
  Envelope,
  OnceOnlyOptions,
  TransferOptions,
} from '../../src/transfer/contract.ts';
import { COMMIT_DEADLINE_MS } from '../../src/transfer/accept.ts';
import { tellEvent, tellTrace } from '../../src/admin/traceStory.ts';
import { createTestClock } from '../support/clock.ts';
import { relayTricks } from '../support/relayTricks.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';
import { openSubmissionSite } from './submissionSite.ts';

const FROM = 'app@app.example.com';
const TO = 'in@app.example.com';
const MESSAGE = 'From: app@app.example.com\r\nSubject: order\r\n\r\nten of them\r\n';

/** As the server has it unless set otherwise. */
const ONCE: OnceOnlyOptions = {
  suppressResends: true,
  resendWindowDays: 7,
  suppressExchangeDuplicates: false,
  exchangeDuplicateWindowDays: 0,
  duplicatesAllowedDomains: [],
};

const POLICY: DirectoryPolicy = { name: 'Orders', senders: ['local'], recipients: ['*'], limits: {} };

/** One store for all tests but those that change routes or rules. */
const shared = openRoomSite(t);
let handovers = 0;

async function open(options: Partial<TransferOptions> = {}, given?: RoomSite) {
  const site = given ?? (await shared);
  // As the store's: claims end by it.
  const door = await openSubmissionSite(t, { clock: systemClock, ...options }, site);
  const find = async (address: string) =>
    (await site.store.directory.findAccount(address)) ?? (await site.addAccount(address));
  const [sender, recipient] = [await find(FROM), await find(TO)];
  const pickUp = (
    envelope: Partial<Envelope> = {},
    policy: Partial<DirectoryPolicy> = {},
    message = MESSAGE,
  ): Promise<Acceptance> => {
    async function* octets() {
      yield Buffer.from(message);
    }
    const directory = { ...POLICY, ...policy };
    return door.transfer.accept({ reversePath: FROM, recipients: [TO], ...envelope }, octets(), {
      kind: 'pickup',
      listener: directory.name,
      file: 'order 1.eml',
      role: 'submission',
      submitter: { kind: 'directory', directory },
    });
  };
  const messages = async ({ id }: Account) => {
    const inbox = await site.store.mailboxes.find(id, ['INBOX']);
    return inbox === undefined ? 0 : (await site.store.mailboxes.status(inbox.id)).messages;
  };
  const before = new Map([sender, recipient].map((each) => [each.id, messages(each)]));
  await Promise.all(before.values());
  /** Messages that have come since. */
  const count = async (account: Account) => (await messages(account)) - ((await before.get(account.id)) ?? 0);
  return { ...door, sender, recipient, pickUp, count };
}

/** A name that no handover has had. */
function nextHandover(): string {
  handovers += 1;
  return String(handovers).padStart(16, '0');
}

/** What a file was refused with. */
function refusalOf(acceptance: Acceptance): string {
  if (acceptance.kind === 'accepted') return 'accepted';
  const { smtp, publicText } = acceptance.error.reply;
  return `${smtp.code} ${smtp.status} ${publicText}`;
}

t.test(
  'a file is taken in like a submitted message, and trace and log name directory and file',
  async (t) => {
    const { pickUp, newest, recipient, traceOf, logged } = await open();
    const acceptance = await pickUp();
    t.equal(acceptance.kind, 'accepted');
    const stored = (await newest(recipient)).toString();
    t.match(stored, /^Date: .*\r\nMessage-ID: .*\r\nFrom: app@app/s);
    const from = { protocol: 'pickup', directory: 'Orders', file: 'order 1.eml' };
    t.match(await traceOf(acceptance), { events: [{ kind: 'accepted', fields: from }, { kind: 'stored' }] });
    t.match(logged, [['transfer.message.accepted', { directory: 'Orders', file: 'order 1.eml' }]]);
    const trace = (await traceOf(acceptance)) as MessageTrace;
    t.match(
      tellTrace(trace),
      /Z {2}accepted from the pickup directory Orders, file order 1\.eml completed="/,
    );
  },
);

t.test('senders are those that the directory allows, in the envelope and in From', async (t) => {
  const { pickUp } = await open();
  t.equal(
    refusalOf(await pickUp({ reversePath: 'x@far.example' })),
    '550 5.7.1 The sender address x@far.example may not be used by files of the pickup directory Orders: its senders would have to name far.example',
  );
  const forged = MESSAGE.replace(FROM, 'ceo@far.example');
  t.match(
    refusalOf(await pickUp({}, {}, forged)),
    /^550 5\.7\.1 The address ceo@far\.example in .* name far\.example$/,
  );
  t.equal(
    refusalOf(await pickUp({}, { senders: ['far.example'] }, forged)).slice(0, 3),
    '550',
    'its own sender',
  );
  t.equal(
    refusalOf(await pickUp({ reversePath: '' }, { senders: ['*.far.example'] }, 'Subject: x\r\n\r\n')),
    'accepted',
  );
});

t.test('a handover is accepted once, also at the same moment and after the message is gone', async (t) => {
  const handoverId = nextHandover();
  const { pickUp, count, recipient, transfer } = await open();
  t.equal(await transfer.wasAccepted(handoverId), undefined);
  const both = await Promise.all([pickUp({ handoverId }), pickUp({ handoverId })]);
  t.match(both, [{ kind: 'accepted' }, { kind: 'accepted' }]);
  t.equal(both[0]?.traceId, both[1]?.traceId);
  t.equal(await count(recipient), 1);
  t.equal(await transfer.wasAccepted(handoverId), both[0]?.traceId);
  t.same(await pickUp({ handoverId }), both[0]);
  await pickUp({ handoverId: nextHandover() });
  t.equal(await count(recipient), 2, 'the same octets by another handover are another message');
});

t.test('whom a directory may not send to is named with what its recipients lack', async (t) => {
  const { pickUp, count, recipient, sender } = await open();
  const recipients = ['a@near.example', TO];
  t.equal(
    refusalOf(await pickUp({ recipients: ['a@near.example'] }, { recipients: ['local'] })),
    '550 5.7.1 <a@near.example>: 550 5.7.1 Files of the pickup directory Orders may not go there: its recipients would have to name near.example',
  );
  t.equal(refusalOf(await pickUp({ recipients }, { recipients: ['local'] })), 'accepted');
  t.equal(await count(recipient), 1);
  t.equal(await count(sender), 1, 'the sender has a report about the other one');
});

t.test('a file in badmail is told in the trace of its refusal', async (t) => {
  const { transfer, pickUp, refusals } = await open();
  const { traceId } = await pickUp({ recipients: ['nobody@app.example.com'] });
  const file = {
    directory: 'Orders',
    file: 'order 1.eml',
    badFile: 'order 1.eml',
    reason: 'nobody is there',
  };
  transfer.noteBadFile({ traceId, ...file });
  t.match(refusals, [
    { traceId, otherNames: ['pickup:Orders'], event: { fields: { stage: 'message', file: 'order 1.eml' } } },
    { traceId, otherNames: ['pickup:Orders'], event: { fields: { stage: 'file', ...file } } },
  ]);
  t.same(
    refusals.map(({ event }) => tellEvent(event)),
    [
      'refused: 550 5.1.1 <nobody@app.example.com>: 550 5.1.1 No such recipient here (recipientUnknown) from the pickup directory Orders, file order 1.eml',
      'the file order 1.eml of the pickup directory Orders was moved to badmail as order 1.eml: nobody is there',
    ],
  );
});

t.test('who may not be a sender is rewritten where the directory says so, and told so', async (t) => {
  const { pickUp, traceOf, newest, recipient } = await open();
  const forged = MESSAGE.replace(FROM, 'ceo@far.example');
  const acceptance = await pickUp({ reversePath: 'ceo@far.example' }, { rewriteSender: FROM }, forged);
  t.match(await traceOf(acceptance), {
    reversePath: FROM,
    events: [{ fields: { rewrittenSender: 'ceo@far.example', rewrittenFrom: 'ceo@far.example' } }, {}],
  });
  t.match((await newest(recipient)).toString(), /^From: <app@app\.example\.com>\r$/m);
});

t.test('no address dressed up as one of ours is a sender where only ours are', async (t) => {
  const { pickUp } = await open();
  const tricks = relayTricks('app.example.com', 'near.example').filter((path) => path !== '');
  for (const reversePath of tricks) {
    const domain = domainToASCII(reversePath.slice(reversePath.lastIndexOf('@') + 1));
    const answer = refusalOf(await pickUp({ reversePath, recipients: ['a@victim.test', TO] }));
    if (answer === 'accepted') t.equal(domain, 'app.example.com', JSON.stringify(reversePath));
    else t.match(answer, /^550 5\.7\.1 The sender address/);
  }
});

t.test(
  'of several recipients those that are refused are told to the sender, and none is asked twice',
  async (t) => {
    const handoverId = nextHandover();
    const { pickUp, count, recipient, sender, traceOf, newest } = await open();
    const recipients = ['nobody@app.example.com', TO, 'a@far.example'];
    const acceptance = await pickUp({ recipients, handoverId });
    t.match(await traceOf(acceptance), {
      events: [
        { kind: 'accepted' },
        { kind: 'refused', fields: { recipient: 'nobody@app.example.com', reason: 'unknown' } },
        { kind: 'refused', fields: { recipient: 'a@far.example', reason: 'foreign' } },
        { kind: 'reported' },
        { kind: 'reported' },
        { kind: 'stored' },
      ],
    });
    t.equal(await count(recipient), 1);
    const report = (await newest(sender)).toString();
    t.match(report, /Final-Recipient: rfc822;\s*nobody@app\.example\.com/i);
    t.match(report, /Final-Recipient: rfc822;\s*a@far\.example/i);
    const untold = await pickUp({ reversePath: '', recipients });
    t.equal(untold.kind, 'accepted', 'nobody can be told about a report');
    t.equal(await count(sender), 1);
  },
);

t.test(
  'a file that nobody can have is refused for good, and each recipient is named, up to ten',
  async (t) => {
    const { pickUp, count, sender } = await open();
    const two = await pickUp({ recipients: ['nobody@app.example.com', 'a@far.example'] });
    t.equal(
      refusalOf(two),
      '550 5.1.1 <nobody@app.example.com>: 550 5.1.1 No such recipient here; <a@far.example>: 550 5.7.1 Relaying denied',
    );
    t.equal(await count(sender), 0, 'nobody has it, so the file itself is the report');
    const many = Array.from({ length: 12 }, (_none, index) => `a${index}@far.example`);
    t.match(refusalOf(await pickUp({ recipients: many })), /<a9@far\.example>: [^;]*; and 2 more$/);
    t.equal(
      refusalOf(await pickUp({ recipients: many }, { limits: { recipientLimit: 11 } })),
      '550 5.7.1 A message by files of the pickup directory Orders may have 11 recipients at most',
    );
  },
);

t.test('what time may mend leaves the file where it is', async (t) => {
  const { pickUp, site, count } = await open();
  const full = await site.addAccount('full@app.example.com', 1);
  t.match(refusalOf(await pickUp({ recipients: ['full@app.example.com'] })), /^452 /);
  t.match(
    refusalOf(await pickUp({ recipients: ['full@app.example.com', 'nobody@app.example.com'] })),
    /^452 /,
    'one for now, one for good',
  );
  t.equal(await count(full), 0);
  const sick = { ...site.store, health: async () => ({ kind: 'healthy', freeOctets: 10 }) as const };
  const small = await open({ store: sick });
  t.match(refusalOf(await small.pickUp()), /^452 4\.3\.1/);
});

t.test('a relay of its own takes what is not ours, before the relays of routes', async (t) => {
  const { pickUp, site, traceOf } = await open({ isRelaying: () => true }, await openRoomSite(t));
  const { routes } = site.administration;
  await routes.add({ name: 'all', recipients: ['*'], target: { kind: 'relay', relay: 'smarthost' } });
  const hopOf = async (recipient: string, policy: Partial<DirectoryPolicy>) => {
    const { events = [] } = (await traceOf(await pickUp({ recipients: [recipient] }, policy))) ?? {};
    return events.filter(({ kind }) => kind === 'routed' || kind === 'queued').map(({ fields }) => fields);
  };
  t.match(await hopOf('a@far.example', {}), [{ route: 'all' }, { name: 'smarthost' }]);
  t.match(await hopOf('a@far.example', { relay: 'own' }), [{ directory: 'Orders' }, { name: 'own' }]);
  t.same(await hopOf(TO, { relay: 'own' }), []);
  await routes.add({
    name: 'none',
    position: 1,
    recipients: ['far.example'],
    target: { kind: 'refuse', text: undefined },
  });
  t.same(await hopOf('a@far.example', { relay: 'own' }), [], 'what a route refuses stays refused');
});

t.test('a rule for all mail sends nothing on that a directory may not send', async (t) => {
  const { pickUp, site, count, sender } = await open({}, await openRoomSite(t));
  await site.administration.rules.add({
    name: 'archive',
    conditions: [],
    actions: [{ kind: 'forward', address: FROM }, { kind: 'delete' }],
  });
  const barred = await pickUp({ recipients: ['a@far.example'] }, { recipients: ['local'] });
  t.match(refusalOf(barred), /^550 /);
  t.equal(await count(sender), 0);
  t.equal(refusalOf(await pickUp({ recipients: ['a@far.example'] })), 'accepted');
  t.equal(await count(sender), 1);
});

t.test('a Received field says which directory a file was in, and is known as ours', async (t) => {
  const { pickUp, site, recipient } = await open();
  await pickUp({}, { name: 'Orders (new)\r\nX: y' });
  const stored = (await site.inbox(recipient)).at(-1)?.toString() ?? '';
  t.match(
    stored,
    /^Return-Path: <app@app\.example\.com>\r\nReceived: by mail\.example\.com \(pickup Orders \?new\?\?\?X: y\)\r\n id [0-9A-Z]{20} for <in@app\.example\.com>;\r\n/,
  );
  const field = /^Received: [^;]*;\r\n .*\r\n/m.exec(stored)?.[0] ?? '';
  t.match(refusalOf(await pickUp({}, {}, field.repeat(3) + MESSAGE)), 'accepted');
  t.match(refusalOf(await pickUp({}, {}, field.repeat(4) + MESSAGE)), /^554 5\.4\.6/, 'four times is a loop');
});

t.test('what is the same in every octet comes once where it has an id and a date of its own', async (t) => {
  const { pickUp, count, recipient } = await open({ onceOnly: ONCE });
  const own = `Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@app>\r\n${MESSAGE}`;
  for (const handoverId of [nextHandover(), nextHandover()]) await pickUp({ handoverId }, {}, own);
  t.equal(await count(recipient), 1);
  for (const handoverId of [nextHandover(), nextHandover()]) await pickUp({ handoverId });
  t.equal(await count(recipient), 3, 'alarms are alike');
});

t.test('a crash between report and message brings no second report', async (t) => {
  const handoverId = nextHandover();
  const site = await shared;
  let isFailing = true;
  const deliver: Deliveries['deliver'] = async (planned) => {
    if (isFailing && planned.reversePath !== '') throw new MailError('storeUnavailable');
    return site.store.deliveries.deliver(planned);
  };
  const store = { ...site.store, deliveries: { ...site.store.deliveries, deliver } };
  const { pickUp, count, sender, recipient } = await open({ store });
  const recipients = ['nobody@app.example.com', TO];
  t.match(refusalOf(await pickUp({ recipients, handoverId })), /^451 /);
  t.same([await count(sender), await count(recipient)], [1, 0]);
  isFailing = false;
  t.equal(refusalOf(await pickUp({ recipients, handoverId })), 'accepted');
  t.same([await count(sender), await count(recipient)], [1, 1]);
});

t.test('a commit that outlasts its deadline is not done again by the next try', async (t) => {
  const handoverId = nextHandover();
  const site = await shared;
  const clock = createTestClock(systemClock.now());
  const asked = Promise.withResolvers<void>();
  const deliver: Deliveries['deliver'] = (planned) => {
    const outcome = site.store.deliveries.deliver(planned);
    asked.resolve();
    return outcome;
  };
  const store = { ...site.store, deliveries: { ...site.store.deliveries, deliver } };
  const { pickUp, count, recipient, transfer } = await open({ store, clock });
  const lock = new Database(join(site.directory, 'hauspost.db'));
  lock.exec('BEGIN IMMEDIATE');
  const first = pickUp({ handoverId });
  await asked.promise;
  clock.advance(COMMIT_DEADLINE_MS);
  t.match(refusalOf(await first), /^451 /);
  const [second, asking] = [pickUp({ handoverId }), transfer.wasAccepted(handoverId)];
  lock.exec('ROLLBACK');
  lock.close();
  const accepted = await second;
  t.equal(refusalOf(accepted), 'accepted');
  t.equal(await asking, accepted.traceId, 'who asks waits for the commit under way');
  t.equal(accepted.traceId, (await first).traceId, 'and the first one is the one that is stored');
  t.equal(await count(recipient), 1);
});
