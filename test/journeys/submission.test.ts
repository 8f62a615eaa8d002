/**
 * Real clients submit to the whole appliance: by STARTTLS, by TLS from the first octet, and in clear without a login from an address
 * that is trusted; an old device with all its bad habits; what they get for recipients elsewhere; CRAM-MD5 by the command line.
 */

import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import t from 'tap';
import type { Test } from 'tap';

import { certificateOf, createSite } from '../support/appliance.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { peerTest } from '../support/peers.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { clientOn } from '../support/sockets.ts';
import {
  type Job,
  SUBMITTING_CLIENTS,
  type SubmittingClient,
  swaksWith,
  type Way,
} from './submittingClients.ts';

t.setTimeout(300_000);

/** Trusted, unlike 127.0.0.1. */
const DEVICE_ADDRESS = '127.0.0.9';
const ELSEWHERE = 'someone@elsewhere.example';
const WAYS: readonly Way[] = ['starttls', 'implicit', 'trusted'];

const listener = (name: string, more: string) =>
  `[[listeners]]\nname = "${name}"\nprotocol = "smtp"\nrole = "submission"\ntls = "none"\nport = 0\n${more}\n`;
const site = createSite(
  listener('devices', 'lenientSyntax = true') + listener('exact', 'bareLineEnds = "refuse"'),
);
t.teardown(() => site.remove());
const server = await site.serve();
const ports = server.ports as typeof server.ports & { readonly devices: number; readonly exact: number };
const certificate = certificateOf(site);
const certificateFile = join(site.directory, 'server.pem');
writeFileSync(certificateFile, certificate);
const [sender, inbox] = (await addAccounts(site, ['erp', 'inbox'])) as [Login, Login];
await callServer(site, 'range.set', { name: 'My computer', submission: 'login' });
const devices = { name: 'Devices', addresses: [DEVICE_ADDRESS], priority: 50, submission: 'trusted' };
await callServer(site, 'range.add', devices);

function jobOf(way: Way, subject: string, to = inbox.address): Job {
  const port = { starttls: ports.submission, implicit: ports.submissions, trusted: ports.devices }[way];
  return {
    way,
    port,
    login: sender,
    to,
    subject,
    certificate,
    certificateFile,
    localAddress: DEVICE_ADDRESS,
  };
}

/** The message with this subject, whole. */
async function received(subject: string): Promise<string> {
  const session = await RawPop3.open(ports.pop3, inbox);
  try {
    for (const number of (await session.list()).keys()) {
      const message = (await session.multiline(`RETR ${number}`)).toString();
      if (message.includes(`\nSubject: ${subject}\r\n`)) return message;
    }
    return '';
  } finally {
    await session.quit();
  }
}

async function submitByAllWays(t: Test, { name, submit }: SubmittingClient): Promise<void> {
  for (const way of WAYS) {
    const subject = `${name} ${way}`;
    const { isTaken, said } = await submit(jobOf(way, subject));
    t.ok(isTaken, `${subject}: ${said}`);
    const message = await received(subject);
    t.match(message, way === 'trusted' ? /\swith ESMTP\s/ : /\swith ESMTPSA\s/, subject);
    t.match(message, new RegExp(`^Return-Path: <${sender.address}>`), subject);
  }
  const refused = await submit(jobOf('starttls', name, ELSEWHERE));
  t.notOk(refused.isTaken, `${name}: a recipient elsewhere`);
  t.match(refused.said, /550[- ]+(?:b')?5\.7\.1 |Relaying denied/, name);
}

for (const client of SUBMITTING_CLIENTS)
  peerTest(t, client.programs, `${client.name} submits by all ways`, (t) => submitByAllWays(t, client));

/** HELO, AUTH LOGIN with the name at once, blanks behind colons, no brackets, bare line feeds, a few octets at a time. */
t.test('an old device with bad habits submits with a login', async (t) => {
  const client = clientOn(t, createConnection({ host: '127.0.0.1', port: ports.devices }));
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const lines: readonly (readonly [line: string, reply: RegExp])[] = [
    ['HELO HP Scanner 4', /250 /],
    [`auth login ${base64(sender.address)}`, /334 /],
    [base64(sender.password), /235 /],
    [`MAIL FROM: ${sender.address}`, /250 /],
    [`RCPT TO: <${inbox.address}>`, /250 /],
    ['DATA', /354 /],
  ];
  await client.until(/^220 /);
  for (const [index, [line, reply]] of lines.entries()) {
    const before = client.received.length;
    for (const piece of `${line}${index % 2 === 0 ? '\n' : '\r\n'}`.match(/.{1,3}/gs) ?? []) {
      client.send(piece);
      await setImmediate();
    }
    const said = await client.until(new RegExp(`^.{${before}}\\d{3} [^\\r]*\\r\\n`, 's'));
    t.match(said.slice(before), reply, line);
  }
  client.send('Subject: an old device\r\n\r\na line\nanother\r\n.\r\nQUIT\r\n');
  t.match(await client.closed(), /250 2\.0\.0 Queued as \w+\r\n221 /);
  const message = await received('an old device');
  t.match(message, /\swith SMTP\s/);
  t.match(message, new RegExp(`\r\nFrom: <${sender.address}>\r\n`), 'what is missing is completed');
});

t.test('a listener refuses bare line ends where it is set so', async (t) => {
  const client = clientOn(t, createConnection({ host: '127.0.0.1', port: ports.exact }));
  const secret = Buffer.from(`\0${sender.address}\0${sender.password}`).toString('base64');
  client.send(
    `EHLO x\r\nAUTH PLAIN ${secret}\r\nMAIL FROM:<${sender.address}>\r\nRCPT TO:<${inbox.address}>\r\nDATA\r\n`,
  );
  await client.until(/^354 /m);
  client.send('Subject: exact\r\n\r\na line\nanother\r\n.\r\nQUIT\r\n');
  t.match(await client.closed(), /\r\n550 5\.6\.0 [^\r]*\r\n221 /);
  t.equal(await received('exact'), '');
});

t.test('nobody submits in clear from an address that is not trusted', async (t) => {
  const client = clientOn(t, createConnection({ host: '127.0.0.1', port: ports.devices }));
  client.send(`EHLO x\r\nMAIL FROM:<${sender.address}>\r\nQUIT\r\n`);
  t.match(await client.closed(), /\r\n530 5\.7\.0 Authentication required\r\n221 /);
});

await peerTest(t, ['swaks'], 'CRAM-MD5 is given, used and taken away', async (t) => {
  const login = { address: sender.address, password: 'a secret of its own' };
  const job = { ...jobOf('trusted', 'CRAM-MD5'), way: 'starttls', port: ports.submission, login } as const;
  const submit = swaksWith('CRAM-MD5');
  t.notOk((await submit(job)).isTaken, 'nobody has a secret');
  const given = await site.cli(
    ['cram-md5', 'set', sender.address, '--password-stdin'],
    `${login.password}\n`,
  );
  t.match(given.stdout.toString(), `${sender.address} can log in by CRAM-MD5`);
  t.match(
    (await site.cli(['account', 'show', sender.address])).stdout.toString(),
    /CRAM-MD5: +with a secret/,
  );
  const { isTaken, said } = await submit(job);
  t.ok(isTaken, said);
  t.match(said, /AUTH CRAM-MD5/);
  t.match(await received('CRAM-MD5'), /\swith ESMTPSA\s/);
  t.notOk(
    (await submit({ ...job, login: { ...login, password: sender.password } })).isTaken,
    'not the password',
  );
  const generated = (await site.cliJson(['cram-md5', 'set', sender.address])) as {
    generatedPassword: string;
  };
  t.ok((await submit({ ...job, login: { ...login, password: generated.generatedPassword } })).isTaken);
  t.equal((await site.cli(['cram-md5', 'remove', sender.address])).exitCode, 0);
  t.notOk((await submit(job)).isTaken, 'taken away');
});

t.test('trace, status and log tell who submitted', async (t) => {
  const trace = (await site.cli(['trace', inbox.address, '--limit', '100'])).stdout.toString();
  t.match(trace, `accepted by ${sender.address} from 127.0.0.1`);
  t.match(trace, `accepted by the range Devices from ${DEVICE_ADDRESS}`);
  const status = (await site.cli(['status'])).stdout.toString();
  t.match(status, /submission +smtp, submission/);
  const { exitCode, stdout } = await server.stop();
  t.equal(exitCode, 0);
  t.match(stdout.toString(), `"account":"${sender.address}"`);
  t.match(stdout.toString(), '"range":"Devices"');
  t.notMatch(stdout.toString(), sender.password, 'no password is in the log');
});
