/** What the walker finds, held against a private Dovecot: odd messages, field values and the corpus. Sections are test/imapd/dovecot.test.ts's. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

import t from 'tap';

import { formatBodyStructure } from '../../src/wire/imap/bodyStructure.ts';
import { formatEnvelope } from '../../src/wire/imap/envelope.ts';
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
