/** The room with the real store and the real door: files come, messages go, and what cannot be sent is kept with its reason. */

import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import { HOUR_MS, KIB, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { newTraceId } from '../../src/base/ids.ts';
import { systemClock, unixMs } from '../../src/base/clock.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { alarmsOf } from '../../src/pickup/alarms.ts';
import { claimName } from '../../src/pickup/claim.ts';
import { ClaimedFiles } from '../../src/pickup/claimedFiles.ts';
import type { DirectoryKeeper } from '../../src/pickup/directoryKeeper.ts';
import type { FileName } from '../../src/pickup/fileNames.ts';
import { Hints } from '../../src/pickup/hints.ts';
import { KnownFiles } from '../../src/pickup/knownFiles.ts';
import {
  CLAIMED_FILE_LIMIT,
  EVENT_LIMIT,
  FILES_UNDER_WAY,
  SILENT_ALARM_MS,
  REFUSED_EXPIRY_MS,
} from '../../src/pickup/limits.ts';
import { letter, openPickupRoom, reasonOf } from './pickupRoom.ts';

t.setTimeout(300_000);

t.test('a file that is still is sent and goes, one that grows is waited for', async (t) => {
  const room = await openPickupRoom(t);
  room.write('a.eml', letter('a'));
  room.write('slow.eml', letter('slow'));
  await room.until(async () => (await room.status()).unfinished === 2);
  for (let round = 0; round < 4; round += 1) {
    await room.pass(2 * SECOND_MS);
    appendFileSync(join(room.directory, 'slow.eml'), `line ${round}\r\n`);
  }
  await room.until(async () => (await room.subjects()).length === 1);
  t.same(await room.subjects(), ['a']);
  t.same(room.names(), ['slow.eml']);
  await room.until(() => room.names().length === 0);
  const [, slow] = await room.site.inbox(room.account);
  t.match(slow?.toString(), /line 0\r\nline 1\r\nline 2\r\nline 3\r\n$/);
  const { waiting, taken, takenLastMinute, lastFile, bad, alarms } = await room.status();
  t.match({ waiting, taken, bad, alarms }, { waiting: 0, taken: 2, bad: 0, alarms: [] });
  t.equal(takenLastMinute, 2);
  t.equal(lastFile?.name, 'slow.eml');
});

t.test('a file that is written elsewhere and renamed is taken at once', async (t) => {
  const room = await openPickupRoom(t, { rules: { settleMs: HOUR_MS } });
  await room.pass(2 * SECOND_MS);
  const begunMs = room.clock.monotonic();
  room.write('a.tmp', letter('a'));
  renameSync(join(room.directory, 'a.tmp'), join(room.directory, 'a.eml'));
  await room.until(async () => (await room.subjects()).length === 1);
  const tookMs = room.clock.monotonic() - begunMs;
  t.ok(tookMs < HOUR_MS, `${tookMs} ms, less than it settles`);
});

t.test('a file that is renamed where no events tell of it is known by its inode', async (t) => {
  const room = await openPickupRoom(t, {
    rules: { scanMs: 200, settleMs: HOUR_MS },
    prepare: (directory) => {
      writeFileSync(join(directory, 'a.part'), letter('a'));
    },
  });
  await room.pass(SECOND_MS);
  const begunMs = room.clock.monotonic();
  renameSync(join(room.directory, 'a.part'), join(room.directory, 'a.eml'));
  await room.until(async () => (await room.subjects()).length === 1);
  t.ok(room.clock.monotonic() - begunMs < HOUR_MS, 'before it has settled');
});

t.test('what cannot be sent is kept in badmail with a reason, and comes back', async (t) => {
  const room = await openPickupRoom(t);
  room.write('nobody.eml', 'From: box@example.com\r\nSubject: x\r\n\r\nHello.\r\n');
  room.write('unknown.eml', letter('x', 'nobody@example.com'));
  room.write('foreign.eml', letter('x').replace('From: box@example.com', 'From: boss@elsewhere.example'));
  room.write('binary.eml', Buffer.from([0, 1, 2, 3, 255, 254]));
  await room.until(async () => (await room.status()).bad === 4, 500);
  t.same(room.names(), []);
  t.match(reasonOf(room.badmail, 'nobody.eml'), /^Nobody is named as recipient\.\r\n/);
  t.match(reasonOf(room.badmail, 'unknown.eml'), /Recipient: nobody@example\.com\r\n/);
  t.match(reasonOf(room.badmail, 'foreign.eml'), /senders/);
  t.match(reasonOf(room.badmail, 'unknown.eml'), /Trace: [0-9A-Z]{20}\r\n/);
  const listed = await room.pickup.listBad('app', 10);
  t.same(listed?.map(({ file }) => file).sort(), ['binary.eml', 'foreign.eml', 'nobody.eml', 'unknown.eml']);
  t.equal(listed?.find(({ file }) => file === 'nobody.eml')?.reason, 'Nobody is named as recipient.');
  t.equal((await room.pickup.listBad('app', 1))?.length, 1);
  t.equal(await room.pickup.listBad('other', 1), undefined);

  await room.site.addAccount('nobody@example.com');
  const result = await room.pickup.retry('app', { names: ['unknown.eml', 'x.eml'], all: false });
  t.same(result?.moved, ['unknown.eml']);
  t.same(result?.failed, [{ file: 'x.eml', reason: 'there is no such file in badmail' }]);
  await room.until(async () => (await room.status()).taken === 1);
  t.same(
    readdirSync(room.badmail).filter((name) => name.startsWith('unknown')),
    [],
  );
  t.equal(await room.pickup.retry('other', { names: [], all: true }), undefined);

  const all = await room.pickup.retry('app', { names: [], all: true });
  t.equal(all?.moved.length, 3);
  await room.until(async () => (await room.status()).bad === 3, 500);
});

t.test('a bad file does not come back over another one', async (t) => {
  let isPaused = false;
  const room = await openPickupRoom(t, { isPaused: () => isPaused });
  room.write('a.eml', 'Subject: first\r\n\r\n');
  await room.until(async () => (await room.status()).bad === 1);
  isPaused = true;
  room.write('a.eml', letter('second'));
  const result = await room.pickup.retry('app', { names: [], all: true });
  t.same(result, { moved: [], failed: [{ file: 'a.eml', reason: 'the directory has a file of this name' }] });
  t.match(readFileSync(join(room.directory, 'a.eml'), 'latin1'), /Subject: second/);
  t.match(readFileSync(join(room.badmail, 'a.eml'), 'latin1'), /Subject: first/);
  t.match(reasonOf(room.badmail, 'a.eml'), /^Nobody is named as/);
});

t.test('nothing in badmail is overwritten', async (t) => {
  const room = await openPickupRoom(t);
  mkdirSync(room.badmail);
  writeFileSync(join(room.badmail, 'a.eml'), 'Subject: zero\r\n\r\n');
  for (const text of ['one', 'two', 'three']) {
    room.write('a.eml', `Subject: ${text}\r\n\r\n`);
    await room.until(() => room.names().length === 0);
  }
  const files = readdirSync(room.badmail).filter((name) => !name.endsWith('.reason.txt'));
  t.equal(files.length, 4);
  t.equal(readdirSync(room.badmail).length, 7);
  t.ok(
    files.every((name) => /^a(\.[0-9a-f]{16})?\.eml$/.test(name)),
    files.join(),
  );
  const texts = files.map((name) => readFileSync(join(room.badmail, name), 'latin1'));
  const subjects = texts.map((text) => text.slice('Subject: '.length).trim());
  t.same(subjects.sort(), ['one', 'three', 'two', 'zero']);
});

t.test('a file whose way to badmail was cut off twice is there once', async (t) => {
  const id = '0123456789abcdef';
  const claim = `a.eml.${id}.tmp`;
  const room = await openPickupRoom(t, {
    prepare: (directory) => {
      const badmail = join(directory, 'badmail');
      mkdirSync(badmail);
      writeFileSync(join(directory, claim), 'Subject: bad\r\n\r\n');
      // Killed when the first reason was empty yet, and again when the file had its second name in badmail.
      writeFileSync(join(badmail, 'a.eml.reason.txt'), '');
      writeFileSync(join(badmail, `a.${id}.eml.reason.txt`), `Nobody.\r\nHandover: ${id}\r\n`);
      linkSync(join(directory, claim), join(badmail, `a.${id}.eml`));
    },
  });
  await room.until(() => room.names().length === 0);
  t.same(
    (await room.pickup.listBad('app', 10))?.map(({ file }) => file),
    [`a.${id}.eml`],
  );
});

t.test('a link in the place of badmail leads nobody`s files anywhere', async (t) => {
  const elsewhere = t.testdir({ 'kept.eml': letter('kept') });
  const room = await openPickupRoom(t, {
    prepare: (directory) => symlinkSync(elsewhere, join(directory, 'badmail')),
  });
  room.write('a.eml', 'Subject: nobody\r\n\r\n');
  await room.until(async () => (await room.status()).alarms.length === 1);
  t.match((await room.status()).alarms, [/^1 file cannot be moved to badmail: .*badmail is a symbolic link/]);
  const result = await room.pickup.retry('app', { names: [], all: true });
  t.match(result, { moved: [], failed: [{ file: 'kept.eml', reason: /is a symbolic link/ }] });
  t.same(readdirSync(elsewhere), ['kept.eml']);
  unlinkSync(join(room.directory, 'badmail'));
  await room.until(async () => (await room.status()).bad === 1, 500);
  t.same(room.names(), []);
});

t.test('badmail on another file system gets a whole copy before the file goes', async (t) => {
  const badmailDirectory = `/dev/shm/hauspost-badmail-${process.pid}`;
  t.teardown(() => rmSync(badmailDirectory, { recursive: true, force: true }));
  const room = await openPickupRoom(t, { rules: { badmailDirectory } });
  const octets = Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), Buffer.alloc(200 * KIB, 'x')]);
  for (const round of [1, 2]) {
    room.write('a.eml', octets);
    await room.until(async () => (await room.status()).bad === round);
  }
  t.same(room.names(), []);
  const files = readdirSync(badmailDirectory).filter((name) => name.endsWith('.eml'));
  t.equal(files.length, 2);
  for (const file of files) t.ok(readFileSync(join(badmailDirectory, file)).equals(octets));
});

t.test('a crash after the copy to badmail on another file system leaves one bad file', async (t) => {
  const badmailDirectory = mkdtempSync('/dev/shm/hauspost-badmail-');
  t.teardown(() => rmSync(badmailDirectory, { recursive: true, force: true }));
  const bad = 'Subject: nobody\r\n\r\n';
  const id = '00000000000000ee';
  const room = await openPickupRoom(t, {
    rules: { badmailDirectory },
    prepare: (directory) => {
      writeFileSync(join(badmailDirectory, 'a.eml'), bad);
      writeFileSync(join(badmailDirectory, 'a.eml.reason.txt'), `x\r\nHandover: ${id}\r\n`);
      writeFileSync(join(directory, `a.eml.${id}.tmp`), bad);
    },
  });
  await room.until(() => room.names().length === 0);
  t.same(readdirSync(badmailDirectory).sort(), ['a.eml', 'a.eml.reason.txt']);
  t.match(reasonOf(badmailDirectory, 'a.eml'), /^x\r\n/, 'a whole reason is left as it is');
});

t.test('names are octets: whatever is in them, files are taken or kept under their names', async (t) => {
  const room = await openPickupRoom(t, { rules: { fileNames: 'any' } });
  const names = [
    Buffer.from('a\nb.eml'),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.from(`${'x'.repeat(251)}.eml`),
    Buffer.from(`${'漢'.repeat(85)}`),
    Buffer.from('-rf "quoted" `x` $(y)'),
    Buffer.from('no ending'),
  ];
  for (const [index, name] of names.entries()) room.write(name, letter(String(index)));
  const bad = Buffer.concat([Buffer.from('bad\n'), Buffer.from([0xff]), Buffer.from('x'.repeat(240))]);
  room.write(bad, 'Subject: x\r\n\r\n');
  await room.until(() => room.names().length === 0);
  t.equal((await room.subjects()).length, names.length);
  const kept = readdirSync(room.badmail, 'latin1');
  t.equal(kept.length, 2);
  t.ok(kept.every((name) => name.startsWith('bad\n\xffxxx')));
  const [shown] = (await room.pickup.listBad('app', 1)) ?? [];
  t.match(shown?.file, /^bad\\x0a\\xffxxx/);
});

t.test('links, devices, directories and unfinished names are left alone', async (t) => {
  const room = await openPickupRoom(t, {
    rules: { fileNames: 'any' },
    prepare: (directory) => {
      writeFileSync(join(directory, '..', 'outside'), letter('secret'));
      symlinkSync('../outside', join(directory, 'link.eml'));
      symlinkSync('nowhere', join(directory, 'dangling.eml'));
      mkdirSync(join(directory, 'folder.eml'));
      mkdirSync(join(directory, 'folder.0123456789abcdef.tmp'));
      for (const name of ['.hidden', '~a.eml', 'a.tmp', 'a.part', 'a.bad', 'a.eml.reason.txt'])
        writeFileSync(join(directory, name), letter(name));
    },
  });
  const before = room.names().length;
  room.write('good.eml', letter('good'));
  await room.until(() => room.names().length === before);
  await room.pass(MINUTE_MS);
  t.same(await room.subjects(), ['good']);
  t.equal(room.names().length, before);
  const { alarms, waiting } = await room.status();
  t.same(alarms, ['2 files, each is a link or device and is never taken.']);
  t.equal(waiting, 0);
});

t.test('empty files and files with a second name wait, and are told of after ten minutes', async (t) => {
  const room = await openPickupRoom(t);
  room.write('empty.eml', '');
  room.write('two.eml', letter('two'));
  linkSync(join(room.directory, 'two.eml'), join(room.directory, 'two.tmp'));
  await room.pass(9 * MINUTE_MS);
  t.match(await room.status(), { waiting: 2, unfinished: 2, alarms: [] });
  await room.until(async () => (await room.status()).alarms.length === 2, SECOND_MS);
  const { alarms } = await room.status();
  t.match(alarms.join('\n'), /empty for ten minutes: empty\.eml/);
  t.match(alarms.join('\n'), /hard link.* for ten minutes: two\.eml/);
  unlinkSync(join(room.directory, 'two.tmp'));
  room.write('empty.eml', letter('filled'));
  await room.until(() => room.names().length === 0, SECOND_MS);
  t.same(await room.subjects(), ['filled', 'two']);
});

t.test('a header without its blank line is given more time', async (t) => {
  const room = await openPickupRoom(t);
  room.write('only.eml', 'From: box@example.com\r\nTo: box@example.com\r\nSubject: only\r\n');
  await room.until(async () => (await room.status()).unfinished === 1);
  await room.pass(12 * SECOND_MS);
  t.same(room.names(), ['only.eml']);
  await room.until(() => room.names().length === 0);
  t.same(await room.subjects(), ['only']);
});

t.test('the log tells how a file was read', async (t) => {
  const room = await openPickupRoom(t, { rules: { dots: 'auto' } });
  const dotted = letter('dots').replace('Hello.', '..Hello.');
  const notes = async (octets: string) => {
    room.write('x.eml', octets);
    await room.until(() => room.names().length === 0);
    const [, fields] = room.logged.findLast(([event]) => event === 'pickup.file.taken') ?? [];
    return { changes: fields?.changes, removed: fields?.removed, dots: fields?.dots };
  };
  const none = { changes: undefined, removed: undefined, dots: undefined };
  t.strictSame(await notes(letter('plain')), none);
  t.strictSame(await notes(dotted), { ...none, dots: 'stuffed, by guess' });
  t.strictSame(await notes(`${dotted}.\r\n`), { ...none, dots: 'stuffed' });
  const written = `\ufeffX-Receiver: box@example.com\r\nBcc: box@example.com\r\n${letter('odd')}`;
  t.strictSame(await notes(written.replaceAll('\r\n', '\n')), {
    changes: 'byteOrderMark, lineEnds',
    removed: 'X-Receiver, Bcc',
    dots: undefined,
  });
});

t.test('claims of an earlier run are taken up again, and what was sent then is not sent again', async (t) => {
  const ids = { sent: '00000000000000aa', unsent: '00000000000000bb' };
  const room = await openPickupRoom(t);
  room.write('sent.eml', letter('sent'));
  await room.until(() => room.names().length === 0);
  const handed: string[] = [];
  const again = await openPickupRoom(t, {
    prepare: (directory) => {
      writeFileSync(join(directory, `sent.eml.${ids.sent}.tmp`), letter('sent'));
      writeFileSync(join(directory, `unsent.eml.${ids.unsent}.tmp`), letter('unsent'));
      writeFileSync(join(directory, 'other.0123.tmp'), letter('other'));
    },
    door: (transfer) => ({
      ...transfer,
      wasAccepted: async (id) => (id === ids.sent ? newTraceId(systemClock.now()) : transfer.wasAccepted(id)),
      accept: (envelope, ...rest) => {
        handed.push(envelope.handoverId ?? '');
        return transfer.accept(envelope, ...rest);
      },
    }),
  });
  await again.until(() => again.names().length === 1);
  t.same(again.names(), ['other.0123.tmp'], 'what is no claim stays');
  t.same(await again.subjects(), ['unsent']);
  t.same(handed, [ids.unsent], 'by the same id');
  t.equal(again.logged.filter(([event]) => event === 'pickup.file.recovered').length, 2);
});

t.test('a file whose answer was lost is sent once', async (t) => {
  let answers = 0;
  const room = await openPickupRoom(t, {
    door: (transfer) => ({
      ...transfer,
      accept: async (...message) => {
        const acceptance = await transfer.accept(...message);
        answers += 1;
        if (answers > 2) return acceptance;
        return { kind: 'refused', traceId: acceptance.traceId, error: new MailError('deadlineExceeded') };
      },
    }),
  });
  room.write('a.eml', letter('a'));
  await room.until(() => answers > 0);
  await room.until(async () => (await room.status()).deferred === 1);
  t.same((await room.status()).alarms, [], 'it may pass by itself');
  await room.until(() => room.names().length === 0);
  t.equal(answers, 3);
  t.same(await room.subjects(), ['a']);
});

t.test(
  'a refusal for now is tried again with growing waits, an alarm after ten minutes, and at once when asked',
  async (t) => {
    let isFull = true;
    let tries = 0;
    const room = await openPickupRoom(t, {
      door: (transfer) => ({
        ...transfer,
        accept: (...message) => {
          tries += 1;
          if (!isFull) return transfer.accept(...message);
          const error = new MailError('overQuota');
          return Promise.resolve({ kind: 'refused', traceId: newTraceId(systemClock.now()), error });
        },
      }),
    });
    room.write('a.eml', letter('a'));
    await room.until(() => tries === 1);
    await room.pass(9 * MINUTE_MS);
    t.ok(tries >= 5 && tries <= 6, `${tries} tries`);
    t.match(await room.status(), { deferred: 1, waiting: 0, alarms: [] });
    t.equal(room.logged.filter(([event]) => event === 'pickup.file.deferred').length, 1, 'told once');
    room.write('b.eml', letter('b'));
    await room.until(async () => (await room.status()).deferred === 2);
    await room.until(async () => (await room.status()).alarms.length === 1, SECOND_MS);
    t.match((await room.status()).alarms[0], /could not be taken for ten minutes: a\.eml\..*quota/);
    isFull = false;
    await room.pickup.retry('app', { names: [], all: false });
    await room.until(() => room.names().length === 0);
    t.same(await room.subjects(), ['a', 'b']);
  },
);

t.test('a file that was put off is still told of while it is tried once more', async (t) => {
  const held = Promise.withResolvers<void>();
  let tries = 0;
  const room = await openPickupRoom(t, {
    door: (transfer) => ({
      ...transfer,
      async accept() {
        tries += 1;
        if (room.clock.monotonic() >= 11 * MINUTE_MS) await held.promise;
        const error = new MailError('overQuota');
        return { kind: 'refused', traceId: newTraceId(systemClock.now()), error };
      },
    }),
  });
  room.write('a.eml', letter('a'));
  await room.until(() => tries === 1);
  await room.pass(11 * MINUTE_MS);
  const before = tries;
  await room.until(() => tries > before, SECOND_MS);
  t.match(await room.status(), { deferred: 1, waiting: 0, alarms: [/could not be taken for ten minutes/] });
  held.resolve();
});

t.test('a refusal for now ends in badmail after two days, and keeps its place no longer', async (t) => {
  let tries = 0;
  const room = await openPickupRoom(t, {
    door: (transfer) => ({
      ...transfer,
      accept: () => {
        tries += 1;
        const error = new MailError('overQuota');
        return Promise.resolve({ kind: 'refused', traceId: newTraceId(systemClock.now()), error });
      },
    }),
  });
  room.write('a.eml', letter('a'));
  await room.until(() => tries === 1);
  await room.pass(REFUSED_EXPIRY_MS - 10 * MINUTE_MS);
  t.match(await room.status(), { deferred: 1, bad: 0 });
  await room.until(() => room.names().length === 0, MINUTE_MS);
  const [bad] = (await room.pickup.listBad('app', 10)) ?? [];
  t.match(bad, { file: 'a.eml', reason: /over its quota/ });
});

t.test('a file that grows while it is read is put back and sent whole', async (t) => {
  const target: { grow?: () => void } = {};
  const room = await openPickupRoom(t, { door: (transfer) => growing(transfer, 'before', target) });
  target.grow = once(() => {
    const [claimed = ''] = room.names();
    appendFileSync(join(room.directory, claimed), 'late\r\n');
  });
  room.write('a.eml', letter('a'));
  await room.until(async () => (await room.subjects()).length === 1);
  const [message] = await room.site.inbox(room.account);
  t.match(message?.toString(), /Hello\.\r\nlate\r\n$/);
  await room.until(() => room.names().length === 0);
  t.equal(room.logged.filter(([event]) => event === 'pickup.file.changed').length, 1);
});

t.test('a file that grows after the commit is kept in badmail', async (t) => {
  const target: { grow?: () => void } = {};
  const room = await openPickupRoom(t, { door: (transfer) => growing(transfer, 'after', target) });
  target.grow = once(() => {
    const [claimed = ''] = room.names();
    appendFileSync(join(room.directory, claimed), 'late\r\n');
  });
  room.write('a.eml', letter('a'));
  await room.until(async () => (await room.status()).bad === 1);
  t.same(await room.subjects(), ['a']);
  t.match(reasonOf(room.badmail, 'a.eml'), /^The file grew after it was taken/);
  t.match(readFileSync(join(room.badmail, 'a.eml'), 'latin1'), /late\r\n$/);
});

t.test('a name that is used again while its file is being taken is another file', async (t) => {
  const target: { grow?: () => void } = {};
  const room = await openPickupRoom(t, { door: (transfer) => growing(transfer, 'before', target) });
  target.grow = once(() => room.write('a.eml', letter('second')));
  room.write('a.eml', letter('first'));
  await room.until(async () => (await room.subjects()).length === 2);
  t.same(await room.subjects(), ['first', 'second']);
});

t.test('no more files a minute than are set', async (t) => {
  const room = await openPickupRoom(t, { rules: { messagesPerMinuteLimit: 10 } });
  for (let index = 0; index < 25; index += 1) room.write(`${index}.eml`, letter(String(index)));
  await room.until(async () => (await room.status()).taken === 1);
  const begunMs = room.clock.monotonic();
  await room.pass(MINUTE_MS);
  const { taken, waiting } = await room.status();
  // The clock runs ahead of a slow disk: it may be fewer.
  t.ok(taken <= 11, `${taken} in a minute`);
  t.ok(waiting >= 25 - taken - 1 && waiting <= 25 - taken, `${waiting} wait`);
  await room.until(() => room.names().length === 0, 250);
  t.ok(room.clock.monotonic() - begunMs > 1.9 * MINUTE_MS);
});

t.test('a directory that is missing is looked for, and what was claimed in it is taken up', async (t) => {
  const settleMs = 2 * MINUTE_MS;
  const room = await openPickupRoom(t, { rules: { settleMs } });
  await room.until(async () => (await room.status()).isReadable);
  renameSync(room.directory, `${room.directory}.away`);
  await room.until(async () => !(await room.status()).isReadable);
  t.match(await room.status(), { reason: 'it does not exist (ENOENT)', waiting: 0 });
  t.match((await room.status()).alarms[0], /cannot be read: it does not exist/);
  writeFileSync(join(`${room.directory}.away`, 'a.eml.00000000000000cc.tmp'), letter('claimed'));
  await room.pass(5 * SECOND_MS);
  t.equal(room.logged.filter(([event]) => event === 'pickup.directory.unreadable').length, 1, 'told once');
  renameSync(`${room.directory}.away`, room.directory);
  room.write('b.eml', letter('b'));
  await room.until(() => room.names().length === 0, SECOND_MS);
  t.same(await room.subjects(), ['b', 'claimed']);
  t.match(await room.status(), { isReadable: true, reason: undefined, alarms: [] });
  const begunMs = room.clock.monotonic();
  room.write('c.tmp', letter('c'));
  renameSync(join(room.directory, 'c.tmp'), join(room.directory, 'c.eml'));
  await room.until(async () => (await room.subjects()).length === 3);
  t.ok(room.clock.monotonic() - begunMs < settleMs, 'it is watched again');
});

t.test('nothing is taken while the server is paused', async (t) => {
  let isPaused = true;
  const room = await openPickupRoom(t, { isPaused: () => isPaused });
  room.write('a.eml', letter('a'));
  await room.pass(MINUTE_MS);
  t.match(await room.status(), { waiting: 1, unfinished: 0, taken: 0 });
  isPaused = false;
  await room.until(() => room.names().length === 0);
  t.same(await room.subjects(), ['a']);
});

t.test('directories change while the server runs, and counts go on', async (t) => {
  const room = await openPickupRoom(t);
  room.write('a.eml', letter('a'));
  await room.until(() => room.names().length === 0);
  const other = `${room.directory}.other`;
  mkdirSync(other);
  const added = { ...room.rules, name: 'other', directory: other, badmailDirectory: join(other, 'badmail') };
  await room.pickup.reconfigure([{ ...room.rules, fileNames: 'any' }, added]);
  room.write('a.txt', letter('b'));
  writeFileSync(join(other, 'c.eml'), letter('c'));
  const counts = async () => (await room.pickup.status()).map(({ name, taken }) => `${name} ${taken}`).join();
  await room.until(async () => (await counts()) === 'app 2,other 1');
  t.same(await room.subjects(), ['a', 'b', 'c']);
  await room.pickup.reconfigure([added]);
  t.same(
    (await room.pickup.status()).map(({ name }) => name),
    ['other'],
  );
  room.write('d.eml', letter('d'));
  await room.pass(20 * SECOND_MS);
  t.same(room.names(), ['d.eml']);
});

t.test('closing waits for files under way, and leaves no timer and no half-taken file', async (t) => {
  const door: { open?: () => void } = {};
  const waiting = new Promise<void>((resolve) => {
    door.open = resolve;
  });
  let begun = 0;
  const room = await openPickupRoom(t, {
    door: (transfer) => ({
      ...transfer,
      accept: async (...message) => {
        begun += 1;
        await waiting;
        return transfer.accept(...message);
      },
    }),
  });
  for (let index = 0; index < 2 * FILES_UNDER_WAY; index += 1)
    room.write(`${index}.eml`, letter(String(index)));
  await room.until(() => begun === FILES_UNDER_WAY);
  const closing = room.pickup.close(MINUTE_MS);
  door.open?.();
  await closing;
  t.equal(begun, FILES_UNDER_WAY, 'nothing else was begun');
  t.same((await room.subjects()).length, FILES_UNDER_WAY);
  t.equal(room.names().length, FILES_UNDER_WAY);
  t.equal(room.clock.pendingTimers, 0);
  await room.reopen();
  await room.until(() => room.names().length === 0);
  t.equal((await room.subjects()).length, 2 * FILES_UNDER_WAY);
});

t.test('closing ends when its time is up; what is claimed is taken up at the next start', async (t) => {
  let isStuck = true;
  let begun = 0;
  const room = await openPickupRoom(t, {
    door: (transfer) => ({
      ...transfer,
      accept: (...message) => {
        begun += 1;
        return isStuck ? new Promise(() => {}) : transfer.accept(...message);
      },
    }),
  });
  room.write('a.eml', letter('a'));
  await room.until(() => begun === 1);
  const closing = room.pickup.close(SECOND_MS);
  room.clock.advance(SECOND_MS);
  await closing;
  t.match(room.names(), [/^a\.eml\.[0-9a-f]{16}\.tmp$/]);
  isStuck = false;
  await room.reopen();
  await room.until(() => room.names().length === 0);
  t.same(await room.subjects(), ['a']);
});

t.test(
  'a store that is away pauses the directory: one file in each round, an alarm after a minute',
  async (t) => {
    let isAway = true;
    let tries = 0;
    const room = await openPickupRoom(t, {
      door: (transfer) => ({
        ...transfer,
        accept: (...message) => {
          tries += 1;
          if (!isAway) return transfer.accept(...message);
          const error = new MailError('storeUnavailable');
          return Promise.resolve({ kind: 'refused', traceId: newTraceId(systemClock.now()), error });
        },
      }),
    });
    for (let index = 0; index < 2 * FILES_UNDER_WAY; index += 1)
      room.write(`${index}.eml`, letter(String(index)));
    await room.until(() => tries > 0);
    await room.until(async () => (await room.status()).alarms.length === 1, 500);
    t.match((await room.status()).alarms, [/^Nothing is taken for now: The message store is not available/]);
    await room.pass(10 * MINUTE_MS);
    t.ok(tries < 10 * FILES_UNDER_WAY, `${tries} tries`);
    isAway = false;
    await room.until(() => room.names().length === 0, 500);
    t.equal((await room.subjects()).length, 2 * FILES_UNDER_WAY);
    t.same((await room.status()).alarms, []);
  },
);

t.test('as many files as are put off may be claimed, and no more', async (t) => {
  const claims = new ClaimedFiles();
  const claim = (index: number) => ({
    claimName: claimName(`${index}.eml` as FileName, '0000000000000000'),
    original: `${index}.eml` as FileName,
    handoverId: '0000000000000000',
    sinceMs: 0,
    sinceAt: systemClock.now(),
    step: { kind: 'ask' } as const,
    attempts: 0,
    dueMs: 0,
  });
  for (let index = 0; index < CLAIMED_FILE_LIMIT; index += 1) {
    t.equal(claims.isFull, false);
    claims.put(claim(index));
  }
  t.ok(claims.isFull);
  claims.remove(claim(0));
  t.notOk(claims.isFull);
});

t.test('a directory that does not answer is an alarm', async (t) => {
  const room = await openPickupRoom(t);
  const alarms = alarmsOf(
    {
      reader: { begunMs: 0, trouble: undefined, ignored: 0 },
      claiming: { unclaimable: undefined, pause: undefined },
      claims: new ClaimedFiles(),
      known: new KnownFiles(),
      options: { rules: room.rules },
    } as unknown as DirectoryKeeper,
    SILENT_ALARM_MS,
  );
  t.match(alarms, [/does not answer; a share whose server is gone hangs like this\.$/]);
});

t.test('more events than the kernel is sure to hold are no evidence until the next look', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-events-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // Neither a watcher nor a sleep keeps a process alive.
  const keeping = setInterval(() => {}, MINUTE_MS);
  t.teardown(() => clearInterval(keeping));
  const heard = new Set<FileName>();
  const hints = new Hints((name) => heard.add(name));
  t.equal(hints.open(directory), undefined);
  t.teardown(() => hints.close());
  const rename = async (name: string, count: number) => {
    writeFileSync(join(directory, `${name}.tmp`), 'x');
    for (let index = 0; index < count; index += 1) {
      renameSync(join(directory, `${name}.tmp`), join(directory, `${name}.eml`));
      if (index < count - 1) renameSync(join(directory, `${name}.eml`), join(directory, `${name}.tmp`));
    }
    const begunMs = performance.now();
    while (!heard.has(`${name}.eml` as FileName) && performance.now() - begunMs < 30_000)
      await systemClock.sleep(5);
  };
  await rename('a', 1);
  t.equal(hints.toldOf('a.eml' as FileName), 'movedIn');
  t.equal(hints.toldOf('b.eml' as FileName), 'nothing', 'nothing was told of it');
  hints.beginLook();
  t.equal(hints.toldOf('a.eml' as FileName), 'movedIn', 'for the look that begins');
  hints.beginLook();
  t.equal(hints.toldOf('a.eml' as FileName), 'nothing', 'and for no other');
  await rename('b', EVENT_LIMIT);
  await systemClock.sleep(50);
  t.equal(hints.toldOf('b.eml' as FileName), 'nothing');
  hints.beginLook();
  await rename('c', 1);
  t.equal(hints.toldOf('c.eml' as FileName), 'movedIn');
  writeFileSync(join(directory, 'd.eml'), 'x');
  const begunMs = performance.now();
  while (!heard.has('d.eml' as FileName) && performance.now() - begunMs < 30_000) await systemClock.sleep(5);
  await systemClock.sleep(20);
  t.equal(hints.toldOf('d.eml' as FileName), 'written');
});

t.test(
  'a file that was written to while the server was down is kept after its message was sent',
  async (t) => {
    const room = await openPickupRoom(t, {
      prepare: (directory) => writeFileSync(join(directory, 'a.eml.00000000000000ee.tmp'), letter('a')),
      door: (transfer) => ({
        ...transfer,
        wasAccepted: () => Promise.resolve(newTraceId(unixMs(systemClock.now() - MINUTE_MS))),
      }),
    });
    await room.until(async () => (await room.status()).bad === 1);
    t.match(reasonOf(room.badmail, 'a.eml'), /^The server ended while it took this file/);
    t.same(await room.subjects(), []);
  },
);

/** A door at which something happens before or after the message is accepted. */
function growing(transfer: Transfer, when: 'before' | 'after', target: { grow?: () => void }): Transfer {
  return {
    ...transfer,
    accept: async (...message) => {
      if (when === 'before') target.grow?.();
      const acceptance = await transfer.accept(...message);
      if (when === 'after') target.grow?.();
      return acceptance;
    },
  };
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}
