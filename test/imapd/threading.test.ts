/** The threading algorithms of RFC 5256 section 3, without a server: tables, a model for their loops, and what they cost. */

import fc from 'fast-check';
import t from 'tap';

import { runInSlices, sortInSlices } from '../../src/imapd/slices.ts';
import type { SlicedWork } from '../../src/imapd/slices.ts';
import { Ancestry } from '../../src/imapd/threading/ancestry.ts';
import { threadBySubject } from '../../src/imapd/threading/orderedSubject.ts';
import { ReferenceLinks } from '../../src/imapd/threading/referenceLinks.ts';
import { threadByReferences } from '../../src/imapd/threading/referenceThreads.ts';
import type { ThreadedMessage, ThreadNode } from '../../src/imapd/threading/threadedMessage.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Pacer } from '../../src/base/pacer.ts';
import { KeptChars } from '../../src/imapd/foundMessages.ts';
import { formatThreads } from '../../src/wire/imap/thread.ts';
import { baseSubjectOf } from '../../src/wire/mime/baseSubject.ts';
import { casemapKey } from '../../src/wire/mime/casemap.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import { threadMs } from '../support/threadTime.ts';

/** A message: its ID, those that it refers to, its subject, and its date where that is not its number. */
interface Letter {
  readonly id?: string | undefined;
  readonly refs?: readonly string[];
  readonly subject?: string;
  readonly date?: number;
}

function finish<Result>(work: SlicedWork<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

function messageOf({ subject = '', date }: Letter, number: number): ThreadedMessage {
  const { text, isReplyOrForward } = baseSubjectOf(octetString(subject));
  return { number, sentMs: date ?? number, subject: casemapKey(text), isReplyOrForward };
}

function linksOf(letters: readonly Letter[]): ReferenceLinks {
  const links = new ReferenceLinks();
  for (const [index, letter] of letters.entries()) {
    links.add(messageOf(letter, index + 1), { messageId: letter.id, references: letter.refs ?? [] });
  }
  return links;
}

/** What THREAD answers, without `* THREAD `. */
function told(threads: readonly ThreadNode[]): string {
  return [...formatThreads(threads)]
    .join('')
    .replace(/^\* THREAD ?/, '')
    .trimEnd();
}

function byReferences(...letters: readonly Letter[]): string {
  return told(finish(threadByReferences(linksOf(letters))));
}

function bySubject(...letters: readonly Letter[]): string {
  return told(finish(threadBySubject(letters.map((letter, index) => messageOf(letter, index + 1)))));
}

interface Case {
  readonly name: string;
  readonly letters: readonly Letter[];
  readonly threads: string;
}

const REFERENCES: readonly Case[] = [
  { name: 'no message', letters: [], threads: '' },
  {
    name: 'messages that know nothing of each other',
    letters: [{ id: 'a' }, { id: 'b' }],
    threads: '(1)(2)',
  },
  { name: 'a reply', letters: [{ id: 'a' }, { id: 'b', refs: ['a'] }], threads: '(1 2)' },
  {
    name: 'the example of section 4: two replies, each with replies of its own',
    letters: [
      { id: '1' },
      { id: '2' },
      { id: '3', refs: ['2'] },
      { id: '4', refs: ['2', '3'] },
      { id: '5', refs: ['2', '3', '4'] },
      { id: '6', refs: ['2', '3'] },
      { id: '7', refs: ['6'] },
      { id: '8', refs: ['7'] },
    ],
    threads: '(1)(2 3 (4 5)(6 7 8))',
  },
  {
    name: 'the other example of section 4: siblings of a parent that is not there',
    letters: [
      { id: 'a', refs: ['gone'] },
      { id: 'b', refs: ['gone'] },
    ],
    threads: '((1)(2))',
  },
  {
    name: 'a single child of a parent that is not there',
    letters: [{ id: 'a', refs: ['gone'] }],
    threads: '(1)',
  },
  {
    name: 'a dummy between two messages, whose children go up',
    letters: [{ id: 'a' }, { id: 'c', refs: ['a', 'gone'] }, { id: 'd', refs: ['a', 'gone'] }],
    threads: '(1 (2)(3))',
  },
  {
    name: 'dummies below dummies, up to the first level',
    letters: [
      { id: 'a', refs: ['x', 'y', 'z'] },
      { id: 'b', refs: ['x', 'w'] },
    ],
    threads: '((1)(2))',
  },
  {
    name: 'a reply that came before its parent',
    letters: [{ id: 'b', refs: ['a'] }, { id: 'a' }],
    threads: '(2 1)',
  },
  {
    name: 'two messages with one ID: the first has it',
    letters: [{ id: 'a' }, { id: 'a' }, { id: 'b', refs: ['a'] }],
    threads: '(1 3)(2)',
  },
  { name: 'messages without an ID', letters: [{}, { refs: ['a'] }, { id: 'a' }], threads: '(1)(3 2)' },
  { name: 'a message that refers to itself', letters: [{ id: 'a', refs: ['a'] }], threads: '(1)' },
  {
    name: 'two messages that refer to each other',
    letters: [
      { id: 'a', refs: ['b'] },
      { id: 'b', refs: ['a'] },
    ],
    threads: '(2 1)',
  },
  {
    name: 'three in a ring',
    letters: [
      { id: 'a', refs: ['c'] },
      { id: 'b', refs: ['a'] },
      { id: 'c', refs: ['b'] },
    ],
    threads: '(3 1 2)',
  },
  { name: 'one reference twice', letters: [{ id: 'a' }, { id: 'b', refs: ['a', 'a'] }], threads: '(1 2)' },
  {
    name: 'a list of references that contradicts an earlier one: existing links stay',
    letters: [{ id: 'a' }, { id: 'b', refs: ['a'] }, { id: 'c' }, { id: 'd', refs: ['c', 'b'] }],
    threads: '(1 2 4)(3)',
  },
  {
    name: 'a message’s own references replace what others made of it',
    letters: [{ id: 'a' }, { id: 'x' }, { id: 'd', refs: ['x', 'b'] }, { id: 'b', refs: ['a'] }],
    threads: '(1 4 3)(2)',
  },
  {
    name: 'a message without references has no parent, whatever others made of it',
    letters: [{ id: 'a' }, { id: 'd', refs: ['a', 'b'] }, { id: 'b' }],
    threads: '(1)(3 2)',
  },
  {
    name: 'siblings by sent date, ties by number',
    letters: [
      { id: 'a' },
      { id: 'b', refs: ['a'], date: 9 },
      { id: 'c', refs: ['a'], date: 5 },
      { id: 'd', refs: ['a'], date: 9 },
    ],
    threads: '(1 (3)(2)(4))',
  },
  {
    name: 'threads by the sent date of their first message, not of the youngest',
    letters: [
      { id: 'a', date: 20 },
      { id: 'b', refs: ['a'], date: 1 },
      { id: 'c', date: 10 },
    ],
    threads: '(3)(1 2)',
  },
  {
    name: 'a dummy by the sent date of its first child',
    letters: [
      { id: 'a', refs: ['gone'], date: 30 },
      { id: 'b', refs: ['gone'], date: 10 },
      { id: 'c', date: 20 },
    ],
    threads: '((2)(1))(3)',
  },
  // Step 5
  {
    name: 'a reply without references goes below the message with its subject',
    letters: [{ subject: 'Hello' }, { subject: 'Re: hello' }],
    threads: '(1 2)',
  },
  {
    name: 'the original comes later and takes the reply all the same',
    letters: [{ subject: 'Re: Hello' }, { subject: 'Hello' }],
    threads: '(2 1)',
  },
  {
    name: 'two originals with one subject become siblings, and so does each that follows',
    letters: [{ subject: 'Hello' }, { subject: 'HELLO' }, { subject: '[x] Hello' }],
    threads: '((1)(2)(3))',
  },
  {
    name: 'two replies without an original become siblings',
    letters: [{ subject: 'Re: Hello' }, { subject: 'Fwd: Hello' }],
    threads: '((1)(2))',
  },
  {
    name: 'an original, a reply, another original: the second joins the first as a sibling',
    letters: [{ subject: 'Hello' }, { subject: 'Re: Hello' }, { subject: 'Hello' }],
    threads: '((1 2)(3))',
  },
  {
    name: 'a message joins a dummy with its subject',
    letters: [
      { id: 'a', refs: ['gone'], subject: 'Hello' },
      { id: 'b', refs: ['gone'], subject: 'Re: Hello' },
      { id: 'c', subject: 'Hello' },
    ],
    threads: '((1)(2)(3))',
  },
  {
    name: 'a dummy takes the place of a message in the subject table',
    letters: [
      { id: 'c', subject: 'Hello' },
      { id: 'a', refs: ['gone'], subject: 'Hello' },
      { id: 'b', refs: ['gone'], subject: 'Hello' },
    ],
    threads: '((1)(2)(3))',
  },
  {
    name: 'two dummies with one subject are one',
    letters: [
      { refs: ['gone'], subject: 'Hello' },
      { refs: ['gone'], subject: 'Hello' },
      { refs: ['lost'], subject: 'Hello' },
      { refs: ['lost'], subject: 'Hello' },
    ],
    threads: '((1)(2)(3)(4))',
  },
  {
    name: 'without a subject nothing is merged',
    letters: [{ subject: '' }, { subject: 'Re: ' }, {}],
    threads: '(1)(2)(3)',
  },
  {
    name: 'a reply below another thread is not merged',
    letters: [{ id: 'a', subject: 'One' }, { refs: ['a'], subject: 'Two' }, { subject: 'Two' }],
    threads: '(1 2)(3)',
  },
];

t.test('REFERENCES threads as RFC 5256 section 3 says', async (t) => {
  for (const { name, letters, threads } of REFERENCES) t.equal(byReferences(...letters), threads, name);
});

const BY_SUBJECT: readonly Case[] = [
  { name: 'no message', letters: [], threads: '' },
  {
    name: 'the form of the RFC’s example: one alone, two, three',
    letters: [
      { subject: 'A' },
      { subject: 'B' },
      { subject: 'Re: B' },
      { subject: 'C' },
      { subject: 'c' },
      { subject: '[x] C' },
    ],
    threads: '(1)(2 3)(4 (5)(6))',
  },
  {
    name: 'within a thread by sent date, threads by that of their first message',
    letters: [
      { subject: 'B', date: 5 },
      { subject: 'A', date: 4 },
      { subject: 'B', date: 1 },
      { subject: 'A', date: 3 },
    ],
    threads: '(3 1)(4 2)',
  },
  {
    name: 'no subject is a subject as well',
    letters: [{}, { subject: 'x' }, { subject: 'Re:' }],
    threads: '(1 3)(2)',
  },
];

t.test('ORDEREDSUBJECT threads as RFC 5256 section 3 says', async (t) => {
  for (const { name, letters, threads } of BY_SUBJECT) t.equal(bySubject(...letters), threads, name);
});

t.test('under random links and cuts, the top of a tree is where walking up ends', async () => {
  const count = 12;
  const step = fc.tuple(fc.nat(count - 1), fc.nat(count - 1), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ancestry = new Ancestry();
      const parents: (number | undefined)[] = [];
      for (let node = 0; node < count; node += 1) parents[ancestry.add()] = undefined;
      const topOf = (node: number): number => {
        const parent = parents[node];
        return parent === undefined ? node : topOf(parent);
      };
      for (const [child, parent, isCut] of steps) {
        if (isCut) {
          ancestry.cut(child);
          parents[child] = undefined;
        } else if (parents[child] === undefined && topOf(parent) !== child) {
          ancestry.link(child, parent);
          parents[child] = parent;
        }
        for (let node = 0; node < count; node += 1) if (ancestry.topOf(node) !== topOf(node)) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
});

t.test('whatever messages refer to, each is in one thread, once', async () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const letter = fc.record({
    id: fc.option(id, { nil: undefined }),
    refs: fc.array(id, { maxLength: 5 }),
    subject: fc.constantFrom('', 'x', 'Re: x', 'y', '[fwd: y]'),
    date: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 15 }), (letters) => {
      const numbers =
        byReferences(...letters)
          .match(/\d+/g)
          ?.map(Number) ?? [];
      return numbers.length === letters.length && new Set(numbers).size === letters.length;
    }),
    { numRuns: 500 },
  );
});

t.test('sorting in slices is sorting, and what is alike keeps its order', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 1000 }), (values) => {
      const items = values.map((value, index) => ({ value, index }));
      const compare = (left: { value: number }, right: { value: number }) => left.value - right.value;
      const [sorted, expected] = [finish(sortInSlices(items, compare)), items.toSorted(compare)];
      return sorted.length === expected.length && sorted.every((item, index) => item === expected[index]);
    }),
  );
});

/** No request holds the event loop for longer; the kernel counts in steps of 4 ms. */
const STEP_LIMIT_MS = 10;
const CHAIN = 10_000;

/** How 10,000 messages may be chained so that whoever walks or recurses suffers. */
const DEEP: Readonly<Record<string, (index: number) => Letter>> = {
  'each replies to the one before': (index) => ({ id: `m${index}`, refs: [`m${index - 1}`] }),
  'each replies to the one behind': (index) => ({ id: `m${index}`, refs: [`m${index + 1}`] }),
  'each names the ten before': (index) => ({
    id: `m${index}`,
    refs: Array.from({ length: 10 }, (_, back) => `m${index - 10 + back}`),
  }),
  'each tries to close a loop at the bottom': (index) => ({
    id: `m${index}`,
    refs: [`m${index - 1}`, 'm0', `m${index - 1}`],
  }),
  'each is cut from its place and linked again': (index) => ({
    id: `m${CHAIN - index}`,
    refs: [`x${index}`, `m${CHAIN - index - 1}`],
  }),
  'each chain goes on where nothing is': (index) => ({
    id: `m${index}`,
    refs: [`d${index}`, `d${index + 1}`],
  }),
  'all with one subject': (index) => ({ id: `m${index}`, subject: index % 2 ? 'Re: x' : 'x' }),
  'all children of one': (index) => ({ id: `m${index}`, refs: ['m0'] }),
};

for (const [name, letterOf] of Object.entries(DEEP)) {
  t.test(`10,000 messages are threaded without a deep stack or quadratic time: ${name}`, async (t) => {
    const start = threadMs();
    const letters = Array.from({ length: CHAIN }, (_, index) => letterOf(index));
    const answer = byReferences(...letters);
    t.equal(answer.match(/\d+/g)?.length, CHAIN);
    const tookMs = threadMs() - start;
    t.ok(tookMs < 3000, `${tookMs.toFixed(0)} ms`);
  });
}

/** The most that this thread works between two pauses, in ms. */
function longestStep(work: SlicedWork<readonly ThreadNode[]>): number {
  let longest = 0;
  for (let start = threadMs(); ; start = threadMs()) {
    const { done } = work.next();
    longest = Math.max(longest, threadMs() - start);
    if (done) return longest;
  }
}

t.test('threading 100,000 messages can pause every few milliseconds', async (t) => {
  const letters = Array.from({ length: 100_000 }, (_, index) => ({
    id: `m${index}`,
    refs: [`m${index - (index % 7)}`, `m${index - 1}`],
    subject: `Re: subject ${index % 900}`,
    date: (index * 7919) % 100_003,
  }));
  const messages = letters.map((letter, index) => messageOf(letter, index + 1));
  // A collection of garbage may fall into a step, but not into one of each of many tries.
  const quietest = (make: () => SlicedWork<readonly ThreadNode[]>) => {
    let longestMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 20 && longestMs >= STEP_LIMIT_MS; tries += 1) {
      longestMs = Math.min(longestMs, longestStep(make()));
    }
    return longestMs;
  };
  for (const longestMs of [
    quietest(() => threadByReferences(linksOf(letters))),
    quietest(() => threadBySubject(messages)),
  ]) {
    t.ok(longestMs < STEP_LIMIT_MS, `the longest step is ${longestMs.toFixed(1)} ms`);
  }
  const threads = await runInSlices(threadByReferences(linksOf(letters)), new Pacer(systemClock));
  t.equal(told(threads).match(/\d+/g)?.length, 100_000);
});

t.test('what is kept of messages is counted, and too much is refused', async (t) => {
  const kept = new KeptChars(1000);
  for (let item = 0; item < 5; item += 1) kept.add(100);
  t.throws(() => kept.add(0), { code: 'limit' });
});
