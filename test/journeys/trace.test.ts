/**
 * `hauspost trace` finds each message, and each refusal, by everything that an administrator may know of it, and tells its story
 * in lines that can be read. What is refused comes from a raw client, since no real one says most of it.
 */

import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { findTraces, type TraceWay } from '../../src/admin/findTraces.ts';
import { visibleText } from '../../src/admin/table.ts';
import { tellTrace } from '../../src/admin/traceStory.ts';
import { addAccount, createSite } from '../support/appliance.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const SUBJECT = '=?UTF-8?Q?St=C3=B6rung_an_Pumpe?= 17';
const MESSAGE = Buffer.from(
  `Subject: ${SUBJECT}\r\nMessage-ID: <Alarm.17@device.example>\r\nDate: Sat, 28 Nov 2026 04:00:00 +0000\r\n\r\nIt stands.\r\n`,
);

const site = createSite();
t.teardown(() => site.remove());
const box = await addAccount(site, 'ticket');
const server = await site.serve();
const smtp = await RawSmtp.open(server.ports.smtp);
const submission = await RawSmtp.open(server.ports.submission);
const queuedId = (text: string) => /^250 2\.0\.0 Queued as (\S+)/.exec(text)?.[1] ?? text;

await smtp.command('MAIL FROM:<alarm@device.example>');
await smtp.command('RCPT TO:<nobody@app.example.com>');
await smtp.command('RCPT TO:<\x1b[2Jbad@@app.example.com>');
await smtp.command(`RCPT TO:<${box.address}>`);
await smtp.command('DATA');
const first = queuedId((await smtp.command(`${MESSAGE.toString('latin1')}.`)).text);
const again = queuedId(
  (await smtp.deliver({ from: 'alarm@device.example', to: [box.address] }, MESSAGE)).text,
);
const loop = await smtp.deliver(
  { from: 'loop@device.example', to: [box.address] },
  Buffer.from(`Delivered-To: ${box.address}\r\nSubject: round and round\r\n\r\n`),
);
await smtp.command('MAIL FROM:<giant@device.example> SIZE=999999999');
await submission.command(`AUTH PLAIN ${Buffer.from(`\0${box.address}\0wrong`).toString('base64')}`);
await smtp.quit();
await submission.quit();
await server.stop();

const store = await openStore({ directory: site.directory, clock: systemClock, log: silentLog });

/** What the verb prints, without a process of its own for each question. */
async function trace(subject: string, by?: TraceWay): Promise<string> {
  return visibleText((await findTraces(store.trace, { subject, by, limit: 20 })).map(tellTrace).join('\n'));
}

t.test('a message is found by its id, by sender, recipient, Message-ID and subject', async (t) => {
  const story = await trace(first);
  const questions: [subject: string, by?: TraceWay][] = [
    [first.toLowerCase()],
    ['Alarm@Device.example'],
    ['<alarm@device.example>'],
    ['<Alarm.17@device.example>'],
    ['Alarm.17@device.example'],
    ['störung pumpe'],
    ['STÖRUNG 17'],
    ['17', 'subject'],
    [box.address],
    ['nobody@app.example.com'],
    ['\x1b[2Jbad@@app.example.com'],
  ];
  for (const [subject, by] of questions) t.ok((await trace(subject, by)).includes(story), subject);
  t.equal(await trace('alarm.17@device.example'), '', 'a Message-ID has its case');
  t.equal(await trace('störung motor'), '');
  t.equal(await trace('alarm@device.example', 'messageId'), '');
});

t.test('its story tells who was refused, where it went, and that it came again', async (t) => {
  const lines = (await trace(first)).trimEnd().split('\n');
  t.match(lines[0], new RegExp(`^${first}  <alarm@device\\.example> to (<[^>]+>, ){2}<[^>]+>, \\d+ B$`));
  for (const path of [box.address, 'nobody@app.example.com', '\\u{1b}[2Jbad@@app.example.com'])
    t.ok(lines[0]?.includes(`<${path}>`), path);
  t.match(lines.slice(1), [
    '  Subject: Störung an Pumpe 17',
    '  Message-ID: <Alarm.17@device.example>',
    /^ {2}\d{4}-\S+Z {2}recipient refused <nobody@app\.example\.com>: 550 5\.1\.1 .* from 127\.0\.0\.1 \(\S+\) over smtp at the listener smtp$/,
    /Z {2}recipient refused <\\u\{1b\}\[2Jbad@@app\.example\.com>: 501 5\.1\.3 /,
    /Z {2}accepted from 127\.0\.0\.1 \(\S+\) over smtp at the listener smtp$/,
    new RegExp(`Z {2}stored for <${box.address}> in ${box.address}/INBOX as UID 1$`),
    new RegExp(
      `Z {2}came again as ${again}, the same message once more, which was not stored for <${box.address}>$`,
    ),
  ]);
  t.equal(lines.length, 8);
  t.match(
    await trace(again),
    new RegExp(`not stored for <${box.address}>: the same message once more, first stored as ${first}\n`),
  );
});

t.test(
  'what was refused is found by address, by subject, by the network it came from and by the login name',
  async (t) => {
    t.match(loop.text, /^554 5\.4\.6 /);
    t.match(
      await trace('round round'),
      /Subject: round and round\n.*refused: 554 5\.4\.6 .*\(mailLoop\) from 127\.0\.0\.1/,
    );
    t.match(await trace('giant@device.example'), /sender refused: 552 5\.3\.4 .* from 127\.0\.0\.1/);
    const login = new RegExp(
      `login refused to ${box.address}: \\d{3} [45]\\.7\\.\\d+ .* at the listener submission`,
    );
    t.match(await trace(box.address), login);
    const all = await trace('127.0.0.1');
    for (const what of [login, /giant/, /round and round/, /nobody/]) t.match(all, what);
    t.notMatch(all, new RegExp(`^${again}`, 'm'), 'what was accepted is not found by its network');
  },
);

t.test('the verb prints the same, and with --json as data', async (t) => {
  const story = await trace(first);
  await store.close();
  const { stdout } = await site.cli(['trace', 'störung', 'pumpe', '--limit', '2']);
  t.ok(stdout.toString().includes(story), 'it takes words one by one');
  t.match(await site.cli(['trace', 'x', '--by', 'weather']), { exitCode: 2 });
  const [byId] = (await site.cliJson(['trace', first])) as Record<string, unknown>[];
  t.match(byId, {
    traceId: first,
    messageId: 'Alarm.17@device.example',
    subject: 'Störung an Pumpe 17',
    events: [
      {
        kind: 'refused',
        fields: {
          stage: 'recipient',
          recipient: 'nobody@app.example.com',
          reply: /^550 5\.1\.1 /,
          ...{ protocol: 'smtp', listener: 'smtp', remote: '127.0.0.1' },
        },
      },
      { kind: 'refused', fields: { recipient: '\x1b[2Jbad@@app.example.com' } },
      { kind: 'accepted' },
      { kind: 'stored' },
      { kind: 'duplicate', fields: { again } },
    ],
  });
});
