/**
 * Nothing but CRLF.CRLF ends the data, and nothing said in clear is heard in TLS: on every kind of listener, in one segment and octet
 * by octet (CVE-2023-51764 and its kin; RFC 3207 section 4.2). Replies to pipelined commands come in order around refusals.
 */

import t, { type Test } from 'tap';

import type { TlsMode } from '../../src/net/listener.ts';
import type { SmtpRole } from '../../src/smtpd/context.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { type Client, connectClient, secureClient } from '../support/sockets.ts';
import { ask, begin, DOMAIN, dribble, openSmtpSite, type ServerOptions, type SmtpServer } from './harness.ts';

t.setTimeout(300_000);
const site = await openSmtpSite(t);
const TICKETS = `tickets@${DOMAIN}`;

interface Kind {
  readonly role: SmtpRole;
  readonly tls: TlsMode;
  /** Whether STARTTLS comes first. */
  readonly isSecured?: boolean;
}

const KINDS: readonly Kind[] = [
  { role: 'relayIn', tls: 'none' },
  { role: 'relayIn', tls: 'required', isSecured: true },
  { role: 'relayIn', tls: 'implicit' },
  { role: 'submission', tls: 'starttls' },
  { role: 'submission', tls: 'required', isSecured: true },
  { role: 'submission', tls: 'implicit' },
];

const nameOf = ({ role, tls, isSecured }: Kind) => `${role}, ${tls}${isSecured ? ' after STARTTLS' : ''}`;

/** A transfer that takes everything, and what it took. */
function keep(): { readonly transfer: Transfer; readonly messages: string[] } {
  const messages: string[] = [];
  const transfer: Transfer = {
    ...site.createTransfer(),
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      const blocks: Buffer[] = [];
      for await (const block of message) blocks.push(block);
      messages.push(Buffer.concat(blocks).toString('latin1'));
      return { kind: 'accepted', traceId: 'X' as never };
    },
  };
  return { transfer, messages };
}

async function open(t: Test, server: SmtpServer, { tls, isSecured }: Kind): Promise<Client> {
  const plain = await connectClient(t, server.port);
  const client = tls === 'implicit' ? await secureClient(t, plain.socket) : plain;
  await client.until(/^220 .*\r\n/);
  await ask(client, 'EHLO client.example.org\r\n', '250 ');
  if (isSecured !== true) return client;
  await ask(client, 'STARTTLS\r\n', '220');
  const secure = await secureClient(t, client.socket);
  await ask(secure, 'EHLO client.example.org\r\n', '250 ');
  return secure;
}

const LINE_ENDS = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\n\n', '\r\0\n', '\0\r\n', '\r\n\0', '\x85'];
const DOTS = ['.', '..', '.\0', '\0.', '.x'];
const EVIL = `MAIL FROM:<evil@x.example>\r\nRCPT TO:<${TICKETS}>\r\nDATA\r\nevil`;

/** What stands between the message and commands that must not run, by its beginning. */
const VARIANTS = LINE_ENDS.map((start) =>
  DOTS.flatMap((dots) => LINE_ENDS.map((end) => `${start}${dots}${end}`)).filter(
    (variant) => !variant.includes('\r\n.\r\n'),
  ),
);

/** RFC 5321 section 4.5.2: a dot behind CRLF goes, no other. */
const unstuffed = (data: string) => data.replace(/\r\n\./g, '\r\n');

for (const kind of KINDS) {
  t.test(`no variant of CRLF.CRLF ends the data: ${nameOf(kind)}`, async (t) => {
    const { transfer, messages } = keep();
    const server = await site.serve(t, { ...kind, transfer } as ServerOptions);
    for (const variants of VARIANTS) {
      const client = await open(t, server, kind);
      for (const [index, variant] of variants.entries()) {
        await begin(client, TICKETS, TICKETS);
        const from = client.received.length;
        // Every seventh one octet by octet: in TLS each is a record.
        const tail = Buffer.from(`first${variant}${EVIL}`, 'latin1');
        const apart = index % 7 === 0 ? variant.length + 7 : 0;
        await dribble(client, tail.subarray(0, apart));
        client.send(tail.subarray(apart));
        await ask(client, '\r\n.\r\n', '250 2.0.0 Queued');
        const told = client.received.slice(from);
        if (told !== '250 2.0.0 Queued as X\r\n') t.fail(`${JSON.stringify(variant)}: ${told}`);
      }
      client.socket.destroy();
    }
    const all = VARIANTS.flat();
    t.equal(messages.length, all.length);
    const wrong = all.filter(
      (variant, index) => messages[index] !== `${unstuffed(`first${variant}${EVIL}`)}\r\n`,
    );
    t.strictSame(wrong, [], 'each is stored as it was but for the dots behind CRLF');
  });

  t.test(`bare line ends that are refused end nothing either: ${nameOf(kind)}`, async (t) => {
    const { transfer, messages } = keep();
    const server = await site.serve(t, { ...kind, transfer, bareLineFeed: 'refuse' } as ServerOptions);
    const client = await open(t, server, kind);
    for (const variant of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\r\0\n.\r\0\n']) {
      await begin(client, TICKETS, TICKETS);
      const from = client.received.length;
      await ask(client, `first${variant}${EVIL}\r\n.\r\n`, '\\d');
      t.match(client.received.slice(from), /^550 5\.6\.0 [^\r]*\r\n$/, JSON.stringify(variant));
    }
    t.strictSame(messages, []);
  });
}

t.test(
  'what is said in clear behind STARTTLS never runs, and what was said before is forgotten',
  async (t) => {
    const login = `AUTH PLAIN ${Buffer.from(`\0${TICKETS}\0secret`).toString('base64')}\r\n`;
    const message = `MAIL FROM:<${TICKETS}>\r\nRCPT TO:<${TICKETS}>\r\nBDAT 4 LAST\r\nevil`;
    const injections = [
      'NOOP\r\n',
      `EHLO evil\r\n${message}`,
      login + message,
      `EHLO evil\r\n${login}`,
      'RSET\r\n'.repeat(300),
      'EHL',
    ];
    for (const kind of KINDS.filter(({ tls }) => tls === 'starttls' || tls === 'required')) {
      const { transfer, messages } = keep();
      const server = await site.serve(t, { ...kind, tls: kind.tls, transfer } as ServerOptions);
      for (const injected of injections) {
        for (const isApart of [false, true]) {
          const plain = await connectClient(t, server.port);
          await plain.until(/^220 .*\r\n/);
          const before =
            kind.tls === 'required' ? 'EHLO x\r\n' : `EHLO x\r\n${login}MAIL FROM:<${TICKETS}>\r\n`;
          await ask(plain, before, kind.tls === 'required' ? '250 ' : '(250 2.1.0|530)');
          const from = plain.received.length;
          if (isApart) {
            // In a segment of its own it meets the handshake, which it breaks.
            plain.send('STARTTLS\r\n');
            await plain.until(/220 2\.0\.0 Ready/);
            plain.send(injected);
          } else plain.send(`STARTTLS\r\n${injected}`);
          await plain.until(/220 2\.0\.0 Ready/);
          t.equal(plain.received.slice(from), '220 2.0.0 Ready to start TLS\r\n', JSON.stringify(injected));
          const client = await secureClient(t, plain.socket).catch(() => undefined);
          if (client === undefined) continue;
          t.match(
            await ask(client, 'NOOP\r\n', '\\d'),
            /^250 2.0.0 OK\r\n$/,
            'the first reply is to the first command',
          );
          t.match(
            await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '\\d'),
            /^503 5.5.1 .*EHLO/,
            'EHLO is forgotten',
          );
          const offered = await ask(client, 'EHLO x\r\n', '250 ');
          if (kind.role === 'submission') t.match(offered, /AUTH PLAIN/, 'the login, too');
          t.match(await ask(client, 'DATA\r\n', '\\d'), /^503 5.5.1 MAIL comes first/, 'and the transaction');
          client.socket.destroy();
        }
      }
      t.strictSame(messages, []);
    }
  },
);

t.test('pipelined commands are answered in order around DATA, BDAT and AUTH that are refused', async (t) => {
  const server = await site.serve(t, { role: 'submission' });
  const client = await server.greeted();
  const from = client.received.length;
  client.send(
    [
      `MAIL FROM:<${TICKETS}>`,
      `RCPT TO:<nobody@${DOMAIN}>`,
      'DATA',
      'NOOP one',
      `BDAT 6 LAST\r\nNOOP\r\nRSET`,
      'AUTH PLAIN AGEAYg==',
      'NOOP two',
      'AUTH LOGIN',
      'YQ==',
      'Yg==',
      'DATA',
      `MAIL FROM:<${TICKETS}>`,
      `RCPT TO:<${TICKETS}>`,
      'BDAT 2',
      'xDATA',
      'BDAT 1 LAST',
      'xQUIT',
      '',
    ].join('\r\n'),
  );
  const codes = (await client.closed()).slice(from).match(/^\d{3} \d\.\d\.\d|^334/gm);
  t.strictSame(codes, [
    '250 2.1.0',
    '550 5.1.1',
    '554 5.5.1',
    '250 2.0.0',
    '554 5.5.1',
    '250 2.0.0',
    '535 5.7.8',
    '250 2.0.0',
    '334',
    '334',
    '535 5.7.8',
    '503 5.5.1',
    '250 2.1.0',
    '250 2.1.5',
    '250 2.0.0',
    '500 5.5.2',
    '250 2.0.0',
    '221 2.0.0',
  ]);
});
