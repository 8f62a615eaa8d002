/**
 * Keywords of a mailbox as rows: names are found without case (RFC 3501 section 9, flag-keyword is an atom of ASCII), keep
 * the case of their first use, and keep their position for ever. Writer thread only.
 */

import { MailError } from '../../../base/error.ts';
import type { MailboxId } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { bitsOf, type KeywordBits } from '../keywordBits.ts';
import { KEYWORD_LIMIT_CHARS, KEYWORDS_PER_MAILBOX } from '../limits.ts';
import { readKeywordNames } from '../mailboxReads.ts';

/** The bits of these keywords; new ones get a position. Errors: `limit`, `invalid` (an empty keyword). */
export function takeKeywords(db: Connection, mailboxId: MailboxId, keywords: readonly string[]): KeywordBits {
  return bitsOf(keywordPositions(db, mailboxId, keywords));
}

/** As takeKeywords, but leaves out what cannot be a keyword here instead of refusing. */
export function takeKeywordsThatFit(
  db: Connection,
  mailboxId: MailboxId,
  keywords: readonly string[],
): KeywordBits {
  if (keywords.length === 0) return { low: 0, high: 0 };
  const known = new Set(positionsByName(db, mailboxId).keys());
  const fitting = keywords.filter((keyword) => {
    const key = keyword.toLowerCase();
    if (known.has(key)) return true;
    if (key === '' || keyword.length > KEYWORD_LIMIT_CHARS || known.size >= KEYWORDS_PER_MAILBOX)
      return false;
    known.add(key);
    return true;
  });
  return takeKeywords(db, mailboxId, fitting);
}

/** The bits of those of these keywords that the mailbox knows. */
export function knownKeywords(
  db: Connection,
  mailboxId: MailboxId,
  keywords: readonly string[],
): KeywordBits {
  if (keywords.length === 0) return { low: 0, high: 0 };
  const positions = positionsByName(db, mailboxId);
  const known = keywords.map((keyword) => positions.get(keyword.toLowerCase()));
  return bitsOf(known.filter((position) => position !== undefined));
}

/** The positions of these keywords, in their order; new ones get one. Errors: as takeKeywords. */
export function keywordPositions(
  db: Connection,
  mailboxId: MailboxId,
  keywords: readonly string[],
): readonly number[] {
  if (keywords.length === 0) return [];
  const positions = positionsByName(db, mailboxId);
  return keywords.map((keyword) => {
    const key = keyword.toLowerCase();
    const position = positions.get(key) ?? addKeyword(db, mailboxId, keyword, positions.size);
    positions.set(key, position);
    return position;
  });
}

function positionsByName(db: Connection, mailboxId: MailboxId): Map<string, number> {
  return new Map(readKeywordNames(db, mailboxId).map((name, position) => [name.toLowerCase(), position]));
}

function addKeyword(db: Connection, mailboxId: MailboxId, name: string, position: number): number {
  if (name === '') throw new MailError('invalid', 'a keyword is empty');
  if (name.length > KEYWORD_LIMIT_CHARS) throw new MailError('limit', 'a keyword is too long');
  if (position >= KEYWORDS_PER_MAILBOX) throw new MailError('limit', 'the mailbox has too many keywords');
  insertKeyword(db, mailboxId, position, name);
  return position;
}

function insertKeyword(db: Connection, mailboxId: MailboxId, position: number, name: string): void {
  db.run(
    'INSERT INTO mailbox_keyword (mailbox_id, position, name) VALUES (?, ?, ?)',
    mailboxId,
    position,
    name,
  );
}
