/**
 * `hauspost pickup status|list-bad|retry`: directories that applications write messages into (docs/PICKUP.md).
 */

import type { BadFile, PickupRetry } from '../../pickup/contract.ts';
import { BAD_LIST_LIMIT } from '../pickupOperations.ts';
import type { PickupReport } from '../pickupReport.ts';
import { badFileTable, pickupFields, pickupTable, retryText } from '../pickupText.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { numberOption } from './queueRead.ts';

const DEFAULT_LIMIT = 100;

/** The verbs about pickup directories. */
export const PICKUP_VERBS: readonly Verb[] = [
  {
    words: ['pickup', 'status'],
    usage: '[NAME]',
    summary:
      'Shows the pickup directories: what waits, what was taken, what is bad; with NAME all of one, its rules among them.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      if (invocation.args[0] === undefined) {
        const reports = await invocation.call('server.pickup.list', {});
        invocation.answer(reports as readonly PickupReport[], pickupTable);
      } else {
        const report = await invocation.call('server.pickup.show', { name: nameOf(invocation) });
        invocation.answer(report as PickupReport, pickupFields);
      }
      return EXIT.ok;
    },
  },
  {
    words: ['pickup', 'list-bad'],
    usage: 'NAME',
    summary: 'Lists the files of a pickup directory that could not be taken, the oldest first, and why.',
    options: { limit: { type: 'string' } },
    optionHelp: { limit: `How many files; ${DEFAULT_LIMIT} unless given, ${BAD_LIST_LIMIT} at most.` },
    run: async (invocation) => {
      const limit = numberOption(invocation, 'limit', 1, BAD_LIST_LIMIT) ?? DEFAULT_LIMIT;
      const files = await invocation.call('server.pickup.bad', { name: nameOf(invocation), limit });
      invocation.answer(files as readonly BadFile[], badFileTable);
      return EXIT.ok;
    },
  },
  {
    words: ['pickup', 'retry'],
    usage: 'NAME [FILE...]',
    summary:
      'Looks at a pickup directory at once and tries again what could not be taken; moves bad files back into it, by their names or all.',
    options: { all: { type: 'boolean' } },
    optionHelp: { all: 'Moves every bad file back.' },
    run: async (invocation) => {
      const files = invocation.args.slice(1);
      const all = invocation.options.all === true;
      if (all && files.length > 0) throw new UsageError('give either names of files, or --all');
      const name = nameOf(invocation);
      const retried = (await invocation.call('server.pickup.retry', { name, files, all })) as PickupRetry;
      invocation.answer(retried, (result) => retryText(name, result));
      return retried.failed.length === 0 ? EXIT.ok : EXIT.failed;
    },
  },
];

function nameOf(invocation: Invocation): string {
  return (invocation.args[0] ?? '').toLowerCase();
}
