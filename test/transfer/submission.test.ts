/** What submission does to messages on their way into the store, and what it leaves alone. */

import t, { type Test } from 'tap';

import { MIB } from '../../src/base/units.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Submitter } from '../../src/transfer/contract.ts';
import { NO_CORPUS, ODD_MESSAGES, readCorpus } from '../support/oddMessages.ts';
import { openSubmissionSite } from './submissionSite.ts';

const FROM = 'app@app.example.com';
const TO = 'in@app.example.com';
/** What is added in front where a message lacks it. */
const ADDED =
  /^(?:Date: Thu, 15 Jan 2026 \d\d:00:00 [+-]\d{4}\r\n)?(?:Message-ID: <[0-9A-Z]{20}@mail\.example\.com>\r\n)?(?:From: <app@app\.example\.com>\r\n)?(?:X-Unnamed: \r\n)?/;

async function open(t: Test) {
  const door = await openSubmissionSite(t);
  await door.site.addAccount(FROM);
  await door.site.administration.accounts.set(FROM, { settings: { 'submission.senders': '*' } });
  const sender = (await door.site.store.directory.findAccount(FROM)) as Account;
  const recipient = await door.site.addAccount(TO);
  const submitter: Submitter = { kind: 'account', account: sender };
  const submit = (message: Buffer | string, reversePath = FROM) =>
    door.submit(submitter, { reversePath, recipients: [TO] }, message);
  return { ...door, submit, submitAs: door.submit, recipient };
}

t.test('what a message lacks is added in front, and the trace says so', async (t) => {
  const { submit, newest, recipient, traceOf, logged } = await open(t);
  const acceptance = await submit('Subject: alarm\r\n\r\nThe door is open\r\n');
  t.match(acceptance, { kind: 'accepted' });
  const stored = (await newest(recipient)).toString();
  const { traceId } = acceptance;
  t.match(stored, /^Date: Thu, 15 Jan 2026 \d\d:00:00 [+-]\d{4}\r\n/);
  t.ok(
    stored.endsWith(
      `\r\nMessage-ID: <${traceId}@mail.example.com>\r\nFrom: <${FROM}>\r\nSubject: alarm\r\n\r\nThe door is open\r\n`,
    ),
    stored,
  );
  const completed = 'Date, Message-ID, From';
  t.match((await traceOf(acceptance))?.events[0], { kind: 'accepted', fields: { completed } });
  t.match(logged, [['transfer.message.accepted', { trace: traceId, completed }]]);
});

t.test('two messages of the same octets have ids of their own', async (t) => {
  const { submit, newest, recipient } = await open(t);
  const ids: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    await submit('\r\nalarm\r\n');
    ids.push(/^Message-ID: .*$/m.exec((await newest(recipient)).toString())?.[0] ?? '');
  }
  t.not(ids[0], ids[1]);
});

t.test('From is the sender of the envelope, and of the null path the account', async (t) => {
  const { submit, submitAs, newest, recipient, site } = await open(t);
  await submit('\r\n', '');
  t.match((await newest(recipient)).toString(), /^From: <app@app\.example\.com>$/m);
  const range = await site.administration.ipRanges.show('My computer');
  await submitAs({ kind: 'range', range }, { reversePath: '', recipients: [TO] }, 'Subject: x\r\n\r\n');
  const stored = (await newest(recipient)).toString();
  t.notMatch(stored, /^From:/m, 'nobody is made up');
  t.match(stored, /^Date: .*\r\nMessage-ID: /);
});

t.test('an id has the sender’s domain where the server’s name has no dot', async (t) => {
  const door = await openSubmissionSite(t, { serverName: 'vm1' });
  const account = await door.site.addAccount(FROM);
  await door.submit({ kind: 'account', account }, { reversePath: FROM, recipients: [FROM] }, '\r\n');
  t.match((await door.newest(account)).toString(), /^Message-ID: <[0-9A-Z]{20}@app\.example\.com>\r$/m);
});

t.test('no copy has a Bcc, and the trace says that there was one', async (t) => {
  const { submit, newest, recipient, traceOf } = await open(t);
  const before =
    'From: <app@app.example.com>\r\nbCC : a@secret.example,\r\n\tb@secret.example\r\nTo: x@y.example\r\n' +
    'Resent-Bcc: c@secret.example\nBcc:\r\nDate: x\r\nMessage-ID: <y@z>\r\n\r\n';
  const body =
    'Bcc: in the body\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nBcc: in an attached message\r\n\r\n';
  const acceptance = await submit(before + body);
  const stored = (await newest(recipient)).toString();
  t.equal(
    stored,
    `From: <app@app.example.com>\r\nTo: x@y.example\r\nDate: x\r\nMessage-ID: <y@z>\r\n\r\n${body}`,
  );
  const trace = await traceOf(acceptance);
  t.match(trace?.events[0], { fields: { removed: 'Bcc, Resent-Bcc' } });
  t.notMatch(JSON.stringify(trace), /secret/);
});

t.test('a message that lacks nothing is stored octet for octet', async (t) => {
  const { submit, newest, recipient, traceOf } = await open(t);
  const message =
    'Message-id:<a@b>\nfrom : app@app.example.com\r\nDATE: yesterday\r\nno field\r\n\r\nbody\rwith\nodd ends';
  const acceptance = await submit(message);
  t.equal((await newest(recipient)).toString(), message);
  const fields = (await traceOf(acceptance))?.events[0]?.fields ?? {};
  t.notOk('completed' in fields || 'removed' in fields);
});

t.test('of odd messages nothing is lost but Bcc, and nothing changed', async (t) => {
  const { submit, newest, recipient } = await open(t);
  for (const { name, octets } of ODD_MESSAGES) {
    t.match(await submit(octets), { kind: 'accepted' }, name);
    const stored = await newest(recipient);
    const added = ADDED.exec(stored.toString('latin1'))?.[0] ?? '';
    t.ok(stored.subarray(added.length).equals(octets), name);
  }
});

const corpus = readCorpus();
t.test('of real messages nothing is lost but Bcc', { skip: corpus === undefined && NO_CORPUS }, async (t) => {
  const { submit, newest, recipient } = await open(t);
  for (const { name, octets } of corpus ?? []) {
    t.match(await submit(octets), { kind: 'accepted' }, name);
    const stored = await newest(recipient);
    const added = ADDED.exec(stored.toString('latin1'))?.[0] ?? '';
    t.ok(stored.subarray(added.length).equals(octets), name);
  }
});

t.test('a header too long to be searched for Bcc is refused, and one just below is not', async (t) => {
  const { submit, refusals, logged } = await open(t);
  const long = (octets: number) => `X: ${'x'.repeat(octets - 5)}\r\nBcc: a@secret.example\r\n\r\nbody\r\n`;
  t.match(await submit(long(MIB - 100)), { kind: 'accepted' });
  const acceptance = await submit(long(MIB + 10));
  t.match(acceptance, {
    kind: 'refused',
    error: { code: 'messageTooLarge', reply: { smtp: { code: 552 } } },
  });
  if (acceptance.kind === 'refused') t.match(acceptance.error.reply.publicText, /1 MiB and 10000 lines/);
  t.match(await submit('X: y\r\n'.repeat(10_001)), { kind: 'refused', error: { code: 'messageTooLarge' } });
  t.match(await submit('X: y\r\n'.repeat(9_990)), { kind: 'accepted' });
  t.match(logged[1], ['transfer.message.refused', { reason: /too long to be searched for Bcc/ }]);
  t.match(refusals[0], { traceId: acceptance.traceId, event: { kind: 'refused' } });
});

t.test('a Bcc behind a CR alone is refused, since some readers would show it', async (t) => {
  const { submit } = await open(t);
  const refused = await submit('Subject: a\rBcc: x@secret.example\r\n\r\n');
  t.match(refused, { kind: 'refused', error: { code: 'bareLineEnd' } });
  t.match(await submit('Subject: a\rb\r\n\r\n'), { kind: 'accepted' });
});

t.test('mail that is relayed to us keeps its Bcc and is completed by nobody', async (t) => {
  const { transfer, newest, recipient } = await open(t);
  async function* message() {
    yield Buffer.from('Bcc: a@b.example\r\n\r\n');
  }
  await transfer.accept({ reversePath: FROM, recipients: [TO] }, message(), {
    kind: 'smtp',
    listener: 'smtp',
    remoteAddress: '192.0.2.7',
    heloName: 'h',
    isExtended: true,
    tls: undefined,
    role: 'relayIn',
    submitter: { kind: 'anyone' },
  });
  t.equal((await newest(recipient)).toString(), 'Bcc: a@b.example\r\n\r\n');
});
