/** To whom reports of failed items go, and to whom never: the rule against backscatter, forwards, the postmaster. */

import t from 'tap';
import type { QueueItem } from '../../src/store/contract/queue.ts';
import type { Submitter } from '../../src/transfer/contract.ts';
import { failed, openSettlingSite } from './settlingSite.ts';

const ANYONE: Submitter = { kind: 'anyone' };
const FROM = 'sender@app.example';

t.test('a report goes where the sender was proved, or to addresses of ours; else to nobody', async (t) => {
  const site = await openSettlingSite(t);
  const { administration, store } = site.site;
  await administration.domains.add({ name: 'split.example' });
  await administration.routes.add({
    name: 'split',
    position: 1,
    recipients: ['*@split.example'],
    target: { kind: 'relay', relay: 'm365' },
  });
  await administration.routes.add({
    name: 'open',
    position: 1,
    recipients: ['*@far.example'],
    isOpenTo: 'anyone',
    target: { kind: 'relay', relay: 'm365' },
  });
  const settings = { 'submission.senders': '*' };
  const account: Submitter = { kind: 'account', account: { ...site.sender, settings } };
  const cases: readonly (readonly [string, Submitter, string])[] = [
    ['somebody@elsewhere.example', ANYONE, 'dsnDue a@far.example foreignSender'],
    ['somebody@elsewhere.example', account, 'queued'],
    ['sender@app.example', ANYONE, 'local'],
    ['nobody@app.example', ANYONE, 'dsnDue a@far.example recipientUnknown'],
    // A domain of ours whose mail a route takes, for submitters only.
    ['boss@split.example', ANYONE, 'dsnDue a@far.example recipientUnknown'],
    ['boss@split.example', account, 'queued'],
    // Somebody whom anybody may reach through us: not by reports to invented senders.
    ['invented@far.example', ANYONE, 'dsnDue a@far.example foreignSender'],
    ['', ANYONE, 'dsnDue a@far.example nullPath'],
    ['', account, 'dsnDue a@far.example nullPath'],
  ];
  for (const [reversePath, submitter, expected] of cases) {
    const before = (await site.inbox(site.sender)).length;
    const [item] = (await site.queue({ reversePath, recipients: ['a@far.example'] }, submitter)) as [
      QueueItem,
    ];
    t.equal(item.isSubmitted, submitter.kind !== 'anyone');
    await site.settling.settle([failed(item)]);
    const [report, ...more] = await site.items();
    t.equal(more.length, 0, 'the failed item is gone');
    const isLocal = (await site.inbox(site.sender)).length > before;
    const last = (await site.events(item)).at(-1) ?? '';
    const outcome = report !== undefined ? 'queued' : isLocal ? 'local' : last;
    t.equal(outcome, expected, `<${reversePath}> ${submitter.kind}`);
    if (report === undefined) continue;
    t.match(report, { recipient: reversePath, reversePath: '', isSubmitted: false });
    // The report fails as well.
    await site.settling.settle([failed(report)]);
    t.strictSame(await site.items(), [], 'of a report there is no report');
    t.equal((await site.events(report)).at(-1), `dsnDue ${reversePath} nullPath`);
  }
  t.ok(await store.queue.list({}, 1));
});

t.test(
  'where a forward fails of which a foreign sender must not hear, whoever forwards is told and keeps it',
  async (t) => {
    const site = await openSettlingSite(t);
    await site.site.administration.forwards.add({
      account: 'me@app.example',
      targets: ['me@far.example'],
      keepsCopy: false,
    });
    const envelope = { reversePath: 'somebody@elsewhere.example', recipients: ['me@app.example'] };
    const [item] = (await site.queue(envelope, ANYONE)) as [QueueItem];
    t.match(item, { recipient: 'me@far.example', forwardedFor: 'me@app.example', isSubmitted: false });
    await site.settling.settle([failed(item)]);
    const [report = ''] = await site.inbox(site.me);
    t.match(report, /To: <me@app\.example>/);
    t.match(report, /because me@app\.example forwards/);
    const [forwarded, ...more] = await site.items();
    t.match(forwarded, { recipient: 'me@far.example', reversePath: '' });
    await site.settling.settle([failed(forwarded as QueueItem)]);
    t.equal(more.length + (await site.items()).length, 0, 'and that is the end of it');
    // A sender of ours is told himself.
    const [own] = (await site.queue({ ...envelope, reversePath: FROM }, ANYONE)) as [QueueItem];
    await site.settling.settle([failed(own)]);
    t.equal((await site.inbox(site.sender)).length, 1);
    t.equal((await site.inbox(site.me)).length, 1);
  },
);

t.test('the postmaster hears what is set', async (t) => {
  for (const [copyToPostmaster, untold, told] of [
    ['off', 0, 0],
    ['untold', 1, 0],
    ['failures', 1, 1],
  ] as const) {
    const site = await openSettlingSite(t, { reports: { languages: 'en', copyToPostmaster } });
    const postmaster = await site.site.addAccount('postmaster@app.example');
    const count = async () => (await site.inbox(postmaster)).length;
    const [foreign] = (await site.queue({ reversePath: '', recipients: ['a@far.example'] })) as [QueueItem];
    await site.settling.settle([failed(foreign)]);
    t.equal(await count(), untold, `${copyToPostmaster}: nobody else`);
    const [own] = (await site.queue({ reversePath: FROM, recipients: ['a@far.example'] })) as [QueueItem];
    await site.settling.settle([failed(own)]);
    t.equal(await count(), untold + told, `${copyToPostmaster}: a copy`);
    t.equal((await site.inbox(site.sender)).length, 1);
    t.strictSame(await site.items(), []);
    if (untold > 0) t.match((await site.inbox(postmaster))[0], /This report is for the postmaster/);
  }
});
