/** Real clients hand messages over: nodemailer and swaks. (150 MB in bounded memory: test/journeys/largeMessage.test.ts.) */

import { createTransport } from 'nodemailer';
import t from 'tap';

import { findProgram, peerTest, runProgram } from '../support/peers.ts';
import { createCertificate } from '../support/sockets.ts';
import { asSent, DOMAIN, openSmtpSite } from './harness.ts';

const site = await openSmtpSite(t);
const TICKETS = `tickets@${DOMAIN}`;
const lastMessage = async () => asSent((await site.inbox(site.tickets)).at(-1) ?? Buffer.alloc(0)).toString();

t.test('nodemailer hands over by STARTTLS, several messages in a connection', async (t) => {
  const { contexts, pem } = await createCertificate(t);
  const server = await site.serve(t, { tls: 'required', tlsContexts: contexts });
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port,
    requireTLS: true,
    pool: true,
    maxConnections: 1,
    tls: { ca: pem, servername: 'mail.example.com' },
  });
  t.teardown(() => transport.close());
  for (const subject of ['one', 'zwölf']) {
    const info = await transport.sendMail({
      from: 'sender@sender.example',
      to: [TICKETS, `all@${DOMAIN}`, 'someone@elsewhere.example'],
      subject,
      text: '.\n..\nGrüße',
    });
    t.match(info.response, /^250 2\.0\.0 Queued as [0-9A-Z]{20}$/);
    t.strictSame(info.accepted, [TICKETS, `all@${DOMAIN}`]);
    t.strictSame(info.rejected, ['someone@elsewhere.example']);
  }
  t.match(await lastMessage(), /^(?:.*\r\n)+\r\n\.\r\n\.\.\r\nGr=C3=BC=C3=9Fe/);
});

await peerTest(t, ['swaks'], 'swaks hands over with TLS, a line of dots and no HELO trouble', async (t) => {
  const server = await site.serve(t);
  const { exitCode, stdout } = await runProgram(findProgram('swaks') ?? '', [
    ...['--server', `127.0.0.1:${server.port}`, '--tls', '--ehlo', 'scanner.example.org'],
    ...['--from', 'scanner@sender.example', '--to', TICKETS],
    ...['--header', 'Subject: scan', '--body', 'first\n.\n..two', '--suppress-data'],
  ]);
  t.equal(exitCode, 0, stdout.toString());
  t.match(stdout.toString(), /<~ {2}250 2\.0\.0 Queued as [0-9A-Z]{20}\r?\n/);
  t.match(await lastMessage(), /Subject: scan\r\n(?:.*\r\n)*\r\nfirst\r\n\.\r\n\.\.two\r\n/);
  const refused = await runProgram(findProgram('swaks') ?? '', [
    ...['--server', `127.0.0.1:${server.port}`, '--from', TICKETS, '--to', 'someone@elsewhere.example'],
  ]);
  t.equal(refused.exitCode, 24, 'swaks: no recipient was accepted');
});
