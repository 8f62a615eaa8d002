/** What the walker finds, held against a private Dovecot: odd messages and the corpus, told and fetched by section. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

import t from 'tap';

import { formatBodyStructure } from '../../src/wire/imap/bodyStructure.ts';
import { formatEnvelope } from '../../src/wire/imap/envelope.ts';
import { locateSection } from '../../src/wire/mime/section.ts';
import type { SectionText } from '../../src/wire/mime/section.ts';
import type { MimePart } from '../../src/wire/mime/structure.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { askDovecot, differences, parseImapValue } from '../support/dovecot.ts';
import { peerTest } from '../support/peers.ts';
import { ADDRESS_LISTS, CONTENT_TYPES, ENVELOPES } from './mimeFieldValues.ts';
import { ODD_MESSAGES } from './mimeMessages.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);

/** As peerTest, skipped where there is no corpus. */
const corpusTest: typeof peerTest = existsSync(CORPUS)
  ? peerTest
  : (t, _programs, name, run) => t.test(name, { skip: 'no corpus here' }, run);

/** Where the corpus has odd mail for which our answers are others than Dovecot's, and why. */
const UNLIKE_DOVECOT: Readonly<Record<string, string>> = {
  'feedback-report.eml': 'an address of two words without domain: Dovecot answers SYNTAX_ERROR',
  'missing-subtype.eml': 'Content-Type without subtype: Dovecot answers an empty media type',
  'rfc2060.eml':
    'the line end after an inner close-delimiter is the outer delimiter’s (RFC 2046 section 5.1.1)',
  'stack-overflow.eml': 'a colon inside an encoded word: Dovecot takes it for a group',
};

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** How Dovecot's ENVELOPE and BODYSTRUCTURE of each content differ from ours. */
async function compare(contents: readonly Buffer[]): Promise<string[][]> {
  const [envelopes = [], structures = []] = await askDovecot(contents, ['ENVELOPE', 'BODYSTRUCTURE']);
  return contents.map((content, index) => {
    const { envelope, structure } = walkMessage(content);
    return [
      ...differences(envelopes[index] ?? null, parseImapValue(formatEnvelope(envelope)), 'ENVELOPE'),
      ...differences(
        structures[index] ?? null,
        parseImapValue(formatBodyStructure(structure)),
        'BODYSTRUCTURE',
      ),
    ];
  });
}

/** The part numbers of all parts. */
function paths(structure: MimePart, outer: readonly number[] = []): number[][] {
  const numbered = structure.kind === 'multipart' ? structure.parts : [structure];
  return numbered.flatMap((part, index) => {
    const path = [...outer, index + 1];
    if (part.kind === 'multipart') return [path, ...paths(part, path)];
    return part.kind === 'message' ? [path, ...paths(part.message.structure, path)] : [path];
  });
}

peerTest(t, ['dovecot'], 'odd messages are told as Dovecot tells them, or there is a reason', async (t) => {
  const rows = [
    ...ODD_MESSAGES.map((row) => ({ ...row, content: octets(row.message.replaceAll('\n', '\r\n')) })),
    ...CONTENT_TYPES.map((row) => ({
      ...row,
      name: row.value,
      content: octets(`Content-Type: ${row.value}\r\n\r\nx\r\n`),
    })),
    ...ADDRESS_LISTS.map((row) => ({
      ...row,
      name: row.value,
      content: octets(`From: ${row.value}\r\n\r\nx\r\n`),
    })),
    ...ENVELOPES.map((row) => ({ ...row, name: row.value, content: octets(`${row.value}\r\n\r\nx\r\n`) })),
  ];
  const found = await compare(rows.map((row) => row.content));
  rows.forEach(({ name, unlikeDovecot }, index) => {
    const label = JSON.stringify(name);
    if (unlikeDovecot === undefined) t.strictSame(found[index], [], label);
    else t.not(found[index]?.length, 0, `${label} differs: ${unlikeDovecot}`);
  });
});

corpusTest(t, ['dovecot'], 'the corpus is told as Dovecot tells it, or there is a reason', async (t) => {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.eml'));
  const contents = names.map((name) => readFileSync(new URL(name, CORPUS)));
  const found = await compare(contents);
  for (const [index, name] of names.entries()) {
    const reason = UNLIKE_DOVECOT[name];
    if (reason === undefined) t.strictSame(found[index], [], name);
    else t.not(found[index]?.length, 0, `${name} differs: ${reason}`);
  }
});

corpusTest(t, ['dovecot'], 'every section of the corpus has the octets that Dovecot gives', async (t) => {
  for (const name of readdirSync(CORPUS).filter((name) => name.endsWith('.eml'))) {
    const content = readFileSync(new URL(name, CORPUS));
    const message = walkMessage(content);
    const sections: [path: number[], text: SectionText | undefined][] = [
      [],
      ...paths(message.structure),
    ].flatMap((path) =>
      ([undefined, 'MIME', 'HEADER', 'TEXT'] as const).map((text): [number[], SectionText | undefined] => [
        path,
        text,
      ]),
    );
    const asked = sections.filter(([path, text]) => path.length > 0 || text !== 'MIME');
    const items = asked.map(([path, text]) => [...path, ...(text === undefined ? [] : [text])].join('.'));
    const answers = await askDovecot(
      [content],
      items.map((item) => `BODY.PEEK[${item}]`),
    );
    const unlike = asked.flatMap(([path, text], index) => {
      const range = locateSection(message, path, text);
      const ours = range === undefined ? '' : content.toString('latin1', range.start, range.end);
      const theirs = String(answers[index]?.[0] ?? '');
      const isLike = ours === theirs || (ours.endsWith('--') && `${ours}\r\n` === theirs);
      return isLike ? [] : [items[index]];
    });
    t.strictSame(unlike, [], `${name}: ${items.length} sections`);
  }
});
