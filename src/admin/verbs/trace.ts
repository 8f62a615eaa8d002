/**
 * `hauspost trace`: where a mail is, by id, address, Message-ID or subject, and what was refused.
 */

import type { MessageTrace } from '../../store/contract/trace.ts';
import { TRACE_WAYS } from '../findTraces.ts';
import { tellTrace } from '../traceStory.ts';
import { EXIT, type Verb, UsageError } from '../verb.ts';
import { choiceOption, given, textOption } from './read.ts';

const DEFAULT_LIMIT = 20;
const LARGEST_LIMIT = 1000;

/** The verb about traces. */
export const TRACE_VERBS: readonly Verb[] = [
  {
    words: ['trace'],
    usage: 'WHAT...',
    summary:
      'Says what happened to a message, refusals included: WHAT is the id in the 250, a sender or recipient, a Message-ID, or words of the subject.',
    options: { limit: { type: 'string' }, by: { type: 'string' } },
    optionHelp: {
      by: `What WHAT is, where it could be several: ${TRACE_WAYS.join(', ')}.`,
      limit: `How many messages, newest first; ${DEFAULT_LIMIT} unless given, ${LARGEST_LIMIT} at most.`,
    },
    run: async (invocation) => {
      const limit = Number(textOption(invocation, 'limit') ?? DEFAULT_LIMIT);
      if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_LIMIT) {
        throw new UsageError(`--limit: allowed: a whole number from 1 to ${LARGEST_LIMIT}`);
      }
      const subject = invocation.args.join(' ');
      const by = choiceOption(invocation, 'by', TRACE_WAYS);
      const traces = (await invocation.call('trace', {
        subject,
        limit,
        ...given('by', by),
      })) as readonly MessageTrace[];
      invocation.answer(traces, (found) =>
        found.length === 0 ? `Nothing is known of ${subject}.\n` : found.map(tellTrace).join('\n'),
      );
      return traces.length === 0 ? EXIT.failed : EXIT.ok;
    },
  },
];
