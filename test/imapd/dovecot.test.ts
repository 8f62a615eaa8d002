/**
 * FETCH over the wire, held against a private Dovecot: everything that IMAP tells of the corpus and of some 300 odd messages,
 * every section with partials (RFC 3501 section 6.4.5). What differs is in unlikeDovecot.ts and docs/DOVECOT.md.
 */

import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

import t from 'tap';

import { locateSection } from '../../src/wire/mime/section.ts';
import type { MimeMessage, MimePart } from '../../src/wire/mime/structure.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { differences, openDovecot, parseFetchItems } from '../support/dovecot.ts';
import type { ImapValue } from '../support/dovecot.ts';
import { ODD_MESSAGES, readCorpus } from '../support/oddMessages.ts';
import type { OddMessage } from '../support/oddMessages.ts';
import { ODD_MIME } from '../support/oddMime.ts';
import { peerTest } from '../support/peers.ts';
import { ODD_MESSAGES as OUTLINED_MESSAGES } from '../wire/mimeMessages.ts';
import { openImapSite, RawClient } from './harness.ts';
import { DIFFERENCES } from './unlikeDovecot.ts';
import type { Difference, Found } from './unlikeDovecot.ts';

const OWN_MESSAGES: readonly OddMessage[] = [
  ...ODD_MIME,
  ...ODD_MESSAGES,
  ...OUTLINED_MESSAGES.map(({ name, message }) => ({
    name,
    octets: Buffer.from(message.replaceAll('\n', '\r\n'), 'latin1'),
  })),
];

const ITEMS = ['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'RFC822.SIZE', 'RFC822', 'RFC822.HEADER', 'RFC822.TEXT'];
const FIELD_NAMES = '(SUBJECT FROM CONTENT-TYPE X-NONE)';
const SECTION_TEXTS = ['', 'MIME', 'HEADER', 'TEXT', 'HEADER.FIELDS', 'HEADER.FIELDS.NOT'] as const;
/** Parts of one message that are asked for; of more, the first and the last. */
const PART_LIMIT = 40;
/** Messages beyond this are asked for whole parts only, and for partials of the whole. */
const LARGE_OCTETS = 100_000;
/** Items of one FETCH; our server takes 256. */
const ITEMS_AT_ONCE = 100;

/** The part numbers of all parts. */
function paths(structure: MimePart, outer: readonly number[] = []): number[][] {
  const numbered = structure.kind === 'multipart' ? structure.parts : [structure];
  return numbered.flatMap((part, index) => {
    const path = [...outer, index + 1];
    if (part.kind === 'multipart') return [path, ...paths(part, path)];
    return part.kind === 'message' ? [path, ...paths(part.message.structure, path)] : [path];
  });
}

/** All parts, and two that are not there: one behind the last and one below it. */
function askedPaths(structure: MimePart): readonly (readonly number[])[] {
  const all = paths(structure);
  const some = all.length <= PART_LIMIT ? all : [...all.slice(0, PART_LIMIT / 2), ...all.slice(-5)];
  const last = some.at(-1) ?? [1];
  return [[], ...some, [...last.slice(0, -1), (last.at(-1) ?? 0) + 1], [...last, 1]];
}

/** Every item to ask of a message, as the response names it but for the count of partials. */
function itemsOf(message: MimeMessage): string[] {
  const items = [...ITEMS];
  for (const path of askedPaths(message.structure)) {
    for (const text of SECTION_TEXTS) {
      if (path.length === 0 && text === 'MIME') continue;
      const isFields = text.startsWith('HEADER.FIELDS');
      const section = [...path, ...(text === '' ? [] : [text])].join('.');
      const item = `BODY[${section}${isFields ? ` ${FIELD_NAMES}` : ''}]`;
      items.push(item);
      if (path.length > 0 && message.octets > LARGE_OCTETS) continue;
      const located = text === 'MIME' || text === 'TEXT' || text === 'HEADER' ? text : undefined;
      const range = isFields ? undefined : locateSection(message, path, located);
      items.push(
        ...partials(range === undefined ? 1000 : range.end - range.start).map((part) => item + part),
      );
    }
  }
  return items;
}

/** From the beginning, from inside, across the end, at the end and beyond it; no origin twice, for answers name it alone. */
function partials(octets: number): string[] {
  const origins = new Map<number, string>();
  const wanted = [
    [0, 10],
    [5, 7],
    [octets, 5],
    [octets + 10, 5],
    [Math.max(0, octets - 3), 10],
  ] as const;
  for (const [start, count] of wanted) {
    if (!origins.has(start)) origins.set(start, `<${start}.${count}>`);
  }
  return [...origins.values()];
}

/** What a server answers to the items of one message. */
async function ask(
  client: RawClient,
  number: number,
  items: readonly string[],
): Promise<Map<string, ImapValue>> {
  const answers = new Map<string, ImapValue>();
  for (let from = 0; from < items.length; from += ITEMS_AT_ONCE) {
    const asked = items.slice(from, from + ITEMS_AT_ONCE);
    const lines = await client.command(
      `FETCH ${number} (${asked.join(' ').replaceAll('BODY[', 'BODY.PEEK[')})`,
    );
    if (!/^\S+ OK /.test(lines.at(-1) ?? '')) throw new Error(`${number}: ${lines.at(-1)}`);
    const named = new Map(lines.flatMap((line) => [...(parseFetchItems(line)?.items ?? [])]));
    for (const item of asked) {
      const value = named.get(item.replace(/\.\d+>$/, '>'));
      if (value === undefined) throw new Error(`${number}: no ${item}`);
      answers.set(item, value);
    }
  }
  return answers;
}

function areAlike(item: string, theirs: ImapValue, ours: ImapValue): boolean {
  if (!/^(ENVELOPE|BODY|BODYSTRUCTURE)$/.test(item)) return theirs === ours;
  return differences(theirs, ours).length === 0;
}

/** Whether the answer to a partial is exactly its part of the answer to the whole. */
function isSlice(item: string, answers: ReadonlyMap<string, ImapValue>): boolean {
  const [, whole = '', start, count] = /^(.*)<(\d+)\.(\d+)>$/.exec(item) ?? [];
  const [of, value] = [answers.get(whole), answers.get(item)];
  if (start === undefined || typeof of !== 'string') return false;
  return value === of.slice(Number(start), Number(start) + Number(count));
}

/** Asks both servers for everything; answers what differs. */
async function compare(
  t: Parameters<typeof openImapSite>[0],
  messages: readonly OddMessage[],
): Promise<{ found: readonly Found[]; itemCount: number }> {
  const contents = messages.map(({ octets }) => octets);
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...contents);
  const ours = await site.selected('');
  const dovecot = new RawClient(t, openDovecot(t, contents).connect() as unknown as Socket);
  await dovecot.line();
  for (const client of [ours, dovecot]) t.match((await client.command('EXAMINE INBOX')).at(-1), / OK /);
  const found: Found[] = [];
  let itemCount = 0;
  for (const [index, { name, octets }] of messages.entries()) {
    const structure = walkMessage(octets);
    const items = itemsOf(structure);
    itemCount += items.length;
    const [theirAnswers, ourAnswers] = [
      await ask(dovecot, index + 1, items),
      await ask(ours, index + 1, items),
    ];
    for (const [item, our] of ourAnswers) {
      const their = theirAnswers.get(item) ?? null;
      if (areAlike(item, their, our)) continue;
      const isPart = isSlice(item, theirAnswers) && isSlice(item, ourAnswers);
      found.push({ message: name, octets, structure, item, theirs: their, ours: our, isSlice: isPart });
    }
  }
  return { found, itemCount };
}

/** What no difference explains, as lines; `met` takes those that explain something. */
function unexplained(found: readonly Found[], met: Set<Difference>): string[] {
  return found.flatMap((one) => {
    const difference = DIFFERENCES.find((candidate) => candidate.explains(one));
    if (difference !== undefined) met.add(difference);
    const [theirs, ours] = [one.theirs, one.ours].map((value) => JSON.stringify(value).slice(0, 150));
    return difference === undefined ? [`${one.message}: ${one.item}: ${theirs} | ${ours}`] : [];
  });
}

t.test('there are more than 150 odd messages of our own, no two alike', async (t) => {
  const distinct = new Set(OWN_MESSAGES.map(({ octets }) => octets.toString('latin1')));
  t.ok(distinct.size > 250, `${distinct.size}`);
  t.equal(new Set(ODD_MIME.map(({ name }) => name)).size, ODD_MIME.length, 'every one has a name of its own');
});

peerTest(
  t,
  ['dovecot'],
  'all of every odd message is told as Dovecot tells it, or a difference explains it',
  async (t) => {
    const met = new Set<Difference>();
    const { found, itemCount } = await compare(t, [...OWN_MESSAGES, ...(readCorpus() ?? [])]);
    t.ok(itemCount > 30_000, `${itemCount} items`);
    t.strictSame(unexplained(found, met), []);
    t.strictSame(
      DIFFERENCES.filter((difference) => !met.has(difference)).map(({ what }) => what),
      [],
      'every difference was met',
    );
  },
);

t.test('docs/DOVECOT.md shows these differences and no others', async (t) => {
  const text = readFileSync(new URL('../../docs/DOVECOT.md', import.meta.url), 'utf8');
  const [, table = ''] = /## What is told of messages\n([\s\S]*?)(?:\n## |$)/.exec(text) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  t.strictSame(
    rows.slice(2),
    DIFFERENCES.map(({ what, dovecot, here, why }) => `| ${what} | ${dovecot} | ${here} | ${why} |`),
  );
});
