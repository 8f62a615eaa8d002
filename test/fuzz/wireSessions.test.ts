/**
 * SMTP and POP3 sessions of commands with octets changed, lost, doubled and put in, cut anywhere and dropped at will, against
 * the server as a process: it lives, logs no error, serves a session beside them, and stores only what it acknowledged. The
 * seed is fixed; FUZZ_SEED and FUZZ_ROUNDS change the run. IMAP has a file of its own.
 */

import t from 'tap';

import { createSite } from '../support/appliance.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { PeerSocket } from '../support/peerSocket.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { Below } from '../support/randomNumbers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 5321);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);
const COMMANDS_PER_SESSION = 12;

const ADDRESS = 'in@app.example.com';
const PIECES = [
  ' ',
  '\r\n',
  '\n',
  '\r',
  '\r\n.\r\n',
  '.',
  '<',
  '>',
  '@',
  '"',
  '\\',
  ':',
  '=',
  '\0',
  '\xff',
  '99999999999',
];

/** What a session is mutated from: its beginning, which stays whole most of the time, and commands in any order. */
const GRAMMARS = {
  smtp: {
    openings: ['', 'EHLO x\r\n', `EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<${ADDRESS}>\r\n`],
    commands: [
      'EHLO client.example.org',
      'HELO x',
      'MAIL FROM:<a@example.org> SIZE=100 BODY=8BITMIME',
      'MAIL FROM:<>',
      'MAIL FROM:<"quoted \\" name"@example.org>',
      'MAIL FROM:<ä@example.org> SMTPUTF8',
      `RCPT TO:<${ADDRESS}>`,
      'RCPT TO:<@a.example,@b.example:c@app.example.com>',
      'RCPT TO:<postmaster>',
      'DATA',
      'DATA\r\nSubject: fuzz\r\n\r\n..\r\ntext\r\n.',
      'DATA\r\nSubject: fuzz\r\n\r\nno end\n.\n',
      'BDAT 20 LAST\r\nSubject: chunked\r\n\r\n',
      'RSET',
      'NOOP x',
      'VRFY in',
      'AUTH PLAIN AGEAYg==',
      'HELP',
      'QUIT',
    ],
  },
  pop3: {
    openings: ['', 'CAPA\r\n', `USER ${ADDRESS}\r\nPASS secret of in\r\n`],
    commands: [
      `USER ${ADDRESS}`,
      'PASS secret of in',
      'AUTH PLAIN AGEAYg==',
      'AUTH LOGIN\r\naW4=\r\n*',
      'CAPA',
      'STAT',
      'LIST',
      'LIST 1',
      'UIDL',
      'UIDL 2',
      'RETR 1',
      'TOP 1 10',
      'NOOP',
      'RSET',
    ],
  },
} as const;

t.setTimeout(300_000);

// What is counted has to be stored each time, also where two rounds say the same.
const site = createSite('[transfer]\nsuppressResends = false\n');
t.teardown(() => site.remove());
const server = await site.serve();
const [account = { address: ADDRESS, password: '' }] = await addAccounts(site, ['in']);
await callServer(site, 'domain.set', { name: 'app.example.com', aliases: ['alias.example.com'] });
const canary = {
  smtp: await RawSmtp.open(server.ports.smtp),
  pop3: await RawPop3.open(server.ports.pop3, account),
};
let acknowledged = 0;
await askCanaries();

for (const protocol of ['smtp', 'pop3'] as const) {
  t.test(`${protocol}: sessions of broken commands break nothing (seed ${SEED})`, async (t) => {
    const below = randomNumbers(SEED);
    for (let round = 0; round < ROUNDS; round += 1) {
      const input = broken(protocol, below);
      const answered = await converse(server.ports[protocol], input, below);
      acknowledged += answered.match(/^250 2\.0\.0 Queued as /gm)?.length ?? 0;
      const isReply = protocol === 'smtp' ? /^(\d{3}[ -].*\r\n)+$/ : /^(\+OK|-ERR)/;
      if (!isReply.test(answered))
        t.fail(`round ${round}: ${JSON.stringify(input)} got ${JSON.stringify(answered)}`);
      await askCanaries();
    }
    t.pass(`${ROUNDS} rounds`);
  });
}

t.test('the server lives, has logged no error, and holds what it acknowledged', async (t) => {
  const imap = await RawImap.open(server.ports.imap, account);
  // A session that was dropped may have been acknowledged unheard.
  t.ok((await imap.select()) >= acknowledged, `${acknowledged} acknowledged`);
  await imap.logout();
  await canary.smtp.quit();
  await canary.pop3.quit();
  const { exitCode, stdout, stderr } = await server.stop();
  t.equal(exitCode, 0);
  t.notMatch(stdout.toString(), /"level":"error"/);
  t.notMatch(stderr.toString(), /error|warning|^ +at /im);
});

/** Sessions beside the broken ones: one delivers, which SMTP wants to see now and then, one asks. */
async function askCanaries(): Promise<void> {
  const envelope = { from: '', to: [account.address] };
  const reply = await canary.smtp.deliver(envelope, Buffer.from('Subject: canary\r\n\r\n.text\r\n'));
  if (reply.code !== 250) throw new Error(reply.text);
  acknowledged += 1;
  await canary.pop3.command('NOOP');
}

/** Sends `input` in two cuts and leaves in one of three ways; answers what came behind the greeting. */
async function converse(port: number, input: Buffer, below: Below): Promise<string> {
  const socket = await PeerSocket.connect(port);
  const greeting = await socket.readLine();
  const cut = below(input.length + 1);
  const leaving = below(4);
  // The server may end the session while the client still writes.
  await socket.write(input.subarray(0, cut)).catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  await socket.write(input.subarray(cut)).catch(() => {});
  if (leaving === 0) {
    socket.reset();
    return `${greeting}\r\n`;
  }
  socket.socket.end();
  const answered = await socket.readToEnd();
  socket.destroy();
  return `${greeting}\r\n${answered.toString('latin1')}`;
}

function broken(protocol: 'smtp' | 'pop3', below: Below): Buffer {
  const { openings, commands } = GRAMMARS[protocol];
  const opening = openings[below(openings.length)] ?? '';
  const lines = Array.from({ length: COMMANDS_PER_SESSION }, () => commands[below(commands.length)] ?? '');
  const text =
    below(4) === 0
      ? mutate(opening + lines.join('\r\n'), below)
      : opening + lines.map((line) => mutate(line, below)).join('\r\n');
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** Up to three octets or stretches of `text` changed, lost, put in or doubled. */
function mutate(text: string, below: Below): string {
  let result = text;
  for (let count = below(3); count > 0; count -= 1) {
    const at = below(result.length + 1);
    const [head, tail] = [result.slice(0, at), result.slice(at)];
    const kinds = [
      () => head + String.fromCharCode(below(256)) + tail.slice(1),
      () => head + tail.slice(below(4)),
      () => head + (PIECES[below(PIECES.length)] ?? '') + tail,
      () => head + result.slice(below(at + 1), at) + tail,
    ];
    result = kinds[below(kinds.length)]?.() ?? result;
  }
  return result;
}
