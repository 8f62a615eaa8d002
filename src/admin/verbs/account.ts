/**
 * `hauspost account add|list|show|set|passwd|remove`.
 */

import {
  ACCOUNT_SETTING_NAMES,
  accountSettingMeaning,
  readAccountSettings,
} from '../../accounts/accountSettings.ts';
import type { AccountDetails, AccountReport } from '../../accounts/administerAccounts.ts';
import type { PasswordReport } from '../operations.ts';
import { accountFields, COMPATIBILITY_ROWS } from '../compatibilityTable.ts';
import { formatFields, formatOctets, formatTable } from '../table.ts';
import { EXIT, type Invocation, type Verb } from '../verb.ts';
import { enabledOption, given, listOption, octetsOption, passwordOption } from './read.ts';
import { settingOptions, settingsOption, showSent } from './settings.ts';

const PASSWORD_OPTIONS = {
  'password-stdin': { type: 'boolean' },
  'password-file': { type: 'string' },
} as const;
const PASSWORD_HELP = {
  'password-stdin': 'Reads the password from standard input; without either one is generated and shown once.',
  'password-file': 'Reads the password from the first line of a file.',
};
const SETTING_OPTIONS = settingOptions(ACCOUNT_SETTING_NAMES);
const OPTIONS = {
  quota: { type: 'string' },
  'login-names': { type: 'string' },
  ...Object.fromEntries(SETTING_OPTIONS.map(({ option }) => [option, { type: 'string' as const }])),
} as const;
const OPTION_HELP = {
  quota: 'What all its mailboxes may hold, like 5GB; none for no limit.',
  'login-names':
    'Further names that log in as this account, comma-separated; replaces those it has. An asterisk stands for any domain: *\\erp, erp@* (docs/LOGIN.md). "" for none.',
  ...Object.fromEntries(
    SETTING_OPTIONS.map(({ name, option }) => [
      option,
      `${accountSettingMeaning(name)} none takes it away. Takes effect at the next login.`,
    ]),
  ),
};

/** The verbs about accounts. */
export const ACCOUNT_VERBS: readonly Verb[] = [
  {
    words: ['account', 'add'],
    usage: 'ADDRESS',
    summary: 'Adds an account: one login and its mailboxes.',
    options: { ...OPTIONS, ...PASSWORD_OPTIONS },
    optionHelp: { ...OPTION_HELP, ...PASSWORD_HELP },
    run: async (invocation) => {
      const password = await passwordOption(invocation);
      const input = { address: invocation.args[0], ...given('password', password), ...changes(invocation) };
      invocation.answer((await invocation.call('account.add', input)) as PasswordReport, (added) =>
        [`Added the account ${added.account.address}.`, ...showPassword(added.generatedPassword), ''].join(
          '\n',
        ),
      );
      return EXIT.ok;
    },
  },
  {
    words: ['account', 'list'],
    usage: '[DOMAIN]',
    summary: 'Lists the accounts, of one domain or of all.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const accounts = await invocation.call('account.list', given('domain', invocation.args[0]));
      invocation.answer(accounts as readonly AccountReport[], (list) => {
        const rows = list.map((account) => [
          account.address,
          account.isEnabled ? 'enabled' : 'disabled',
          showQuota(account),
          account.loginNames.join(', '),
        ]);
        return formatTable(
          ['ACCOUNT', 'STATE', 'QUOTA', 'LOGIN NAMES'],
          rows,
          'No accounts yet: hauspost account add ticket@app.example.com',
        );
      });
      return EXIT.ok;
    },
  },
  {
    words: ['account', 'show'],
    usage: 'ADDRESS',
    summary: 'Shows an account and how full it is.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      invocation.answer(
        (await invocation.call('account.show', { address: invocation.args[0] })) as AccountDetails,
        showAccount,
      );
      return EXIT.ok;
    },
  },
  {
    words: ['account', 'set'],
    usage: 'ADDRESS',
    summary: 'Changes an account.',
    options: { ...OPTIONS, enable: { type: 'boolean' }, disable: { type: 'boolean' } },
    optionHelp: {
      ...OPTION_HELP,
      enable: 'Takes mail and logins.',
      disable: 'Refuses mail and logins; nothing stored is touched.',
    },
    run: async (invocation) => {
      const input = {
        address: invocation.args[0],
        ...changes(invocation),
        ...given('isEnabled', enabledOption(invocation)),
      };
      invocation.answer((await invocation.call('account.set', input)) as AccountDetails, showAccount);
      return EXIT.ok;
    },
  },
  {
    words: ['account', 'passwd'],
    usage: 'ADDRESS',
    summary: 'Sets the password of an account.',
    options: PASSWORD_OPTIONS,
    optionHelp: PASSWORD_HELP,
    run: async (invocation) => {
      const password = await passwordOption(invocation);
      const input = { address: invocation.args[0], ...given('password', password) };
      invocation.answer((await invocation.call('account.passwd', input)) as PasswordReport, (changed) =>
        [
          `Changed the password of ${changed.account.address}.`,
          ...showPassword(changed.generatedPassword),
          '',
        ].join('\n'),
      );
      return EXIT.ok;
    },
  },
  {
    words: ['account', 'remove'],
    usage: 'ADDRESS',
    summary: 'Removes an account with all its mail.',
    options: { yes: { type: 'boolean' } },
    optionHelp: { yes: 'Removes it even though it holds messages.' },
    run: async (invocation) => {
      await invocation.call('account.remove', {
        address: invocation.args[0],
        evenIfFilled: invocation.options.yes === true,
      });
      invocation.answer(
        { removed: invocation.args[0] },
        ({ removed }) => `Removed the account ${removed}.\n`,
      );
      return EXIT.ok;
    },
  },
];

function changes(invocation: Invocation) {
  return {
    ...given('quotaOctets', octetsOption(invocation, 'quota')),
    ...given('loginNames', listOption(invocation, 'login-names')),
    ...given('settings', settingsOption(invocation, SETTING_OPTIONS)),
  };
}

function showPassword(generated: string | undefined): string[] {
  return generated === undefined ? [] : [`Its password is ${generated} (it is not shown again).`];
}

function showQuota(account: AccountReport): string {
  return account.quotaOctets === null ? 'none' : formatOctets(account.quotaOctets);
}

function showAccount(account: AccountDetails): string {
  return formatFields({
    Account: account.address,
    State: account.isEnabled ? 'enabled' : 'disabled',
    Quota: showQuota(account),
    Holds: `${account.messages} messages, ${formatOctets(account.usedOctets)}`,
    Retained: `${account.retainedMessages} messages, ${formatOctets(account.retainedOctets)}`,
    'Sent today': showSent(account.sentToday),
    'Login names': account.loginNames.join(', ') || 'only its address',
    'CRAM-MD5': account.hasCramMd5 ? 'with a secret of its own' : 'not possible',
    ...accountFields(readAccountSettings(account.settings)),
    ...otherSettings(account),
    'Created at': account.createdAt,
  });
}

/** Settings that no profile has. */
function otherSettings({ settings }: AccountDetails): Readonly<Record<string, string>> {
  const known = new Set<string>(['profile', ...COMPATIBILITY_ROWS.map(({ key }) => key)]);
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !known.has(name)));
}
