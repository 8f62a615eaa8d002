/**
 * What the verbs about the queue have in common: the options that say which items are meant, and words for hops.
 */

import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../base/units.ts';
import { type NextHop, QUEUE_STATES } from '../../store/contract/queue.ts';
import type { HopHold } from '../../store/contract/queueWork.ts';
import { type Invocation, UsageError } from '../verb.ts';
import { choiceOption, given, textOption } from './read.ts';

const UNITS_MS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Options that say which items are meant. */
export const FILTER_OPTIONS = {
  hop: { type: 'string' },
  state: { type: 'string' },
  trace: { type: 'string' },
  from: { type: 'string' },
  recipient: { type: 'string' },
  'older-than': { type: 'string' },
} as const;

/** What each of them means. */
export const FILTER_HELP: Readonly<Record<string, string>> = {
  hop: 'Only what waits for relay:NAME or drop:NAME.',
  state: 'Only what is waiting, leased (an attempt is being made) or held.',
  trace: 'Only the message with this trace id.',
  from: 'Only what this address sent; @DOMAIN for all of a domain, <> for reports, which have no sender.',
  recipient: 'Only what is for this address; @DOMAIN for all of a domain.',
  'older-than': 'Only what has waited longer than this: 30m, 2h, 1d.',
};

/** The filter that was given, for an operation's input. */
export function filterOptions(invocation: Invocation): Readonly<Record<string, unknown>> {
  return {
    ...given('nextHop', hopOption(invocation, 'hop')),
    ...given('state', choiceOption(invocation, 'state', QUEUE_STATES)),
    ...given('traceId', textOption(invocation, 'trace')),
    ...given('reversePath', pathOption(invocation, 'from')),
    ...given('recipient', pathOption(invocation, 'recipient')),
    ...given('olderThanMs', ageOption(invocation, 'older-than')),
  };
}

/** `relay:NAME` or `drop:NAME`. */
export function hopOption(invocation: Invocation, option: string): NextHop | undefined {
  const text = textOption(invocation, option);
  if (text === undefined) return undefined;
  const [kind, ...rest] = text.split(':');
  const name = rest.join(':').trim().toLowerCase();
  if ((kind === 'relay' || kind === 'drop') && name !== '') return { kind, name };
  throw new UsageError(`--${option}: found "${text}"; allowed: relay:NAME or drop:NAME`);
}

/** A whole number from `least` to `most`. */
export function numberOption(
  invocation: Invocation,
  option: string,
  least: number,
  most: number,
): number | undefined {
  const text = textOption(invocation, option);
  if (text === undefined) return undefined;
  if (/^-?\d{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new UsageError(`--${option}: found "${text}"; allowed: a whole number from ${least} to ${most}`);
}

/** Ids of items as `queue list` shows them. */
export function idArguments(invocation: Invocation): readonly number[] {
  return invocation.args.map((text) => {
    if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
    throw new UsageError(`"${text}" is no id of an item; \`hauspost queue list\` shows them`);
  });
}

/** A hop as options name it. */
export function hopText({ kind, name }: NextHop): string {
  return `${kind}:${name}`;
}

/** Who holds a hop, since when, and why. */
export function holdText({ nextHop, by, since, reason }: HopHold): string {
  const who = by === 'administrator' ? 'an administrator' : 'its own trouble';
  return `${hopText(nextHop)} is held by ${who} since ${new Date(since).toISOString()}: ${reason}`;
}

/** Angle brackets may stand around an address; alone they are the null path. */
function pathOption(invocation: Invocation, option: string): string | undefined {
  const text = textOption(invocation, option)?.trim();
  if (text === undefined || text === '<>') return text;
  const path = /^<(.*)>$/.exec(text)?.[1] ?? text;
  if (path.includes('@')) return path;
  throw new UsageError(`--${option}: found "${text}"; allowed: an address, @DOMAIN or <>`);
}

function ageOption(invocation: Invocation, option: string): number | undefined {
  const text = textOption(invocation, option);
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (UNITS_MS[unit] ?? 0);
  throw new UsageError(`--${option}: found "${text}"; allowed: a time like 30m, 2h or 1d`);
}
