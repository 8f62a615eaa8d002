/** The relay into a drop directory: its contract, names and form of files, repeats, limits, what it leaves alone. */

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';

import t from 'tap';

import type { QueueId, TraceId } from '../../src/base/ids.ts';
import { HOUR_MS } from '../../src/base/units.ts';
import type { DropRelayOptions } from '../../src/outbound/contract.ts';
import {
  dropFileName,
  isMessage,
  isOurs,
  isUnfinished,
  numberedName,
  unfinishedName,
} from '../../src/outbound/drop/dropFile.ts';
import { namesIn } from '../../src/outbound/drop/directory.ts';
import {
  AGED_NAMES,
  COUNT_AGE_MS,
  LEFTOVER_AGE_MS,
  SWEEP_PERIOD_MS,
} from '../../src/outbound/drop/limits.ts';
import { createDropLook } from '../../src/outbound/drop/lookAtDrop.ts';
import { sweepDrop } from '../../src/outbound/drop/sweepDrop.ts';
import { silentLog } from '../../src/base/log.ts';
import type { RelayedMessage } from '../../src/transfer/relay.ts';
import { createTestClock } from '../support/clock.ts';
import { dropOptions, makeDropDirectory, openDrop, readDrop } from './dropSite.ts';
import { relayContract } from './relayContract.ts';
import { messageOf } from './relayedMessages.ts';
import { inShort, NEVER, NO_LIMITS } from './smtpHop.ts';

t.setTimeout(120_000);

const TEXT = 'Received: by a\r\nSubject: a\r\n\r\n.dot\r\nbody\r\n';
const TRACE = '01ARZ3NDEKTSV4RRFFQ69G5FAV'.slice(0, 20) as TraceId;
const OTHER_TRACE = '01BRZ3NDEKTSV4RRFFQ6' as TraceId;

/** A message of a trace whose recipients have these ids of the queue. */
function queued(ids: readonly number[], others: Partial<RelayedMessage> = {}, text: string | Buffer = TEXT) {
  const recipients = ids.map((id) => ({ queueId: id as QueueId, address: `r${id}@example.org` }));
  return messageOf(text, recipients, { traceId: TRACE, ...others });
}

relayContract(t, 'a drop directory', async (t) => {
  const directory = makeDropDirectory(t);
  const away = `${directory}.away`;
  const usual = openDrop(t, dropOptions(directory, { fileLimit: 50 }));
  const small = openDrop(t, dropOptions(directory, { limits: { ...NO_LIMITS, sizeLimitOctets: 10 } }));
  let traces = 0;
  let isRefusing = false;
  const filler = (number: number) => join(directory, `filler${number}.eml`);
  const relay = {
    ...usual,
    // Messages of the suite have the same ids, as repeats have.
    relay: (message: RelayedMessage, signal: AbortSignal) => {
      traces += 1;
      return (isRefusing ? small : usual).relay({ ...message, traceId: traceOf(traces) }, signal);
    },
  };
  return {
    relay,
    can: new Set(['throttles'] as const),
    behave: (behaviour) => {
      isRefusing = behaviour === 'refuses';
      if (behaviour === 'isAway') return renameSync(directory, away);
      if (existsSync(away)) renameSync(away, directory);
      for (let number = 0; number < 50; number += 1)
        if (behaviour === 'throttles') writeFileSync(filler(number), '');
        else rmSync(filler(number), { force: true });
    },
    received: () =>
      existsSync(directory)
        ? readDrop(directory)
            .filter(({ name }) => isOurs(name))
            .sort((one, other) => (one.name.slice(13) < other.name.slice(13) ? -1 : 1))
            .map(({ receivers, message }) => ({ recipients: receivers, octets: message }))
        : [],
    largestOctets: 200_000_000,
  };
});

/** Trace ids in an order. */
function traceOf(number: number): TraceId {
  return String(number).padStart(20, '0') as TraceId;
}

t.test('names sort as messages came, and have nothing of what came from outside', async (t) => {
  const rows: readonly (readonly [ids: readonly number[], name: string])[] = [
    [[7], `000000000007-${TRACE}.eml`],
    [[12, 3, 40], `000000000003-${TRACE}.eml`],
    [[9_007_199_254_740_991], `9007199254740991-${TRACE}.eml`],
  ];
  for (const [ids, name] of rows) {
    t.equal(dropFileName(TRACE, queued(ids).recipients), name);
    t.ok(isOurs(name) && isMessage(name) && !isUnfinished(name));
    const unfinished = unfinishedName(name, '0123456789abcdef');
    t.same([isUnfinished(unfinished), isMessage(unfinished), isOurs(unfinished)], [true, false, false]);
  }
  t.equal(numberedName(`1-${TRACE}.eml`, 1), `1-${TRACE}.eml`);
  t.equal(numberedName(`1-${TRACE}.eml`, 2), `1-${TRACE}-2.eml`);
  t.ok(isOurs(numberedName(dropFileName(TRACE, queued([1]).recipients), 2)));
  for (const other of ['scan.eml', `7-${TRACE}.eml`, `000000000007-${TRACE}.eml.done`, '000000000007.eml'])
    t.notOk(isOurs(other) || isUnfinished(other), other);
});

t.test('a file is the envelope in lines and then the message, octet by octet', async (t) => {
  const directory = makeDropDirectory(t);
  const relay = openDrop(t, dropOptions(directory));
  const rows: readonly (readonly [Partial<RelayedMessage>, addresses: readonly string[], front: string])[] = [
    [{}, ['a@example.org'], 'x-sender: sender@example.com\r\nx-receiver: a@example.org\r\n'],
    [
      { reversePath: '' },
      ['a@example.org', '"b @ b"@example.org', 'c@[192.0.2.1]'],
      'x-sender: <>\r\nx-receiver: a@example.org\r\nx-receiver: "b @ b"@example.org\r\nx-receiver: c@[192.0.2.1]\r\n',
    ],
    [
      { isSmtpUtf8: true, reversePath: 'jürgen@bücher.example' },
      ['グレープ@例え.テスト'],
      'x-sender: jürgen@bücher.example\r\nx-receiver: グレープ@例え.テスト\r\n',
    ],
  ];
  const octets = Buffer.from('Subject: \xe9\r\n\r\n.\r\n..\r\nbare\nlf\rcr \0\xff no end', 'latin1');
  for (const [others, addresses, front] of rows) {
    const result = await relay.relay(
      messageOf(octets, addresses, { traceId: TRACE, pieceOctets: 3, ...others }),
      NEVER,
    );
    t.same(
      result.outcomes,
      addresses.map(() => ({
        kind: 'relayed',
        reply: `written as 000000000001-${TRACE}.eml`,
        server: 'drop:scans',
        tellsSender: false,
      })),
    );
    const path = join(directory, `000000000001-${TRACE}.eml`);
    t.ok(readFileSync(path).equals(Buffer.concat([Buffer.from(front), octets])));
    t.same(readdirSync(directory).length, 1, 'and nothing beside it');
    unlinkSync(path);
  }
  const plain = openDrop(t, dropOptions(directory, { format: 'plain' }));
  await plain.relay(queued([1], {}, octets), NEVER);
  t.ok(readFileSync(join(directory, `000000000001-${TRACE}.eml`)).equals(octets));
});

t.test('the group may read and take a file, whatever the umask, and nobody else', async (t) => {
  const directory = makeDropDirectory(t, false);
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const relay = openDrop(t, dropOptions(join(directory, 'made'), { createDirectory: true }));
  t.equal(inShort(await relay.relay(queued([1]), NEVER)), 'relayed');
  const made = join(directory, 'made');
  t.equal(statSync(made).mode & 0o777, 0o770);
  t.equal(statSync(join(made, `000000000001-${TRACE}.eml`)).mode & 0o777, 0o660);
});

t.test(
  'a repeat finds its own file, or makes one where the reader has taken it; nothing is overwritten',
  async (t) => {
    const directory = makeDropDirectory(t);
    const path = (name: string) => join(directory, name);
    const name = `000000000001-${TRACE}.eml`;
    const relay = openDrop(t, dropOptions(directory));
    const large = Buffer.concat([Buffer.from(TEXT), Buffer.alloc(1_000_000, 'x')]);
    for (const text of [TEXT, large]) {
      const message = queued([1, 2], {}, text);
      for (const reply of [`written as ${name}`, `${name} is there already`])
        t.match((await relay.relay(message, NEVER)).outcomes, [{ kind: 'relayed', reply }, { reply }]);
      t.same(readdirSync(directory), [name]);
      unlinkSync(path(name));
      t.equal(inShort(await relay.relay(message, NEVER)), 'relayed, relayed');
      t.same(readdirSync(directory), [name], 'the reader took the first');
      unlinkSync(path(name));
    }
    const written = async () => {
      const { outcomes } = await relay.relay(queued([1]), NEVER);
      return outcomes[0]?.kind === 'relayed' ? outcomes[0].reply : outcomes[0]?.kind;
    };
    const second = `000000000001-${TRACE}-2.eml`;
    const third = `000000000001-${TRACE}-3.eml`;
    const obstacles: readonly (readonly [string, () => void])[] = [
      ['a file of the same length', () => writeFileSync(path(name), 'x'.repeat(statSync(path(third)).size))],
      ['a shorter one', () => writeFileSync(path(name), 'x')],
      ['a directory', () => mkdirSync(path(name))],
      ['a symbolic link to the same octets', () => symlinkSync(path(third), path(name))],
      ['a link that leads nowhere', () => symlinkSync(path('nowhere'), path(name))],
    ];
    t.equal(await written(), `written as ${name}`);
    renameSync(path(name), path(third));
    for (const [what, make] of obstacles) {
      make();
      t.equal(await written(), `written as ${second}`, what);
      t.equal(await written(), `${second} is there already`, what);
      t.same(readdirSync(directory).sort(), [second, third, name].sort(), what);
      rmSync(path(name), { recursive: true });
      rmSync(path(second));
    }
    for (let number = 1; number <= 20; number += 1) writeFileSync(path(numberedName(name, number)), 'x');
    const { outcomes, trouble } = await relay.relay(queued([1]), NEVER);
    t.match([outcomes, trouble], [[{ kind: 'untried' }], { kind: 'unreachable', reason: /20 other files/ }]);
  },
);

t.test('what a crash left is never opened again, and goes when it is old', async (t) => {
  const directory = makeDropDirectory(t);
  const clock = createTestClock();
  const relay = openDrop(t, dropOptions(directory), clock);
  const name = `000000000001-${TRACE}.eml`;
  const leftover = join(directory, unfinishedName(name, '0123456789abcdef'));
  const strange = [join(directory, '.notes.part'), join(directory, '.scan.eml.0123456789abcdef.part')];
  await relay.relay(queued([1]), NEVER);
  // The state after a crash between a link and its removal: both names are one file, which writing into one would change.
  linkSync(join(directory, name), leftover);
  for (const path of strange) writeFileSync(path, '');
  const before = readFileSync(join(directory, name));
  await relay.relay(queued([1], {}, `${TEXT}other\r\n`), NEVER);
  t.ok(readFileSync(join(directory, name)).equals(before));
  const old = (clock.now() - LEFTOVER_AGE_MS - HOUR_MS) / 1000;
  for (const path of [leftover, ...strange]) utimesSync(path, old, old);
  const sweep = { directory, deleteAfterMs: 0, clock, log: silentLog, signal: NEVER };
  await sweepDrop(sweep);
  t.notOk(existsSync(leftover));
  for (const path of [...strange, join(directory, name)]) t.ok(existsSync(path), path);
  await sweepDrop({ ...sweep, directory: join(directory, 'nowhere') });
});

t.test('messages are deleted only where that is set, only ours, and only when they are old', async (t) => {
  const directory = makeDropDirectory(t);
  const clock = createTestClock();
  const names = [`000000000001-${TRACE}.eml`, `000000000002-${TRACE}.eml`, 'foreign.eml', 'notes.txt'];
  for (const name of names) {
    writeFileSync(join(directory, name), '');
    const hours = name.startsWith('000000000002') ? 1 : 3;
    const at = (clock.now() - hours * HOUR_MS) / 1000;
    utimesSync(join(directory, name), at, at);
  }
  const sweep = { directory, clock, log: silentLog, signal: NEVER };
  await sweepDrop({ ...sweep, deleteAfterMs: 0 });
  t.same(readdirSync(directory).sort(), [...names].sort());
  const relay = openDrop(t, dropOptions(directory, { deleteAfterHours: 2 }), clock);
  clock.advance(SWEEP_PERIOD_MS);
  while (existsSync(join(directory, names[0] ?? ''))) await new Promise(setImmediate);
  await relay.close();
  t.same(readdirSync(directory).sort(), names.slice(1).sort());
});

t.test('a directory that is full holds back, and goes on as soon as the reader has come', async (t) => {
  const directory = makeDropDirectory(t);
  const clock = createTestClock();
  const open = (options: Partial<DropRelayOptions>) => openDrop(t, dropOptions(directory, options), clock);
  const relay = open({ fileLimit: 3 });
  for (const name of ['README.txt', '.hidden.eml', 'taken.eml.done'])
    writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'done.eml'));
  for (const id of [1, 2, 3]) t.equal(inShort(await relay.relay(queued([id]), NEVER)), 'relayed');
  const full = await relay.relay(queued([4]), NEVER);
  t.equal(inShort(full), 'untried, (throttled)');
  t.match(full.trouble, { reason: `${directory} holds 3 files or more that nobody has fetched` });
  t.match(await relay.check(NEVER), { isReady: false, trouble: { kind: 'throttled' } });
  unlinkSync(join(directory, readDrop(directory)[0]?.name ?? ''));
  t.equal(inShort(await relay.relay(queued([4]), NEVER)), 'relayed');
  t.equal(inShort(await open({ fileLimit: 0 }).relay(queued([5]), NEVER)), 'relayed', '0 is no limit');
  for (const { name } of readDrop(directory)) unlinkSync(join(directory, name));
  t.equal(inShort(await relay.relay(queued([6]), NEVER)), 'relayed');
  for (const number of [1, 2]) writeFileSync(join(directory, `others${number}.eml`), '');
  t.equal(inShort(await relay.relay(queued([7]), NEVER)), 'relayed', 'a count is good for a while');
  clock.advance(COUNT_AGE_MS + 1);
  t.equal(inShort(await relay.relay(queued([8]), NEVER)), 'untried, (throttled)');
});

t.test('a look at very many files ends, and asks the age of the lowest names alone', async (t) => {
  const directory = makeDropDirectory(t);
  const look = createDropLook(directory, createTestClock());
  t.match(await look(), { kind: 'seen', files: 0, oldestAt: undefined });
  const path = (number: number) => join(directory, `${String(number).padStart(12, '0')}-${TRACE}.eml`);
  for (let number = 1; number <= 3 * AGED_NAMES; number += 1) writeFileSync(path(number), '');
  utimesSync(path(AGED_NAMES), 2000, 2000);
  utimesSync(path(AGED_NAMES + 1), 1000, 1000);
  t.match(await look(), { kind: 'seen', files: 3 * AGED_NAMES, oldestAt: 2_000_000 });
  let names = 0;
  for await (const _name of namesIn(directory, 10)) names += 1;
  t.equal(names, 10);
});

t.test('a directory is made only where that is set', async (t) => {
  const directory = join(makeDropDirectory(t, false), 'deep');
  const relay = openDrop(t, dropOptions(directory));
  t.match(await relay.relay(queued([1]), NEVER), {
    trouble: { kind: 'unreachable', reason: `${directory} is missing (ENOENT)`, advice: /createDirectory/ },
  });
  t.match(await relay.check(NEVER), { isReady: false, trouble: { reason: /is missing/ } });
  t.notOk(existsSync(directory));
  const making = openDrop(t, dropOptions(directory, { createDirectory: true }));
  t.equal((await making.check(NEVER)).isReady, true);
  rmSync(dirname(directory), { recursive: true });
  t.equal(inShort(await making.relay(queued([1]), NEVER)), 'relayed');
});

t.test('two messages of one queue id and of one trace are two files', async (t) => {
  const directory = makeDropDirectory(t);
  const relay = openDrop(t, dropOptions(directory));
  await Promise.all([
    relay.relay(queued([1]), NEVER),
    relay.relay(queued([1], { traceId: OTHER_TRACE }), NEVER),
    relay.relay(queued([2]), NEVER),
  ]);
  t.same(
    readDrop(directory).map(({ receivers }) => receivers),
    [['r1@example.org'], ['r1@example.org'], ['r2@example.org']],
  );
});
