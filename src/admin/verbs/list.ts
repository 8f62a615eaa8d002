/**
 * `hauspost list add|list|show|set|remove`: distribution lists.
 */

import { readFileSync } from 'node:fs';
import type { DistributionListHead, ListPosters } from '../../store/contract/routing.ts';
import type { DistributionListReport } from '../../accounts/administerLists.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { enabledOption, given, listOption, manyOption, textOption } from './read.ts';

const OPTIONS = {
  member: { type: 'string', multiple: true },
  'members-file': { type: 'string' },
  posters: { type: 'string' },
  enable: { type: 'boolean' },
  disable: { type: 'boolean' },
} as const;

const OPTION_HELP = {
  member: 'An address here or elsewhere; may be given many times.',
  'members-file': 'A file with members, one a line; empty lines and those that begin with # are left out.',
  posters:
    'Who may post: anyone, members, submitters (who has logged in) or addresses, comma-separated; members for a new list.',
  enable: 'Takes mail.',
  disable: 'Refuses mail.',
};

/** The verbs about distribution lists. */
export const LIST_VERBS: readonly Verb[] = [
  {
    words: ['list', 'add'],
    usage: 'ADDRESS',
    summary: 'Adds a distribution list: an address whose mail goes to many.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const input = {
        address: invocation.args[0],
        members: membersOption(invocation) ?? [],
        ...settings(invocation),
      };
      const added = (await invocation.call('list.add', input)) as DistributionListReport;
      invocation.answer(added, (list) => `Added the distribution list ${list.address}.\n${showList(list)}`);
      return EXIT.ok;
    },
  },
  {
    words: ['list', 'list'],
    usage: '[DOMAIN]',
    summary: 'Lists the distribution lists, of one domain or of all.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = given('domain', invocation.args[0]);
      const lists = (await invocation.call('list.list', input)) as readonly DistributionListHead[];
      invocation.answer(lists, (found) => {
        const rows = found.map((list) => [
          list.address,
          list.isEnabled ? 'enabled' : 'disabled',
          String(list.memberCount),
          formatPosters(list.posters),
        ]);
        return formatTable(
          ['DISTRIBUTION LIST', 'STATE', 'MEMBERS', 'POSTERS'],
          rows,
          'No distribution lists.',
        );
      });
      return EXIT.ok;
    },
  },
  {
    words: ['list', 'show'],
    usage: 'ADDRESS',
    summary: 'Shows a distribution list with its members.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = { address: invocation.args[0] };
      invocation.answer((await invocation.call('list.show', input)) as DistributionListReport, showList);
      return EXIT.ok;
    },
  },
  {
    words: ['list', 'set'],
    usage: 'ADDRESS',
    summary: 'Changes a distribution list.',
    options: {
      ...OPTIONS,
      'add-member': { type: 'string', multiple: true },
      'remove-member': { type: 'string', multiple: true },
    },
    optionHelp: {
      ...OPTION_HELP,
      member: 'A member of the new list of members, which replaces the old one; may be given many times.',
      'members-file': 'A file with the new members, one a line; replaces those there are.',
      'add-member': 'Adds one; may be given many times.',
      'remove-member': 'Removes one; may be given many times.',
    },
    run: async (invocation) => {
      const input = {
        address: invocation.args[0],
        ...given('members', membersOption(invocation)),
        ...given('addedMembers', manyOption(invocation, 'add-member')),
        ...given('removedMembers', manyOption(invocation, 'remove-member')),
        ...settings(invocation),
      };
      invocation.answer((await invocation.call('list.set', input)) as DistributionListReport, showList);
      return EXIT.ok;
    },
  },
  {
    words: ['list', 'remove'],
    usage: 'ADDRESS',
    summary: 'Removes a distribution list.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('list.remove', { address: invocation.args[0] });
      invocation.answer(
        { removed: invocation.args[0] },
        ({ removed }) => `Removed the distribution list ${removed}.\n`,
      );
      return EXIT.ok;
    },
  },
];

function settings(invocation: Invocation) {
  return {
    ...given('posters', postersOption(invocation)),
    ...given('isEnabled', enabledOption(invocation)),
  };
}

function membersOption(invocation: Invocation): readonly string[] | undefined {
  const single = manyOption(invocation, 'member');
  const file = textOption(invocation, 'members-file');
  return single === undefined && file === undefined ? undefined : [...(single ?? []), ...readMembers(file)];
}

function readMembers(file: string | undefined): readonly string[] {
  if (file === undefined) return [];
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  } catch (error) {
    throw new UsageError(`--members-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function postersOption(invocation: Invocation): ListPosters | undefined {
  const addresses = listOption(invocation, 'posters');
  if (addresses === undefined) return undefined;
  const kind = (['anyone', 'members', 'submitters'] as const).find((word) => word === addresses[0]);
  if (kind !== undefined && addresses.length === 1) return { kind };
  const wrong = addresses.find((address) => !address.includes('@'));
  if (wrong === undefined && addresses.length > 0) return { kind: 'addresses', addresses };
  const allowed = 'anyone, members, submitters or addresses, comma-separated';
  throw new UsageError(`--posters: found "${wrong ?? ''}"; allowed: ${allowed}`);
}

function formatPosters(posters: ListPosters): string {
  return posters.kind === 'addresses' ? posters.addresses.join(', ') : posters.kind;
}

function showList(list: DistributionListReport): string {
  const { danglingMembers } = list;
  const head = formatFields({
    'Distribution list': list.address,
    State: list.isEnabled ? 'enabled' : 'disabled',
    Posters: formatPosters(list.posters),
    Members: String(list.memberCount),
  });
  const members = list.members.map((member) => `  ${member}\n`).join('');
  if (danglingMembers.length === 0) return head + members;
  return `${head}${members}Nobody receives mail for ${danglingMembers.join(', ')} at present.\n`;
}
