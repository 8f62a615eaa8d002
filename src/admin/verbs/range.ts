/**
 * `hauspost range add|list|show|set|remove|test`: hMailServer's IP ranges.
 */

import type { IpRange } from '../../store/contract/directory.ts';
import type { IpRangeDetails } from '../../accounts/administerIpRanges.ts';
import { RANGE_SETTING_NAMES, rangeSettingMeaning } from '../../accounts/rangeSettings.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { choiceOption, given, listOption, textOption } from './read.ts';
import { settingOptions, settingsOption, showSent } from './settings.ts';

const SETTING_OPTIONS = settingOptions(RANGE_SETTING_NAMES);

const OPTIONS = {
  priority: { type: 'string' },
  protocols: { type: 'string' },
  tls: { type: 'string' },
  trusted: { type: 'string' },
  submission: { type: 'string' },
  ...Object.fromEntries(SETTING_OPTIONS.map(({ option }) => [option, { type: 'string' as const }])),
} as const;

const OPTION_HELP = {
  priority: 'Of several ranges that include an address the one with the highest counts; 20 for a new one.',
  protocols:
    'What may be spoken, comma-separated: smtp, pop3, imap; an empty text bars the addresses from all.',
  tls: 'required or optional: whether nothing of value is done before TLS, whatever the listener allows.',
  trusted: 'yes or no: whether failed logins are neither counted nor delayed.',
  submission:
    'login or trusted: whether clients log in on submission listeners, or need not (docs/SUBMISSION.md).',
  ...Object.fromEntries(
    SETTING_OPTIONS.map(({ name, option }) => [
      option,
      `For clients without a login. ${rangeSettingMeaning(name)} none takes it away.`,
    ]),
  ),
};

/** The verbs about IP ranges. */
export const RANGE_VERBS: readonly Verb[] = [
  {
    words: ['range', 'add'],
    usage: 'NAME ADDRESSES...',
    summary: 'Adds an IP range of addresses, blocks (10.0.0.0/8) and spans (10.0.0.1-10.0.0.9).',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [name, ...addresses] = invocation.args;
      const input = { name, addresses, ...settings(invocation) };
      const added = (await invocation.call('range.add', input)) as IpRange;
      invocation.answer(added, (range) => `Added the IP range ${range.name}.\n${showRange(range)}`);
      return EXIT.ok;
    },
  },
  {
    words: ['range', 'list'],
    usage: '',
    summary: 'Lists the IP ranges, the one that counts first on top.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const ranges = (await invocation.call('range.list', {})) as readonly IpRange[];
      invocation.answer(ranges, (list) => {
        const rows = list.map((range) => [
          range.name,
          String(range.priority),
          protocolsText(range),
          range.needsTls ? 'required' : 'optional',
          range.isTrusted ? 'yes' : 'no',
          range.submission,
          range.addresses.join(', '),
        ]);
        return formatTable(
          ['IP RANGE', 'PRIORITY', 'PROTOCOLS', 'TLS', 'TRUSTED', 'SUBMISSION', 'ADDRESSES'],
          rows,
          'No IP ranges.',
        );
      });
      return EXIT.ok;
    },
  },
  {
    words: ['range', 'show'],
    usage: 'NAME',
    summary: 'Shows an IP range and what its clients have submitted today.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const range = (await invocation.call('range.show', { name: invocation.args[0] })) as IpRangeDetails;
      invocation.answer(range, (shown) => showRange(shown, { 'Sent today': showSent(shown.sentToday) }));
      return EXIT.ok;
    },
  },
  {
    words: ['range', 'set'],
    usage: 'NAME [ADDRESSES...]',
    summary: 'Changes an IP range, for connections from now on; addresses given replace those it has.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [name, ...addresses] = invocation.args;
      const input = {
        name,
        ...given('addresses', addresses.length > 0 ? addresses : undefined),
        ...settings(invocation),
      };
      invocation.answer((await invocation.call('range.set', input)) as IpRange, (range) => showRange(range));
      return EXIT.ok;
    },
  },
  {
    words: ['range', 'remove'],
    usage: 'NAME',
    summary: 'Removes an IP range.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('range.remove', { name: invocation.args[0] });
      invocation.answer(
        { removed: invocation.args[0] },
        ({ removed }) => `Removed the IP range ${removed}.\n`,
      );
      return EXIT.ok;
    },
  },
  {
    words: ['range', 'test'],
    usage: 'ADDRESS',
    summary: 'Says which IP range counts for an address, and so what it may do.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const range = (await invocation.call('range.test', { address: invocation.args[0] })) as IpRange;
      invocation.answer(range, (found) => showRange(found));
      return EXIT.ok;
    },
  },
];

function settings(invocation: Invocation) {
  const tls = choiceOption(invocation, 'tls', ['required', 'optional']);
  const trusted = choiceOption(invocation, 'trusted', ['yes', 'no']);
  const submission = choiceOption(invocation, 'submission', ['login', 'trusted']);
  return {
    ...given('priority', priorityOption(invocation)),
    ...given('protocols', listOption(invocation, 'protocols')),
    ...given('isTrusted', trusted === undefined ? undefined : trusted === 'yes'),
    ...given('needsTls', tls === undefined ? undefined : tls === 'required'),
    ...given('submission', submission),
    ...given('settings', settingsOption(invocation, SETTING_OPTIONS)),
  };
}

function priorityOption(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'priority');
  if (text === undefined) return undefined;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new UsageError(`--priority: found "${text}"; allowed: a whole number from 0 to 1000`);
}

function showRange(range: IpRange, use: Readonly<Record<string, string>> = {}): string {
  return formatFields({
    'IP range': range.name,
    Addresses: range.addresses.join(', '),
    Priority: String(range.priority),
    Protocols: protocolsText(range),
    TLS: range.needsTls ? 'required' : 'optional',
    Trusted: range.isTrusted ? 'yes' : 'no',
    Submission: range.submission,
    ...range.settings,
    ...use,
  });
}

function protocolsText({ protocols }: IpRange): string {
  return protocols.length === 0 ? 'none' : protocols.join(', ');
}
