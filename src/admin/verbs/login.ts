/**
 * `hauspost login test`.
 */

import type { LoginReport } from '../../accounts/administerLogins.ts';
import type { LoginReading } from '../../accounts/findByLoginName.ts';
import { formatFields } from '../table.ts';
import { EXIT, type Verb } from '../verb.ts';

/** The verbs about logins. */
export const LOGIN_VERBS: readonly Verb[] = [
  {
    words: ['login', 'test'],
    usage: 'NAME',
    summary: 'Says which account a login name means, and why. It asks no password and counts as no login.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const report = (await invocation.call('login.test', { name: invocation.args[0] })) as LoginReport;
      invocation.answer(report, showLogin);
      return report.account === null ? EXIT.failed : EXIT.ok;
    },
  },
];

const READINGS: Readonly<Record<LoginReading, string>> = {
  address: 'its address',
  loginName: 'one of its extra login names',
  wildcard: 'one of its extra login names, with any domain',
  namedDomain: 'a user of the domain that the name has in front',
  defaultDomain: 'a user of the default domain',
  addressAtItsEnd: 'the address at the end of the name',
};

function showLogin({ name, account, reading, loginName, form, isEnabled }: LoginReport): string {
  const shown = { 'Login name': name, Form: form ?? 'none; it can only be an extra login name as it is' };
  if (account === null || reading === null) return formatFields({ ...shown, Account: 'nobody' });
  return formatFields({
    ...shown,
    Account: account,
    'Found by': loginName === null ? READINGS[reading] : `${READINGS[reading]}: ${loginName}`,
    State: isEnabled === true ? 'enabled' : 'disabled, so that it cannot log in',
  });
}
