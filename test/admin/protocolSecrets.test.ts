/** The protocol log and secrets: whatever a client does with its password, nothing of it nor its length comes into the log. */

import t from 'tap';

import type { Below } from '../support/randomNumbers.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { dialogue, openProtocolRig, playSteps, type ProtocolRig, type Step } from './protocolRig.ts';

t.setTimeout(300_000);

const SEED = Number(process.env.SEED ?? 20_261_125);
const NAME = 'tim@app.example.com';
/** No shorter piece of a password is looked for: three characters of Latin letters stand in any log. */
const PIECE_CHARS = 5;

type Form = readonly [
  protocol: 'pop3' | 'imap' | 'smtp' | 'submission',
  steps: (password: string) => readonly Step[],
];

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const octetsOf = (text: string) => Buffer.byteLength(text, 'utf8');
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const plain = (password: string) => base64(`\0${NAME}\0${password}`);
const OK = /\+OK|-ERR/;
const ANY = /(?:\+|a1 \w+|\* B\w+) [^\r]*\r\n$/;
const REPLY = /[2-5]\d\d [^\r]*\r\n$/;
/** What CRAM-MD5 begins with, in a row of the log: base64 of `<`, random digits and the server's name. */
const CHALLENGE = /("text":"334 )P[DG][A-Za-z0-9+/=]+(?=")/g;

/** Every way to log in, the right ones and those that are refused or meant otherwise. */
const FORMS: readonly Form[] = [
  [
    'pop3',
    (p) => [
      [`USER ${NAME}\r\n`, OK],
      [`PASS ${p}\r\n`, OK],
      ['QUIT\r\n', OK],
    ],
  ],
  ['pop3', (p) => [[`user ${NAME}\r\npass ${p}\r\nSTAT\r\nQUIT\r\n`, OK]]],
  [
    'pop3',
    (p) => [
      [`PASS ${p}\r\n`, OK],
      [`USER ${NAME} ${p}\r\n`, OK],
      [`${p}\r\n`, OK],
      ['QUIT\r\n', OK],
    ],
  ],
  [
    'pop3',
    (p) => [
      [`AUTH PLAIN ${plain(p)}\r\n`, OK],
      ['STAT\r\n', OK],
      ['QUIT\r\n', OK],
    ],
  ],
  [
    'pop3',
    (p) => [
      ['AUTH PLAIN\r\n', /\+ /],
      [`${plain(p)}\r\n`, OK],
      ['QUIT\r\n', OK],
    ],
  ],
  [
    'pop3',
    (p) => [
      ['AUTH LOGIN\r\n', /\+ /],
      [`${base64(NAME)}\r\n`, /\+ /],
      [`${base64(p)}\r\n`, OK],
      ['QUIT\r\n', OK],
    ],
  ],
  ['pop3', (p) => [[`AUTH LOGIN\r\n${base64(NAME)}\r\n${base64(p)}\r\nQUIT\r\n`, OK]]],
  [
    'pop3',
    (p) => [
      [`AUTH CRAM-MD5\r\n${base64(p)}\r\n`, OK],
      [`AUTH NTLM ${base64(p)}\r\n`, OK],
      ['QUIT\r\n', OK],
    ],
  ],
  [
    'pop3',
    (p) => [[`AUTH ${base64(p)}\r\nAPOP ${NAME} ${p}\r\nPASS ${'x'.repeat(3000)}${p}\r\nQUIT\r\n`, OK]],
  ],
  ['pop3', (p) => [[`USER ${NAME} ${p}\r\nPASS ${p}\r\nQUIT\r\n`, OK]]],
  ['pop3', (p) => [[`USER ${NAME}\r\nPASS ${p}`, OK]]],
  [
    'imap',
    (p) => [
      [`a1 LOGIN ${NAME} ${quoted(p)}\r\n`, ANY],
      ['a1 NOOP\r\n', ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [
      [`a1 LOGIN ${quoted(NAME)} ${p}\r\n`, ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [
      [`a1 LOGIN {${NAME.length}}\r\n`, ANY],
      [`${NAME} {${octetsOf(p)}}\r\n`, ANY],
      [`${p}\r\n`, ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [[`a1 LOGIN {${NAME.length}+}\r\n${NAME} {${octetsOf(p)}+}\r\n${p}\r\na1 LOGOUT\r\n`, ANY]],
  ],
  ['imap', (p) => [[`a1 LOGIN ${NAME} {${octetsOf(p)}}\r\n${p}\r\na1 LOGOUT\r\n`, ANY]]],
  ['imap', (p) => [[`a1 login {99999999}\r\n${p}\r\n${p} ${p}\r\na1 LOGOUT\r\n`, ANY]]],
  ['imap', (p) => [[`a1 LOGIN ${NAME} "${p}\r\n${p}\r\na1 ${p}\r\na1 LOGOUT\r\n`, ANY]]],
  [
    'imap',
    (p) => [
      [`a1 AUTHENTICATE PLAIN ${plain(p)}\r\n`, ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [
      ['a1 AUTHENTICATE PLAIN\r\n', ANY],
      [`${plain(p)}\r\n`, ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [
      ['a1 AUTHENTICATE LOGIN\r\n', ANY],
      [`${base64(NAME)}\r\n`, ANY],
      [`${base64(p)}\r\n`, ANY],
      ['a1 LOGOUT\r\n', ANY],
    ],
  ],
  [
    'imap',
    (p) => [
      [`a1 AUTHENTICATE CRAM-MD5\r\n${base64(p)}\r\na1 AUTHENTICATE ${base64(p)}\r\na1 LOGOUT\r\n`, ANY],
    ],
  ],
  ['imap', (p) => [[`a1 NOOP\r\na1 LOGIN {5}\r\na1 NOOP\r\n${p} {5+}\r\n${p}\r\na1 LOGOUT\r\n`, ANY]]],
  [
    'smtp',
    (p) => [
      [`EHLO a.example\r\nAUTH PLAIN ${plain(p)}\r\n`, REPLY],
      ['QUIT\r\n', REPLY],
    ],
  ],
  [
    'smtp',
    (p) => [
      ['EHLO a.example\r\n', REPLY],
      ['AUTH LOGIN\r\n', REPLY],
      [`${base64(NAME)}\r\n${base64(p)}\r\n${p}\r\n`, REPLY],
      ['QUIT\r\n', REPLY],
    ],
  ],
  ...[
    (p: string) => [`AUTH PLAIN ${plain(p)}`],
    (p: string) => ['AUTH PLAIN', plain(p)],
    (p: string) => ['AUTH LOGIN', base64(NAME), base64(p)],
    (p: string) => [`AUTH LOGIN ${base64(NAME)}`, base64(p)],
    (p: string) => [`AUTH LOGIN\r\n${base64(NAME)}\r\n${base64(p)}\r\nNOOP`],
    (p: string) => ['AUTH LOGIN', base64(NAME), p, base64(p), p],
    (p: string) => ['AUTH LOGIN', base64(p), '*', base64(p)],
    (p: string) => ['AUTH NTLM', base64(p), `AUTH ${base64(p)}`, `AUTH PLAIN ${base64(p)} ${p}`],
    (p: string) => [`AUTH PLAIN ${'A'.repeat(5000)}${base64(p)}`, 'AUTH PLAIN', `${'A'.repeat(12_300)}${p}`],
    (p: string) => ['AUTH CRAM-MD5', base64(`${NAME} ${p}`), base64(p)],
  ].map(
    (linesOf): Form => [
      'submission',
      (p) => [...['EHLO a.example', ...linesOf(p), 'QUIT'].map((line): Step => [`${line}\r\n`, REPLY])],
    ],
  ),
  ['submission', (p) => [[`EHLO a.example\r\nAUTH LOGIN\r\n${base64(NAME)}\r\n${base64(p)}`, REPLY]]],
];

/** Blanks, quotes, backslashes, braces and UTF-8, none of which is in the words of a protocol; `length` characters. */
function randomPassword(below: Below, length: number): string {
  const alphabet = 'qzjxvkwyQZJXVKWY0123456789!#$%&()=?@~^|;:<>[]{}"\\ äß€';
  const characters = [...alphabet];
  const pick = () => characters[below(characters.length)] ?? 'q';
  // Blanks at the ends are a client's own affair, and are tried with PASS in the tests of wire.
  return `q${Array.from({ length: length - 2 }, pick).join('')}z`;
}

/**
 * Everything of the log in all the ways in which a password could stand there. Without what the server makes up by chance, ids of
 * sessions and challenges, in which one run of some hundred would find a piece.
 */
async function logged(rig: ProtocolRig): Promise<string> {
  const { lines } = await rig.log.follow(0);
  const all = `${await rig.text()}\n${JSON.stringify(lines)}`;
  return all.replaceAll(/("session":")[\w-]{8}"/g, '$1"').replaceAll(CHALLENGE, '$1');
}

/** Pieces of what a password looks like in a log: as it is, escaped, in JSON, in base64. */
function piecesOf(password: string): string[] {
  const escaped = latin1(password).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const looks = [
    password,
    latin1(password),
    escaped,
    base64(password),
    base64(`\0${password}`),
    plain(password).slice(-24),
  ];
  const all = looks.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return all.flatMap((text) =>
    Array.from({ length: Math.max(0, text.length - PIECE_CHARS) }, (_, at) =>
      text.slice(at, at + PIECE_CHARS),
    ),
  );
}

t.test(`no piece of a password is ever in the log (seed ${SEED})`, async (t) => {
  const below = randomNumbers(SEED);
  const rig = await openProtocolRig(t);
  await rig.addAccount(NAME);
  rig.watch({ kind: 'all' });
  let isFine = true;
  for (const [index, [protocol, stepsWith]] of [...FORMS, ...FORMS, ...FORMS].entries()) {
    const password = randomPassword(below, 12 + below(30));
    await rig.administration.accounts.setPassword(NAME, password);
    await rig.administration.secrets.set(NAME, password);
    const isOctets = index < FORMS.length;
    const steps = stepsWith(latin1(password));
    await playSteps(await rig.connect(protocol), steps, isOctets ? undefined : below);
    const log = await logged(rig);
    const found = piecesOf(password).filter((piece) => log.includes(piece));
    isFine &&= found.length === 0;
    t.same(found, [], `${protocol} ${JSON.stringify(steps)}`);
  }
  t.ok(isFine);
  const lines = await rig.lines();
  t.ok(
    lines.some(({ text }) => text === `logged in: ${NAME}`),
    'some of them were right',
  );
  t.ok(lines.filter(({ text }) => text.startsWith('login refused')).length < lines.length);
});

t.test('nor does the log tell how long a password is', async (t) => {
  const rig = await openProtocolRig(t);
  await rig.addAccount(NAME);
  rig.watch({ kind: 'all' });
  for (const [protocol, stepsWith] of FORMS) {
    const seen: string[][] = [];
    for (const password of ['qzjxvkwy', 'qzjxvkwyqzjxvkwyqzjxvkwyqzjxvkwy']) {
      const before = (await rig.lines()).length;
      await rig.administration.accounts.setPassword(NAME, password);
      await rig.administration.secrets.set(NAME, password);
      await playSteps(await rig.connect(protocol), stepsWith(password), () => 1_000_000);
      await closedSessions(rig);
      seen.push(
        dialogue((await rig.lines()).slice(before))
          .map(withoutPort)
          .sort(),
      );
    }
    t.same(seen[0], seen[1], `${protocol} ${JSON.stringify(stepsWith('qzjxvkwy'))}`);
  }
});

/** Without what is otherwise in each session: the port, CRAM-MD5's challenge, and who was first to close. */
const withoutPort = (line: string) =>
  line
    .replace(/port \d+/, 'port N')
    .replace(/^(S: 334 P)[DG]\S+$/, '$1')
    .replace(/^(-- closed: ).*/, '$1');

/** Resolves when no session is heard any more. */
async function closedSessions(rig: ProtocolRig): Promise<void> {
  while (rig.log.status().sessions > 0) await new Promise((resolve) => setImmediate(resolve));
}
