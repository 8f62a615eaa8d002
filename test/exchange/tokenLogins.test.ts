/** Tokens put to use: independent clients log in with them at Dovecot, and a rotated refresh token outlives kill -9. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import nodemailer from 'nodemailer';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import type { TokenOptions } from '../../src/exchange/tokens/options.ts';
import { createTokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import { createTokenVault } from '../../src/admin/tokenVault.ts';
import { createSite } from '../support/appliance.ts';
import { createAuthority } from '../support/authority.ts';
import { DOVECOT_SUBMISSION_PROGRAMS, openDovecotSubmission } from '../support/dovecotSubmission.ts';
import { peerEnvironment, peerTest, runProgram } from '../support/peers.ts';
import { openPostfix, POSTFIX_PROGRAMS } from '../support/postfix.ts';
import { openTokenServer, tokenOptions } from '../support/tokenServer.ts';

const CLIENT = 'aaaaaaaa-0000-0000-0000-000000000003';
const MAILBOX = 'app@contoso.example';
const never = new AbortController().signal;
const PYTHON = `
import smtplib, ssl, sys
port, ca, user, token, sender = sys.argv[1:]
smtp = smtplib.SMTP('localhost', int(port), timeout=120)
smtp.starttls(context=ssl.create_default_context(cadata=ca))
smtp.ehlo()
try:
    said = smtp.auth('XOAUTH2', lambda challenge=None: '' if challenge else f'user={user}\\x01auth=Bearer {token}\\x01\\x01')
    smtp.sendmail(sender, ['python@example.net'], 'Subject: by Python\\r\\n\\r\\nHello\\r\\n')
    print(said[0])
except smtplib.SMTPResponseException as error:
    print(error.smtp_code)
smtp.close()
`;

t.setTimeout(600_000);
const NEEDED = [...DOVECOT_SUBMISSION_PROGRAMS, ...POSTFIX_PROGRAMS, 'python3'];

void peerTest(
  t,
  NEEDED,
  'nodemailer and Python log in at Dovecot with our token, and nobody with another',
  async (t) => {
    const authority = await createAuthority('Submission Root');
    const server = await openTokenServer(t, { authority, isOpaque: true });
    server.issuer.clients.set(CLIENT, { clientId: CLIENT, secret: 'a secret', mailbox: MAILBOX });
    const tls = await authority.issue({
      commonName: 'localhost',
      names: ['localhost'],
      uses: ['serverAuth'],
    });
    const postfix = await openPostfix(t);
    const { introspection } = server;
    const dovecot = await openDovecotSubmission(t, { tls, introspection, relayPort: postfix.port });
    const settings = tokenOptions(server, CLIENT, { kind: 'clientSecret', secret: async () => 'a secret' });
    const client = createTokenClient(settings, { clock: systemClock, log: silentLog, vault: noVault });
    t.teardown(() => client.close());
    const token = async (rejected?: string) => {
      const answer = await client.token(never, rejected);
      return answer.kind === 'token' ? answer.token : answer.reason;
    };
    const submit = async (user: string, accessToken: string) => {
      const transport = nodemailer.createTransport({
        host: 'localhost',
        port: dovecot.port,
        requireTLS: true,
        tls: { ca: authority.pem },
        auth: { type: 'OAuth2', user, accessToken },
      });
      const message = {
        from: MAILBOX,
        to: 'nodemailer@example.net',
        subject: 'by nodemailer',
        text: 'Hello',
      };
      return transport.sendMail(message).then(
        ({ response }) => Number(response.slice(0, 3)),
        (error) => Number(error.responseCode),
      );
    };
    const submitByPython = async (user: string, accessToken: string) => {
      const args = ['-c', PYTHON, String(dovecot.port), authority.pem, user, accessToken, MAILBOX];
      const { stdout, stderr } = await runProgram('python3', args);
      return stdout.toString().trim() || stderr.toString();
    };

    const first = await token();
    t.equal(await submit(MAILBOX, first), 250);
    t.equal(await submitByPython(MAILBOX, first), '235');
    const taken = await postfix.taken(2);
    t.strictSame(taken.map(({ recipient }) => recipient).sort(), [
      'nodemailer@example.net',
      'python@example.net',
    ]);

    t.equal(await submit('another@contoso.example', first), 535, 'a token is good for its mailbox only');
    t.equal(await submitByPython('another@contoso.example', first), '535');
    t.equal(await submit(MAILBOX, 'made-up'), 535);
    const issued = server.issuer.accessTokens.get(first);
    if (issued !== undefined) issued.isRevoked = true;
    t.equal(await submit(MAILBOX, first), 535, 'a token that was revoked');
    const second = await token(first);
    t.not(second, first);
    t.equal(await submit(MAILBOX, second), 250, 'and the one that comes in its place');
    server.isIntrospectionDown = true;
    t.equal(await submit(MAILBOX, await token(second)), 454, 'Dovecot cannot ask');
    t.notMatch(dovecot.log(), new RegExp(`${first}|${second}`));
  },
);

t.test('a rotated refresh token outlives kill -9 between two renewals, and during one', async (t) => {
  for (const rotation of ['strict', 'keep'] as const) {
    const server = await openTokenServer(t, { rotation });
    server.issuer.clients.set(CLIENT, { clientId: CLIENT, isPublic: true });
    const settings = tokenOptions(server, CLIENT, { kind: 'user' });
    const directory = `${t.testdir({ [rotation]: {} })}/${rotation}`;
    await logIn(directory, settings, server.issuer.issueRefreshToken(CLIENT, MAILBOX));
    for (let kills = 1; kills <= 2; kills += 1) {
      // Strict: two whole renewals, then the kill. Kept, as Entra does it: the kill comes whenever it comes.
      const printed = await renewAndKill(t, directory, settings, rotation === 'strict' ? 2 : undefined);
      t.match(printed, /renewed/, `${rotation}: kill ${kills}`);
      t.notMatch(printed, /denied/);
    }
  }
});

t.test('hauspost relay login shows a code, waits, and the relay has its login', async (t) => {
  const server = await openTokenServer(t, { deviceInterval: 1 });
  server.issuer.clients.set(CLIENT, { clientId: CLIENT, isPublic: true });
  const site = createSite(`[[relays]]
name = "cloud"
preset = "exchange-xoauth2"
hosts = ["localhost:1"]
user = "${MAILBOX}"
tenant = "${server.tenant}"
clientId = "${CLIENT}"
grant = "deviceCode"
authorityUrl = "${server.origin}"
authorityCertificateFile = "roots.pem"

[[relays]]
name = "other"
preset = "exchange-xoauth2"
user = "${MAILBOX}"
tenant = "${server.tenant}"
clientId = "${CLIENT}"
`);
  writeFileSync(join(site.directory, 'roots.pem'), server.certificateAuthorities);
  t.teardown(() => site.remove());
  const running = await site.serve();
  const status = async () => (await site.cli(['status'])).stdout.toString();
  t.match(await status(), /relay cloud: nobody has logged in: run `hauspost relay login cloud`/);
  for (const answer of ['declined', { user: MAILBOX }] as const) {
    const given = server.issuer.nextUserCode();
    const login = site.cli(['relay', 'login', 'cloud']);
    const code = await given;
    server.issuer.decide(code, answer);
    const { exitCode, stdout, stderr } = await login;
    t.match(stderr.toString(), `Open ${server.origin}/device and enter ${code}`);
    if (answer === 'declined') t.match(stdout.toString(), /No login: the user declined.*\nTo do: /);
    else t.match(stdout.toString(), `${MAILBOX} has logged in`);
    t.equal(exitCode, answer === 'declined' ? 1 : 0);
  }
  t.notMatch(await status(), /nobody has logged in/);
  const tried = await site.cli(['relay', 'test', 'cloud']);
  t.match(
    tried.stdout.toString(),
    `The token is for https://outlook.office.com, of the tenant ${server.tenant}, as ${MAILBOX}, with SMTP.Send, until `,
  );
  t.notMatch(tried.stdout.toString(), /lacks/);
  const { exitCode, stderr } = await site.cli(['relay', 'login', 'other']);
  t.equal(exitCode, 1);
  t.match(stderr.toString(), /needs nobody to log in/);
  await running.stop();
  const printed = running.program.printed() + tried.stdout.toString() + tried.stderr.toString();
  t.strictSame(
    server.secrets().filter((secret) => printed.includes(secret)),
    [],
  );
});

const noVault = {
  loadRefreshToken: async () => undefined,
  saveRefreshToken: async () => {},
};

async function logIn(
  directory: string,
  { name, tenant, clientId }: TokenOptions,
  token: string,
): Promise<void> {
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const now = systemClock.now();
  const kept = { token, tenant, clientId, loggedInAt: now, renewedAt: now };
  await createTokenVault(store.secrets).saveRefreshToken(name, kept);
  await store.close();
}

/** Starts a process that renews, and kills it after `steps` renewals, or within one after two; what it printed. */
async function renewAndKill(
  t: Test,
  directory: string,
  settings: TokenOptions,
  steps: number | undefined,
): Promise<string> {
  const path = fileURLToPath(new URL('./renewing.ts', import.meta.url));
  const env = { ...peerEnvironment(), ...(steps === undefined ? {} : { STEPS: '1' }) };
  const child = spawn(process.execPath, [path, directory, JSON.stringify(settings)], { env });
  t.teardown(() => child.kill('SIGKILL'));
  let printed = '';
  const isEnough = () => (printed.match(/renewed|denied/g) ?? []).length >= (steps ?? 2);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
    child.stderr.on('data', (piece) => {
      printed += piece;
    });
    child.stdout.on('data', (piece) => {
      printed += piece;
      if (isEnough()) child.kill('SIGKILL');
      else if (steps !== undefined) child.stdin.write('go\n');
    });
  });
  return printed;
}
