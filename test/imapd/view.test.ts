// The view: what a session tells its client of changes, step by step and under random changes.

import fc from 'fast-check';
import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import type { ContentId, ModSeq, Uid } from '../../src/base/ids.ts';
import { MailboxView } from '../../src/imapd/view.ts';
import type { ViewUpdate } from '../../src/imapd/view.ts';
import type { Entry } from '../../src/store/contract/mailboxes.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';

const uid = (value: number) => value as Uid;
const uids = (...values: number[]) => values as Uid[];

/** An entry with system flag bits `system`, last changed at `modSeq`. */
function entry(value: number, modSeq: number, system = 0, keywords: string[] = []): Entry {
  return {
    uid: uid(value),
    contentId: value as ContentId,
    flags: { system, keywords },
    modSeq: modSeq as ModSeq,
    internalDate: { at: unixMs(0), zoneMinutes: 0 },
    octets: 1,
    pop3Octets: 1,
    savedAt: undefined,
  };
}

/** A view of UIDs 10, 20, 30, 40 at mod-sequence 100. */
function fourMessages(recent: number[] = []): MailboxView {
  return new MailboxView(uids(10, 20, 30, 40), uids(...recent), 100);
}

function change(view: MailboxView, changed: Entry[], expunged: number[], highestModSeq: number) {
  return view.apply({
    changed,
    expunged: uids(...expunged),
    highestModSeq: highestModSeq as ModSeq,
    isComplete: true,
  });
}

/** Updates as short words: `-3` expunge number 3, `=4` exists, `r1` recent, `2:5/kw` flags of number 2. */
function told(view: MailboxView, mayExpunge: boolean): string {
  return view.tell({ mayExpunge }).map(wordOf).join(' ');
}

function wordOf(update: ViewUpdate): string {
  switch (update.kind) {
    case 'expunge':
      return `-${update.number}`;
    case 'exists':
      return `=${update.count}`;
    case 'recent':
      return `r${update.count}`;
    case 'flags':
      return `${update.number}:${[update.flags.system, ...update.flags.keywords].join('/')}`;
  }
}

t.test('numbers and UIDs', async (t) => {
  const view = fourMessages();
  t.equal(view.count, 4);
  t.equal(view.lastUid, 40);
  t.same(
    [0, 1, 4, 5].map((number) => view.uidOf(number)),
    [undefined, 10, 40, undefined],
  );
  t.same(
    [9, 10, 25, 40, 41].map((value) => view.numberOf(value)),
    [undefined, 1, undefined, 4, undefined],
  );
  t.same(view.spanOfUids(11, 30), { first: 2, last: 3 });
  t.same(view.spanOfUids(1, 99), { first: 1, last: 4 });
  t.equal(view.spanOfUids(21, 29), undefined);
  t.equal(view.spanOfUids(41, 99), undefined);
  t.same(view.uidRange({ first: 2, last: 4 }), { first: 20, last: 40 });
});

t.test('an empty mailbox has no number and no UID', async (t) => {
  const view = new MailboxView([], [], 1);
  t.equal(view.count, 0);
  t.equal(view.lastUid, 0);
  t.equal(view.spanOfUids(1, 99), undefined);
  t.equal(told(view, true), '');
});

const steps: {
  name: string;
  changed?: Entry[];
  expunged?: number[];
  recent?: number[];
  held?: string;
  told: string;
}[] = [
  { name: 'nothing', told: '' },
  { name: 'expunges count after each removal', expunged: [10, 20, 40], told: '-1 -1 -2' },
  { name: 'an expunge waits while it must', expunged: [20], held: '', told: '-2' },
  { name: 'new messages come as one EXISTS', changed: [entry(50, 101), entry(60, 102)], told: '=6' },
  {
    name: 'new messages are told while expunges wait',
    changed: [entry(50, 101)],
    expunged: [10],
    held: '=5',
    told: '-1',
  },
  {
    name: 'expunges come before EXISTS, flags last',
    changed: [entry(30, 101, FLAG.seen), entry(50, 102)],
    expunged: [10],
    told: '-1 =4 2:1',
  },
  {
    name: 'flags of numbers as they stand while expunges wait',
    changed: [entry(30, 101, FLAG.seen, ['a', 'B'])],
    expunged: [10],
    held: '3:1/a/B',
    told: '-1',
  },
  {
    name: 'flags of a message that is gone are not told',
    changed: [entry(20, 101)],
    expunged: [20],
    told: '-2',
  },
  { name: 'a message that came and went is not told', changed: [entry(50, 101)], expunged: [50], told: '' },
  { name: 'an expunge of what was never known is not told', expunged: [15, 99], told: '' },
  {
    name: 'flags of a new message are not told with its arrival',
    changed: [entry(50, 105, FLAG.seen)],
    told: '=5',
  },
  { name: 'recent messages change RECENT', changed: [entry(50, 101)], recent: [50], told: '=5 r1' },
];

for (const step of steps) {
  t.test(`tell: ${step.name}`, async (t) => {
    const view = fourMessages();
    change(view, step.changed ?? [], step.expunged ?? [], 110);
    view.markRecent(uids(...(step.recent ?? [])));
    if (step.held !== undefined) t.equal(told(view, false), step.held);
    t.equal(told(view, true), step.told);
    t.equal(told(view, true), '', 'all is told once');
    t.equal(view.modSeq, 110);
  });
}

t.test('numbers stand still until the client is told', async (t) => {
  const view = fourMessages();
  t.same(change(view, [entry(50, 101)], [20], 102), [50]);
  t.equal(view.count, 4);
  t.equal(view.numberOf(30), 3);
  t.equal(view.numberOf(50), undefined);
  t.equal(told(view, false), '=5');
  t.equal(view.numberOf(50), 5);
  t.equal(told(view, true), '-2');
  t.equal(view.numberOf(50), 4);
});

t.test('several pulls before one telling are told together', async (t) => {
  const view = fourMessages();
  change(view, [entry(50, 101), entry(20, 102, FLAG.flagged)], [], 102);
  change(view, [entry(20, 103, FLAG.seen), entry(50, 104, FLAG.seen)], [10], 104);
  change(view, [entry(60, 105)], [50], 106);
  t.equal(told(view, true), '-1 =4 1:1');
  t.equal(view.uidOf(4), 60);
});

t.test('applying the same changes again says nothing', async (t) => {
  const view = fourMessages();
  const changed = [entry(50, 101)];
  t.same(change(view, changed, [10], 102), [50]);
  t.same(change(view, changed, [10], 102), []);
  t.equal(told(view, true), '-1 =4');
  change(view, [], [10], 102);
  t.equal(told(view, true), '');
});

t.test('what has been told reaches up to the first expunge that waits', async (t) => {
  const view = fourMessages();
  change(view, [entry(30, 101, FLAG.seen)], [], 101);
  t.equal(view.toldModSeq, 100, 'flags that wait');
  view.tell({ mayExpunge: false });
  t.equal(view.toldModSeq, 101);
  change(view, [], [20], 103);
  change(view, [entry(30, 104)], [], 104);
  view.tell({ mayExpunge: false });
  t.equal(view.toldModSeq, 101, 'an expunge that waits');
  view.tell({ mayExpunge: true });
  t.equal(view.toldModSeq, 104);
});

t.test('\\Recent ends with the message', async (t) => {
  const view = fourMessages([30, 40]);
  t.equal(view.recentCount, 2);
  t.ok(view.isRecent(uid(40)));
  change(view, [], [40], 101);
  t.equal(told(view, false), '');
  t.ok(view.isRecent(uid(40)), 'its number still stands');
  t.equal(told(view, true), '-4 r1');
  t.notOk(view.isRecent(uid(40)));
  t.equal(view.recentCount, 1);
});

t.test('flags that a command has shown are not repeated', async (t) => {
  const view = fourMessages();
  view.noteTold(entry(20, 105, FLAG.seen));
  change(view, [entry(20, 105, FLAG.seen), entry(30, 104, FLAG.seen)], [], 105);
  t.equal(told(view, true), '3:1');
});

t.test('flags that waited and were then shown are not repeated, later ones are', async (t) => {
  const view = fourMessages();
  change(view, [entry(20, 101, FLAG.seen), entry(30, 102, FLAG.flagged)], [], 102);
  view.noteTold(entry(20, 101, FLAG.seen));
  view.noteTold(entry(30, 101, FLAG.seen));
  t.equal(told(view, true), '3:4');
});

t.test('a change of its own is not told, unless another waits or follows', async (t) => {
  const view = fourMessages();
  change(view, [entry(30, 101, 0, ['theirs'])], [], 101);
  view.noteOwn(entry(20, 102, FLAG.seen));
  view.noteOwn(entry(30, 102, FLAG.seen, ['theirs']));
  view.noteOwn(entry(40, 102, FLAG.seen));
  change(
    view,
    [entry(20, 102, FLAG.seen), entry(30, 102, FLAG.seen, ['theirs']), entry(40, 103, FLAG.seen, ['after'])],
    [],
    103,
  );
  t.equal(told(view, true), '3:1/theirs 4:1/after');
});

t.test('a mailbox read whole gives what the forgotten expunges would have', async (t) => {
  const view = fourMessages();
  change(view, [entry(50, 101)], [], 101);
  const arrived = view.applyWhole([entry(20, 90), entry(40, 150, FLAG.seen), entry(60, 140)], 150 as ModSeq);
  t.same(arrived, [60]);
  t.equal(told(view, true), '-1 -2 =3 2:1');
  t.equal(view.modSeq, 150);
});

t.test('a client that follows what it is told has the numbers of the server, whatever happens', async () => {
  const step = fc.record({
    arrivals: fc.nat({ max: 3 }),
    expunged: fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
    mayExpunge: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const server = [...Array(10).keys()].map((index) => index + 1);
      const client = [...server];
      const view = new MailboxView(uids(...server), [], 0);
      let modSeq = 0;
      let uidNext = server.length + 1;
      const follow = (mayExpunge: boolean) => {
        for (const update of view.tell({ mayExpunge })) {
          if (update.kind === 'expunge') client.splice(update.number - 1, 1);
          if (update.kind === 'exists') while (client.length < update.count) client.push(-1);
        }
        // Fetching tells the client the UIDs of new numbers; known ones may never change under it.
        for (const [index, known] of client.entries()) {
          const now = view.uidOf(index + 1) ?? 0;
          if (known !== -1 && known !== now) throw new Error(`number ${index + 1} was ${known}, is ${now}`);
          client[index] = now;
        }
        if (client.length !== view.count) throw new Error('EXISTS differs');
      };
      for (const { arrivals, expunged, mayExpunge } of steps) {
        modSeq += 1;
        const arrived: Entry[] = [];
        for (let index = 0; index < arrivals; index += 1) {
          arrived.push(entry(uidNext, modSeq));
          server.push(uidNext);
          uidNext += 1;
        }
        const gone = server.filter((value) => expunged.includes(value));
        for (const value of gone) server.splice(server.indexOf(value), 1);
        change(view, arrived, gone, modSeq);
        follow(mayExpunge);
      }
      follow(true);
      return JSON.stringify(client) === JSON.stringify(server);
    }),
    { seed: 3501, numRuns: 300 },
  );
});

t.test('a saved result is what was found, less what the client was told is expunged', async (t) => {
  const view = fourMessages();
  t.same(view.savedMessages, [], 'nothing at first');
  view.saveMessages([1, 2, 4]);
  t.same(view.savedMessages, [
    { first: 1, last: 2 },
    { first: 4, last: 4 },
  ]);
  change(view, [entry(35, 101), entry(50, 102)], [20], 103);
  view.tell({ mayExpunge: false });
  t.same(
    view.savedMessages,
    [
      { first: 1, last: 2 },
      { first: 4, last: 4 },
    ],
    'as numbers do, it stays until the expunge is told',
  );
  view.tell({ mayExpunge: true });
  t.same(view.savedMessages, [
    { first: 1, last: 1 },
    { first: 3, last: 3 },
  ]);
  change(view, [], [10, 40], 104);
  view.tell({ mayExpunge: true });
  t.same(view.savedMessages, []);
});
