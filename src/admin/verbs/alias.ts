/**
 * `hauspost alias add|list|show|set|remove`.
 */

import type { AliasReport } from '../../accounts/administerAliases.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Verb } from '../verb.ts';
import { enabledOption, given } from './read.ts';

/** The verbs about aliases. */
export const ALIAS_VERBS: readonly Verb[] = [
  {
    words: ['alias', 'add'],
    usage: 'ADDRESS TARGET...',
    summary: 'Adds an address that stands for one or more others.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const [address, ...targets] = invocation.args;
      const added = (await invocation.call('alias.add', { address, targets })) as AliasReport;
      invocation.answer(
        added,
        (alias) => `Added the alias ${alias.address} for ${alias.targets.join(', ')}.\n`,
      );
      return EXIT.ok;
    },
  },
  {
    words: ['alias', 'list'],
    usage: '[DOMAIN]',
    summary: 'Lists the aliases, of one domain or of all.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const aliases = (await invocation.call(
        'alias.list',
        given('domain', invocation.args[0]),
      )) as readonly AliasReport[];
      invocation.answer(aliases, (list) => {
        const rows = list.map((alias) => [
          alias.address,
          alias.isEnabled ? 'enabled' : 'disabled',
          alias.targets.join(', '),
        ]);
        return formatTable(['ALIAS', 'STATE', 'TARGETS'], rows, 'No aliases.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['alias', 'show'],
    usage: 'ADDRESS',
    summary: 'Shows an alias.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      invocation.answer(
        (await invocation.call('alias.show', { address: invocation.args[0] })) as AliasReport,
        showAlias,
      );
      return EXIT.ok;
    },
  },
  {
    words: ['alias', 'set'],
    usage: 'ADDRESS [TARGET...]',
    summary: 'Changes an alias; targets given replace those it has.',
    options: { enable: { type: 'boolean' }, disable: { type: 'boolean' } },
    optionHelp: { enable: 'Takes mail.', disable: 'Refuses mail.' },
    run: async (invocation) => {
      const [address, ...targets] = invocation.args;
      const input = {
        address,
        ...given('targets', targets.length > 0 ? targets : undefined),
        ...given('isEnabled', enabledOption(invocation)),
      };
      invocation.answer((await invocation.call('alias.set', input)) as AliasReport, showAlias);
      return EXIT.ok;
    },
  },
  {
    words: ['alias', 'remove'],
    usage: 'ADDRESS',
    summary: 'Removes an alias.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('alias.remove', { address: invocation.args[0] });
      invocation.answer({ removed: invocation.args[0] }, ({ removed }) => `Removed the alias ${removed}.\n`);
      return EXIT.ok;
    },
  },
];

function showAlias(alias: AliasReport): string {
  return formatFields({
    Alias: alias.address,
    State: alias.isEnabled ? 'enabled' : 'disabled',
    Targets: alias.targets.join(', '),
  }).concat(showDangling(alias));
}

function showDangling({ danglingTargets }: AliasReport): string {
  if (danglingTargets.length === 0) return '';
  return `Nobody receives mail for ${danglingTargets.join(', ')} at present.\n`;
}
