/**
 * `hauspost fetched list|restore`: messages that POP3 has deleted and that are retained.
 */

import { FETCHED_LIST_LIMIT, type FetchedMessage, type RestoreReport } from '../fetchedMessages.ts';
import { formatOctets, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { textOption } from './read.ts';

const DEFAULT_LIMIT = 100;
/** Characters of a sender or a subject in the table. */
const FROM_WIDTH_CHARS = 30;
const SUBJECT_WIDTH_CHARS = 60;
const SINCE_HELP = 'Only those deleted since then: 2026-11-20, or with a time, 2026-11-20T14:00Z.';

/** The verbs about retained messages. */
export const FETCHED_VERBS: readonly Verb[] = [
  {
    words: ['fetched', 'list'],
    usage: 'ADDRESS',
    summary: 'Lists what POP3 has deleted from an account and what can be restored, the newest first.',
    options: { since: { type: 'string' }, limit: { type: 'string' } },
    optionHelp: {
      since: SINCE_HELP,
      limit: `How many messages; ${DEFAULT_LIMIT} unless given, ${FETCHED_LIST_LIMIT} at most.`,
    },
    run: async (invocation) => {
      const limit = Number(textOption(invocation, 'limit') ?? DEFAULT_LIMIT);
      if (!Number.isInteger(limit) || limit < 1 || limit > FETCHED_LIST_LIMIT) {
        throw new UsageError(`--limit: allowed: a whole number from 1 to ${FETCHED_LIST_LIMIT}`);
      }
      const input = { address: invocation.args[0], since: sinceOption(invocation) ?? 0, limit };
      const messages = await invocation.call('fetched.list', input);
      invocation.answer(messages as readonly FetchedMessage[], showMessages);
      return EXIT.ok;
    },
  },
  {
    words: ['fetched', 'restore'],
    usage: 'ADDRESS [NUMBER...]',
    summary:
      'Puts messages that POP3 has deleted back into the INBOX, as new ones: by number, by time, or all.',
    options: { all: { type: 'boolean' }, since: { type: 'string' } },
    optionHelp: { all: 'Everything that is retained.', since: SINCE_HELP },
    run: async (invocation) => {
      const input = { address: invocation.args[0], ...choiceOf(invocation) };
      const report = (await invocation.call('fetched.restore', input)) as RestoreReport;
      invocation.answer(report, ({ restored }) =>
        restored === 1 ? 'Restored 1 message.\n' : `Restored ${restored} messages.\n`,
      );
      return report.restored > 0 ? EXIT.ok : EXIT.failed;
    },
  },
];

/** Exactly one way to say what is meant. */
function choiceOf(invocation: Invocation): { readonly uids: readonly number[] } | { readonly since: number } {
  const since = sinceOption(invocation);
  const numbers = invocation.args.slice(1);
  const ways = [numbers.length > 0, since !== undefined, invocation.options.all === true];
  if (ways.filter(Boolean).length !== 1)
    throw new UsageError('give either numbers of `hauspost fetched list`, or --since, or --all');
  if (numbers.length === 0) return { since: since ?? 0 };
  const wrong = numbers.find((number) => !/^[1-9]\d{0,9}$/.test(number));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no number of a message`);
  return { uids: numbers.map(Number) };
}

/** A day, or a moment, in UTC unless it says otherwise, as Unix milliseconds. */
function sinceOption(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'since');
  if (text === undefined) return undefined;
  const isMoment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const moment = isMoment ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment) || moment < 0)
    throw new UsageError(`--since: found "${text}"; allowed: 2026-11-20, or 2026-11-20T14:00Z`);
  return moment;
}

function showMessages(messages: readonly FetchedMessage[]): string {
  const rows = messages.map(({ uid, retainedAt, from, subject, octets }) => [
    String(uid),
    retainedAt,
    cut(from, FROM_WIDTH_CHARS),
    formatOctets(octets),
    cut(subject, SUBJECT_WIDTH_CHARS),
  ]);
  return formatTable(['NUMBER', 'DELETED AT', 'FROM', 'SIZE', 'SUBJECT'], rows, 'Nothing is retained.');
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
