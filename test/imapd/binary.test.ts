/** BINARY: parts decoded on the way out, whatever they hold, at any size (RFC 3516). The transcript binary has the rest. */

import { createHash } from 'node:crypto';

import t from 'tap';

import { openImapSite } from './harness.ts';
import type { RawClient } from './harness.ts';

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
