/** The pure parts of picking up: whether a file is finished, names and claims, waits, and what a person is told. */

import fc from 'fast-check';
import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import { MAIL_ERRORS, MailError, type MailErrorCode } from '../../src/base/error.ts';
import type { TraceId } from '../../src/base/ids.ts';
import { claimName, cutName, newHandoverId, parseClaimName } from '../../src/pickup/claim.ts';
import { waitAfter } from '../../src/pickup/deferral.ts';
import {
  type FileName,
  fileName,
  fileNameOf,
  isTaken,
  isUnfinished,
  octetsOf,
  pathOf,
  showName,
} from '../../src/pickup/fileNames.ts';
import { headerEndOf } from '../../src/pickup/headerLook.ts';
import { KnownFiles } from '../../src/pickup/knownFiles.ts';
import { KNOWN_FILE_LIMIT, NAME_LIMIT_OCTETS } from '../../src/pickup/limits.ts';
import {
  isRenamed,
  isSame,
  type Look,
  observe,
  observeAgain,
  observeWrite,
  standingOf,
} from '../../src/pickup/observation.ts';
import { formatReason } from '../../src/pickup/reason.ts';
import { createSharedSync } from '../../src/pickup/syncDirectory.ts';
import { Tally } from '../../src/pickup/tally.ts';
import { verdictOnProblem, verdictOnRefusal } from '../../src/pickup/verdict.ts';
import { FAULTS_OF_OTHERS } from '../../src/transfer/refusal.ts';
import { runProgram } from '../support/peers.ts';

const FILE: Look = {
  form: 'file',
  inode: 7n,
  octets: 100,
  modifiedNs: 1_000n,
  changedNs: 1_000n,
  bornNs: 0n,
  links: 1,
};
const SETTLE_MS = 5000;

/** What a file does over time, and how it stands in the end. */
interface Story {
  readonly name: string;
  /** Looks and when they are; `'write'` is an event that told of a write. */
  readonly looks: readonly (readonly [ms: number, look: Partial<Look> | 'write'])[];
  readonly isMovedIn?: boolean;
  readonly endsAtMs: number;
  readonly standing: string;
}

const STORIES: readonly Story[] = [
  { name: 'seen once, it may be written to', looks: [[0, {}]], endsAtMs: 0, standing: 'unfinished' },
  {
    name: 'still for less than is set',
    looks: [
      [0, {}],
      [4999, {}],
    ],
    endsAtMs: 4999,
    standing: 'unfinished',
  },
  {
    name: 'still for as long as is set',
    looks: [
      [0, {}],
      [5000, {}],
    ],
    endsAtMs: 5000,
    standing: 'still',
  },
  {
    name: 'it grew in between',
    looks: [
      [0, {}],
      [3000, { octets: 200, modifiedNs: 2n }],
      [6000, { octets: 200, modifiedNs: 2n }],
    ],
    endsAtMs: 6000,
    standing: 'unfinished',
  },
  {
    name: 'written in place without growing',
    looks: [
      [0, {}],
      [3000, { modifiedNs: 2_000n }],
      [6000, { modifiedNs: 2_000n }],
    ],
    endsAtMs: 6000,
    standing: 'unfinished',
  },
  {
    name: 'touched by somebody who set its time back',
    looks: [
      [0, {}],
      [3000, { changedNs: 9_000n }],
      [6000, { changedNs: 9_000n }],
    ],
    endsAtMs: 6000,
    standing: 'unfinished',
  },
  {
    name: 'an event told of a write that looks did not show',
    looks: [
      [0, {}],
      [3000, 'write'],
      [6000, {}],
    ],
    endsAtMs: 6000,
    standing: 'unfinished',
  },
  {
    name: 'a share that makes up inodes',
    looks: [
      [0, { inode: 1n }],
      [2000, { inode: 2n }],
      [5000, { inode: 3n }],
    ],
    endsAtMs: 5000,
    standing: 'still',
  },
  {
    name: 'empty, however long',
    looks: [
      [0, { octets: 0 }],
      [9e6, { octets: 0 }],
    ],
    endsAtMs: 9e6,
    standing: 'empty',
  },
  {
    name: 'with a second name',
    looks: [
      [0, { links: 2 }],
      [9e6, { links: 2 }],
    ],
    endsAtMs: 9e6,
    standing: 'linked',
  },
  { name: 'a link', looks: [[0, { form: 'link' }]], endsAtMs: 9e6, standing: 'leftAlone' },
  { name: 'moved in, seen once', looks: [[0, {}]], isMovedIn: true, endsAtMs: 249, standing: 'unfinished' },
  {
    name: 'moved in, seen twice',
    looks: [
      [0, {}],
      [250, {}],
    ],
    isMovedIn: true,
    endsAtMs: 250,
    standing: 'movedIn',
  },
  {
    name: 'moved in and written to',
    looks: [
      [0, {}],
      [100, 'write'],
      [400, {}],
    ],
    isMovedIn: true,
    endsAtMs: 400,
    standing: 'unfinished',
  },
  {
    name: 'moved in and grown',
    looks: [
      [0, {}],
      [250, { octets: 101 }],
      [600, { octets: 101 }],
    ],
    isMovedIn: true,
    endsAtMs: 600,
    standing: 'unfinished',
  },
  {
    name: 'moved in, empty',
    looks: [
      [0, { octets: 0 }],
      [300, { octets: 0 }],
    ],
    isMovedIn: true,
    endsAtMs: 300,
    standing: 'empty',
  },
];

t.test('a file is finished when it came whole or has been still, and not before', async (t) => {
  for (const { name, looks, isMovedIn = false, endsAtMs, standing } of STORIES) {
    const [[firstMs, first] = [0, {}], ...others] = looks;
    const begun = observe({ ...FILE, ...(first as object) }, { ms: firstMs, at: unixMs(0) }, isMovedIn);
    const ended = others.reduce(
      (before, [ms, look]) =>
        look === 'write' ? observeWrite(before, ms) : observeAgain(before, { ...FILE, ...look }, ms),
      begun,
    );
    t.equal(standingOf(ended, endsAtMs, SETTLE_MS).kind, standing, name);
  }
});

t.test('a file that waits says when there may be news', async (t) => {
  const seen = observe(FILE, { ms: 1000, at: unixMs(0) }, false);
  t.same(standingOf(seen, 1500, SETTLE_MS), { kind: 'unfinished', lookMs: 6000 });
  t.same(standingOf({ ...seen, isMovedIn: true }, 1100, SETTLE_MS), { kind: 'unfinished', lookMs: 1250 });
});

t.test('a file that was hidden is known again by more than its inode', async (t) => {
  const born = { ...FILE, bornNs: 5n };
  t.ok(isRenamed(FILE, { ...FILE, changedNs: 9n }), 'the same octets and times');
  t.ok(isRenamed(born, { ...born, octets: 300, modifiedNs: 8n, changedNs: 9n }), 'born at the same time');
  t.notOk(isRenamed(FILE, { ...FILE, octets: 300, modifiedNs: 8n }), 'the inode was given away again');
  t.notOk(isRenamed(born, { ...born, bornNs: 6n, octets: 300 }));
  t.notOk(isRenamed({ ...FILE, octets: 0 }, { ...FILE, octets: 0 }), 'two empty files are alike');
  t.notOk(isRenamed({ ...FILE, inode: 0n }, { ...FILE, inode: 0n }), 'no inodes at all');
  t.ok(isSame(FILE, { ...FILE, changedNs: 9n }), 'a rename changes one of the times');
});

t.test('which names are taken', async (t) => {
  const names = [
    ['a.eml', true, true],
    ['A.EML', true, true],
    ['mail.txt', false, true],
    ['mail', false, true],
    ['\xff\n.eml', true, true],
    ['a.eml.tmp', false, false],
    ['a.TMP', false, false],
    ['a.bad', false, false],
    ['a.part', false, false],
    ['~a.eml', false, false],
    ['.a.eml', false, false],
    ['a.eml.reason.txt', false, false],
  ] as const;
  for (const [name, ifEml, ifAny] of names) {
    t.equal(isTaken(name as FileName, 'eml'), ifEml, name);
    t.equal(isTaken(name as FileName, 'any'), ifAny, name);
  }
  t.ok(isUnfinished('x.tmp' as FileName));
  t.notOk(isUnfinished('x.bad' as FileName));
});

t.test('names are octets, and what is shown of them is one printable line', async (t) => {
  t.equal(showName(fileNameOf('Grüße 漢字.eml')), 'Grüße 漢字.eml');
  t.equal(showName(fileNameOf('a\nb\u202e.eml')), 'a\\x0ab\\u{202e}.eml');
  t.equal(showName(fileName(Buffer.from([0x61, 0xff, 0x0a]))), 'a\\xff\\x0a');
  t.equal(showName(fileNameOf('a\\b')), 'a\\\\b');
  t.equal(showName('x'.repeat(255) as FileName).length, 200);
  t.same(pathOf('/d', fileName(Buffer.from([0xff]))), Buffer.from([0x2f, 0x64, 0x2f, 0xff]));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 255 }), (octets) => {
      const name = fileName(Buffer.from(octets));
      return octetsOf(name).equals(octets) && !/[\p{C}\n]/u.test(showName(name));
    }),
  );
});

t.test('a claim`s name says what the file was called and which handover it is', async (t) => {
  const id = newHandoverId();
  t.match(id, /^[0-9a-f]{16}$/);
  t.same(parseClaimName(claimName(fileNameOf('a.eml'), id)), { original: 'a.eml', handoverId: id });
  for (const name of [
    'a.eml',
    'a.tmp',
    '.0123456789abcdef.tmp',
    'a.0123456789ABCDEF.tmp',
    'a.0123456789abcde.tmp',
  ])
    t.equal(parseClaimName(name as FileName), undefined, name);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 255 }),
      fc.constantFrom('', '.eml'),
      (octets, ending) => {
        const name = `${fileName(Buffer.from(octets))}${ending}`.slice(-255) as FileName;
        const claim = claimName(name, id);
        const parsed = parseClaimName(claim);
        const isCut = name.length > NAME_LIMIT_OCTETS - 21;
        return (
          claim.length <= NAME_LIMIT_OCTETS &&
          parsed?.handoverId === id &&
          (isCut ? parsed.original.endsWith(ending) : parsed.original === name)
        );
      },
    ),
  );
});

t.test('a name that is too long is cut between characters and keeps its ending', async (t) => {
  const long = fileNameOf(`${'漢'.repeat(82)}.eml`);
  const cut = cutName(long, 234);
  t.ok(cut.length <= 234 && cut.length > 230);
  t.equal(octetsOf(cut).toString(), `${'漢'.repeat(76)}.eml`);
  t.equal(cutName(fileNameOf('short.eml'), 234), 'short.eml');
});

t.test('where a header ends', async (t) => {
  const table = [
    ['To: a@b\r\n\r\n', 'blankLine'],
    ['\r\nText', 'blankLine'],
    ['To: a@b\r\n', 'lastField'],
    ['To: a@b,\r\n c@d\r\n', 'lastField'],
    ['To: a@b\r\nSubj', 'none'],
    ['To: a@b\r\nSubject: half', 'none'],
    ['no field\r\n', 'none'],
    ['', 'none'],
  ] as const;
  for (const [octets, end] of table) t.equal(headerEndOf(Buffer.from(octets)), end, JSON.stringify(octets));
});

t.test('waits grow up to the longest', async (t) => {
  t.same(
    [1, 2, 3, 4, 5, 6, 100].map((attempts) => waitAfter(attempts)),
    [1000, 5000, 30_000, 120_000, 300_000, 300_000, 300_000],
  );
});

t.test('what was taken counts for a minute', async (t) => {
  const tally = new Tally();
  tally.count('a.eml', unixMs(1), 0);
  tally.count('b.eml', unixMs(2), 30_500);
  t.equal(tally.lastMinute(59_000), 2);
  t.equal(tally.lastMinute(61_000), 1);
  t.equal(tally.lastMinute(200_000), 0);
  t.equal(tally.taken, 2);
  t.same(tally.lastFile, { name: 'b.eml', at: 2 });
});

t.test(
  'of more files than are watched some are, the rest is counted, and those that never end make room',
  async (t) => {
    const known = new KnownFiles();
    const names = Array.from(
      { length: KNOWN_FILE_LIMIT + 500 },
      (_none, index) => `${index}.eml` as FileName,
    );
    const scan = () => {
      known.beginScan();
      for (const name of names) known.meet(name, 0, () => 'movedIn');
      known.endScan();
    };
    scan();
    t.equal(known.count, names.length);
    t.equal(known.uncounted, 500);
    for (const file of known.all()) file.waitingFor = 'octets';
    scan();
    const seen = new Set<FileName>();
    for (let round = 0; round < 60 && seen.size < names.length; round += 1) {
      scan();
      for (const file of known.all()) {
        seen.add(file.name);
        file.waitingFor = 'octets';
      }
    }
    t.equal(seen.size, names.length, 'each had its turn');
    t.equal(known.isComplete, false, 'a name that is new may have been there all the time');
  },
);

t.test(
  'a reason file says first what is wrong, and nothing of a file makes a line of its own in it',
  async (t) => {
    const traceId = '0123456789ABCDEFGHJK' as TraceId;
    const envelope = {
      reversePath: 'a@b\r\nTrace: forged',
      recipients: Array.from({ length: 25 }, () => 'c@d'),
    };
    const problem = { code: 'recipientMissing', line: 3, field: 'To\r\nX', text: 'x\u202e' } as const;
    const verdict = verdictOnProblem(problem, traceId, envelope);
    const facts = {
      name: 'app',
      directory: '/d',
      at: unixMs(0),
      handoverId: '0123456789abcdef',
      file: 'a\\x0a.eml',
    };
    const lines = formatReason(verdict, facts).split('\r\n');
    t.equal(lines[0], verdict.what);
    t.equal(lines.filter((line) => line.startsWith('Trace: ')).length, 1);
    t.equal(lines.filter((line) => line.startsWith('Recipient: ')).length, 20);
    t.ok(lines.includes('and 5 more'));
    t.ok(lines.includes('Sender: a@b??Trace: forged'));
    t.ok(lines.some((line) => line.startsWith('Where: line 3, field To??X')));
    const PLAIN = 'Größe 1 (2).eml';
    const EVIL = ['a\\x0a.eml', '$(id).eml', '`id`', "it's $HOME!.eml", 'say "hi"', 'a;b&c|d>e', '-rf.eml'];
    for (const file of [PLAIN, ...EVIL]) {
      const text = formatReason(verdict, { ...facts, file });
      const [, args = ''] = /^To send it again: hauspost pickup retry app (.*)\r$/m.exec(text) ?? [];
      if (file === PLAIN) t.equal(args, `"${PLAIN}"`, 'as every shell has it');
      if (process.platform === 'win32') continue;
      const { stdout } = await runProgram('/bin/sh', ['-c', `printf '%s\\n' ${args}`]);
      // Behind its format printf takes -- as text.
      t.equal(stdout.toString(), `${file.startsWith('-') ? '--\n' : ''}${file}\n`, file);
    }
  },
);

t.test('every refusal that ends a file says what to do', async (t) => {
  for (const code of Object.keys(MAIL_ERRORS) as MailErrorCode[]) {
    if (!FAULTS_OF_OTHERS.has(code)) continue;
    const { what, whatToDo } = verdictOnRefusal(new MailError(code), '' as TraceId, {});
    t.match(what, /\(5\d\d 5\.\d\.\d+\)\.$/, code);
    t.match(whatToDo, /\.$/, code);
  }
});

t.test('a directory is synced once for many, and anew for who came too late for it', async (t) => {
  const ends: (() => void)[] = [];
  const sync = createSharedSync('in', () => new Promise((resolve) => void ends.push(resolve)));
  const done: string[] = [];
  const ask = (name: string) => sync().then(() => void done.push(name));
  const asked = ['first', 'late', 'later'].map(ask);
  t.equal(ends.length, 1);
  ends[0]?.();
  await asked[0];
  await new Promise(setImmediate);
  t.same([done, ends.length], [['first'], 2], 'the late ones share the next');
  ends[1]?.();
  await Promise.all(asked);
  t.same(done, ['first', 'late', 'later']);
  const again = ask('again');
  t.equal(ends.length, 3);
  ends[2]?.();
  await again;
  const failing = createSharedSync('in', () => Promise.reject(new Error('EIO')));
  const outcomes = await Promise.allSettled([failing(), failing()]);
  t.same(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
    'an error is told to all',
  );
});
