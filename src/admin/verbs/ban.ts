/**
 * `hauspost ban list|remove|clear`: who may not log in for a while, after too many failures.
 */

import type { LoginBanReport } from '../../accounts/loginBans.ts';
import { formatTable } from '../table.ts';
import { EXIT, type Verb } from '../verb.ts';

/** The verbs about bans. */
export const BAN_VERBS: readonly Verb[] = [
  {
    words: ['ban', 'list'],
    usage: '',
    summary: 'Lists who may not log in for a while, after too many failed logins.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const bans = (await invocation.call('server.ban.list', {})) as readonly LoginBanReport[];
      invocation.answer(bans, (list) => {
        const rows = list.map((ban) => [
          ban.address,
          nameOf(ban),
          ban.protocol,
          String(ban.failures),
          new Date(ban.endsAt).toISOString(),
        ]);
        return formatTable(['ADDRESS', 'LOGIN NAME', 'PROTOCOL', 'FAILURES', 'UNTIL'], rows, 'No bans.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['ban', 'remove'],
    usage: 'ADDRESS|NAME',
    summary: 'Lifts the bans of an IP address, or of a login name from any address.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = { addressOrLoginName: invocation.args[0] };
      const lifted = (await invocation.call('server.ban.remove', input)) as readonly LoginBanReport[];
      invocation.answer(lifted, showLifted);
      return EXIT.ok;
    },
  },
  {
    words: ['ban', 'clear'],
    usage: '',
    summary: 'Lifts all bans.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const lifted = (await invocation.call('server.ban.clear', {})) as readonly LoginBanReport[];
      invocation.answer(lifted, showLifted);
      return EXIT.ok;
    },
  },
];

function showLifted(bans: readonly LoginBanReport[]): string {
  if (bans.length === 0) return 'No bans.\n';
  return bans.map((ban) => `Lifted the ban of ${nameOf(ban)} from ${ban.address}.\n`).join('');
}

function nameOf({ kind, loginName }: LoginBanReport): string {
  return kind === 'address' ? 'everybody' : loginName;
}
