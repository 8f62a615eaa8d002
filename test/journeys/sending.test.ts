/**
 * The whole appliance sends: what real clients submit goes by each preset to a next hop that insists on its TLS, its login and its
 * limits, and arrives byte for byte with its envelope. Next hops are Postfix with Dovecot's SASL, in Exchange Online's place.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTransport } from 'nodemailer';
import t, { type Test } from 'tap';

import type { RelayReport } from '../../src/admin/relayReport.ts';
import { certificateOf, createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { createAuthority } from '../support/authority.ts';
import { DOVECOT_SASL_PROGRAMS, openDovecotSasl } from '../support/dovecotSasl.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { peerTest } from '../support/peers.ts';
import { freePort, openPostfix, POSTFIX_PROGRAMS, type TakenMessage } from '../support/postfix.ts';
import type { Login } from '../support/rawPop3.ts';
import { SUBMITTING_CLIENTS } from './submittingClients.ts';

t.setTimeout(300_000);

const HOP_NAME = 'hop.example.net';
const authority = await createAuthority('Authority of next hops');
const hopTls = await authority.issue({ commonName: HOP_NAME, names: [HOP_NAME], uses: ['serverAuth'] });
const ours = await authority.issue({ commonName: 'relay.contoso.com', uses: ['clientAuth'] });

/** What every relay of these tests has: a hop at 127.0.0.1 under its name, by the tests' authority. */
const atHop = (...ports: number[]) =>
  `hosts = [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]\ntlsServerName = "${HOP_NAME}"\ntlsAuthorityFile = "hops.pem"\n`;

interface Sender {
  readonly site: Site;
  readonly server: RunningServer;
  readonly login: Login;
  relay(name: string): Promise<RelayReport>;
  /** Resolves once the server has logged this event of a relay. */
  logged(event: string, relay: string): Promise<unknown>;
}

/** An appliance with these relays, whose mail goes by `routes`: patterns of recipients and the relay of each. */
async function openSender(
  t: Test,
  relays: string,
  routes: Readonly<Record<string, string>>,
): Promise<Sender> {
  const site = createSite(relays);
  t.teardown(() => site.remove());
  writeFileSync(join(site.directory, 'hops.pem'), authority.pem);
  writeFileSync(join(site.directory, 'ours.pem'), ours.pem);
  writeFileSync(join(site.directory, 'ours.key'), ours.keyPem);
  const server = await site.serve();
  const [login] = (await addAccounts(site, ['erp'])) as [Login];
  for (const [recipients, relay] of Object.entries(routes))
    await callServer(site, 'route.add', {
      name: `to ${relay}`,
      recipients: [recipients],
      target: { kind: 'relay', relay },
    });
  return {
    site,
    server,
    login,
    relay: async (name) => (await site.cliJson(['relay', 'show', name])) as RelayReport,
    logged: (event, relay) =>
      server.program.waitFor(new RegExp(`"relay":"${relay}".*"event":"${event.replaceAll('.', '\\.')}"`)),
  };
}

/** Submits octets as they are, with dots stuffed, by a session of its own. */
async function submit(
  t: Test,
  { server, login }: Sender,
  to: readonly string[],
  octets: string,
): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.ports.submissions,
    secure: true,
    auth: { user: login.address, pass: login.password },
    tls: { rejectUnauthorized: false },
  });
  t.teardown(() => transport.close());
  await transport.sendMail({ envelope: { from: login.address, to: [...to] }, raw: octets });
}

const message = (login: Login, subject: string) =>
  `From: ${login.address}\r\nTo: many@elsewhere.example\r\nSubject: ${subject}\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${subject.replaceAll(' ', '.')}@erp>\r\n\r\n.\r\n..two dots\r\nä ${'x'.repeat(800)}\t \r\n\r\n`;

/** That octets are those of `sent`, with nothing but our Received field in front. */
function sameOctets(t: Test, taken: TakenMessage | undefined, sent: string): void {
  const plain = Buffer.from(sent).toString('latin1').replaceAll('\r\n', '\n');
  t.ok(taken?.octets.endsWith(plain), 'every octet as it was submitted');
  const front = taken?.octets.slice(0, -plain.length) ?? '';
  t.match(front, /^Received: from .*\n([\t ].*\n)+$/, 'and our Received field alone in front');
}

peerTest(
  t,
  [...POSTFIX_PROGRAMS, ...SUBMITTING_CLIENTS.flatMap(({ programs }) => programs)],
  'exchange-connector: what clients submit goes to a hop that asks for our certificate, the second host where the first is away',
  async (t) => {
    const hop = await openPostfix(t, {
      tls: hopTls,
      clientAuthority: authority.pem,
      settings: {
        smtpd_recipient_restrictions:
          'check_recipient_access inline:{nobody@elsewhere.example=REJECT}, permit_mynetworks, reject',
      },
    });
    const away = await freePort();
    const connector = (name: string, more: string) =>
      `[[relays]]\nname = "${name}"\npreset = "exchange-connector"\n${more}`;
    const relays =
      connector('exchange', `${atHop(away, hop.port)}certificateFile = "ours.pem"\nkeyFile = "ours.key"\n`) +
      connector('unknown', atHop(hop.port)) +
      connector('strange', atHop(hop.port).replace(HOP_NAME, 'other.example.net'));
    const sender = await openSender(t, relays, {
      'elsewhere.example': 'exchange',
      'unknown.example': 'unknown',
      'strange.example': 'strange',
    });
    const { site, server, login } = sender;
    const check = await site.cli(['relay', 'test', 'exchange']);
    t.equal(check.exitCode, 0, check.stdout.toString());
    t.match(check.stdout.toString(), /It is ready to take mail/);

    await t.test('swaks, curl, msmtp, nodemailer, smtplib', async (t) => {
      const certificateFile = join(site.directory, 'self-signed.crt');
      for (const { name, submit } of SUBMITTING_CLIENTS) {
        const job = {
          way: 'starttls' as const,
          port: server.ports.submission,
          login,
          to: 'someone@elsewhere.example',
          subject: name,
          certificate: certificateOf(site),
          certificateFile,
          localAddress: '127.0.0.1',
        };
        const { isTaken, said } = await submit(job);
        t.ok(isTaken, `${name}: ${said}`);
      }
      const taken = await hop.taken(SUBMITTING_CLIENTS.length);
      for (const { name } of SUBMITTING_CLIENTS) {
        const found = taken.find(({ octets }) => octets.includes(`\nSubject: ${name}\n`));
        t.match(found, { sender: login.address, recipient: 'someone@elsewhere.example' }, name);
        t.match(found?.octets, /\n\n\.\n/, `${name}: the dot`);
        t.notMatch(found?.octets, /^Return-Path:/m, name);
      }
    });

    await t.test(
      'several recipients in one transaction, byte for byte, and DSN parameters go along',
      async (t) => {
        const before = (await hop.taken(0)).length;
        const sent = message(login, 'byte for byte');
        await submit(t, sender, ['a@elsewhere.example', 'b@elsewhere.example'], sent);
        const taken = (await hop.taken(before + 2)).slice(before);
        t.strictSame(taken.map(({ recipient }) => recipient).sort(), [
          'a@elsewhere.example',
          'b@elsewhere.example',
        ]);
        for (const one of taken) sameOctets(t, one, sent);
        t.match(hop.log(), /nrcpt=2 /, 'one transaction');

        const transport = createTransport({
          host: '127.0.0.1',
          port: server.ports.submissions,
          secure: true,
          auth: { user: login.address, pass: login.password },
          tls: { rejectUnauthorized: false },
        });
        t.teardown(() => transport.close());
        await transport.sendMail({
          envelope: { from: login.address, to: ['c@elsewhere.example'] },
          raw: message(login, 'with dsn'),
          dsn: {
            id: 'erp+job',
            return: 'headers',
            notify: ['success'],
            recipient: 'original@elsewhere.example',
          },
        });
        const reports = (await hop.taken(before + 4)).slice(before + 2);
        const report = reports.find(({ recipient }) => recipient === login.address);
        t.equal(report?.sender, '');
        t.match(report?.octets, /^Original-Envelope-Id: erp\+job$/m, 'ENVID');
        t.match(
          report?.octets,
          /^Original-Recipient: rfc822; ?original@elsewhere\.example$/m,
          'ORCPT and NOTIFY',
        );
      },
    );

    await t.test(
      'without our certificate, or where the name is another, the relay is held and says what to do',
      async (t) => {
        await submit(t, sender, ['a@unknown.example'], message(login, 'unknown'));
        await submit(t, sender, ['a@strange.example'], message(login, 'strange'));
        await Promise.all([
          sender.logged('outbound.relay.held', 'strange'),
          sender.logged('outbound.relay.paused', 'unknown'),
        ]);
        t.match(await sender.relay('unknown'), { state: 'paused', reason: /No client certificate/ });
        t.match(await sender.relay('strange'), { state: 'held', heldBy: 'trouble', items: { waiting: 1 } });
        const status = await site.cli(['status']);
        t.match(status.stdout.toString(), /^warning: .*strange/m);
        t.notMatch((await hop.taken(0)).map(({ octets }) => octets).join(''), /Subject: (unknown|strange)/);
      },
    );
  },
);

peerTest(
  t,
  [...POSTFIX_PROGRAMS, ...DOVECOT_SASL_PROGRAMS],
  'presets with a password: TLS and login are insisted on, a wrong one holds the relay until it is mended, limits are kept',
  async (t) => {
    const sasl = await openDovecotSasl(t, 'app@contoso.com', 'right secret');
    const hop = await openPostfix(t, {
      tls: hopTls,
      saslSocket: sasl.socket,
      settings: {
        smtpd_recipient_limit: '50',
        smtpd_recipient_overshoot_limit: '1',
        // Two for each of the three relays that log in.
        smtpd_client_connection_count_limit: '6',
        smtpd_client_message_rate_limit: '30',
        smtpd_client_event_limit_exceptions: '',
        message_size_limit: '100000',
      },
    });
    const withLogin = (name: string, preset: string, more = '') =>
      `[[relays]]\nname = "${name}"\npreset = "${preset}"\n${atHop(hop.port)}user = "app@contoso.com"\n${more}`;
    const relays = [
      withLogin('mailbox', 'exchange-smtp-auth'),
      withLogin('hve', 'exchange-hve', 'passwordFile = "password"\n'),
      withLogin(
        'azure',
        'azure-communication-services',
        'passwordFile = "password"\nsizeLimitOctets = 50000\n',
      ),
      `[[relays]]\nname = "clear"\nhosts = ["127.0.0.1:${hop.port}"]\ntls = "none"\n`,
    ].join('');
    const sender = await openSender(t, relays, {
      'mailbox.example': 'mailbox',
      'hve.example': 'hve',
      'azure.example': 'azure',
      'clear.example': 'clear',
    });
    const { site, login } = sender;
    writeFileSync(join(site.directory, 'password'), 'right secret\n', { mode: 0o600 });

    await t.test(
      'a wrong password: held with advice, an alarm in status; mended and released, the mail leaves',
      async (t) => {
        await site.cliJson(['relay', 'secret', 'mailbox'], 'wrong secret\n');
        const sent = message(login, 'wrong password');
        await submit(t, sender, ['a@mailbox.example'], sent);
        await sender.logged('outbound.relay.held', 'mailbox');
        const held = await sender.relay('mailbox');
        t.match(held, { state: 'held', heldBy: 'trouble', reason: /535/, items: { waiting: 1 } });
        t.ok((held.advice ?? '').length > 20, held.advice ?? 'no advice');
        t.match((await site.cli(['status'])).stdout.toString(), /^warning: .*mailbox/m);
        const test = await site.cli(['relay', 'test', 'mailbox']);
        t.equal(test.exitCode, 1);
        t.match(test.stdout.toString(), /535[\s\S]*To do: /);
        await site.cliJson(['relay', 'secret', 'mailbox'], 'right secret\n');
        t.equal((await site.cli(['relay', 'test', 'mailbox'])).exitCode, 0);
        await site.cliJson(['relay', 'release', 'mailbox']);
        const [taken] = await hop.taken(1);
        t.match(taken, { sender: login.address, recipient: 'a@mailbox.example' });
        sameOctets(t, taken, sent);
        t.match(await sender.relay('mailbox'), { state: 'running', today: { recipients: 1, limit: 10_000 } });
      },
    );

    await t.test('a relay that neither encrypts nor logs in is held', async (t) => {
      await submit(t, sender, ['a@clear.example'], message(login, 'clear'));
      await sender.logged('outbound.relay.held', 'clear');
      t.match(await sender.relay('clear'), { state: 'held', reason: /530/ });
    });

    await t.test(
      '50 recipients of a transaction are not exceeded, nor two connections of a relay, nor 30 messages a minute',
      async (t) => {
        const before = (await hop.taken(0)).length;
        const many = Array.from({ length: 60 }, (_, index) => `r${index}@azure.example`);
        await submit(t, sender, many, message(login, 'many'));
        for (let index = 0; index < 4; index += 1)
          await submit(t, sender, ['one@hve.example'], message(login, `hve ${index}`));
        const taken = (await hop.taken(before + 64)).slice(before);
        t.equal(new Set(taken.map(({ recipient }) => recipient)).size, 61);
        t.match(hop.log(), /nrcpt=50 /);
        t.match(hop.log(), /nrcpt=10 /);
        t.notMatch(hop.log(), /too many|limit exceeded/i);
        t.match(await sender.relay('azure'), {
          messagesPerMinuteLimit: 30,
          recipientLimit: 50,
          state: 'running',
        });
      },
    );

    await t.test(
      'no password stands in the log, the status or the configuration as it is printed',
      async (t) => {
        const status = (await site.cli(['status', '--json'])).stdout.toString();
        const config = (await site.cli(['config', 'print'])).stdout.toString();
        const all = sender.server.program.printed() + status + config + readFileSync(site.configFile, 'utf8');
        for (const secret of ['right secret', 'wrong secret']) {
          t.notOk(all.includes(secret));
          t.notOk(all.includes(Buffer.from(`\0app@contoso.com\0${secret}`).toString('base64')));
        }
      },
    );

    await t.test('held by an administrator nothing goes, and released it goes', async (t) => {
      const before = (await hop.taken(0)).length;
      await site.cliJson(['relay', 'hold', 'hve', '--reason', 'maintenance at Microsoft']);
      t.match(await sender.relay('hve'), {
        state: 'held',
        heldBy: 'administrator',
        reason: 'maintenance at Microsoft',
      });
      await submit(t, sender, ['held@hve.example'], message(login, 'held'));
      t.match(await sender.relay('hve'), { items: { waiting: 1 } });
      await site.cliJson(['relay', 'release', 'hve']);
      t.match((await hop.taken(before + 1)).at(-1), { recipient: 'held@hve.example' });
    });
  },
);

t.test('a relay that is not in the configuration is told to whoever asks', async (t) => {
  const sender = await openSender(t, '', { 'nowhere.example': 'absent' });
  const { site, login } = sender;
  t.match(
    (await site.cli(['status'])).stdout.toString(),
    /^warning: route to absent leads to the relay absent, which is not in the configuration/m,
  );
  await submit(t, sender, ['a@nowhere.example'], message(login, 'absent'));
  t.match(await site.cliJson(['relay', 'list']), [
    { name: 'absent', state: 'missing', items: { waiting: 1 } },
  ]);
  const status = (await site.cli(['status'])).stdout.toString();
  t.match(status, /^warning: .*absent.* is not in the configuration/m);
  const unknown = await site.cli(['relay', 'test', 'absent']);
  t.equal(unknown.exitCode, 1);
  t.match(unknown.stderr.toString(), /There is no relay “absent”/);
});
