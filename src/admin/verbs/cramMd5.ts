/**
 * `hauspost cram-md5 set|remove`: who may log in by CRAM-MD5.
 */

import type { SecretReport } from '../operations.ts';
import { EXIT, type Verb } from '../verb.ts';
import { given, passwordOption } from './read.ts';

/** The verbs about secrets for CRAM-MD5. */
export const CRAM_MD5_VERBS: readonly Verb[] = [
  {
    words: ['cram-md5', 'set'],
    usage: 'ADDRESS',
    summary:
      'Gives an account a secret for CRAM-MD5, sealed and recoverable, for devices that know nothing else.',
    options: { 'password-stdin': { type: 'boolean' }, 'password-file': { type: 'string' } },
    optionHelp: {
      'password-stdin':
        'Reads the secret from standard input; without either one is generated and shown once.',
      'password-file': 'Reads the secret from the first line of a file.',
    },
    run: async (invocation) => {
      const password = await passwordOption(invocation);
      const input = { address: invocation.args[0], ...given('password', password) };
      invocation.answer(
        (await invocation.call('account.cramMd5.set', input)) as SecretReport,
        ({ address, generatedPassword }) =>
          [
            `${address} can log in by CRAM-MD5 on submission listeners.`,
            ...(generatedPassword === undefined
              ? []
              : [`Its secret is ${generatedPassword} (it is not shown again).`]),
            '',
          ].join('\n'),
      );
      return EXIT.ok;
    },
  },
  {
    words: ['cram-md5', 'remove'],
    usage: 'ADDRESS',
    summary: 'Takes the secret for CRAM-MD5 away.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      invocation.answer(
        (await invocation.call('account.cramMd5.remove', { address: invocation.args[0] })) as SecretReport,
        ({ address }) => `${address} cannot log in by CRAM-MD5 any more.\n`,
      );
      return EXIT.ok;
    },
  },
];
