/**
 * `hauspost forward add|list|show|set|remove`: where accounts forward their mail.
 */

import type { ForwardReport } from '../../accounts/administerForwards.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, type Verb } from '../verb.ts';
import { choiceOption, enabledOption, given } from './read.ts';

const OPTIONS = {
  'keep-copy': { type: 'string' },
  enable: { type: 'boolean' },
  disable: { type: 'boolean' },
} as const;

const OPTION_HELP = {
  'keep-copy': 'yes or no: whether the account keeps a copy; yes for a new forward.',
  enable: 'Mail is forwarded.',
  disable: 'Mail stays with the account.',
};

/** The verbs about forwards. */
export const FORWARD_VERBS: readonly Verb[] = [
  {
    words: ['forward', 'add'],
    usage: 'ACCOUNT TARGET...',
    summary: 'Forwards the mail of an account to one or more addresses, here or elsewhere.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [account, ...targets] = invocation.args;
      const input = { account, targets, ...settings(invocation) };
      const added = (await invocation.call('forward.add', input)) as ForwardReport;
      invocation.answer(added, showForward);
      return EXIT.ok;
    },
  },
  {
    words: ['forward', 'list'],
    usage: '[DOMAIN]',
    summary: 'Lists the forwards, of one domain or of all.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = given('domain', invocation.args[0]);
      const forwards = (await invocation.call('forward.list', input)) as readonly ForwardReport[];
      invocation.answer(forwards, (list) => {
        const rows = list.map((forward) => [
          forward.account,
          forward.isEnabled ? 'enabled' : 'disabled',
          forward.keepsCopy ? 'kept' : 'none',
          forward.targets.join(', '),
        ]);
        return formatTable(['ACCOUNT', 'STATE', 'COPY', 'TARGETS'], rows, 'No forwards.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['forward', 'show'],
    usage: 'ACCOUNT',
    summary: 'Shows where an account forwards its mail.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = { account: invocation.args[0] };
      invocation.answer((await invocation.call('forward.show', input)) as ForwardReport, showForward);
      return EXIT.ok;
    },
  },
  {
    words: ['forward', 'set'],
    usage: 'ACCOUNT [TARGET...]',
    summary: 'Changes a forward; targets given replace those it has.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [account, ...targets] = invocation.args;
      const input = {
        account,
        ...given('targets', targets.length > 0 ? targets : undefined),
        ...settings(invocation),
      };
      invocation.answer((await invocation.call('forward.set', input)) as ForwardReport, showForward);
      return EXIT.ok;
    },
  },
  {
    words: ['forward', 'remove'],
    usage: 'ACCOUNT',
    summary: 'Ends the forwarding of an account; its mail stays with it from now on.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('forward.remove', { account: invocation.args[0] });
      invocation.answer(
        { removed: invocation.args[0] },
        ({ removed }) => `Removed the forward of ${removed}.\n`,
      );
      return EXIT.ok;
    },
  },
];

function settings(invocation: Invocation) {
  const keepCopy = choiceOption(invocation, 'keep-copy', ['yes', 'no']);
  return {
    ...given('keepsCopy', keepCopy === undefined ? undefined : keepCopy === 'yes'),
    ...given('isEnabled', enabledOption(invocation)),
  };
}

function showForward(forward: ForwardReport): string {
  const { danglingTargets } = forward;
  return formatFields({
    Account: forward.account,
    State: forward.isEnabled ? 'enabled' : 'disabled',
    'Forwards to': forward.targets.join(', '),
    Copy: forward.keepsCopy ? 'kept' : 'none',
  }).concat(
    danglingTargets.length === 0
      ? ''
      : `Nobody receives mail for ${danglingTargets.join(', ')} at present.\n`,
  );
}
