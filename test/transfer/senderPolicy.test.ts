/** Who may submit with which sender, what is rewritten, and how much may be sent: each limit met, and what is just below it. */

import t, { type Test } from 'tap';

import type { Account, IpRange } from '../../src/store/contract/directory.ts';
import type { Acceptance, Submitter } from '../../src/transfer/contract.ts';
import { openSubmissionSite } from './submissionSite.ts';

const APP = 'app@app.example.com';
const TO = 'in@app.example.com';
const LIMITS = { recipientLimit: 0, recipientsPerDayLimit: 0, messagesPerMinuteLimit: 0 };
const ACCEPTED = { kind: 'accepted' };

async function open(t: Test, limits: Partial<typeof LIMITS> & { readonly sizeLimitOctets?: number } = {}) {
  const door = await openSubmissionSite(t, { submission: { ...LIMITS, ...limits } });
  const { site, submit, transfer } = door;
  const app = await site.addAccount(APP);
  const recipient = await site.addAccount(TO);
  const { accounts, ipRanges } = site.administration;
  return {
    ...door,
    recipient,
    app: { kind: 'account', account: app } as Submitter,
    /** The account with these settings. */
    async appWith(settings: Readonly<Record<string, string | null>>): Promise<Submitter> {
      await accounts.set(APP, { settings });
      const account = (await site.store.directory.findAccount(APP)) as Account;
      return { kind: 'account', account };
    },
    /** A range with these settings. */
    async rangeWith(settings: Readonly<Record<string, string>> = {}): Promise<Submitter> {
      const name = `Printers ${(await ipRanges.list()).length}`;
      const range: IpRange = await ipRanges.add({ name, addresses: ['10.0.7.1'], settings });
      return { kind: 'range', range };
    },
    async mail(submitter: Submitter, reversePath: string, octets?: number) {
      const verdict = await transfer.checkSender(reversePath, submitter, octets);
      return verdict.kind === 'accepted' ? 'accepted' : replyText(verdict.error.reply);
    },
    send: (submitter: Submitter, from: string, header: string, recipients = [TO]): Promise<Acceptance> =>
      submit(submitter, { reversePath: from, recipients }, `${header}\r\n\r\nbody\r\n`),
  };
}

function replyText({ smtp, publicText }: { smtp: { code: number; status: string }; publicText: string }) {
  return `${smtp.code} ${smtp.status} ${publicText}`;
}

function refused(acceptance: Acceptance): string {
  return acceptance.kind === 'accepted' ? 'accepted' : replyText(acceptance.error.reply);
}

t.test('an account sends as the addresses whose mail comes to it alone', async (t) => {
  const { site, app, mail } = await open(t);
  const { domains, aliases, accounts } = site.administration;
  await domains.set('app.example.com', { aliases: ['app.example.net'] });
  await aliases.add({ address: 'sales@app.example.com', targets: [APP] });
  await aliases.add({ address: 'chain@app.example.com', targets: ['sales@app.example.com'] });
  await aliases.add({ address: 'both@app.example.com', targets: [APP, TO] });
  const cases: readonly [from: string, isAllowed: boolean][] = [
    [APP, true],
    ['APP@App.Example.COM', true],
    ['"app"@app.example.com', true],
    ['app@app.example.net', true],
    ['sales@app.example.com', true],
    ['chain@app.example.com', true],
    ['sales@app.example.net', true],
    ['', true],
    ['both@app.example.com', false],
    [TO, false],
    ['nobody@app.example.com', false],
    ['app@elsewhere.example', false],
    ['app%app.example.com@elsewhere.example', false],
    ['"app@app.example.com"@elsewhere.example', false],
    ['\u0430pp@app.example.com', false],
    ['app@[127.0.0.1]', false],
  ];
  for (const [from, isAllowed] of cases) {
    const expected = isAllowed ? 'accepted' : /^550 5\.7\.1 The sender address .* may not be used by app@app/;
    t.match(await mail(app, from), expected, from);
  }
  t.equal(await mail(app, 'app+list@app.example.com'), 'accepted', 'a plus address of its own');
  await site.administration.lists.add({ address: 'team@app.example.com', members: [APP] });
  t.match(await mail(app, 'team@app.example.com'), /^550/, 'a list is nobody’s own');
  await domains.set('app.example.com', { catchAll: APP });
  t.equal(await mail(app, 'nobody@app.example.com'), 'accepted', 'what falls to it by catch-all is its own');
  t.match(await mail(app, 'team@app.example.com'), /^550/, 'but not a list');
  await accounts.set(TO, { isEnabled: false });
  t.match(await mail(app, TO), /^550/, 'a disabled neighbour’s address is not');
});

t.test('a range sends as any address of our domains, known or not', async (t) => {
  const { mail, rangeWith } = await open(t);
  const printers = await rangeWith();
  for (const from of [APP, TO, 'scanner3@app.example.com', ''])
    t.equal(await mail(printers, from), 'accepted', from);
  for (const from of ['scan@device.local', 'a@elsewhere.example', 'a@[10.0.7.1]', 'a@sub.app.example.com'])
    t.match(
      await mail(printers, from),
      /^550 5\.7\.1 The sender address \S+ may not be used by clients of the IP range Printers 2$/,
    );
});

t.test('patterns name addresses, domains, domains below one, or everybody', async (t) => {
  const { mail, appWith, rangeWith } = await open(t);
  const senders = (patterns: string) => appWith({ 'submission.senders': patterns });
  const some = await senders(' Boss@Elsewhere.example , partner.example, *.devices.example,own');
  for (const from of [
    'boss@elsewhere.example',
    'x@partner.example',
    'x@a.devices.example',
    'x@b.a.devices.example',
    APP,
  ])
    t.equal(await mail(some, from), 'accepted', from);
  for (const from of [
    'x@elsewhere.example',
    'x@sub.partner.example',
    'x@devices.example',
    'x@evildevices.example',
    TO,
  ])
    t.match(await mail(some, from), /^550/, from);
  const local = await senders('local');
  t.equal(await mail(local, 'nobody@app.example.com'), 'accepted');
  const boss = await senders('boss@elsewhere.example');
  t.match(await mail(boss, APP), /^550/, 'what is set goes before what is usual');
  const all = await rangeWith({ 'submission.senders': '*' });
  for (const from of ['a@b.example', 'a@[10.0.7.1]', 'a@_odd'])
    t.equal(await mail(all, from), 'accepted', from);
});

t.test('From is held against the same addresses, in every reading of it', async (t) => {
  const { app, send, logged, refusals, appWith } = await open(t);
  const allowed = [
    `From: ${APP}`,
    `From: "ceo@elsewhere.example" <${APP}>`,
    `From: =?utf-8?q?ceo=40elsewhere?= <${APP}>`,
    `from : <APP@app.example.com>`,
    'Subject: no From at all',
    `From: ${APP}\r\nSender: somebody@elsewhere.example\r\nReply-To: x@elsewhere.example`,
  ];
  for (const header of allowed) t.match(await send(app, APP, header), ACCEPTED, header);
  const other = 'ceo@elsewhere.example';
  const forbidden = [
    `From: ${other}`,
    `From: ${APP}, ${other}`,
    `From: ${APP}\r\nFrom: ${other}`,
    `From: ${other} <${APP}>`,
    `From: <${APP}> <${other}>`,
    `\ufeffFrom: ${other}\r\nFrom: ${APP}`,
    ` From: ${other}`,
    `From: ${TO}`,
    'From:',
    'From: root',
    'From: =?utf-8?b?Y2VvQGV4YW1wbGU=?=@app.example.com',
    `Resent-From: ${APP}\r\nFrom: ${other}`,
    Array.from({ length: 11 }, () => `From: ${APP}`).join('\r\n'),
  ];
  for (const header of forbidden) {
    const acceptance = await send(app, APP, Buffer.from(header).toString('latin1'));
    t.match(
      refused(acceptance),
      /^550 5\.7\.1 .* may not be (?:used|sent) by app@app\.example\.com$/,
      header,
    );
    t.equal(refusals.at(-1)?.traceId, acceptance.traceId);
  }
  t.match(logged.at(-1), [
    'transfer.message.refused',
    { code: 'senderRefused', reason: /so many From fields/ },
  ]);
  t.match(
    await send(await appWith({ 'submission.senders': '*' }), APP, 'From: root'),
    ACCEPTED,
    'where every sender is allowed an unclear one is too',
  );
});

t.test(
  'a sender that is not allowed is rewritten where that is set, one that is allowed stays',
  async (t) => {
    const { rangeWith, send, mail, newest, recipient, traceOf, site } = await open(t);
    const printers = await rangeWith({ 'submission.rewriteSender': 'Scanner@app.example.com' });
    t.equal(await mail(printers, 'scan@device.local'), 'accepted');
    const acceptance = await send(
      printers,
      'scan@device.local',
      'From: Hall 3 <scan@device.local>\r\nDate: x\r\nMessage-ID: <y>\r\nBcc: z@x.example',
    );
    t.equal(
      (await newest(recipient)).toString(),
      'From: Hall 3 <scanner@app.example.com>\r\nX-Original-From: Hall 3 <scan@device.local>\r\n' +
        'Date: x\r\nMessage-ID: <y>\r\n\r\nbody\r\n',
    );
    const trace = await traceOf(acceptance);
    t.equal(trace?.reversePath, 'scanner@app.example.com');
    t.match(trace?.events[0]?.fields, {
      range: 'Printers 2',
      removed: 'Bcc',
      rewrittenSender: 'scan@device.local',
      rewrittenFrom: 'Hall 3 <scan@device.local>',
    });
    await send(printers, 'b@app.example.com', 'From: c@app.example.com\r\nDate: x\r\nMessage-ID: <y>');
    t.equal(
      (await newest(recipient)).toString(),
      'From: c@app.example.com\r\nDate: x\r\nMessage-ID: <y>\r\n\r\nbody\r\n',
    );
    t.equal((await site.store.trace.findByAddress('b@app.example.com', 1)).length, 1);
    await send(printers, '', 'Date: x\r\nMessage-ID: <y>');
    t.match((await newest(recipient)).toString(), /^From: <scanner@app\.example\.com>\r\nDate/);
    t.equal(
      (await site.store.trace.findByAddress('scanner@app.example.com', 9)).length,
      1,
      'the null path stays',
    );
  },
);

t.test('routes hear of the sender that the message will have', async (t) => {
  const { rangeWith, transfer, site, send } = await open(t);
  await site.administration.routes.add({
    name: 'No scans',
    recipients: [TO],
    senders: ['scanner@app.example.com'],
    target: { kind: 'refuse', text: 'No scans here' },
  });
  const printers = await rangeWith({ 'submission.rewriteSender': 'scanner@app.example.com' });
  const rcpt = (reversePath: string) =>
    transfer.checkRecipient(TO, { octets: 0, reversePath, submitter: printers });
  t.match(await rcpt('scan@device.local'), {
    kind: 'refused',
    error: { reply: { publicText: /No scans here/ } },
  });
  t.match(await rcpt('other@app.example.com'), ACCEPTED);
  t.match(refused(await send(printers, 'scan@device.local', 'X: y')), /No scans here/);
  t.match(await send(printers, 'other@app.example.com', 'X: y'), ACCEPTED);
});

t.test('a message has so many recipients and no more, at RCPT and at the end of the data', async (t) => {
  const { app, transfer, send, appWith } = await open(t, { recipientLimit: 2 });
  const rcpt = async (submitter: Submitter, acceptedRecipients: number) => {
    const question = { octets: 0, reversePath: APP, submitter, acceptedRecipients };
    const verdict = await transfer.checkRecipient(TO, question);
    return verdict.kind === 'accepted' ? 'accepted' : replyText(verdict.error.reply);
  };
  t.equal(await rcpt(app, 1), 'accepted');
  t.equal(await rcpt(app, 2), `452 4.5.3 A message by ${APP} may have 2 recipients at most`);
  t.equal(await rcpt(await appWith({ 'submission.recipientLimit': '3' }), 2), 'accepted');
  t.equal(await rcpt({ kind: 'anyone' }, 2), 'accepted', 'who relays to us is not meant');
  const three = ['a', 'b', 'c'].map((name) => `${name}@app.example.com`);
  t.match(refused(await send(app, APP, 'X: y', three)), /^452 4\.5\.3/);
});

t.test('a day has so many recipients, counted with each message that is stored and no other', async (t) => {
  const { app, transfer, send, clock, site, rangeWith, appWith } = await open(t, {
    recipientsPerDayLimit: 3,
  });
  const rcpt = async (submitter: Submitter, acceptedRecipients = 0) => {
    const question = { octets: 0, reversePath: APP, submitter, acceptedRecipients };
    const verdict = await transfer.checkRecipient(TO, question);
    return verdict.kind === 'accepted' ? 'accepted' : replyText(verdict.error.reply);
  };
  const usedUp = `452 4.7.1 The 3 recipients a day of ${APP} are used up, please try again tomorrow`;
  t.match(await send(app, APP, 'X: y', [TO, APP]), ACCEPTED);
  t.match(refused(await send(app, APP, `From: ${TO}`)), /^550/, 'this one counts nothing');
  t.match(refused(await send(app, APP, 'X: y', ['gone@app.example.com'])), /^550/, 'nor does this one');
  t.equal(await rcpt(app), 'accepted');
  t.equal(await rcpt(app, 1), usedUp);
  t.match(refused(await send(app, APP, 'X: y', [TO, APP])), /^452 4\.7\.1/, 'the store has the last word');
  t.match(await send(app, APP, 'X: y'), ACCEPTED);
  t.equal(await rcpt(app), usedUp);
  t.match(
    await transfer.checkRecipient('gone@app.example.com', { octets: 0, reversePath: APP, submitter: app }),
    {
      error: { code: 'recipientUnknown' },
    },
    'a recipient that is none is told so',
  );
  t.equal(await rcpt(await rangeWith()), 'accepted', 'others have their own count');
  t.equal(await rcpt(await appWith({ 'submission.recipientsPerDayLimit': '0' })), 'accepted');
  const { id } = (await site.store.directory.findAccount(APP)) as Account;
  const day = (offset: number) =>
    site.store.deliveries.sendingUse({ kind: 'account', accountId: id }, localDay(clock.now()) + offset);
  t.same(await day(0), { messages: 2, recipients: 3 });
  t.same(await day(1), { messages: 0, recipients: 0 });
  clock.advance(24 * 3_600_000);
  t.equal(await rcpt(app, 2), 'accepted', 'the next day begins anew');
  t.match(await send(app, APP, 'X: y'), ACCEPTED);
  t.same(await day(0), { messages: 1, recipients: 1 });
});

t.test('many messages at once do not get past the limit of the day', async (t) => {
  const { app, send, site, clock } = await open(t, { recipientsPerDayLimit: 10 });
  const sent = await Promise.all(Array.from({ length: 30 }, () => send(app, APP, 'X: y')));
  t.equal(sent.filter(({ kind }) => kind === 'accepted').length, 10);
  for (const acceptance of sent.filter(({ kind }) => kind === 'refused'))
    t.match(refused(acceptance), /^452 4\.7\.1/);
  const { id } = (await site.store.directory.findAccount(APP)) as Account;
  const use = await site.store.deliveries.sendingUse(
    { kind: 'account', accountId: id },
    localDay(clock.now()),
  );
  t.same(use, { messages: 10, recipients: 10 });
});

t.test('a minute has so many messages; what is refused takes no place', async (t) => {
  const { app, mail, send, clock, rangeWith } = await open(t, { messagesPerMinuteLimit: 3 });
  for (let count = 0; count < 2; count += 1) t.match(await send(app, APP, 'X: y'), ACCEPTED);
  t.match(refused(await send(app, APP, `From: ${TO}`)), /^550/);
  clock.advance(20_000);
  t.equal(await mail(app, APP), 'accepted');
  t.match(await send(app, APP, 'X: y'), ACCEPTED);
  const text = `452 4.7.1 More than 3 messages within a minute by ${APP}, please try again later`;
  t.equal(await mail(app, APP), text);
  t.equal(refused(await send(app, APP, 'X: y')), text);
  t.equal(await mail(await rangeWith(), APP), 'accepted', 'others have their own minute');
  clock.advance(40_000);
  t.equal(await mail(app, APP), 'accepted', 'the first two are a minute ago');
  const many = await Promise.all(Array.from({ length: 5 }, () => send(app, APP, 'X: y')));
  t.equal(many.filter(({ kind }) => kind === 'accepted').length, 2, 'many at once get what is left');
});

t.test('a message of a submitter may have so many octets, as declared and as sent', async (t) => {
  const { app, mail, submit, appWith } = await open(t, { sizeLimitOctets: 2048 });
  t.equal(await mail(app, APP, 2048), 'accepted');
  t.equal(await mail(app, APP, 2049), `552 5.3.4 A message by ${APP} may have 2 KiB at most`);
  const message = (octets: number) => `X: y\r\n\r\n${'x'.repeat(octets - 8)}`;
  const envelope = { reversePath: APP, recipients: [TO] };
  t.match(await submit(app, envelope, message(2048)), ACCEPTED);
  t.match(
    refused(await submit(app, envelope, message(2049))),
    /^552 5\.3\.4 A message by app@.* 2 KiB at most$/,
  );
  const larger = await appWith({ 'submission.sizeLimitOctets': '4096' });
  t.match(await submit(larger, envelope, message(2049)), ACCEPTED);
});

t.test('settings are checked and kept in one form', async (t) => {
  const { site } = await open(t);
  const { accounts, ipRanges } = site.administration;
  const set = (name: string, value: string) => accounts.set(APP, { settings: { [name]: value } });
  const wrong: readonly [name: string, value: string][] = [
    ['submission.senders', ''],
    ['submission.senders', 'a@b@c,own'],
    ['submission.senders', 'x y'],
    ['submission.rewriteSender', 'nobody'],
    ['submission.recipientLimit', '0'],
    ['submission.messagesPerMinuteLimit', '10001'],
    ['submission.sizeLimitOctets', '1023'],
    ['submission.nothing', '1'],
    ['constructor', '1'],
  ];
  for (const [name, value] of wrong)
    await t.rejects(set(name, value), { code: 'invalid' }, `${name}=${value}`);
  t.match((await set('submission.senders', 'OWN, Bücher.example,a@B.example')).settings, {
    'submission.senders': 'own,xn--bcher-kva.example,a@b.example',
  });
  const range = { name: 'R', addresses: ['10.0.0.1'] };
  await t.rejects(ipRanges.add({ ...range, settings: { 'submission.senders': 'own' } }), { code: 'invalid' });
  await ipRanges.add({ ...range, settings: { 'submission.recipientLimit': '5', 'submission.senders': '*' } });
  t.same((await ipRanges.set('r', { settings: { 'submission.senders': null } })).settings, {
    'submission.recipientLimit': '5',
  });
});

function localDay(at: number): number {
  return Math.floor((at - new Date(at).getTimezoneOffset() * 60_000) / 86_400_000);
}
