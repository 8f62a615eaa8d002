/**
 * `hauspost domain add|list|show|set|remove`.
 */

import type { DomainReport } from '../../accounts/administerDomains.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, type Verb } from '../verb.ts';
import { enabledOption, given, listOption, removableOption } from './read.ts';

const OPTIONS = {
  aliases: { type: 'string' },
  'catch-all': { type: 'string' },
  'plus-separator': { type: 'string' },
  enable: { type: 'boolean' },
  disable: { type: 'boolean' },
} as const;

const OPTION_HELP = {
  aliases: 'Other names of the domain, comma-separated; replaces those it has.',
  'catch-all': 'Address that takes mail for unknown addresses of the domain; none refuses them.',
  'plus-separator':
    'Character behind which an address has a detail, as in a+news@app.example, which is for a@app.example; + for a new domain, none for no details.',
  enable: 'Takes mail and logins.',
  disable: 'Refuses mail and logins; nothing stored is touched.',
};

/** The verbs about domains. */
export const DOMAIN_VERBS: readonly Verb[] = [
  {
    words: ['domain', 'add'],
    usage: 'DOMAIN',
    summary: 'Adds a domain to take mail for.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const added = (await invocation.call('domain.add', {
        name: invocation.args[0],
        ...changes(invocation),
      })) as DomainReport;
      invocation.answer(added, (domain) => `Added the domain ${domain.name}.\n`);
      return EXIT.ok;
    },
  },
  {
    words: ['domain', 'list'],
    usage: '',
    summary: 'Lists the domains.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const domains = (await invocation.call('domain.list', {})) as readonly DomainReport[];
      invocation.answer(domains, (list) => {
        const rows = list.map((domain) => [
          domain.name,
          domain.isEnabled ? 'enabled' : 'disabled',
          domain.catchAll ?? '',
          domain.aliases.join(', '),
        ]);
        return formatTable(
          ['DOMAIN', 'STATE', 'CATCH-ALL', 'ALIASES'],
          rows,
          'No domains yet: hauspost domain add app.example.com',
        );
      });
      return EXIT.ok;
    },
  },
  {
    words: ['domain', 'show'],
    usage: 'DOMAIN',
    summary: 'Shows a domain.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      invocation.answer(
        (await invocation.call('domain.show', { name: invocation.args[0] })) as DomainReport,
        showDomain,
      );
      return EXIT.ok;
    },
  },
  {
    words: ['domain', 'set'],
    usage: 'DOMAIN',
    summary: 'Changes a domain.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const domain = await invocation.call('domain.set', {
        name: invocation.args[0],
        ...changes(invocation),
      });
      invocation.answer(domain as DomainReport, showDomain);
      return EXIT.ok;
    },
  },
  {
    words: ['domain', 'remove'],
    usage: 'DOMAIN',
    summary: 'Removes a domain without accounts, aliases and distribution lists.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('domain.remove', { name: invocation.args[0] });
      invocation.answer({ removed: invocation.args[0] }, ({ removed }) => `Removed the domain ${removed}.\n`);
      return EXIT.ok;
    },
  },
];

function changes(invocation: Invocation) {
  return {
    ...given('isEnabled', enabledOption(invocation)),
    ...given('aliases', listOption(invocation, 'aliases')),
    ...given('catchAll', removableOption(invocation, 'catch-all')),
    ...given('plusSeparator', removableOption(invocation, 'plus-separator')),
  };
}

function showDomain(domain: DomainReport): string {
  return formatFields({
    Domain: domain.name,
    State: domain.isEnabled ? 'enabled' : 'disabled',
    'Catch-all': domain.catchAll ?? 'none (unknown addresses are refused)',
    Aliases: domain.aliases.join(', ') || 'none',
    'Plus separator': domain.plusSeparator ?? 'none',
  });
}
