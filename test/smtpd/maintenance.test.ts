/** While no mail is taken in: 4yz and nothing else for whoever begins, the end of its message for whoever is in one. */

import t, { type Test } from 'tap';

import { connectClient, secureClient } from '../support/sockets.ts';
import { ask, begin, DOMAIN, openSmtpSite } from './harness.ts';

const TEXT = 'Closed, please try again later';
const site = await openSmtpSite(t);
const { tickets } = site;

/** A server with a switch. */
async function serve(t: Test, tls: 'starttls' | 'implicit' = 'starttls') {
  const state = { text: undefined as string | undefined };
  const server = await site.serve(t, { tls, maintenance: () => state.text });
  return { server, state };
}

t.test('a new session is told so and ended, also below TLS', async (t) => {
  for (const tls of ['starttls', 'implicit'] as const) {
    const { server, state } = await serve(t, tls);
    state.text = TEXT;
    const plain = await connectClient(t, server.port);
    const client = tls === 'implicit' ? await secureClient(t, plain.socket) : plain;
    client.send(`EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@${DOMAIN}>\r\nDATA\r\n`);
    t.equal(await client.closed(), `421 4.3.2 mail.example.com ${TEXT}\r\n`);
    state.text = undefined;
    const next = await connectClient(t, server.port);
    if (tls === 'starttls') await next.until(/^220 /);
  }
});

t.test('a session that is there is told so at its next message, whatever it says', async (t) => {
  const { server, state } = await serve(t);
  for (const line of ['MAIL FROM:<a@b.example>', 'MAIL FROM:<', 'MAIL FROM:<a@b.example> NONSENSE=1']) {
    const client = await server.greeted();
    state.text = TEXT;
    t.match(await ask(client, 'NOOP\r\n', '\\d'), '250');
    client.send(`${line}\r\nRCPT TO:<nobody@${DOMAIN}>\r\nDATA\r\n`);
    t.match(await client.closed(), new RegExp(`OK\\r\\n421 4.3.2 mail.example.com ${TEXT}\\r\\n$`));
    state.text = undefined;
  }
});

t.test('no recipient is refused for good, and a message under way is finished', async (t) => {
  const { server, state } = await serve(t);
  const before = (await site.inbox(tickets)).length;
  const early = await server.greeted();
  await ask(early, 'MAIL FROM:<a@b.example>\r\n', '250');
  const late = await server.greeted();
  await ask(late, `MAIL FROM:<a@b.example>\r\nRCPT TO:<tickets@${DOMAIN}>\r\n`, '250 2.1.5');
  const sending = await server.greeted();
  await begin(sending);
  state.text = TEXT;
  early.send(`RCPT TO:<nobody@${DOMAIN}>\r\nDATA\r\n`);
  t.match(await early.closed(), /250 2.1.0 [^\r]*\r\n421 4.3.2 [^\r]*\r\n$/);
  t.match(await ask(late, `RCPT TO:<nobody@${DOMAIN}>\r\n`, '\\d'), `450 4.3.2 mail.example.com ${TEXT}`);
  t.match(await ask(late, 'DATA\r\n', '\\d'), '354');
  for (const client of [late, sending]) t.match(await ask(client, 'x\r\n.\r\n', '\\d'), '250 2.0.0 Queued');
  t.equal((await site.inbox(tickets)).length, before + 2);
  sending.send('MAIL FROM:<a@b.example>\r\n');
  t.match(await sending.closed(), /Queued [^\r]*\r\n421 4.3.2 [^\r]*\r\n$/);
});
