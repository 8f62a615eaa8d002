/**
 * `hauspost drop list|show|test|hold|release`: directories that mail is written into for applications to fetch (docs/DROP.md).
 */

import type { RelayCheck } from '../../transfer/relay.ts';
import type { DropReport } from '../dropReport.ts';
import { dropFields, dropTable } from '../dropText.ts';
import { EXIT, type Invocation, type Verb } from '../verb.ts';
import { given, textOption } from './read.ts';
import { showCheck } from './relay.ts';

/** The verbs about drop directories. */
export const DROP_VERBS: readonly Verb[] = [
  {
    words: ['drop', 'list'],
    usage: '',
    summary:
      'Lists the drop directories: how each stands, what waits for it, and how many messages lie in it unfetched.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const reports = (await invocation.call('server.drop.list', {})) as readonly DropReport[];
      invocation.answer(reports, dropTable);
      return EXIT.ok;
    },
  },
  {
    words: ['drop', 'show'],
    usage: 'NAME',
    summary: 'Shows a drop directory: how it is set up, how it stands and why, what is in it, its limits.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const report = (await invocation.call('server.drop.show', named(invocation))) as DropReport;
      invocation.answer(report, dropFields);
      return EXIT.ok;
    },
  },
  {
    words: ['drop', 'test'],
    usage: 'NAME',
    summary:
      'Writes, syncs, renames and removes a file in a drop directory under a name that no reader takes, and tells each step.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const check = (await invocation.call('server.drop.test', named(invocation))) as RelayCheck;
      invocation.answer(check, showCheck);
      return check.isReady ? EXIT.ok : EXIT.failed;
    },
  },
  {
    words: ['drop', 'hold'],
    usage: 'NAME',
    summary: 'Holds a drop directory: what is for it waits and does not expire, until it is released.',
    options: { reason: { type: 'string' } },
    optionHelp: { reason: 'Why, for whoever looks at status.' },
    run: async (invocation) => {
      const input = { ...named(invocation), ...given('reason', textOption(invocation, 'reason')) };
      await invocation.call('drop.hold', input);
      invocation.answer({ ...input, isHeld: true }, ({ name }) => `${name} is held; mail for it waits.\n`);
      return EXIT.ok;
    },
  },
  {
    words: ['drop', 'release'],
    usage: 'NAME',
    summary: 'Lets a drop directory go on that is held, and tries it at once.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = named(invocation);
      await invocation.call('drop.release', input);
      invocation.answer({ ...input, isHeld: false }, ({ name }) => `${name} goes on.\n`);
      return EXIT.ok;
    },
  },
];

function named(invocation: Invocation): { readonly name: string } {
  return { name: (invocation.args[0] ?? '').toLowerCase() };
}
