/**
 * SORT, THREAD and ESEARCH over 150 messages with odd subjects, dates, addresses and references, held against a private Dovecot.
 *
 * Each message is put together from the tables below, by a seed. A value that Dovecot sorts otherwise says why
 * (`unlikeDovecot`): messages that have it are left out where both are compared, and must make a difference where they are not.
 */

import type { Socket } from 'node:net';

import t from 'tap';

import { formatNumberSet } from '../../src/wire/imap/sequenceSet.ts';
import { openDovecot } from '../support/dovecot.ts';
import { peerTest } from '../support/peers.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { Below } from '../support/randomNumbers.ts';
import { openImapSite, RawClient } from './harness.ts';

const SEED = 20_261_125;
const MESSAGES = 150;

/** A field's value; undefined: no field. */
interface Value {
  readonly value: string | undefined;
  readonly unlikeDovecot?: string;
}

function plain(...values: readonly (string | undefined)[]): Value[] {
  return values.map((value) => ({ value }));
}

const SUBJECTS: readonly Value[] = [
  ...plain(
    undefined,
    '',
    'Budget',
    'budget',
    'Re: Budget',
    'RE:  Re: budget',
    'Fwd: Budget',
    'fw: [list] Budget',
    '[list] Budget',
    '[list] Re: [list] Re: Budget (fwd)',
    'Re[2]: Budget',
    'Budget (fwd) (fwd)',
    '[fwd: Budget]',
    '[Fwd: [fwd: Re: Budget]]',
    '[list]',
    '[list] [other]',
    'Re:',
    'Re: [x]:',
    '(fwd)',
    'AW: Budget',
    'Reply: Budget',
    'a\tb',
    ' a  b ',
    'a\r\n b',
    '=?utf-8?q?=C3=84pfel?=',
    '=?utf-8?q?=C3=A4PFEL?=',
    '=?iso-8859-1?q?=E4pfel?=',
    'A\u0308pfel',
    '=?utf-8?q?Re=3A_=C3=84pfel?=',
    '=?utf-8?b?zqPOn86m?=',
    '=?utf-8?q?=CF=83=CE=BF=CF=86?=',
    '=?utf-8?q?stra=C3=9Fe?=',
    'strasse',
    '=?utf-8?q?=EF=BC=A1bc?=',
    'Abc',
    '=?utf-8?q?=F0=9F=98=80_smile?=',
    '=?utf-8?q?=EF=BF=AE?=',
    '_underscore',
    '~tilde',
    '=?broken',
    '=?utf-8?q?open',
    '[open Budget',
    'Budget]',
    '[]',
    '[a[b]] Budget',
  ),
];

const DATES: readonly Value[] = [
  ...plain(
    undefined,
    '1 Jan 2024 12:00:00 +0000',
    '1 Jan 2024 12:00:00 +0100',
    '1 Jan 2024 12:00:00 -0800',
    'Mon, 1 Jan 2024 12:00:00 GMT',
    'Mon, 01 Jan 2024 12:00:00 EST',
    'Mon, 1 Jan 2024 12:00 +0000',
    'Tue, 2 Jan 24 00:00:00 +0000',
    '31 Dec 2023 23:59:59 +0000',
    '29 Feb 2024 10:00:00 +0000 (a leap day)',
    '1 Jan 1999 00:00:00 +0000',
    'yesterday',
    '',
    '1 Jan 2024 12:00:00',
    '30 Feb 2024 12:00:00 +0000',
    '1 Jan 2024 12:00:00 CEST',
    '2 Jan 2024 (two) 13 : 14 : 15 +0230',
    '31 Dec 1998 23:59:60 +0000',
  ),
  {
    value: '1 Jan 2024 25:00:00 +0000',
    unlikeDovecot: 'a time that is none is 00:00:00 (RFC 5256 section 2.2); Dovecot takes INTERNALDATE',
  },
  {
    value: '1 Jan 2024',
    unlikeDovecot: 'a time that is missing is 00:00:00 (RFC 5256 section 2.2); Dovecot takes INTERNALDATE',
  },
  {
    value: '1 Jan 2024 12:00:00 A',
    unlikeDovecot: 'military zones say nothing (RFC 5322 section 4.3); Dovecot reads them',
  },
];

const ADDRESSES: readonly Value[] = [
  ...plain(
    undefined,
    '',
    'anna@example.org',
    'Anna <ANNA@example.net>',
    '"Zoe, the first" <bob@example.org>',
    '=?utf-8?q?=C3=84nne?= <carl@example.org>',
    'carl@example.org (Carl)',
    'Team: dora@example.org, emil@example.org;',
    'undisclosed-recipients:;',
    'zz@example.org, aa@example.org',
    '<frida@example.org>',
    '"quoted local"@example.org',
    'just-a-word',
    '=?utf-8?q??= <gustav@example.org>',
    'Anna Berta <x@example.org>',
    '"" <ida@example.org>',
  ),
  {
    value: 'no address at all',
    unlikeDovecot: 'words without an @ are no mailbox here, as in ENVELOPE; Dovecot makes one of them',
  },
];

/** Kinds of Message-ID, References and In-Reply-To; `id` makes the ID of a message. */
interface Threading {
  readonly name: string;
  header(below: Below, index: number): string;
}

const id = (index: number) => `<m${index}@x.example>`;
const some = (below: Below, count: number) => Array.from({ length: count }, () => id(below(MESSAGES)));

const THREADINGS: readonly Threading[] = [
  { name: 'no references', header: (_below, index) => `Message-ID: ${id(index)}\r\n` },
  {
    name: 'a reply by In-Reply-To',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nIn-Reply-To: Your message of Monday ${some(below, 2).join(' ')}\r\n`,
  },
  {
    name: 'references, folded',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nReferences: ${some(below, 1 + below(5)).join('\r\n ')}\r\n`,
  },
  {
    name: 'references and In-Reply-To',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nReferences: ${some(below, 2).join(' ')}\r\nIn-Reply-To: ${id(below(MESSAGES))}\r\n`,
  },
  {
    name: 'references to what is not there',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nReferences: <gone${below(6)}@x.example> <lost${below(3)}@x.example>\r\n`,
  },
  {
    name: 'an ID quoted, and references quoted',
    header: (below, index) =>
      `Message-ID: <"m${index}"@x.example>\r\nReferences: <"m${below(MESSAGES)}"@x.example>\r\n`,
  },
  {
    name: 'no valid ID in References',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nReferences: none <no-at> @\r\nIn-Reply-To: ${id(below(MESSAGES))}\r\n`,
  },
  { name: 'no Message-ID', header: (below) => `References: ${some(below, 1).join('')}\r\n` },
  { name: 'the Message-ID of another', header: (below) => `Message-ID: ${id(below(MESSAGES))}\r\n` },
  {
    name: 'a reference to itself',
    header: (below, index) =>
      `Message-ID: ${id(index)}\r\nReferences: ${id(index)} ${id(below(MESSAGES))} ${id(index)}\r\n`,
  },
];

interface Letter {
  readonly subject: Value;
  readonly date: Value;
  readonly from: Value;
  readonly to: Value;
  readonly cc: Value;
  readonly threading: Threading;
  readonly octets: Buffer;
}

function letters(): readonly Letter[] {
  const below = randomNumbers(SEED);
  const pick = <Item>(items: readonly Item[]) => items[below(items.length)] as Item;
  return Array.from({ length: MESSAGES }, (_, index) => {
    // Every value comes at least once, as long as there are more messages than values.
    const nth = <Item>(items: readonly Item[]) =>
      index < items.length ? (items[index] as Item) : pick(items);
    const subject = nth(SUBJECTS);
    const date = nth(DATES);
    const [from, to, cc] = [nth(ADDRESSES), pick(ADDRESSES), pick(ADDRESSES)];
    const threading = pick(THREADINGS);
    const fields = { Subject: subject, Date: date, From: from, To: to, Cc: cc };
    const header = Object.entries(fields).map(([name, { value }]) =>
      value === undefined ? '' : `${name}: ${value}\r\n`,
    );
    const body = 'x'.repeat(below(60));
    const text = `${header.join('')}${threading.header(below, index + 1)}\r\n${body}\r\n`;
    return { subject, date, from, to, cc, threading, octets: Buffer.from(text, 'utf8') };
  });
}

/** What decides each key's order: a value that Dovecot may see otherwise, or nothing of the kind. */
const KEYS: Readonly<Record<string, (letter: Letter) => Value | undefined>> = {
  ARRIVAL: () => undefined,
  SIZE: () => undefined,
  SUBJECT: ({ subject }) => subject,
  DATE: ({ date }) => date,
  FROM: ({ from }) => from,
  TO: ({ to }) => to,
  CC: ({ cc }) => cc,
  DISPLAYFROM: ({ from }) => from,
  DISPLAYTO: ({ to }) => to,
};

/** Keys for which an address that is none is the same in both, because it is compared as a name. */
const BY_NAME = ['DISPLAYFROM', 'DISPLAYTO'];

/** Numbers of the messages for which `isMeant` holds, as a set. */
function numbersOf(all: readonly Letter[], isMeant: (letter: Letter) => boolean): string {
  return formatNumberSet(all.flatMap((letter, index) => (isMeant(letter) ? [index + 1] : [])));
}

const ESEARCH_ITEM = / (?:UID|[A-Z]+ [\d:,]+)/g;

/** Asks one server; the answer without its tag, ESEARCH's items in alphabetical order, as they may come in any. */
async function ask(client: RawClient, command: string): Promise<string> {
  const lines = await client.command(command);
  const [, condition = ''] = lines.at(-1)?.split(' ') ?? [];
  const [, start, items] = /^(\* ESEARCH) \(TAG "t\d+"\)(.*)$/.exec(lines[0] ?? '') ?? [];
  const answer =
    start === undefined ? lines.slice(0, -1) : [start, ...(items?.match(ESEARCH_ITEM) ?? []).sort()];
  return [...answer.map((line) => line.trim()), condition].join(' | ');
}

peerTest(
  t,
  ['dovecot'],
  `SORT, ESORT, ESEARCH and THREAD answer as Dovecot does (seed ${SEED})`,
  async (t) => {
    const all = letters();
    const site = await openImapSite(t);
    const contents = all.map(({ octets }) => octets);
    await site.put(['INBOX'], ...contents);
    const ours = await site.selected();
    const theirs = new RawClient(t, openDovecot(t, contents).connect() as unknown as Socket);
    await theirs.line();
    await theirs.command('SELECT INBOX');
    const both = async (command: string) => [await ask(ours, command), await ask(theirs, command)] as const;
    const isAlike = async (command: string) => {
      const [mine, his] = await both(command);
      t.match(mine, / \| OK$/, command);
      t.equal(mine, his, command);
    };

    for (const [key, decisive] of Object.entries(KEYS)) {
      const isPlain = (letter: Letter) =>
        BY_NAME.includes(key) || decisive(letter)?.unlikeDovecot === undefined;
      const plainOnes = numbersOf(all, isPlain);
      for (const order of [key, `REVERSE ${key}`]) {
        await isAlike(`SORT (${order}) UTF-8 ${plainOnes}`);
        await isAlike(`UID SORT RETURN (MIN MAX COUNT ALL) (${order}) UTF-8 UID ${plainOnes}`);
      }
      const odd = new Set(all.filter((letter) => !isPlain(letter)).map(decisive));
      for (const value of odd) {
        const withOne = numbersOf(all, (letter) => isPlain(letter) || decisive(letter) === value);
        const [mine, his] = await both(`SORT (${key}) UTF-8 ${withOne}`);
        t.not(mine, his, `${key}: ${value?.value}: ${value?.unlikeDovecot}`);
      }
    }

    const isPlain = ({ date, from }: Letter) =>
      date.unlikeDovecot === undefined && from.unlikeDovecot === undefined;
    const plainOnes = numbersOf(all, isPlain);
    for (const criteria of [
      'SUBJECT DATE',
      'SUBJECT REVERSE DATE',
      'FROM REVERSE SIZE SUBJECT',
      'DISPLAYFROM DATE',
    ]) {
      await isAlike(`SORT (${criteria}) UTF-8 ${plainOnes}`);
      for (const returns of ['', 'MIN', 'MAX', 'MIN MAX', 'COUNT', 'MAX ALL']) {
        await isAlike(`SORT RETURN (${returns}) (${criteria}) UTF-8 ${plainOnes}`);
      }
    }
    for (const keys of [
      'SUBJECT budget',
      'NOT SUBJECT budget LARGER 200',
      '3,7:20,149:*',
      'DRAFT',
      'UID 5:1',
    ]) {
      for (const returns of ['', 'MIN', 'MAX', 'MIN MAX', 'COUNT', 'ALL COUNT MIN', 'MAX ALL']) {
        await isAlike(`SEARCH RETURN (${returns}) ${keys}`);
        await isAlike(`UID SEARCH RETURN (${returns}) ${keys}`);
      }
    }

    const below = randomNumbers(SEED);
    const parts = [
      isPlain,
      ...[2, 3, 3, 4, 5].map((share) => (letter: Letter) => isPlain(letter) && below(share) === 0),
    ];
    for (const isMeant of parts) {
      const numbers = numbersOf(all, isMeant);
      for (const algorithm of ['ORDEREDSUBJECT', 'REFERENCES']) {
        await isAlike(`THREAD ${algorithm} UTF-8 ${numbers}`);
        await isAlike(`UID THREAD ${algorithm} UTF-8 UID ${numbers} NOT SUBJECT smile`);
      }
    }
  },
);
