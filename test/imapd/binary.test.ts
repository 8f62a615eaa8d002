/** BINARY: parts decoded on the way out, whatever they hold, at any size (RFC 3516). The transcript binary has the rest. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

import t from 'tap';

import type { MimePart } from '../../src/wire/mime/structure.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { openDovecot, parseFetchItems } from '../support/dovecot.ts';
import { ODD_MESSAGES } from '../support/oddMessages.ts';
import { ODD_MIME } from '../support/oddMime.ts';
import { peerTest } from '../support/peers.ts';
import { openImapSite, RawClient } from './harness.ts';

/** The octets of the literal or string that the item `name` has in an answer. */
function octetsOf(answer: readonly string[], name: string): string {
  const text = answer[0] ?? '';
  const at = text.indexOf(`${name} `) + name.length + 1;
  const [start = '', count] = /^~?\{(\d+)\}\r\n/.exec(text.slice(at)) ?? [];
  if (count === undefined) return '';
  return text.slice(at + start.length, at + start.length + Number(count));
}

async function decoded(client: RawClient, number: number): Promise<string> {
  const answer = await client.command(`FETCH ${number} (BINARY.SIZE[1] BINARY.PEEK[1])`);
  const octets = octetsOf(answer, 'BINARY[1]');
  const [, size] = /BINARY\.SIZE\[1\] (\d+)/.exec(answer[0] ?? '') ?? [];
  if (Number(size) !== octets.length) throw new Error(`BINARY.SIZE ${size} of ${octets.length} octets`);
  return octets;
}

const BODIES: readonly [encoding: string, body: string, decoded: string][] = [
  ['base64', 'SGVsbG8=\r\n', 'Hello'],
  ['base64', 'SGVs\r\nbG8', 'Hello'],
  ['base64', 'SGk=SGk=', 'HiHi'],
  ['base64', 'S!G#k', 'Hi'],
  ['base64', '====', ''],
  ['base64', 'A', ''],
  ['base64', 'AAAA', '\0\0\0'],
  ['quoted-printable', 'a=ZZ b=4', 'a=ZZ b=4'],
  ['quoted-printable', 'end=', 'end'],
  ['quoted-printable', '=00 \r\nx', '\0\r\nx'],
  ['8bit', 'caf\xe9\0\n', 'caf\xe9\0\n'],
  ['binary', '\r\n\r\n', '\r\n\r\n'],
  ['8 bit', 'words that are no encoding are 7bit', 'words that are no encoding are 7bit'],
];

t.test('broken encodings come off as far as they go, and BINARY.SIZE says exactly how far', async (t) => {
  const site = await openImapSite(t);
  const messages = BODIES.map(
    ([encoding, body]) => `MIME-Version: 1.0\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
  );
  await site.put(['INBOX'], ...messages.map((message) => Buffer.from(message, 'latin1')));
  const client = await site.selected();
  for (const [index, [encoding, body, expected]] of BODIES.entries()) {
    t.equal(await decoded(client, index + 1), expected, `${encoding}: ${JSON.stringify(body)}`);
  }
});

t.test('a large part is decoded as it passes, whole, in pieces and from any octet', async (t) => {
  const site = await openImapSite(t);
  const octets = Buffer.alloc(3_000_001);
  for (let index = 0; index < octets.length; index += 1) octets[index] = (index * 7919) >> 5;
  const base64 = octets.toString('base64').replace(/.{1,76}/g, '$&\r\n');
  const quoted = [...octets.subarray(0, 300_000)].map((octet) => `=${octet.toString(16).padStart(2, '0')}`);
  const message = (encoding: string, body: string) =>
    `Content-Type: application/zip\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
  await site.put(
    ['INBOX'],
    message('base64', base64),
    message('quoted-printable', quoted.join('').replace(/.{75}/g, '$&=\r\n')),
  );
  const client = await site.selected();
  t.equal(hash(await decoded(client, 1)), hash(octets));
  t.equal(hash(await decoded(client, 2)), hash(octets.subarray(0, 300_000)));
  // As a client that fetches in chunks does, one chunk past the end.
  let pieces = '';
  for (let start = 0; start <= octets.length; start += 393_216) {
    pieces += octetsOf(
      await client.command(`FETCH 1 BINARY.PEEK[1]<${start}.393216>`),
      `BINARY[1]<${start}>`,
    );
  }
  t.equal(hash(pieces), hash(octets));
  for (const start of [0, 1, 262_143, 262_144, 1_999_999, 2_999_999]) {
    const answer = await client.command(`FETCH 1 BINARY.PEEK[1]<${start}.2>`);
    const expected = octets.toString('latin1', start, start + 2);
    t.equal(octetsOf(answer, `BINARY[1]<${start}>`), expected, `from ${start}`);
    t.equal(answer[0]?.includes('~{'), expected.includes('\0'), 'a literal8 only where NUL is');
  }
});

function hash(octets: string | Buffer): string {
  return createHash('sha256')
    .update(Buffer.from(octets as string, 'latin1'))
    .digest('hex');
}

t.test('a client whose connection breaks while its part is counted is let go at once', async (t) => {
  const reading = Promise.withResolvers<void>();
  let piecesRead = 0;
  const site = await openImapSite(t, {
    wrap: (store) => ({
      ...store,
      contents: {
        ...store.contents,
        open: async (id) => {
          const content = await store.contents.open(id);
          return {
            ...content,
            octets: content.octets,
            async *read() {
              const piece = Buffer.alloc(262_144, 'A');
              for (;;) {
                piecesRead += 1;
                reading.resolve();
                await new Promise((resolve) => setImmediate(resolve));
                yield piece;
              }
            },
          };
        },
      },
    }),
  });
  await site.put(['INBOX'], 'Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA');
  for (const item of ['BINARY.SIZE[1]', 'BINARY[1]', 'BINARY[1]<1000000000000.1>']) {
    const client = await site.selected();
    client.send(`a FETCH 1 ${item}\r\n`);
    await reading.promise;
    client.socket.resetAndDestroy();
    while (site.imapd.sessionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(piecesRead > 0);
});

/** What a server answers to one item: its value, or the code of its NO. */
async function answerTo(client: RawClient, number: number, item: string): Promise<string> {
  const lines = await client.command(`FETCH ${number} ${item}`);
  const [, refusal] = /^\S+ NO (\[[^\]]+\])/.exec(lines.at(-1) ?? '') ?? [];
  if (refusal !== undefined) return `NO ${refusal}`;
  const name = item.replace('.PEEK', '');
  const answers = lines.flatMap((line) => [...(parseFetchItems(line)?.items ?? [])]);
  const value = answers.find(([answered]) => answered === name)?.[1];
  if (value === undefined) throw new Error(`${number}: no ${item} in ${lines.join(' ')}`);
  return value === null ? 'NIL' : String(value);
}

/** All part numbers, with the part; those that are composed hold others. */
function numberedParts(structure: MimePart, outer: readonly number[] = []): [string, MimePart][] {
  const numbered = structure.kind === 'multipart' ? structure.parts : [structure];
  return numbered.flatMap((part, index) => {
    const path = [...outer, index + 1];
    const inside =
      part.kind === 'multipart' ? part : part.kind === 'message' ? part.message.structure : undefined;
    return [
      [path.join('.'), part] as [string, MimePart],
      ...(inside === undefined ? [] : numberedParts(inside, path)),
    ];
  });
}

interface Compared {
  readonly item: string;
  readonly part: MimePart | undefined;
  readonly theirs: string;
  readonly ours: string;
  /** The part's octets as they are stored. */
  readonly stored: string;
}

/** A part that nobody can decode, and one beside it. */
const SIBLINGS =
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n' +
  '--b\r\nContent-Transfer-Encoding: base64\r\n\r\nSGk=\r\n--b--\r\n';

/** Where our BINARY is not Dovecot's, and why. */
const UNLIKE_DOVECOT: readonly { readonly why: string; explains(one: Compared): boolean }[] = [
  {
    why: 'broken base64 and quoted-printable: Dovecot refuses the part, ours decodes as far as it goes',
    explains: ({ theirs, ours }) => theirs === 'NO [PARSE]' && !ours.startsWith('NO'),
  },
  {
    why: 'base64 and quoted-printable that break off: Dovecot 2.3.19 ends the session, ours decodes as far as it goes',
    explains: ({ theirs, ours }) => theirs === 'gone' && !ours.startsWith('NO'),
  },
  {
    why: 'LF alone: Dovecot makes it CRLF, ours sends what came, as BODY[] does (docs/RFC.md)',
    explains: ({ item, theirs, ours, stored }) => {
      const crlf = stored.replace(/(?<!\r)\n/g, '\r\n');
      const [left, right] = item.startsWith('BINARY.SIZE')
        ? [String(crlf.length), String(stored.length)]
        : [crlf, stored];
      return crlf !== stored && theirs === left && ours === right;
    },
  },
  {
    why: 'an encoding that BODYSTRUCTURE does not tell (not MIME, no single word): Dovecot obeys it in BINARY, ours nowhere',
    explains: ({ item, part, ours, stored }) =>
      part?.encoding === '7BIT' && ours === (item.startsWith('BINARY.SIZE') ? String(stored.length) : stored),
  },
  {
    why: 'a message under base64, which RFC 2046 section 5.2.1 forbids: Dovecot finds no part in it',
    explains: ({ item, part, theirs }) =>
      /\[.*\.1\]$/.test(item) && part?.encoding.toLowerCase() === 'base64' && /^0?$/.test(theirs),
  },
  {
    why: 'a part that the message has not: Dovecot answers no octets, ours NIL (RFC 3516 section 4.3: nstring)',
    explains: ({ part, item, theirs, ours }) =>
      part === undefined && item !== 'BINARY.PEEK[]' && theirs === '' && ours === 'NIL',
  },
  {
    why: 'what holds parts: Dovecot makes a new message of it, decoded inside; ours takes off its own encoding only',
    explains: ({ part, item }) =>
      item.endsWith('[]') || part?.kind === 'multipart' || part?.kind === 'message',
  },
  {
    why: 'the size of a part: Dovecot refuses it for the sake of another part with an unknown encoding or broken data',
    explains: ({ item, theirs, ours }) =>
      item.startsWith('BINARY.SIZE') && theirs.startsWith('NO') && /^\d+$/.test(ours),
  },
];

peerTest(t, ['dovecot'], 'every part is decoded as Dovecot decodes it, or there is a reason', async (t) => {
  const bodies = BODIES.map(
    ([encoding, body]) => `MIME-Version: 1.0\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
  );
  const contents = [
    ...[...bodies, SIBLINGS].map((body) => Buffer.from(body, 'latin1')),
    ...[...ODD_MIME, ...ODD_MESSAGES].map(({ octets }) => octets).filter(({ length }) => length < 100_000),
  ];
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...contents);
  const ours = await site.selected('');
  await ours.command('EXAMINE INBOX');
  const server = openDovecot(t, contents);
  const openSession = async () => {
    const client = new RawClient(t, server.connect() as unknown as Socket);
    await client.line();
    await client.command('EXAMINE INBOX');
    return client;
  };
  let dovecot = await openSession();
  const met = new Set<string>();
  let count = 0;
  for (const [index, content] of contents.entries()) {
    const parts = numberedParts(walkMessage(content).structure).slice(0, 20);
    for (const [path, part] of [['', undefined], ...parts, ['99', undefined]] as const) {
      for (const item of [`BINARY.PEEK[${path}]`, `BINARY.SIZE[${path}]`]) {
        count += 1;
        const our = await answerTo(ours, index + 1, item);
        const their = await answerTo(dovecot, index + 1, item).catch(() => 'gone');
        if (their === 'gone') dovecot = await openSession();
        if (their === our) continue;
        const stored = part ? content.toString('latin1', part.bodyStart, part.bodyEnd) : '';
        const one = { item, part, theirs: their, ours: our, stored };
        const reason = UNLIKE_DOVECOT.find(({ explains }) => explains(one));
        if (reason !== undefined) met.add(reason.why);
        else t.fail(`message ${index + 1}: ${JSON.stringify({ ...one, part: part?.encoding })}`);
      }
    }
  }
  t.comment(`${count} items of ${contents.length} messages`);
  t.strictSame(
    UNLIKE_DOVECOT.map(({ why }) => why).filter((why) => !met.has(why)),
    [],
    'every reason is needed',
  );
});

t.test('docs/DOVECOT.md lists where BINARY differs, and why', async (t) => {
  const text = readFileSync(new URL('../../docs/DOVECOT.md', import.meta.url), 'utf8');
  const [, section = ''] = /## What BINARY decodes\n([\s\S]*?)\n## /.exec(text) ?? [];
  const listed = [...section.matchAll(/^- (.*)\.$/gm)].map(([, why]) => why);
  t.strictSame(
    listed,
    UNLIKE_DOVECOT.map(({ why }) => why),
  );
});
