/**
 * The whole appliance sends by Microsoft Graph (preset exchange-graph): a token server and a Graph in Microsoft's place, a smarthost as
 * fallback, and what an application submits arriving at exactly the recipients of its envelope.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTransport, type SendMailOptions } from 'nodemailer';
import t from 'tap';

import type { RelayReport } from '../../src/admin/relayReport.ts';
import { createSite } from '../support/appliance.ts';
import { createAuthority } from '../support/authority.ts';
import { openGraphServer } from '../support/graphServer.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import type { Login } from '../support/rawPop3.ts';
import { openScriptedHop } from '../support/scriptedHop.ts';
import { openTokenServer } from '../support/tokenServer.ts';

t.setTimeout(300_000);

const CLIENT_ID = '0a1b2c3d-1111-2222-3333-444455556666';
const SECRET = 'a-client-secret-of-the-tests';

t.test('exchange-graph: an application submits, and Graph or the fallback takes it', async (t) => {
  const authority = await createAuthority('Microsoft of the tests');
  const tokens = await openTokenServer(t, { authority });
  tokens.issuer.clients.set(CLIENT_ID, { clientId: CLIENT_ID, secret: SECRET, roles: ['Mail.Send'] });
  const issued = await authority.issue({
    commonName: 'localhost',
    names: ['localhost'],
    uses: ['serverAuth'],
  });
  const graph = await openGraphServer(t, issued, (token) => {
    const scope = tokens.issuer.find(token)?.scope;
    return scope === `${graph.endpoint}/.default` ? 'valid' : undefined;
  });
  const smarthost = await openScriptedHop(t);
  const site = createSite(`[[relays]]
name = "cloud"
preset = "exchange-graph"
mailbox = "app@contoso.com"
tenant = "${tokens.tenant}"
clientId = "${CLIENT_ID}"
clientSecretFile = "client-secret"
authorityUrl = "${tokens.origin}"
authorityCertificateFile = "microsoft.pem"
graphEndpoint = "${graph.endpoint}"
fallback = "smarthost"

[[relays]]
name = "smarthost"
hosts = ["127.0.0.1:${smarthost.port}"]
tls = "none"
`);
  t.teardown(() => site.remove());
  writeFileSync(join(site.directory, 'microsoft.pem'), authority.pem);
  writeFileSync(join(site.directory, 'client-secret'), `${SECRET}\n`, { mode: 0o600 });
  const server = await site.serve();
  const [login, colleague] = (await addAccounts(site, ['erp', 'colleague'])) as [Login, Login];
  await callServer(site, 'route.add', {
    name: 'all else',
    recipients: ['*'],
    target: { kind: 'relay', relay: 'cloud' },
  });
  graph.mailboxes.clear();
  graph.mailboxes.set('app@contoso.com', { sendAs: [login.address] });

  const transport = createTransport({
    host: '127.0.0.1',
    port: server.ports.submissions,
    secure: true,
    auth: { user: login.address, pass: login.password },
    tls: { rejectUnauthorized: false },
  });
  t.teardown(() => transport.close());
  const submit = (mail: SendMailOptions) =>
    transport.sendMail({ from: login.address, text: 'hello', ...mail });
  /** Resolves once a line of the log has both. */
  const logged = (event: string, text: string) => {
    const has = (part: string) => `(?=.*${part.replaceAll('.', '\\.')})`;
    return server.program.waitFor(new RegExp(`^${has(`"event":"${event}"`)}${has(text)}.*$`, 'm'));
  };
  const sent = async (count: number) => {
    await graph.until(() => graph.sent.length >= count);
    return graph.sent.at(-1);
  };

  await t.test('a check proves token, permission and mailbox, and sends nothing', async (t) => {
    const check = await site.cli(['relay', 'test', 'cloud']);
    t.equal(check.exitCode, 0, check.stdout.toString() + check.stderr.toString());
    t.match(check.stdout.toString(), /would read a message from app@contoso\.com/);
    t.strictSame(graph.sent, []);
  });

  await t.test('To, Cc and a blind copy arrive, and nobody sees the blind copy', async (t) => {
    await submit({
      to: '"Doe, J." <a@one.example>',
      cc: 'b@two.example',
      bcc: 'hidden@two.example',
      subject: 'first',
    });
    const message = await sent(1);
    t.strictSame(message?.recipients.toSorted(), ['a@one.example', 'b@two.example', 'hidden@two.example']);
    t.match(
      message?.mime.toString(),
      /^Bcc: hidden@two\.example\r\nReceived: [\s\S]*\r\nSubject: first\r\n[\s\S]*hello/,
    );
  });

  await t.test(
    'a recipient of our own in To would get it twice, so the others get it by the fallback',
    async (t) => {
      await submit({ to: `a@one.example, ${colleague.address}`, subject: 'second' });
      await logged('outbound.graph.fallback', colleague.address);
      await smarthost.until(() => smarthost.messages.length > 0);
      t.strictSame(smarthost.messages[0]?.rcpts, ['RCPT TO:<a@one.example>']);
      t.equal(graph.sent.length, 1);
    },
  );

  await t.test('a token that is not taken any more is renewed, and the message leaves', async (t) => {
    const before = tokens.requests.length;
    tokens.issuer.accessTokens.clear();
    await submit({ to: 'c@one.example', subject: 'third' });
    t.strictSame((await sent(2))?.recipients, ['c@one.example']);
    t.equal(tokens.requests.length, before + 1);
  });

  await t.test(
    'without the permission the relay is held with what to do; mended and released, it sends',
    async (t) => {
      graph.always = { kind: 'answer', status: 403, code: 'ErrorAccessDenied' };
      await submit({ to: 'd@one.example', subject: 'fourth' });
      await logged('outbound.relay.held', 'ErrorAccessDenied');
      const report = (await site.cliJson(['relay', 'show', 'cloud'])) as RelayReport;
      t.match(report, {
        state: 'held',
        heldBy: 'trouble',
        advice: /Application Mail\.Send/,
      });
      graph.always = undefined;
      await site.cliJson(['relay', 'release', 'cloud']);
      t.strictSame((await sent(3))?.recipients, ['d@one.example']);
    },
  );

  await t.test("the trace has Graph's request-id, and nothing has a token or the secret", async (t) => {
    // The first message: of the last one Graph knows before our own commit.
    const trace = await site.cli(['trace', 'b@two.example']);
    t.match(trace.stdout.toString(), /202 Accepted \(request-id [0-9a-f-]{36}\)/);
    const status = (await site.cli(['status', '--json'])).stdout.toString();
    const all = server.program.printed() + status + trace.stdout + readFileSync(site.configFile, 'utf8');
    t.match(all, /"requestId":"[^"]+","event":"exchange\.sendMail\.accept"/);
    for (const secret of tokens.secrets()) t.notOk(all.includes(secret));
    t.ok(tokens.secrets().includes(SECRET));
  });
});
