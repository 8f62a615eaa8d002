/** Exim hands mail over to the appliance: by BDAT where CHUNKING is offered, byte for byte, and by DATA where it is hidden. */

import t, { type Test } from 'tap';

import { addAccount, certificateOf, createSite } from '../support/appliance.ts';
import { EXIM_PROGRAMS, openExim } from '../support/exim.ts';
import { peerTest } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';

t.setTimeout(240_000);

const LARGE_OCTETS = 5_000_000;
const BODY_LINES = ['.', '..', '.dot', 'From here', '', 'Grüße', 'x'.repeat(998), '.'];
const ODD_BODY = 'bare\nline feeds\n.\n\n.\r\n..\r\n\rand returns\r\r\n8 bit \xe4\xf6\xfc, no end';

/** An appliance whose accounts are tickets@ and archive@, heard by its protocol log, and an Exim that hands over to it. */
async function openJourney(t: Test, configuration = '') {
  const site = createSite(configuration);
  t.teardown(() => site.remove());
  const tickets = await addAccount(site, 'tickets');
  await addAccount(site, 'archive');
  const server = await site.serve();
  await site.cliJson(['protocol-log', 'on', '--all']);
  const exim = openExim(t, server.ports.smtp, certificateOf(site));
  return {
    exim,
    tickets: tickets.address,
    /** The bodies of the messages in tickets' INBOX. */
    async bodies(): Promise<Buffer[]> {
      const imap = await RawImap.open(server.ports.imap, tickets);
      await imap.select();
      const messages = await imap.fetch('1:*');
      await imap.logout();
      return messages.map(({ octets }) => octets.subarray(octets.indexOf('\r\n\r\n') + 4));
    },
    /** The commands with which messages came. */
    async said(): Promise<string[]> {
      const { stdout } = await site.cli(['protocol-log', 'show']);
      return stdout.toString().match(/(?<= C: )(?:BDAT|DATA).*/g) ?? [];
    },
  };
}

/** What a client says to Exim so that it has the odd message in its own format. */
function oddDialogue(to: string): Buffer {
  const message = Buffer.from(`Subject: odd\r\n\r\n${ODD_BODY}`, 'latin1');
  const begin = `EHLO c.example\r\nMAIL FROM:<a@sender.example> BODY=8BITMIME\r\nRCPT TO:<${to}>\r\n`;
  return Buffer.concat([
    Buffer.from(`${begin}BDAT ${message.length} LAST\r\n`),
    message,
    Buffer.from('QUIT\r\n'),
  ]);
}

await peerTest(t, EXIM_PROGRAMS, 'Exim hands over in chunks by STARTTLS, byte for byte', async (t) => {
  const { exim, tickets, bodies, said } = await openJourney(t);
  const recipients = [tickets, 'nobody@app.example.com', 'archive@app.example.com'];
  const small = BODY_LINES.join('\n');
  await exim.send('a@sender.example', recipients, Buffer.from(`Subject: small\n\n${small}\n`));
  await exim.relay(oddDialogue(tickets));
  const line = `..${'abcdefghij'.repeat(7)}\n`;
  const large = line.repeat(Math.ceil(LARGE_OCTETS / line.length));
  await exim.send('a@sender.example', [tickets], Buffer.from(`Subject: large\n\n${large}`));
  const log = exim.log();
  t.equal(
    log.match(/ [-=]> .* X=TLS1\.3:.* K C="250 2\.0\.0 Queued as /g)?.length,
    4,
    'K: CHUNKING was used',
  );
  t.match(log, / \*\* a@sender\.example .*: 550 5\.7\.1 Relaying denied\n/);
  t.match(log, / \*\* nobody@app\.example\.com .*: 550 5\.1\.1 No such recipient here\n/);
  const [first, second, third] = await bodies();
  t.equal(first?.toString(), `${small}\n`.replaceAll('\n', '\r\n'));
  t.equal(second?.toString('latin1'), ODD_BODY);
  t.ok(third?.equals(Buffer.from(large.replaceAll('\n', '\r\n'))), 'and the large one');
  const commands = await said();
  // The second is the report to the sender, who is not ours: it came pipelined behind the refused RCPT, and was dropped.
  t.equal(commands.length, 5);
  for (const command of commands) t.match(command, /^BDAT \d+( LAST)?$/);
  t.match(commands[3], /^BDAT \d+$/, 'the large one came in more than one chunk');
});

await peerTest(t, EXIM_PROGRAMS, 'Exim hands over by DATA where CHUNKING is hidden', async (t) => {
  const { exim, tickets, bodies, said } = await openJourney(t, 'smtp.chunking = "hide"');
  const small = BODY_LINES.join('\n');
  await exim.send('a@sender.example', [tickets], Buffer.from(`Subject: small\n\n${small}\n`));
  t.match(exim.log(), / => .* CV=yes C="250 2\.0\.0 Queued as /, 'no K');
  t.equal((await bodies())[0]?.toString(), `${small}\n`.replaceAll('\n', '\r\n'));
  t.strictSame(await said(), ['DATA']);
});
