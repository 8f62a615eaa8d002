/**
 * Retention in the whole appliance: what POP3 deletes is restored by the command line and by IMAP, and a kill between QUIT's
 * commit and its answer leaves each message in exactly one place. The control is a server that deletes before it retains.
 */

import t, { type Test } from 'tap';

import { addAccount, createSite, type RunningServer } from '../support/appliance.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { RawImap } from '../support/rawImap.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

const RETAINING = '[pop3]\nretentionDays = 7\ndeleteAfterFetchDays = 30\n';
const KILL = "process.kill(process.pid, 'SIGKILL');";
const QUIT = 'pop3d/commands/quit.ts';

t.setTimeout(300_000);

t.test('what POP3 deleted comes back by the command line and by IMAP', async (t) => {
  const site = createSite(RETAINING);
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const server = await site.serve();
  await deliver(server, box, ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=', 'two \x1b[31mred\u202e', 'three']);
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  for (const number of [1, 2, 3]) {
    await pop3.retrieve(number);
    await pop3.command(`DELE ${number}`);
  }
  await pop3.quit();
  t.same(await subjectsIn(server, box, 'INBOX'), []);

  const { stdout } = await site.cli(['fetched', 'list', box.address]);
  t.match(
    stdout.toString(),
    /^NUMBER +DELETED AT +FROM +SIZE +SUBJECT\n3 .* three\n2 .* two \[31mred\n1 .*Anna Öl.* Grüße\n$/,
  );
  t.same(await site.cliJson(['fetched', 'list', box.address, '--since', '2999-01-01']), []);
  t.match(await site.cliJson(['account', 'show', box.address]), { messages: 0, retainedMessages: 3 });
  t.match(await site.cliJson(['status']), { retained: { messages: 3 } });

  t.match(await site.cliJson(['fetched', 'restore', box.address, '2']), { restored: 1, inboxUids: [4] });
  for (const wrong of [['2'], [], ['1', '--all'], ['--since', 'yesterday']]) {
    const { exitCode } = await site.cli(['fetched', 'restore', box.address, ...wrong]);
    t.not(exitCode, 0, wrong.join(' '));
  }
  const imap = await RawImap.open(server.ports.imap, box);
  t.equal(await imap.select('Fetched', 'SELECT'), 2);
  await imap.command('UID MOVE 1 INBOX');
  await imap.logout();
  t.match(await site.cliJson(['fetched', 'restore', box.address, '--all']), { restored: 1, inboxUids: [6] });
  t.equal((await site.cli(['fetched', 'restore', box.address, '--all'])).exitCode, 1, 'nothing is left');

  const again = await RawPop3.open(server.ports.pop3, box);
  t.same([...(await again.uidl()).values()], ['4', '5', '6'], 'and a client fetches them as new ones');
  await again.quit();
  // What sessions note is written a moment later, and by the server's end at the latest: all of this takes less than a moment.
  t.equal((await server.stop()).exitCode, 0);
  const traces = (await site.cliJson(['trace', box.address])) as { events: { kind: string }[] }[];
  const kinds = traces.at(-1)?.events.map(({ kind }) => kind);
  t.same(kinds, ['accepted', 'stored', 'fetched', 'retained', 'restored']);
});

t.test('a kill before or after QUIT’s commit leaves each message in exactly one place', async (t) => {
  const after = { file: QUIT, from: 'await recording;', to: `await recording; ${KILL}` };
  t.same(await placesAfterKill(t, after), { INBOX: [], Fetched: ['one', 'two'] });
  const begin = 'const recording = recordLastFetches(session, maildrop);';
  const before = { file: QUIT, from: begin, to: `${KILL} ${begin}` };
  t.same(await placesAfterKill(t, before), { INBOX: ['one', 'two'], Fetched: [] });
});

t.test('the same check finds messages lost when they are deleted before they are retained', async (t) => {
  const from = 'return this.#mailboxes.retain(this.mailboxId, await this.#markedRanges(pacer), fields);';
  const to = `await this.expungeMarked(pacer); ${KILL} ${from}`;
  t.same(await placesAfterKill(t, { file: 'pop3d/maildrop.ts', from, to }), { INBOX: [], Fetched: [] });
});

/** Deletes two messages by a server that kills itself in QUIT, and answers where a whole one finds them. */
async function placesAfterKill(t: Test, patch: Patch) {
  const broken = createSite(RETAINING, createPatchedCopy(t, patch));
  t.teardown(() => broken.remove());
  const box = await addAccount(broken, 'ticket');
  const server = await broken.serve();
  await deliver(server, box, ['one', 'two']);
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  for (const number of [1, 2]) await pop3.command(`DELE ${number}`);
  await t.rejects(pop3.quit(), 'QUIT is not answered');
  await server.program.ended;
  const next = await broken.serve();
  const places = {
    INBOX: await subjectsIn(next, box, 'INBOX'),
    Fetched: await subjectsIn(next, box, 'Fetched'),
  };
  await next.stop();
  return places;
}

async function deliver(server: RunningServer, box: Login, subjects: readonly string[]): Promise<void> {
  const smtp = await RawSmtp.open(server.ports.smtp);
  for (const subject of subjects) {
    const text = `From: =?UTF-8?Q?Anna_=C3=96l?= <anna@example.org>\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
    await smtp.deliver({ from: 'anna@example.org', to: [box.address] }, Buffer.from(text));
  }
}

/** Subjects of the messages of a mailbox, as they are written; none where there is no such mailbox. */
async function subjectsIn(server: RunningServer, box: Login, mailbox: string): Promise<string[]> {
  const imap = await RawImap.open(server.ports.imap, box);
  const count = await imap.select(mailbox).catch(() => 0);
  const messages = count === 0 ? [] : await imap.fetch('1:*');
  await imap.logout();
  return messages.map(({ octets }) => /^Subject: (.*?)\r$/m.exec(octets.toString())?.[1] ?? '');
}
