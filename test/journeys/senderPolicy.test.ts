/**
 * Sender policy as administrators set it and as applications and devices meet it: swaks on the submission listener, with and
 * without a login, each limit reached, counters that a kill does not forget, and what the receiving program fetches.
 */

import t, { type Test } from 'tap';

import { addAccount, createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { findProgram, peerTest, runProgram } from '../support/peers.ts';
import { RawPop3 } from '../support/rawPop3.ts';

t.setTimeout(600_000);

const DEVICE = 'scan@device.local';

/** What swaks is told, beside the message. */
interface Sending {
  readonly from: string;
  readonly to: readonly string[];
  /** Lines that end with \n. */
  readonly message?: string;
  readonly login?: { readonly address: string; readonly password: string };
}

/** Sends as swaks does; answers the last reply that is no goodbye, as `550 5.7.1 …`. */
async function swaks({ ports }: RunningServer, { from, to, message = 'X: y\n\nbody\n', login }: Sending) {
  const { stdout } = await runProgram(findProgram('swaks') ?? '', [
    ...['--server', `127.0.0.1:${ports.submission}`, '--from', from, '--to', to.join(',')],
    ...['--helo', 'device', '--data', message, '--tls-optional'],
    ...(login === undefined
      ? []
      : ['--auth', 'PLAIN', '--auth-user', login.address, '--auth-password', login.password]),
  ]);
  // `<-` and `<~` (TLS) are replies, `<**` and `<~*` refusals.
  const replies = [...stdout.toString().matchAll(/^<[~*-]\S*\s+(\d{3} .*)$/gm)].map(
    ([, reply = '']) => reply,
  );
  return replies.filter((reply) => !reply.startsWith('221')).at(-1) ?? stdout.toString();
}

async function fetchLast(
  server: RunningServer,
  login: { address: string; password: string },
): Promise<string> {
  const pop3 = await RawPop3.open(server.ports.pop3, login);
  const message = (await pop3.multiline(`RETR ${(await pop3.list()).size}`)).toString();
  await pop3.quit();
  return message;
}

async function open(t: Test): Promise<{ site: Site; server: RunningServer; box: Login; app: Login }> {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'box');
  const app = await addAccount(site, 'app');
  return { site, server: await site.serve(), box, app };
}
type Login = Awaited<ReturnType<typeof addAccount>>;

await peerTest(t, ['swaks'], 'a device that cannot log in sends, is refused, and is rewritten', async (t) => {
  const { site, server, box } = await open(t);
  const to = [box.address];
  t.match(await swaks(server, { from: 'hall3@app.example.com', to }), /^250 2\.0\.0 Queued/);
  t.match(
    await swaks(server, { from: DEVICE, to }),
    /^550 5\.7\.1 The sender address scan@device\.local may not be used by clients of the IP range My computer/,
  );
  const message = `From: Hall 3 <${DEVICE}>\nBcc: secret@app.example.com\nSubject: scan\n\nBcc: body\n`;
  t.match(
    await swaks(server, { from: 'hall3@app.example.com', to, message }),
    /^550 5\.7\.1 The address scan@device\.local in the field From may not be used by /,
  );
  await site.cliJson([
    'range',
    'set',
    'My computer',
    '--submission-rewrite-sender',
    'scanner@app.example.com',
  ]);
  const queued = await swaks(server, { from: DEVICE, to, message });
  const [, traceId = ''] = /Queued as (\w+)/.exec(queued) ?? [];
  const fetched = await fetchLast(server, box);
  t.match(fetched, /^Return-Path: <scanner@app\.example\.com>\r\nReceived: from /);
  t.match(
    fetched,
    /\r\nDate: [^\r]*\r\nMessage-ID: <[^\r]*>\r\nFrom: Hall 3 <scanner@app\.example\.com>\r\nX-Original-From: Hall 3 <scan@device\.local>\r\nSubject: scan\r\n\r\nBcc: body\r\n/,
  );
  t.notMatch(fetched, 'secret');
  const story = (await site.cli(['trace', traceId])).stdout.toString();
  t.match(story, /completed="Date, Message-ID"/);
  for (const told of [
    'removed="Bcc"',
    `rewrittenSender="${DEVICE}"`,
    'by the range My computer',
    'Hall 3 <scan@device.local>',
  ])
    t.match(story, told);
  t.match(
    server.program.printed(),
    /"code":"senderRefused".*"event":"transfer\.sender\.refused"|transfer\.sender\.refused/,
  );
  await site.cliJson(['range', 'set', 'My computer', '--submission', 'login']);
  t.match(
    await swaks(server, { from: 'hall3@app.example.com', to }),
    /^530 5\.7\.0/,
    'and now it has to log in',
  );
});

await peerTest(t, ['swaks'], 'an account sends as itself, and as more where that is set', async (t) => {
  const { site, server, box, app } = await open(t);
  const send = (from: string, header = '') =>
    swaks(server, { from, to: [box.address], message: `${header}\nbody\n`, login: app });
  t.match(await send(app.address), /^250/);
  t.match(
    await send(box.address),
    /^550 5\.7\.1 The sender address box@app\.example\.com may not be used by app@/,
  );
  t.match(
    await send(app.address, `From: ${box.address}\n`),
    /^550 5\.7\.1 The address box@app\.example\.com in /,
  );
  await site.cliJson(['alias', 'add', 'sales@app.example.com', app.address]);
  t.match(await send('sales@app.example.com', 'From: Sales <sales@app.example.com>\n'), /^250/);
  await site.cliJson(['account', 'set', app.address, '--submission-senders', 'own,partner.example']);
  t.match(await send('x@partner.example', `From: x@partner.example, ${app.address}\n`), /^250/);
  t.match(await send('x@other.example'), /^550/);
});

await peerTest(t, ['swaks'], 'limits hold, a day’s over a kill, and are told temporary', async (t) => {
  const { site, server, box, app } = await open(t);
  const set = (...options: readonly string[]) => site.cliJson(['account', 'set', app.address, ...options]);
  const others = ['a', 'b'].map((name) => `${name}@app.example.com`);
  for (const other of others) await site.cliJson(['alias', 'add', other, box.address]);
  const send = (on: RunningServer, to: readonly string[] = [box.address], message?: string) =>
    swaks(on, { from: app.address, to, login: app, ...(message === undefined ? {} : { message }) });

  await set('--submission-recipient-limit', '2');
  const three = await runProgram(findProgram('swaks') ?? '', [
    ...['--server', `127.0.0.1:${server.ports.submission}`, '--from', app.address, '--helo', 'app'],
    ...['--to', [box.address, ...others].join(','), '--auth', 'PLAIN', '--tls-optional'],
    ...['--auth-user', app.address, '--auth-password', app.password],
  ]);
  t.match(
    three.stdout.toString(),
    '452 4.5.3 A message by app@app.example.com may have 2 recipients at most',
  );
  t.match(three.stdout.toString(), '250 2.0.0 Queued', 'the others get it');
  await set('--submission-size-limit-octets', '2048');
  t.match(await send(server, undefined, `X: y\n\n${'x'.repeat(4000)}\n`), /^552 5\.3\.4 .* 2 KiB at most/);
  await set('--submission-size-limit-octets', 'none', '--submission-recipients-per-day-limit', '4');
  t.match(await send(server), /^250/);
  t.match(
    (await site.cli(['account', 'show', app.address])).stdout.toString(),
    /Sent today: +2 messages to 3 recipients/,
  );
  t.match(await send(server), /^250/);
  await server.kill();
  const again = await site.serve();
  t.match(await send(again), /^452 4\.7\.1 The 4 recipients a day of app@app\.example\.com are used up/);
  t.match(await site.cliJson(['account', 'show', app.address]), {
    sentToday: { messages: 3, recipients: 4 },
  });
  await set('--submission-recipients-per-day-limit', '0', '--submission-messages-per-minute-limit', '2');
  t.match(await send(again), /^250/);
  t.match(await send(again), /^250/);
  t.match(await send(again), /^452 4\.7\.1 More than 2 messages within a minute by app@app\.example\.com/);
  await site.cliJson(['range', 'set', 'My computer', '--submission-recipients-per-day-limit', '1']);
  const device = { from: 'hall3@app.example.com', to: [box.address] };
  t.match(await swaks(again, device), /^250/, 'others have limits of their own');
  t.match(await swaks(again, device), /^452 4\.7\.1 .* clients of the IP range My computer are used up/);
  t.match(
    (await site.cli(['range', 'show', 'My computer'])).stdout.toString(),
    /Sent today: +1 message to 1 recipient\n/,
  );
});
