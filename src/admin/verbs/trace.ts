/**
 * `hauspost trace ID|ADDRESS`: where a mail is.
 */

import type { MessageTrace, TraceEvent } from '../../store/contract/trace.ts';
import { formatOctets } from '../table.ts';
import { EXIT, type Verb, UsageError } from '../verb.ts';
import { textOption } from './read.ts';

const DEFAULT_LIMIT = 20;
const LARGEST_LIMIT = 1000;

/** The verb about traces. */
export const TRACE_VERBS: readonly Verb[] = [
  {
    words: ['trace'],
    usage: 'ID|ADDRESS',
    summary: 'Says what happened to a message: by the id in the 250, or by sender or recipient.',
    options: { limit: { type: 'string' } },
    optionHelp: {
      limit: `How many messages of an address, newest first; ${DEFAULT_LIMIT} unless given, ${LARGEST_LIMIT} at most.`,
    },
    run: async (invocation) => {
      const limit = Number(textOption(invocation, 'limit') ?? DEFAULT_LIMIT);
      if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_LIMIT) {
        throw new UsageError(`--limit: allowed: a whole number from 1 to ${LARGEST_LIMIT}`);
      }
      const traces = (await invocation.call('trace', {
        subject: invocation.args[0],
        limit,
      })) as readonly MessageTrace[];
      invocation.answer(traces, (found) =>
        found.length === 0 ? `Nothing is known of ${invocation.args[0]}.\n` : found.map(showTrace).join('\n'),
      );
      return traces.length === 0 ? EXIT.failed : EXIT.ok;
    },
  },
];

function showTrace(trace: MessageTrace): string {
  const head = `${trace.traceId}  <${trace.reversePath}> to ${trace.recipients.map((recipient) => `<${recipient}>`).join(', ')}, ${formatOctets(trace.octets)}\n`;
  return (
    head +
    trace.events
      .map(
        (event) => `  ${new Date(event.at).toISOString()}  ${event.kind.padEnd(8)}  ${showFields(event)}\n`,
      )
      .join('')
  );
}

function showFields(event: TraceEvent): string {
  return Object.entries(event.fields)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}
