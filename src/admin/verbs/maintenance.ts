/**
 * `hauspost maintenance on|off|status`: no mail in for a while, without a loss; reading goes on.
 */

import type { MaintenanceState } from '../maintenance.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { given, textOption } from './read.ts';

/** The verbs about maintenance. */
export const MAINTENANCE_VERBS: readonly Verb[] = [
  {
    words: ['maintenance', 'on'],
    usage: '',
    summary:
      'Takes no mail in: senders are told to come again (421), messages under way are finished, reading goes on.',
    options: { minutes: { type: 'string' }, text: { type: 'string' } },
    optionHelp: {
      minutes: 'when it ends by itself; else it lasts until it is switched off, over restarts, too',
      text: 'what senders are told, a line of ASCII',
    },
    run: async (invocation) => {
      const input = {
        ...given('minutes', minutesOf(invocation)),
        ...given('text', textOption(invocation, 'text')),
      };
      const state = (await invocation.call('maintenance.on', input)) as MaintenanceState;
      invocation.answer(state, showMaintenance);
      return EXIT.ok;
    },
  },
  {
    words: ['maintenance', 'off'],
    usage: '',
    summary: 'Takes mail in again.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const answer = (await invocation.call('maintenance.off', {})) as { readonly wasOn: boolean };
      invocation.answer(answer, ({ wasOn }) =>
        wasOn ? 'Mail is taken in again.\n' : 'Maintenance was off already.\n',
      );
      return EXIT.ok;
    },
  },
  {
    words: ['maintenance', 'status'],
    usage: '',
    summary: 'Says whether mail is taken in.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const state = (await invocation.call('maintenance.status', {})) as MaintenanceState | null;
      invocation.answer(state, (found) =>
        found === null ? 'Maintenance is off: mail is taken in.\n' : showMaintenance(found),
      );
      return EXIT.ok;
    },
  },
];

/** What holds, for people. */
export function showMaintenance({ since, until, text, isKept }: MaintenanceState): string {
  const end = until === null ? 'until it is switched off' : `until ${new Date(until).toISOString()}`;
  const begun = `Maintenance since ${new Date(since).toISOString()}, ${end}: no mail is taken in, senders are told “${text}”.\n`;
  return isKept ? begun : `${begun}It could not be written down, and ends with a restart.\n`;
}

function minutesOf(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'minutes');
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,6}$/.test(text)) throw new UsageError(`--minutes: found "${text}"; allowed: a whole number`);
  return Number(text);
}
