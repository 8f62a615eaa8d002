/**
 * `npm run demo`: the whole appliance on 127.0.0.1 with a store of its own, shown by real clients.
 *
 * Makes a domain and three accounts, hands a dozen messages over by SMTP with STARTTLS as Exchange Online does, fetches them
 * back by POP3 and IMAP, says what it did, prints what to type into a mail client, and serves until it is told to stop.
 * Nothing leaves the machine. main.ts hands in how an appliance is started.
 */

import type { Writable } from 'node:stream';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Clock } from '../base/clock.ts';
import type { DemoAccount, DemoAppliance } from './appliance.ts';
import { retrieveAll } from './pop3Client.ts';
import { buildSamples, type Sample } from './samples.ts';
import { tryItText } from './tryIt.ts';

/** The demo's domain. */
export const DEMO_DOMAIN = 'app.example.com';
/** Local parts of its accounts. */
export const DEMO_ACCOUNTS = ['tickets', 'invoices', 'scans'] as const;

/** What the demo did, for its caller and its test. */
export interface DemoReport {
  readonly accounts: readonly DemoAccount[];
  readonly submitted: number;
  readonly copies: number;
  readonly fetchedByPop3: number;
  readonly fetchedByImap: number;
}

/** Runs the demo on a started appliance; resolves when everything was shown. The appliance goes on serving. */
export async function runDemo(options: {
  readonly appliance: DemoAppliance;
  readonly clock: Clock;
  readonly out: Writable;
}): Promise<DemoReport> {
  const { appliance, clock, out } = options;
  const say = (text: string) => out.write(`${text}\n`);
  say('Hauspost demo: everything stays on this machine.\n');
  const accounts = await makeAccounts(appliance);
  say(`1. Made the domain ${DEMO_DOMAIN} with the accounts ${DEMO_ACCOUNTS.join(', ')}.`);
  const samples = await buildSamples(DEMO_DOMAIN, clock.now());
  const handover = await timed(clock, () => handOver(samples, appliance));
  const octets = samples.reduce((sum, sample) => sum + sample.raw.length, 0);
  say(
    `2. Took in ${samples.length} messages (${megabytes(octets)}) by SMTP with TLS in ${seconds(handover.ms)}:`,
  );
  for (const sample of samples) say(`     ${sample.title}, for ${sample.recipients.join(' and ')}`);
  const pop3 = await timed(clock, () => fetchByPop3(accounts, appliance));
  say(
    `3. Fetched ${pop3.value.messages} copies (${megabytes(pop3.value.octets)}) by POP3 with TLS in ${seconds(pop3.ms)}.`,
  );
  const imap = await timed(clock, () => fetchByImap(accounts, appliance));
  say(
    `4. Fetched ${imap.value.messages} copies (${megabytes(imap.value.octets)}) by IMAP with TLS in ${seconds(imap.ms)}.`,
  );
  const copies = samples.reduce((sum, sample) => sum + sample.recipients.length, 0);
  if (pop3.value.messages !== copies || imap.value.messages !== copies) {
    throw new Error(
      `expected ${copies} copies, got ${pop3.value.messages} by POP3 and ${imap.value.messages} by IMAP`,
    );
  }
  say(tryItText(appliance, accounts));
  return {
    accounts,
    submitted: samples.length,
    copies,
    fetchedByPop3: pop3.value.messages,
    fetchedByImap: imap.value.messages,
  };
}

async function makeAccounts(appliance: DemoAppliance): Promise<DemoAccount[]> {
  await appliance.addDomain(DEMO_DOMAIN);
  const accounts: DemoAccount[] = [];
  for (const name of DEMO_ACCOUNTS) {
    const address = `${name}@${DEMO_DOMAIN}`;
    accounts.push({ address, password: await appliance.addAccount(address) });
  }
  return accounts;
}

async function handOver(
  samples: readonly Sample[],
  { endpoints, certificate }: DemoAppliance,
): Promise<void> {
  const transport = createTransport({
    ...endpoints.smtp,
    name: 'FR2P281CU001.outbound.protection.outlook.com',
    requireTLS: true,
    tls: { ca: certificate, checkServerIdentity: () => undefined },
    pool: true,
    maxConnections: 2,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await Promise.all(
      samples.map((sample) =>
        transport.sendMail({
          envelope: { from: sample.sender, to: [...sample.recipients] },
          raw: sample.raw,
        }),
      ),
    );
  } finally {
    transport.close();
  }
}

async function fetchByPop3(accounts: readonly DemoAccount[], { endpoints, certificate }: DemoAppliance) {
  const total = { messages: 0, octets: 0 };
  for (const { address, password } of accounts) {
    const visit = await retrieveAll({ ...endpoints.pop3s, user: address, password, certificate });
    total.messages += visit.messages;
    total.octets += visit.octets;
  }
  return total;
}

async function fetchByImap(accounts: readonly DemoAccount[], { endpoints, certificate }: DemoAppliance) {
  const total = { messages: 0, octets: 0 };
  for (const { address, password } of accounts) {
    const client = new ImapFlow({
      ...endpoints.imaps,
      secure: true,
      auth: { user: address, pass: password },
      tls: { ca: certificate, checkServerIdentity: () => undefined },
      logger: false,
    });
    await client.connect();
    try {
      const lock = await client.getMailboxLock('INBOX', { readOnly: true });
      for await (const message of client.fetch('1:*', { source: true })) {
        total.messages += 1;
        total.octets += message.source?.length ?? 0;
      }
      lock.release();
    } finally {
      await client.logout();
    }
  }
  return total;
}

async function timed<T>(
  clock: Clock,
  run: () => Promise<T>,
): Promise<{ readonly value: T; readonly ms: number }> {
  const start = clock.monotonic();
  const value = await run();
  return { value, ms: clock.monotonic() - start };
}

function megabytes(octets: number): string {
  return `${(octets / 1_000_000).toFixed(1)} MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
