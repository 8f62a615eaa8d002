/**
 * `hauspost vacation set|show|list|remove`: what accounts answer by themselves while their owners are away.
 */

import { readFileSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import type { Vacation } from '../../store/contract/vacation.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { enabledOption, given, removableOption, textOption } from './read.ts';

/** The verbs about vacations. */
export const VACATION_VERBS: readonly Verb[] = [
  {
    words: ['vacation', 'set'],
    usage: 'ACCOUNT',
    summary: 'Makes an account answer by itself, or changes what it answers.',
    options: {
      subject: { type: 'string' },
      text: { type: 'string' },
      'text-file': { type: 'string' },
      from: { type: 'string' },
      until: { type: 'string' },
      days: { type: 'string' },
      enable: { type: 'boolean' },
      disable: { type: 'boolean' },
    },
    optionHelp: {
      subject: 'The subject of answers; none, and unless set: Auto: and the subject that is answered.',
      text: 'What is answered.',
      'text-file': 'A file with what is answered, in UTF-8; - for standard input.',
      from: 'The first day, as 2026-12-24; none: at once.',
      until: 'The last day, as 2027-01-06; none: until it is changed.',
      days: 'A sender is answered once within so many days, 1 to 90; 7 for a new one.',
      enable: 'Mail is answered.',
      disable: 'Mail is not answered, and the text is kept.',
    },
    run: async (invocation) => {
      const input = {
        account: invocation.args[0],
        ...given('subject', removableOption(invocation, 'subject')),
        ...given('text', await answerOption(invocation)),
        ...given('startsAt', dayOption(invocation, 'from', 0)),
        ...given('endsAt', dayOption(invocation, 'until', 1)),
        ...given('daysBetween', daysOption(invocation)),
        ...given('isEnabled', enabledOption(invocation)),
      };
      invocation.answer((await invocation.call('vacation.set', input)) as Vacation, showVacation);
      return EXIT.ok;
    },
  },
  {
    words: ['vacation', 'show'],
    usage: 'ACCOUNT',
    summary: 'Shows what an account answers by itself.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = { account: invocation.args[0] };
      invocation.answer((await invocation.call('vacation.show', input)) as Vacation, showVacation);
      return EXIT.ok;
    },
  },
  {
    words: ['vacation', 'list'],
    usage: '[DOMAIN]',
    summary: 'Lists the accounts that answer by themselves, of one domain or of all.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = given('domain', invocation.args[0]);
      const vacations = (await invocation.call('vacation.list', input)) as readonly Vacation[];
      invocation.answer(vacations, (list) => {
        const rows = list.map((vacation) => [
          vacation.account,
          vacation.isEnabled ? 'enabled' : 'disabled',
          firstDay(vacation),
          lastDay(vacation),
        ]);
        return formatTable(['ACCOUNT', 'STATE', 'FROM', 'UNTIL'], rows, 'No vacations.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['vacation', 'remove'],
    usage: 'ACCOUNT',
    summary: 'Ends the answers of an account, and forgets their text.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('vacation.remove', { account: invocation.args[0] });
      invocation.answer(
        { removed: invocation.args[0] },
        ({ removed }) => `Removed the vacation of ${removed}.\n`,
      );
      return EXIT.ok;
    },
  },
];

async function answerOption(invocation: Invocation): Promise<string | undefined> {
  const answer = textOption(invocation, 'text');
  const file = textOption(invocation, 'text-file');
  if (answer !== undefined && file !== undefined)
    throw new UsageError('--text and --text-file exclude each other');
  if (file === undefined) return answer;
  if (file === '-') return textOf(invocation.io.in);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--text-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The beginning of a day, or of the one after it (`later` 1), in the zone of this machine. */
function dayOption(invocation: Invocation, name: string, later: 0 | 1): number | null | undefined {
  const value = removableOption(invocation, name);
  if (value === undefined || value === null) return value;
  const [year = 0, month = 0, day = 0] = value.split('-').map(Number);
  const date = new Date(year, month - 1, day);
  if (!/^\d{4}-\d\d-\d\d$/.test(value) || date.getMonth() !== month - 1 || date.getDate() !== day)
    throw new UsageError(`--${name}: found "${value}"; allowed: a day like 2026-12-24, or none`);
  return new Date(year, month - 1, day + later).getTime();
}

function daysOption(invocation: Invocation): number | undefined {
  const value = textOption(invocation, 'days');
  if (value === undefined) return undefined;
  if (/^[1-9]\d?$/.test(value)) return Number(value);
  throw new UsageError(`--days: found "${value}"; allowed: a whole number from 1 to 90`);
}

function showVacation(vacation: Vacation): string {
  return formatFields({
    Account: vacation.account,
    State: vacation.isEnabled ? 'enabled' : 'disabled',
    From: firstDay(vacation),
    Until: lastDay(vacation),
    'Once within': vacation.daysBetween === 1 ? '1 day' : `${vacation.daysBetween} days`,
    Subject: vacation.subject ?? 'Auto: and the subject that is answered',
  }).concat(`\n${vacation.text}\n`);
}

function firstDay({ startsAt }: Vacation): string {
  return startsAt === undefined ? 'at once' : dayOf(startsAt);
}

function lastDay({ endsAt }: Vacation): string {
  return endsAt === undefined ? 'it is changed' : dayOf(endsAt - 1);
}

function dayOf(at: number): string {
  const date = new Date(at);
  const two = (value: number) => `${value}`.padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
