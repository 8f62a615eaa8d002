/** Every form of login name as it goes over the wire: IMAP LOGIN, POP3 USER, and SASL PLAIN and LOGIN in both. */

import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { LOGIN_FORMS } from '../../src/accounts/loginForms.ts';
import { openImapd } from '../../src/imapd/imapd.ts';
import { openPop3d } from '../../src/pop3d/pop3d.ts';
import { openRoomSite } from '../support/site.ts';
import { connectClient } from '../support/sockets.ts';

const MAILBOX = 'erp@app.example';
const PASSWORD = 'secret';

/** Names that mean the account: each form with backslashes, slashes, both doubled, in capitals, and with blanks around. */
const NAMES = [...new Set(LOGIN_FORMS.flatMap(({ example }) => variantsOf(example)))];

function variantsOf(example: string): string[] {
  const backslashed = example.replaceAll('/', '\\');
  return [
    example,
    backslashed,
    backslashed.replaceAll('\\', '/'),
    backslashed.replaceAll('\\', '\\\\'),
    example.toUpperCase(),
    ` ${example} `,
  ];
}

/** Nobody's names, and a delegate's. */
const REFUSED = [
  'erp@corp.example',
  String.raw`CORP\anna\erp`,
  String.raw`CORP\erp\nobody`,
  'nobody',
  String.raw`\erp`,
];

async function openServers(t: Test) {
  const site = await openRoomSite(t);
  site.accounts.setOptions({ defaultDomain: 'app.example' });
  await site.addAccount(MAILBOX);
  await site.addAccount('anna@app.example');
  await site.addAccount('shared@app.example');
  // The two delegate forms name a mailbox that is not who opens it: its account is given them, and here it is this one.
  await site.administration.accounts.set(MAILBOX, {
    loginNames: [String.raw`*\erp\shared@app.example`, String.raw`erp@*\shared@app.example`],
  });
  const { store, accounts, search, tlsContexts } = site;
  const caps = new ConnectionCaps({ total: 50, perAddress: 50 });
  const listener = { address: '127.0.0.1', port: 0, tls: 'starttls' as const, tlsContexts, caps };
  const shared = { serverName: 'mail.example.com', accounts, clock: systemClock, log: silentLog };
  const imapd = await openImapd({
    ...shared,
    listeners: [{ ...listener, name: 'imap' }],
    appendLimitOctets: 1000,
    store,
    search,
  });
  const pop3d = await openPop3d({
    ...shared,
    listeners: [{ ...listener, name: 'pop3' }],
    idleTimeoutMs: 600_000,
    mailboxes: store.mailboxes,
    contents: store.contents,
    trace: store.trace,
  });
  t.teardown(async () => {
    await imapd.close(0);
    await pop3d.close(0);
  });
  return { imapPort: imapd.listeners[0]?.port ?? 0, pop3Port: pop3d.listeners[0]?.port ?? 0 };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = (name: string) => base64(`\0${name}\0${PASSWORD}`);
const escaped = (name: string) => name.replace(/[\\"]/g, '\\$&');

/** What a client sends to log in, by the way it does so; an IMAP command has its tag. */
const IMAP_WAYS: Readonly<Record<string, (name: string) => string>> = {
  'LOGIN quoted': (name) => `a LOGIN "${escaped(name)}" ${PASSWORD}\r\n`,
  'LOGIN literal': (name) => `a LOGIN {${Buffer.byteLength(name)}+}\r\n${name} ${PASSWORD}\r\n`,
  'AUTHENTICATE PLAIN': (name) => `a AUTHENTICATE PLAIN ${plain(name)}\r\n`,
  'AUTHENTICATE LOGIN': (name) => `a AUTHENTICATE LOGIN ${base64(name)}\r\n${base64(PASSWORD)}\r\n`,
};
const POP3_WAYS: Readonly<Record<string, (name: string) => string>> = {
  USER: (name) => `USER ${name}\r\nPASS ${PASSWORD}\r\n`,
  'AUTH PLAIN': (name) => `AUTH PLAIN ${plain(name)}\r\n`,
  'AUTH LOGIN': (name) => `AUTH LOGIN ${base64(name)}\r\n${base64(PASSWORD)}\r\n`,
};

t.test('each form logs in by each way of both protocols, and who is refused is told one thing', async (t) => {
  const { imapPort, pop3Port } = await openServers(t);
  const imapAnswer = async (sent: string) => {
    const client = await connectClient(t, imapPort);
    client.send(sent);
    const answer = /^a .*$/m.exec(await client.until(/^a [^\r]*\r\n$/m))?.[0] ?? '';
    client.socket.destroy();
    return answer.replace(/\[CAPABILITY [^\]]*\]/, '[CAPABILITY]').trim();
  };
  const pop3Answer = async (sent: string) => {
    const client = await connectClient(t, pop3Port);
    client.send(sent);
    const answer = await client.until(/^(?:\+OK Logged in|-ERR)[^\r]*\r\n$/m);
    client.socket.destroy();
    return answer.split('\r\n').at(-2) ?? '';
  };
  for (const [way, write] of Object.entries(IMAP_WAYS)) {
    for (const name of NAMES)
      t.equal(await imapAnswer(write(name)), 'a OK [CAPABILITY] Logged in', `${way} ${name}`);
    for (const name of REFUSED) {
      const expected = 'a NO [AUTHENTICATIONFAILED] Authentication failed';
      t.equal(await imapAnswer(write(name)), expected, `${way} ${name}`);
    }
  }
  for (const [way, write] of Object.entries(POP3_WAYS)) {
    for (const name of NAMES) {
      t.equal(await pop3Answer(write(name)), '+OK Logged in, 0 messages (0 octets)', `${way} ${name}`);
    }
    for (const name of REFUSED) {
      t.equal(await pop3Answer(write(name)), '-ERR [AUTH] Authentication failed', `${way} ${name}`);
    }
  }

  const loose: readonly [sent: string, answer: RegExp][] = [
    [String.raw`LOGIN "CORP\erp" secret`, /^a OK/],
    [String.raw`LOGIN CORP\erp secret`, /^a OK/],
    [String.raw`LOGIN CORP\erp\erp "secret"`, /^a OK/],
    ['LOGIN CORP/erp secret', /^a OK/],
    [String.raw`LOGIN "CORP\erp\" secret`, /^a BAD/],
    [String.raw`LOGIN "CORP\"erp" secret`, /^a NO/],
    [String.raw`STATUS "CORP\erp" (MESSAGES)`, /^a BAD/],
    [String.raw`SELECT CORP\erp`, /^a BAD/],
  ];
  for (const [sent, answer] of loose) t.match(await imapAnswer(`a ${sent}\r\n`), answer, sent);
});
