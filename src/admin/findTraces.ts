/**
 * What an administrator means who asks for a trace: its id, an address, a Message-ID, or words of a subject. The first three are
 * looked up each; words are looked for when nothing was found, since that goes through all traces.
 */

import { parseTraceId, type TraceId } from '../base/ids.ts';
import type { MessageTrace, Trace } from '../store/contract/trace.ts';
import { messageIdName } from '../transfer/messageNames.ts';

/** What a question may be restricted to. */
export const TRACE_WAYS = ['id', 'address', 'messageId', 'subject'] as const;
export type TraceWay = (typeof TRACE_WAYS)[number];

/** A question for traces. */
export interface TraceQuestion {
  /** An id, an address (of a sender, a recipient, or of the network where something was refused), a Message-ID, words. */
  readonly subject: string;
  /** What it is; every way is tried when absent. */
  readonly by?: TraceWay | undefined;
  readonly limit: number;
}

/** Words of a subject that are looked for. */
const WORD_LIMIT = 50;

/** The traces that are meant, newest first, at most `limit`. */
export async function findTraces(
  trace: Trace,
  { subject, by, limit }: TraceQuestion,
): Promise<readonly MessageTrace[]> {
  const found = new Map<TraceId, MessageTrace>();
  const add = (traces: readonly MessageTrace[]) => {
    for (const one of traces) found.set(one.traceId, one);
  };
  const isAsked = (way: TraceWay) => by === undefined || by === way;
  const text = subject.trim();
  const traceId = isAsked('id') ? parseTraceId(text) : undefined;
  if (traceId !== undefined) add([await trace.find(traceId)].filter((one) => one !== undefined));
  if (isAsked('address')) add(await trace.findByAddress(text.replace(/^<(.*)>$/, '$1'), limit));
  if (isAsked('messageId')) add(await trace.findByMessageId(messageIdName(text), limit));
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (found.size === 0 && isAsked('subject') && words.length > 0)
    add(await trace.findBySubject(words.slice(0, WORD_LIMIT), limit));
  return [...found.values()].sort((one, other) => (one.traceId < other.traceId ? 1 : -1)).slice(0, limit);
}
