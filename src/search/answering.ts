/**
 * Answers questions of one message by its decoded text: the truth, which the index only narrows down to.
 *
 * Reads what the questions need and no more: the Date field from the derived data, the header once, the body only for what
 * the header has not answered, and only until all is found.
 */

import type { ContentId } from '../base/ids.ts';
import type { Pacer } from '../base/pacer.ts';
import { midnightUtc } from '../wire/imap/dates.ts';
import { dayOfDateField } from '../wire/mime/dateField.ts';
import type { DerivedMessage } from '../store/contract/derived.ts';
import type { ContentReader } from '../store/sqlite/contentReader.ts';
import { type MessageHeader, readBody, readHeader } from './messageText.ts';
import { holds, NeedleSearch } from './needles.ts';
import type { TextQuestion } from './question.ts';

/** The questions that the message answers yes. Errors: `contentGone`, `contentCorrupt`. */
export async function answerQuestions(
  reader: ContentReader,
  id: ContentId,
  questions: readonly TextQuestion[],
  pacer: Pacer,
): Promise<ReadonlySet<TextQuestion>> {
  const yes = new Set<TextQuestion>();
  const derived = await reader.derived(id);
  const rest = questions.filter((question) => {
    if (question.kind !== 'sent') return true;
    if (isSentBetween(derived, question.first, question.end)) yes.add(question);
    return false;
  });
  if (rest.length === 0) return yes;
  const content = reader.open(id);
  const needsHeader = rest.some(({ kind }) => kind !== 'body');
  const header = needsHeader ? await readHeader(content, derived.structure) : undefined;
  const ofBody: BodyQuestion[] = [];
  for (const question of rest) {
    if (header !== undefined && isInHeader(header, question)) yes.add(question);
    else if (question.kind === 'body' || question.kind === 'text') ofBody.push(question);
    await pacer.breathe();
  }
  if (ofBody.length === 0) return yes;
  const search = new NeedleSearch(ofBody.map(({ needle }) => needle));
  await readBody(content, derived.structure, search, pacer);
  for (const question of ofBody) if (search.found.has(question.needle)) yes.add(question);
  return yes;
}

type BodyQuestion = Extract<TextQuestion, { readonly kind: 'body' | 'text' }>;

function isInHeader(header: MessageHeader, question: TextQuestion): boolean {
  if (question.kind === 'text') return holds(header.text, question.needle);
  if (question.kind !== 'header') return false;
  return header.values(question.field).some((value) => holds(value, question.needle));
}

function isSentBetween({ envelope }: DerivedMessage, first: number, end: number): boolean {
  const day = dayOfDateField(envelope.date ?? '');
  if (day === undefined) return false;
  const midnight = midnightUtc(day);
  return midnight >= first && midnight < end;
}
