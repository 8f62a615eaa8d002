/**
 * `hauspost queue list` and `hauspost queue show`: what waits for a next hop.
 */

import type { QueueCount } from '../../store/contract/queue.ts';
import type { QueueItemReport, QueueReport } from '../queueOperations.ts';
import { formatFields, formatOctets, formatTable, visibleText } from '../table.ts';
import { tellEvent } from '../traceStory.ts';
import { EXIT, UsageError, type Verb } from '../verb.ts';
import { QUEUE_CHANGE_VERBS } from './queueChange.ts';
import {
  FILTER_HELP,
  FILTER_OPTIONS,
  filterOptions,
  holdText,
  hopText,
  idArguments,
  numberOption,
} from './queueRead.ts';
import { given } from './read.ts';

const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

/** The verbs about the queue. */
export const QUEUE_VERBS: readonly Verb[] = [
  {
    words: ['queue', 'list'],
    usage: '',
    summary: 'Lists what waits for a next hop, the oldest first, a line for each recipient.',
    options: { ...FILTER_OPTIONS, after: { type: 'string' }, limit: { type: 'string' } },
    optionHelp: {
      ...FILTER_HELP,
      after: 'Goes on behind this id.',
      limit: `How many lines; ${DEFAULT_LIMIT} unless given, ${LARGEST_LIMIT} at most.`,
    },
    run: async (invocation) => {
      const input = {
        ...filterOptions(invocation),
        ...given('after', numberOption(invocation, 'after', 1, Number.MAX_SAFE_INTEGER)),
        limit: numberOption(invocation, 'limit', 1, LARGEST_LIMIT) ?? DEFAULT_LIMIT,
      };
      invocation.answer((await invocation.call('queue.list', input)) as QueueReport, showQueue);
      return EXIT.ok;
    },
  },
  {
    words: ['queue', 'show'],
    usage: 'ID',
    summary: 'Shows all about one item of the queue: what it waits for, its last answer, and every attempt.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const [id] = idArguments(invocation);
      if (id === undefined) throw new UsageError('ID is missing');
      invocation.answer((await invocation.call('queue.show', { id })) as QueueItemReport, showItem);
      return EXIT.ok;
    },
  },
  ...QUEUE_CHANGE_VERBS,
];

function showQueue({ items, counts, holds }: QueueReport): string {
  const rows = items.map((item) => [
    String(item.id),
    item.traceId,
    item.state,
    hopText(item.nextHop),
    `<${item.reversePath}>`,
    item.recipient,
    formatOctets(item.octets),
    timeText(item.createdAt),
    String(item.attempts),
    timeText(item.nextAttemptAt),
    item.lastReply ?? '',
  ]);
  const headings = [
    'ID',
    'TRACE',
    'STATE',
    'HOP',
    'FROM',
    'RECIPIENT',
    'SIZE',
    'SINCE',
    'ATTEMPTS',
    'NEXT ATTEMPT',
    'LAST REPLY',
  ];
  const empty = counts.length === 0 ? 'Nothing waits in the queue.' : 'Nothing of that waits in the queue.';
  const held = holds.map((hold) => `${visibleText(holdText(hold))}\n`);
  return formatTable(headings, rows, empty).concat(...counts.map(showCount), ...held);
}

function showCount({ nextHop, state, items }: QueueCount): string {
  return `In all ${state} for ${hopText(nextHop)}: ${items}\n`;
}

function showItem({ item, hold, events }: QueueItemReport): string {
  const fields = {
    Id: String(item.id),
    Trace: item.traceId,
    State: item.state,
    Hop: hold === undefined ? hopText(item.nextHop) : holdText(hold),
    From: `<${item.reversePath}>${item.isSubmitted === true ? ', submitted by one of ours' : ''}`,
    Recipient: item.recipient,
    ...(item.forwardedFor === undefined ? {} : { 'Forwarded for': item.forwardedFor }),
    Size: formatOctets(item.octets),
    Since: timeText(item.createdAt),
    Priority: String(item.priority),
    Attempts: String(item.attempts),
    ...(item.state === 'waiting' ? { 'Next attempt': timeText(item.nextAttemptAt) } : {}),
    ...(item.leasedUntil === undefined ? {} : { 'Under way until': timeText(item.leasedUntil) }),
    ...(item.expiresAt === undefined ? {} : { Expires: timeText(item.expiresAt) }),
    ...(item.notify === undefined ? {} : { 'To be told': item.notify.join(', ') }),
    ...(item.lastReply === undefined ? {} : { 'Last reply': item.lastReply }),
  };
  const story = events.map((event) => `  ${timeText(event.at)}  ${tellEvent(event)}\n`);
  return visibleText(`${formatFields(fields)}What happened to it:\n${story.join('')}`);
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
