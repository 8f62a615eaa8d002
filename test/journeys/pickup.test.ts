/**
 * The whole appliance picks files up: what applications write arrives once, at exactly its recipients, byte for byte, in local accounts
 * and at a relay; what is bad is told of, mended and sent; and an administrator sees and changes all of it while the server runs.
 */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import type { PickupReport } from '../../src/admin/pickupReport.ts';
import { createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { findProgram } from '../support/peers.ts';
import { createNetworkMount, networkMountSkip } from '../support/networkMount.ts';
import { RawImap } from '../support/rawImap.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { openScriptedHop, type ScriptedHop } from '../support/scriptedHop.ts';
import { APP, APPLICATION_FILES, DIRECTORIES, TWO } from './applicationFiles.ts';

t.setTimeout(600_000);

const DRAIN_DEADLINE_MS = 150_000;
const LOOK_MS = 200;

interface Gateway {
  readonly site: Site;
  readonly server: RunningServer;
  readonly hop: ScriptedHop;
  /** The place of a pickup directory. */
  place(name: string): string;
  /** Its table, with further keys. */
  table(name: string, keys?: string): string;
  /** Adds to the configuration file; answers what makes it as it was. */
  configure(text: string): () => void;
  /** What `hauspost` prints, on both streams. */
  hauspost(...args: readonly string[]): Promise<string>;
  /** Waits until no file is left in these directories. */
  drain(...names: readonly string[]): Promise<void>;
  /** Waits until `isTrue` of a directory's report. */
  until(name: string, isTrue: (report: PickupReport) => boolean): Promise<PickupReport>;
  /** Messages of an account, by IMAP. */
  messages(address: string): Promise<readonly string[]>;
}

/** Directories of the tests below, beside those of APPLICATION_FILES. */
const OTHERS = {
  erp: 'recipients = ["local"]',
  strict: `senders = ["${APP}"]\nrewriteSender = "${APP}"`,
  fallback: `defaultSender = "${APP}"`,
};

/** Applications pause while they write; one that a busy machine keeps from going on is not done yet. */
const APPLICATIONS_SETTLE_SECONDS = 4;

/** An appliance with these directories, two accounts, and a relay for all others. */
async function openGateway(t: Test, directories: Readonly<Record<string, string>>): Promise<Gateway> {
  const root = mkdtempSync(join(tmpdir(), 'hauspost-pickup-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
  const hop = await openScriptedHop(t);
  const place = (name: string) => join(root, name);
  const table = (name: string, keys = '') => {
    const seconds = name in DIRECTORIES ? APPLICATIONS_SETTLE_SECONDS : 1;
    return `[[pickups]]\nname = "${name}"\ndirectory = ${JSON.stringify(place(name))}\nsettleSeconds = ${seconds}\n${keys}\n`;
  };
  const names = Object.keys(directories);
  const relay = `[[relays]]\nname = "out"\nhosts = ["127.0.0.1:${hop.port}"]\ntls = "none"\n`;
  const site = createSite(`${relay}${names.map((name) => table(name, directories[name])).join('\n')}`);
  t.teardown(() => site.remove());
  for (const name of names) mkdirSync(place(name));
  const server = await site.serve();
  const logins = await addAccounts(site, ['app', 'two']);
  await callServer(site, 'route.add', {
    name: 'out',
    recipients: ['*'],
    target: { kind: 'relay', relay: 'out' },
  });
  const report = async (name: string) =>
    (await callServer(site, 'server.pickup.show', { name })) as PickupReport;
  return {
    site,
    server,
    hop,
    place,
    table,
    configure: (text) => {
      const before = readFileSync(site.configFile, 'utf8');
      writeFileSync(site.configFile, `${before}\n${text}`);
      return () => writeFileSync(site.configFile, before);
    },
    hauspost: async (...args) => {
      const { stdout, stderr } = await site.cli(args);
      return `${stdout}${stderr}`;
    },
    drain: async (...wanted) => {
      const isEmpty = () => wanted.every((name) => filesIn(place(name)).length === 0);
      await waitFor(isEmpty, () => `left: ${wanted.flatMap((name) => filesIn(place(name)))}`);
    },
    until: async (name, isTrue) => {
      let last = await report(name);
      await waitFor(
        async () => {
          last = await report(name);
          return isTrue(last);
        },
        () => JSON.stringify(last),
      );
      return last;
    },
    messages: async (address) => {
      const login = logins.find((one) => one.address === address) as Login;
      const imap = await RawImap.open(server.ports.imap, login);
      const fetched = (await imap.select()) > 0 ? await imap.fetch('1:*') : [];
      await imap.logout();
      return fetched.map(({ octets }) => octets.toString());
    },
  };
}

async function waitFor(isTrue: () => boolean | Promise<boolean>, describe: () => string): Promise<void> {
  const begunMs = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - begunMs > DRAIN_DEADLINE_MS) throw new Error(`waited in vain; ${describe()}`);
    await systemClock.sleep(LOOK_MS);
  }
}

/** Names in a directory but badmail's. */
function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== 'badmail');
}

/** Which of these subjects TWO has got, as often as he has. */
async function subjects(...wanted: readonly string[]): Promise<readonly string[]> {
  const all = (await gateway.messages(TWO)).map((message) => subjectOf(message) ?? '');
  return all.filter((subject) => wanted.includes(subject)).sort();
}

const subjectOf = (message: string) => /^Subject: (.*)\r$/m.exec(message)?.[1];

const gateway = await openGateway(t, { ...DIRECTORIES, ...OTHERS });

t.test('every application`s files arrive once, at exactly their recipients, byte for byte', async (t) => {
  const { server, hop, place, drain, messages, hauspost } = gateway;
  const files = APPLICATION_FILES.filter(({ key, programs }) => {
    const missing = programs.filter((program) => findProgram(program) === undefined);
    if (missing.length > 0) t.comment(`${key} is left out: not installed: ${missing.join(', ')}`);
    return missing.length === 0;
  });
  await Promise.all(files.map((file) => file.write(place(file.directory))));
  await drain(...Object.keys(DIRECTORIES));
  for (const name of Object.keys(DIRECTORIES))
    t.notOk(existsSync(join(place(name), 'badmail')), `nothing is bad in ${name}`);
  const isOut = (address: string) => address !== APP && address !== TWO;
  const relayed = files.filter(({ recipients }) => recipients.some(isOut));
  await hop.until(() => hop.messages.length >= relayed.length);
  const boxes: Record<string, readonly string[]> = { [APP]: await messages(APP), [TWO]: await messages(TWO) };
  for (const { key, recipients, reversePath, message } of files) {
    const out = hop.messages.filter(({ octets }) => subjectOf(octets.toString()) === key);
    const copies = Object.entries(boxes).flatMap(([address, box]) =>
      box.filter((each) => subjectOf(each) === key).map((each) => [address, each] as const),
    );
    const reached = [
      ...copies.map(([address]) => address),
      ...out.flatMap(({ rcpts }) => rcpts.map(addressIn)),
    ];
    t.strictSame(reached.sort(), [...recipients].sort(), `${key}: exactly its recipients, each once`);
    for (const sent of out) t.equal(addressIn(sent.mail), reversePath, `${key}: its sender`);
    for (const octets of [...copies.map(([, each]) => each), ...out.map((each) => each.octets.toString())]) {
      const front = octets.slice(0, -message.length);
      t.equal(octets.slice(front.length), message, `${key}: every octet`);
      t.match(
        front,
        /^(Return-Path: <[^>]*>\r\n)?Received: .*\r\n([\t ].*\r\n)*$/,
        `${key}: and our trace in front`,
      );
    }
  }
  const pop3 = await RawPop3.open(server.ports.pop3, { address: TWO, password: 'secret of two' });
  t.equal((await pop3.list()).size, boxes[TWO]?.length);
  t.equal((await pop3.retrieve(1)).toString(), boxes[TWO]?.[0], 'POP3 serves the same');
  await pop3.quit();
  t.match(
    await hauspost('trace', '<dotnet-raw@app.example.com>'),
    /0b3f0a5e-6f1c-4c3f-9d0a-3d7a1c2b4e5f\.eml/,
  );
});

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? line;
}

t.test('a bad file is told of with its reason, mended, put back, and sent', async (t) => {
  const { place, until, hauspost, drain } = gateway;
  const rest = 'Subject: bad\r\n\r\nbody\r\n';
  writeFileSync(join(place('erp'), 'stranger.eml'), `From: ceo@bank.example\r\nTo: ${TWO}\r\n${rest}`);
  writeFileSync(join(place('erp'), 'nobody.eml'), `From: ${APP}\r\n${rest}`);
  writeFileSync(join(place('erp'), 'outside.eml'), `From: ${APP}\r\nTo: a@partner.example\r\n${rest}`);
  const { bad, oldestBadAt } = await until('erp', (report) => report.bad === 3);
  t.equal(bad, 3);
  t.ok(oldestBadAt);
  const list = await hauspost('pickup', 'list-bad', 'erp');
  for (const file of ['stranger.eml', 'nobody.eml', 'outside.eml']) {
    const reason = readFileSync(join(place('erp'), 'badmail', `${file}.reason.txt`), 'utf8');
    t.match(reason, /^What to do: \S.{20,}/m, file);
    t.match(
      list,
      new RegExp(
        `${file}  .*${reason
          .split('\r\n')[0]
          ?.slice(0, 20)
          .replace(/[^\w ]/g, '.')}`,
      ),
    );
    const [, trace = ''] = /^Trace: (\S+)/m.exec(reason) ?? [];
    // It is noted when the file and its reason are on disk, which is a moment after they are seen in badmail.
    let story = '';
    const isKnown = async () => {
      story = await hauspost('trace', trace);
      return new RegExp(`erp[^]*${file}`).test(story);
    };
    await t.resolves(
      waitFor(isKnown, () => story),
      'the trace knows the file',
    );
  }
  t.match(await hauspost('pickup', 'list-bad', 'erp', '--limit', '1'), /^SINCE.*\n\S.*\n$/);

  const mended = join(place('erp'), 'badmail', 'nobody.eml');
  writeFileSync(mended, `To: ${TWO}\r\n${readFileSync(mended, 'utf8').replace('bad', 'mended')}`);
  t.match(
    await hauspost('pickup', 'retry', 'erp', 'nobody.eml', 'no-such.eml'),
    /nobody\.eml is back in erp.*\nno-such\.eml is not put back/,
  );
  await drain('erp');
  await until('erp', (report) => report.taken === 1);
  t.strictSame(await subjects('bad', 'mended'), ['mended']);
  t.notOk(existsSync(`${mended}.reason.txt`), 'and its reason is gone');
  t.match(
    await hauspost('pickup', 'retry', 'erp', '--all'),
    /^(outside|stranger)\.eml is back in erp.*\n(outside|stranger)\.eml is back/,
  );
  await until('erp', (report) => report.bad === 2 && report.waiting === 0);
  t.match(await hauspost('pickup', 'retry', 'erp', 'a', '--all'), /either names of files, or --all/);
  t.match(
    await hauspost('pickup', 'list-bad', 'erq'),
    /There is no pickup directory “erq”; there are: scripts, .*, erp, /,
  );
});

t.test('senders are held to the directory`s rules, or rewritten', async (t) => {
  const { place, drain, messages } = gateway;
  const rest = 'Subject: policy\r\n\r\nbody\r\n';
  writeFileSync(join(place('strict'), 'a.eml'), `From: ceo@bank.example\r\nTo: ${TWO}\r\n${rest}`);
  writeFileSync(join(place('fallback'), 'b.eml'), `To: ${TWO}\r\n${rest}`);
  await drain('strict', 'fallback');
  const taken = (await messages(TWO)).filter((message) => subjectOf(message) === 'policy');
  t.equal(taken.length, 2);
  for (const message of taken) t.match(message, /^Return-Path: <app@app\.example\.com>\r\n/);
  t.notMatch(taken.join(), /^From: ceo@bank\.example/m, 'From is another one, too');
});

t.test('maintenance pauses, directories come and go, and a reload changes them', async (t) => {
  const { site, place, table, configure, hauspost, until, drain } = gateway;
  const write = (name: string, subject: string) =>
    writeFileSync(
      join(place(name), `${subject}.eml`),
      `From: ${APP}\r\nTo: ${TWO}\r\nSubject: ${subject}\r\n\r\nx\r\n`,
    );
  await hauspost('maintenance', 'on');
  write('erp', 'waits');
  t.match(await until('erp', ({ waiting, unfinished }) => waiting === 1 && unfinished === 0), {
    state: 'paused',
    taken: 1,
  });
  t.match(await hauspost('pickup', 'status', 'erp'), /^State: +paused \(maintenance\)$/m);
  await hauspost('maintenance', 'off');
  await drain('erp');

  const forget = configure(table('later'));
  t.match(await hauspost('reload'), /^pickups is in force now$/m);
  const { alarms } = await until('later', ({ state }) => state === 'unreadable');
  t.match(alarms.join(), /later/, 'a directory that is not there is an alarm');
  t.match(await hauspost('status'), /^warning: pickup later: /m);
  mkdirSync(place('later'));
  write('later', 'comes');
  await until('later', ({ taken }) => taken === 1);
  t.strictSame(await subjects('comes', 'waits'), ['comes', 'waits']);

  forget();
  await hauspost('reload');
  t.strictSame(
    ((await site.cliJson(['pickup', 'status'])) as PickupReport[]).map(({ name }) => name),
    [...Object.keys(DIRECTORIES), ...Object.keys(OTHERS)],
  );
  const mend = configure(table('mixed', 'senders = ["аpp.example"]'));
  t.match(await hauspost('reload'), /^The pickup “mixed” cannot be used: senders has “аpp\.example”/);
  mend();
  write('erp', 'last');
  await drain('erp');
  t.strictSame(await subjects('last'), ['last'], 'and all others go on');
});

t.test(
  'a share that hangs is seen in status, which answers all the same, and is read when it is back',
  { skip: networkMountSkip },
  async (t) => {
    const { configure, hauspost, until } = gateway;
    const share = await createNetworkMount(t);
    const forget = configure(
      `[[pickups]]\nname = "share"\ndirectory = "${share.directory}"\nsettleSeconds = 1\n`,
    );
    await hauspost('reload');
    await until('share', ({ state }) => state === 'running');
    share.stop();
    t.teardown(() => share.goOn());
    t.match(await until('share', ({ alarms }) => alarms.some((alarm) => /hangs like this/.test(alarm))), {
      bad: 0,
    });
    t.match(await hauspost('status'), /^warning: pickup share: .*hangs like this\.$/m);
    share.goOn();
    await until('share', ({ alarms }) => alarms.length === 0);
    writeFileSync(join(share.backing, 'a.eml'), `From: ${APP}\r\nTo: ${TWO}\r\nSubject: share\r\n\r\nx\r\n`);
    await until('share', ({ taken }) => taken === 1);
    t.strictSame(await subjects('share'), ['share']);
    forget();
    await hauspost('reload');
  },
);
