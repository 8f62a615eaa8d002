/** The server's life as an administrator sees it: start, second start, verbs, reload, stop, kill, and starting without anything. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { addAccounts } from '../support/manyAccounts.ts';
import { runProgram, startProgram } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const NOBODY = { address: '', password: '' };
const LAUNCHER = fileURLToPath(new URL('../../bin/hauspost.js', import.meta.url));
const MESSAGE = Buffer.from('Subject: hello\r\n\r\nworld\r\n');

/** A verb's end, as text. The first test runs some in processes of their own. */
async function run(site: Site, args: readonly string[]) {
  const { exitCode, stdout, stderr } = await site.cli(args);
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

t.test('verbs work on the store without a server, and through it at once when it runs', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const unreachable = await site.program(['status']);
  t.match([unreachable.exitCode, unreachable.stderr.toString()], [3, /no server runs on/]);
  const box = await addAccount(site, 'ticket');
  const server = await site.serve();
  t.match(await site.cliJson(['status']), { processId: server.pid, store: { kind: 'healthy' } });
  const smtp = await RawSmtp.open(server.ports.smtp);
  const deliver = async (to: string) => {
    const reply = await smtp.deliver({ from: 'a@example.org', to: [to] }, MESSAGE);
    await smtp.command('RSET');
    return reply;
  };
  t.match(await deliver('info@app.example.com'), { text: /^550 5\.1\.1 / });
  await site.cliJson(['alias', 'add', 'info@app.example.com', box.address]);
  t.match(await deliver('info@app.example.com'), { text: /^250 2\.0\.0 Queued as / });
  await site.cliJson(['account', 'set', box.address, '--disable']);
  t.match(await deliver(box.address), { text: /^550 5\.2\.1 / });
  await t.rejects(RawPop3.open(server.ports.pop3, box), /AUTH/);
  await site.cliJson(['account', 'set', box.address, '--enable']);
  await site.cliJson(['account', 'passwd', box.address, '--password-stdin'], 'new one\n');
  await t.rejects(RawPop3.open(server.ports.pop3, box), /AUTH/);
  await (await RawPop3.open(server.ports.pop3, { ...box, password: 'new one' })).quit();
  await site.cliJson([
    'domain',
    'set',
    'app.example.com',
    '--catch-all',
    box.address,
    '--aliases',
    'old.example.com',
  ]);
  t.match(await deliver('anything@old.example.com'), { text: /^250 / });
  const { exitCode, stderr } = await site.program(['account', 'remove', box.address]);
  t.match([exitCode, stderr.toString()], [1, /holds 2 messages/]);
  t.match((await site.program(['account', 'list'])).stdout.toString(), box.address);
  t.match(await run(site, ['domain', 'remove', 'app.example.com']), { exitCode: 1 });
  await smtp.quit();
  t.equal((await server.stop()).exitCode, 0);
});

t.test('the trace tells a message from its acceptance to its deletion', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const server = await site.serve();
  const smtp = await RawSmtp.open(server.ports.smtp);
  const reply = await smtp.deliver({ from: 'a@example.org', to: [box.address] }, MESSAGE);
  await smtp.quit();
  const id = /Queued as (\S+)/.exec(reply.text)?.[1] ?? '';
  const imap = await RawImap.open(server.ports.imap, box);
  await imap.select();
  t.equal((await imap.fetch('1')).length, 1);
  await imap.logout();
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  await pop3.multiline('RETR 1');
  await pop3.command('DELE 1');
  await pop3.quit();
  t.equal((await server.stop()).exitCode, 0);
  const [byId] = (await site.cliJson(['trace', id])) as {
    events: { kind: string; fields: { protocol?: string } }[];
  }[];
  t.strictSame(
    byId?.events.map(({ kind, fields }) => `${kind} ${fields.protocol ?? ''}`.trim()),
    ['accepted smtp', 'stored', 'fetched imap', 'fetched pop3', 'deleted pop3'],
  );
  t.match(await run(site, ['trace', 'A@Example.org']), { exitCode: 0, stdout: new RegExp(id) });
  t.match(await run(site, ['trace', 'nobody@example.org']), { exitCode: 1, stdout: /Nothing is known/ });
});

t.test('a second process on the same data directory is refused with a sentence', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const server = await site.serve();
  const second = await site.program(['serve']);
  t.equal(second.exitCode, 1);
  t.match(
    second.stderr.toString(),
    new RegExp(`data directory ${site.directory} is in use by the process with id ${server.pid}`),
  );
  await server.kill();
  const third = await site.serve();
  t.equal((await third.stop()).exitCode, 0);
});

t.test('SIGTERM tells open sessions and ends with exit code 0', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const server = await site.serve();
  const smtp = await RawSmtp.open(server.ports.smtp);
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  const imap = await RawImap.open(server.ports.imap, box);
  await imap.select();
  const stopped = server.stop();
  t.match(await smtp.socket.readLine(), /^421 4\.3\.2 /);
  t.match(await pop3.socket.readLine(), /^-ERR \[SYS\/TEMP\] /);
  t.match(await imap.socket.readLine(), /^\* BYE /);
  for (const client of [smtp, pop3, imap]) await client.socket.close();
  const { exitCode, signal } = await stopped;
  t.strictSame({ exitCode, signal }, { exitCode: 0, signal: undefined });
});

t.test(
  'a message that is under way when SIGTERM comes is finished, acknowledged and there after the restart',
  async (t) => {
    const site = createSite();
    t.teardown(() => site.remove());
    const server = await site.serve();
    const [box = NOBODY] = await addAccounts(site, ['ticket']);
    const smtp = await RawSmtp.open(server.ports.smtp);
    await smtp.beginData({ from: 'a@example.org', to: [box.address] });
    await smtp.socket.write('Subject: under way\r\n\r\nthe first half, ');
    const stopped = server.stop();
    await server.program.waitFor(/"event":"main\.server\.stopping"/);
    await smtp.socket.write('the second half\r\n.\r\n');
    t.match((await smtp.readReply()).text, /^250 2\.0\.0 Queued as /);
    const farewell = (await smtp.socket.readToEnd()).toString();
    t.match(farewell, /^(421 .*\r\n)?$/);
    smtp.socket.destroy();
    t.equal((await stopped).exitCode, 0);
    const again = await site.serve();
    const pop3 = await RawPop3.open(again.ports.pop3, box);
    t.match((await pop3.retrieve(1)).toString(), /\r\n\r\nthe first half, the second half\r\n$/);
    await pop3.quit();
    t.equal((await again.stop()).exitCode, 0);
  },
);

t.test('the launcher serves, and passes SIGTERM and the exit code on', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const program = await startProgram('node', [LAUNCHER, 'serve', '--config', site.configFile]);
  const [line] = await program.waitFor(/^.*"event":"main\.server\.ready".*$/m);
  t.match(JSON.parse(line ?? ''), { listeners: [{ name: 'smtp', role: 'relayIn' }, {}, {}, {}, {}, {}, {}] });
  const status = await runProgram('node', [LAUNCHER, 'status', '--json', '--config', site.configFile]);
  t.match(JSON.parse(status.stdout.toString()), { processId: JSON.parse(line ?? '').process });
  program.signal('SIGTERM');
  t.equal((await program.ended).exitCode, 0);
});

t.test(
  'a reload takes what can change while running, names what needs a restart, and refuses a faulty file',
  async (t) => {
    const site = createSite('[log]\nlevel = "info"\n');
    t.teardown(() => site.remove());
    const box = await addAccount(site, 'ticket');
    const server = await site.serve();
    const rewrite = (from: string, to: string) => {
      writeFileSync(site.configFile, readFileSync(site.configFile, 'utf8').replace(from, to));
    };
    await t.rejects(RawPop3.open(server.ports.pop3, { ...box, address: 'ticket' }), /AUTH/);
    rewrite('[log]', '[server]\ndefaultDomain = "app.example.com"\n[imap]\ndelimiter = "."\n[log]');
    t.strictSame(await site.cliJson(['reload']), {
      changed: ['server.defaultDomain'],
      needRestart: ['imap.delimiter'],
      renewed: [],
      problems: [],
    });
    await (await RawPop3.open(server.ports.pop3, { ...box, address: 'ticket' })).quit();
    rewrite('level = "info"', 'level = "loud"');
    t.match(await run(site, ['config', 'check']), {
      exitCode: 1,
      stderr: /hauspost\.toml:\d+: log\.level: found "loud"; allowed: one of/,
    });
    t.match(await run(site, ['reload']), { exitCode: 1, stderr: /log\.level: found "loud"/ });
    rewrite('level = "loud"', 'level = "debug"');
    process.kill(server.pid, 'SIGHUP');
    await server.program.waitFor(/"changed":\["log\.level"\].*"event":"admin\.config\.reloaded"/);
    t.equal((await server.stop()).exitCode, 0);
  },
);

t.test('without a configuration file it starts on loopback and says what to do next', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  rmSync(site.configFile);
  const ports = ['SMTP', 'POP3', 'POP3S', 'IMAP', 'IMAPS'].map((name) => [`HAUSPOST_${name}_PORT`, '0']);
  const env = { ...Object.fromEntries(ports), HAUSPOST_SERVER_DATA_DIRECTORY: join(site.directory, 'state') };
  const program = await startProgram(process.execPath, [MAIN, 'serve'], { env });
  await program.waitFor(/npx hauspost account add ticket@app\.example\.com/);
  const [line] = await program.waitFor(/^.*"event":"main\.server\.ready".*$/m);
  const { process: pid, listeners } = JSON.parse(line ?? '') as {
    process: number;
    listeners: { address: string }[];
  };
  t.strictSame([...new Set(listeners.map(({ address }) => address))], ['127.0.0.1']);
  t.match(readFileSync(join(site.directory, 'state', 'self-signed.crt'), 'utf8'), /BEGIN CERTIFICATE/);
  process.kill(pid, 'SIGTERM');
  t.equal((await program.ended).exitCode, 0);
});

t.test('a reader of the log that goes away ends nothing', async (t) => {
  const site = createSite('[log]\nlevel = "debug"\n');
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const server = await site.serve({
    wrapper: [
      'sh',
      '-c',
      '"$@" | { while read -r line; do case $line in *server.ready*) echo "$line"; break;; esac; done; exec sleep 0; }',
      'sh',
    ],
  });
  for (let visit = 0; visit < 3; visit += 1) await (await RawPop3.open(server.ports.pop3, box)).quit();
  t.match(await run(site, ['status']), { exitCode: 0 });
  t.equal((await server.stop()).signal, undefined);
});
