/**
 * `hauspost queue hold`, `release`, `retry`, `delete`, `reroute` and `prioritize`: items by their ids, by conditions, or all.
 */

import { QUEUE_SELECTION_IDS, type QueueChange, type QueueChanged } from '../../store/contract/queueWork.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import {
  FILTER_HELP,
  FILTER_OPTIONS,
  filterOptions,
  hopOption,
  hopText,
  idArguments,
  numberOption,
} from './queueRead.ts';

/** Items that conditions may delete without --yes. */
const DELETED_UNASKED = 10;

const ALL = { all: { type: 'boolean' } } as const;
const ALL_HELP = { all: 'Everything in the queue.' };

/** What one of these verbs says and asks beside its selection. */
interface ChangeVerb {
  readonly word: QueueChange['kind'];
  readonly summary: string;
  /** What became of the items: `Held`. */
  readonly done: (change: QueueChange) => string;
  readonly options?: Verb['options'];
  readonly optionHelp?: Verb['optionHelp'];
  readonly read: (invocation: Invocation) => QueueChange;
}

const CHANGES: readonly ChangeVerb[] = [
  {
    word: 'hold',
    summary: 'Holds items of the queue: no attempt is made, and they do not expire, until they are released.',
    done: () => 'Held',
    read: () => ({ kind: 'hold' }),
  },
  {
    word: 'release',
    summary: 'Releases held items: their next attempt is due at once. A hop that is held stays so.',
    done: () => 'Released',
    read: () => ({ kind: 'release' }),
  },
  {
    word: 'retry',
    summary: 'Makes the next attempt of waiting items due at once.',
    done: () => 'Made due at once:',
    read: () => ({ kind: 'retry' }),
  },
  {
    word: 'delete',
    summary:
      'Deletes items of the queue, without telling their senders. What is delivered already stays delivered.',
    done: () => 'Deleted',
    options: { yes: { type: 'boolean' } },
    optionHelp: { yes: `Also when conditions fit more than ${DELETED_UNASKED} items.` },
    read: () => ({ kind: 'delete' }),
  },
  {
    word: 'reroute',
    summary: 'Sends items by another hop, at once; held ones stay held.',
    done: (change) => `Sent on${change.kind === 'reroute' ? ` to ${hopText(change.nextHop)}` : ''}:`,
    options: { to: { type: 'string' } },
    optionHelp: { to: 'The hop that they are to take: relay:NAME or drop:NAME.' },
    read: (invocation) => {
      const nextHop = hopOption(invocation, 'to');
      if (nextHop === undefined) throw new UsageError('--to is missing: relay:NAME or drop:NAME');
      return { kind: 'reroute', nextHop };
    },
  },
  {
    word: 'prioritize',
    summary: 'Gives items a priority: of what is due for a hop, higher ones leave first.',
    done: (change) => `Given${change.kind === 'prioritize' ? ` the priority ${change.priority}` : ''}:`,
    options: { priority: { type: 'string' } },
    optionHelp: { priority: 'From --priority=-10 to --priority=10; 0 is what messages come with.' },
    read: (invocation) => {
      const priority = numberOption(invocation, 'priority', -10, 10);
      if (priority === undefined)
        throw new UsageError('--priority is missing: a whole number from -10 to 10');
      return { kind: 'prioritize', priority };
    },
  },
];

/** The verbs that change items of the queue. */
export const QUEUE_CHANGE_VERBS: readonly Verb[] = CHANGES.map(
  ({ word, summary, done, read, options = {}, optionHelp = {} }) => ({
    words: ['queue', word],
    usage: '[ID...]',
    summary,
    options: { ...FILTER_OPTIONS, ...ALL, ...options },
    optionHelp: { ...FILTER_HELP, ...ALL_HELP, ...optionHelp },
    run: async (invocation) => {
      const change = read(invocation);
      const selection = selectionOf(invocation);
      const isBulk = !('ids' in selection);
      const isAsked = word !== 'delete' || !isBulk || invocation.options.yes === true;
      const input = { ...selection, change, ...(isAsked ? {} : { most: DELETED_UNASKED }) };
      const changed = (await invocation.call('queue.change', input)) as QueueChanged;
      invocation.answer(changed, (result) => tell(result, done(change)));
      return EXIT.ok;
    },
  }),
);

/** What is meant must be said: ids, conditions, or --all. */
function selectionOf(invocation: Invocation): Readonly<Record<string, unknown>> {
  const ids = idArguments(invocation);
  const filter = filterOptions(invocation);
  const isAll = invocation.options.all === true;
  const isFiltered = Object.keys(filter).length > 0;
  if (ids.length > QUEUE_SELECTION_IDS) throw new UsageError(`${QUEUE_SELECTION_IDS} ids at most`);
  if (isAll && (ids.length > 0 || isFiltered))
    throw new UsageError('--all means everything: it goes with neither ids nor conditions');
  if (!isAll && ids.length === 0 && !isFiltered)
    throw new UsageError('say which: ids of `hauspost queue list`, conditions like --hop, or --all');
  return { ...filter, ...(ids.length === 0 ? {} : { ids }) };
}

function tell({ changed, spared }: QueueChanged, done: string): string {
  const told = changed === 0 ? 'Nothing was there to change.\n' : `${done} ${items(changed)}.\n`;
  if (spared === 0) return told;
  return `${told}Spared ${items(spared)}, since an attempt is being made: try again in a moment.\n`;
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}
