/** The protocol log as an administrator uses it: a second process switches it on, follows it and reads it beside a running server. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import t from 'tap';

import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { startProgram } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';

t.setTimeout(300_000);

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function run(site: Site, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await site.cli(['protocol-log', ...args]);
  return { exitCode, out: stdout.toString(), err: stderr.toString() };
}

t.test('why does my old application fail: on, try, show, follow, off', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const tim = await addAccount(site, 'tim');
  const eva = await addAccount(site, 'eva');
  t.match(await run(site, 'on', '--all'), { exitCode: 3, err: /no server runs/ });
  const server = await site.serve();
  t.match(await run(site, 'show'), { exitCode: 1, err: /Nothing of that/ });
  t.match(await run(site, 'on', '--account', 'nobody@app.example.com'), { exitCode: 1, err: /nobody@app/ });
  const on = await run(
    site,
    'on',
    '--account',
    tim.address.toUpperCase(),
    '--for',
    '30m',
    '--protocol',
    'pop3,imap',
  );
  t.match(on, {
    exitCode: 0,
    out: /^Protocol log 1: account tim@app\.example\.com, pop3 and imap only, until .*Z or a restart/,
  });
  t.match((await site.cli(['status'])).stdout.toString(), /Protocol log 1: account tim@app\.example\.com/);

  const follower = await startProgram(
    process.execPath,
    [MAIN, 'protocol-log', 'show', '--follow', '--config', site.configFile],
    {
      deadlineMs: 240_000,
    },
  );
  await t.rejects(RawPop3.open(server.ports.pop3, { ...tim, password: 'not this one' }), /AUTH/);
  await (await RawPop3.open(server.ports.pop3, eva)).quit();
  // The follower may have come too late for those before; it hears one of these.
  let isHeard = false;
  const heard = follower.waitFor(/logged in: tim@app\.example\.com/).then(() => {
    isHeard = true;
  });
  do {
    const imap = await RawImap.open(server.ports.imap, tim);
    await imap.select();
    await imap.logout();
  } while (!isHeard);
  await heard;
  t.match(
    follower.printed(),
    / imap 127\.0\.0\.1 tim@app\.example\.com C: c1 LOGIN "tim@app\.example\.com" \*\*\*\n/,
  );
  follower.signal('SIGINT');
  t.not((await follower.ended).exitCode, 0);

  const shown = await run(site, 'show', '--account', tim.address);
  t.match(shown, {
    exitCode: 0,
    out: / C: PASS \*\*\*\n.* -- login refused: tim@app\.example\.com\n.* S: -ERR \[AUTH\] /,
  });
  t.notMatch(shown.out, /not this one|pass word|eva/);
  const rows = (await run(site, 'show', '--json')).out
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row));
  t.match(rows[0], { protocol: 'pop3', direction: '-', text: /^connected: pop3 from 127\.0\.0\.1/ });
  const session = String(rows[0].session);
  const one = await run(site, 'show', '--session', session, '--address', '127.0.0.1');
  t.ok(one.out.split('\n').every((line) => line === '' || line.includes(session)));
  t.match(one.out, /login refused: /);
  t.match(await run(site, 'show', '--address', '192.0.2.0/24'), { exitCode: 1 });

  const directory = join(site.directory, 'protocol-log');
  for (const name of readdirSync(directory)) t.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
  t.match(await run(site, 'status'), { out: /Protocol log 1[\s\S]*sessions are heard now[\s\S]*Files: / });
  t.match(await run(site, 'off', '7'), { exitCode: 1, out: /No such watch/ });
  t.match(await run(site, 'off'), { exitCode: 0, out: /^Off: Protocol log 1/ });
  t.match(await run(site, 'status'), { out: /^No watch is on/ });
  const main = server.program.printed();
  t.match(
    main,
    /"watch":\{"subject":\{"kind":"account","address":"tim@app\.example\.com"\}.*"event":"admin\.protocolLog\.on"/,
  );
  t.match(main, /"by":"[^"]+","event":"admin\.protocolLog\.off"/);
  t.notMatch(main, /not this one|pass word/);
  await run(site, 'on', '--all');
  t.equal((await server.stop()).exitCode, 0);
  t.match(await run(site, 'show', '--account', tim.address), { exitCode: 0 }, 'without a server');
  await site.serve();
  t.match(await run(site, 'status'), { out: /^No watch is on/ }, 'a restart ends watches');
});
