/**
 * `hauspost queue list`: what waits for a next hop.
 */

import { QUEUE_STATES, type NextHop, type QueueCount } from '../../store/contract/queue.ts';
import type { QueueReport } from '../routingOperations.ts';
import { formatOctets, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { choiceOption, given, textOption } from './read.ts';

const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

/** The verb about the queue. */
export const QUEUE_VERBS: readonly Verb[] = [
  {
    words: ['queue', 'list'],
    usage: '',
    summary: 'Lists what waits for a next hop, the oldest first, a line for each recipient.',
    options: {
      hop: { type: 'string' },
      state: { type: 'string' },
      trace: { type: 'string' },
      after: { type: 'string' },
      limit: { type: 'string' },
    },
    optionHelp: {
      hop: 'Only what waits for relay:NAME or drop:NAME.',
      state: 'Only what is waiting, leased (an attempt is being made) or held.',
      trace: 'Only the message with this trace id.',
      after: 'Goes on behind this id.',
      limit: `How many lines; ${DEFAULT_LIMIT} unless given, ${LARGEST_LIMIT} at most.`,
    },
    run: async (invocation) => {
      const input = {
        ...given('nextHop', hopOption(invocation)),
        ...given('state', choiceOption(invocation, 'state', QUEUE_STATES)),
        ...given('traceId', textOption(invocation, 'trace')),
        ...given('after', numberOption(invocation, 'after', Number.MAX_SAFE_INTEGER)),
        limit: numberOption(invocation, 'limit', LARGEST_LIMIT) ?? DEFAULT_LIMIT,
      };
      invocation.answer((await invocation.call('queue.list', input)) as QueueReport, showQueue);
      return EXIT.ok;
    },
  },
];

function hopOption(invocation: Invocation): NextHop | undefined {
  const text = textOption(invocation, 'hop');
  if (text === undefined) return undefined;
  const [kind, ...rest] = text.split(':');
  const name = rest.join(':').trim().toLowerCase();
  if ((kind === 'relay' || kind === 'drop') && name !== '') return { kind, name };
  throw new UsageError(`--hop: found "${text}"; allowed: relay:NAME or drop:NAME`);
}

function numberOption(invocation: Invocation, option: string, most: number): number | undefined {
  const text = textOption(invocation, option);
  if (text === undefined) return undefined;
  if (/^\d{1,16}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new UsageError(`--${option}: found "${text}"; allowed: a whole number from 1 to ${most}`);
}

function showQueue({ items, counts }: QueueReport): string {
  const rows = items.map((item) => [
    String(item.id),
    item.traceId,
    item.state,
    hopText(item.nextHop),
    `<${item.reversePath}>`,
    item.recipient,
    formatOctets(item.octets),
    new Date(item.createdAt).toISOString(),
    String(item.attempts),
    new Date(item.nextAttemptAt).toISOString(),
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
  return formatTable(headings, rows, empty).concat(...counts.map(showCount));
}

function showCount({ nextHop, state, items }: QueueCount): string {
  return `In all ${state} for ${hopText(nextHop)}: ${items}\n`;
}

function hopText({ kind, name }: NextHop): string {
  return `${kind}:${name}`;
}
