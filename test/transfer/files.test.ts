/** Files of pickup directories at the one door: whose they may be, whom they may reach, and that each comes in once. */

import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Acceptance, DirectoryPolicy, Envelope, TransferOptions } from '../../src/transfer/contract.ts';
import { openSubmissionSite } from './submissionSite.ts';

const FROM = 'app@app.example.com';
const TO = 'in@app.example.com';
const MESSAGE = 'From: app@app.example.com\r\nSubject: order\r\n\r\nten of them\r\n';
const ID = '0123456789abcdef';

const POLICY: DirectoryPolicy = { name: 'Orders', senders: ['local'], recipients: ['*'], limits: {} };

async function open(t: Test, options: Partial<TransferOptions> = {}) {
  // As the store's: claims end by it.
  const door = await openSubmissionSite(t, { clock: systemClock, ...options });
  const sender = await door.site.addAccount(FROM);
  const recipient = await door.site.addAccount(TO);
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
  const count = async ({ id }: Account) => {
    const inbox = await door.site.store.mailboxes.find(id, ['INBOX']);
    return inbox === undefined ? 0 : (await door.site.store.mailboxes.status(inbox.id)).messages;
  };
  return { ...door, sender, recipient, pickUp, count };
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
    const { pickUp, newest, recipient, traceOf, logged } = await open(t);
    const acceptance = await pickUp();
    t.equal(acceptance.kind, 'accepted');
    const stored = (await newest(recipient)).toString();
    t.match(stored, /^Date: .*\r\nMessage-ID: .*\r\nFrom: app@app/s);
    const from = { protocol: 'pickup', directory: 'Orders', file: 'order 1.eml' };
    t.match(await traceOf(acceptance), { events: [{ kind: 'accepted', fields: from }, { kind: 'stored' }] });
    t.match(logged, [['transfer.message.accepted', { directory: 'Orders', file: 'order 1.eml' }]]);
  },
);

t.test('senders are those that the directory allows, in the envelope and in From', async (t) => {
  const { pickUp } = await open(t);
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
  const { pickUp, count, recipient, transfer } = await open(t);
  t.equal(await transfer.wasAccepted(ID), undefined);
  const both = await Promise.all([pickUp({ handoverId: ID }), pickUp({ handoverId: ID })]);
  t.match(both, [{ kind: 'accepted' }, { kind: 'accepted' }]);
  t.equal(both[0]?.traceId, both[1]?.traceId);
  t.equal(await count(recipient), 1);
  t.equal(await transfer.wasAccepted(ID), both[0]?.traceId);
  t.same(await pickUp({ handoverId: ID }), both[0]);
  await pickUp({ handoverId: 'fedcba9876543210' });
  t.equal(await count(recipient), 2, 'the same octets by another handover are another message');
});

t.test('whom a directory may not send to is named with what its recipients lack', async (t) => {
  const { pickUp, count, recipient, sender } = await open(t);
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
  const { transfer, pickUp, refusals } = await open(t);
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
});
