/**
 * `hauspost profile list|show`: neither needs a server or a store.
 */

import { PROFILE_NAMES, PROFILES } from '../../accounts/profiles.ts';
import { profileFields } from '../compatibilityTable.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, UsageError, type Verb } from '../verb.ts';

/** The verbs about profiles. */
export const PROFILE_VERBS: readonly Verb[] = [
  {
    words: ['profile', 'list'],
    usage: '',
    summary:
      'Lists the profiles that listeners and accounts can have, for programs that are used to other servers.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const profiles = PROFILE_NAMES.map((name) => ({ name, meaning: PROFILES[name].meaning }));
      invocation.answer(profiles, (list) => {
        const rows = list.map(({ name, meaning }) => [name, meaning]);
        return formatTable(['PROFILE', 'MEANING'], rows, 'No profiles.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['profile', 'show'],
    usage: 'NAME',
    summary: 'Shows what a profile sets; greetings, and what is told before login, are for listeners alone.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const name = PROFILE_NAMES.find((candidate) => candidate === invocation.args[0]);
      if (name === undefined) throw new UsageError(`the profiles are ${PROFILE_NAMES.join(', ')}`);
      invocation.answer({ name, meaning: PROFILES[name].meaning, ...profileFields(name) }, formatFields);
      return EXIT.ok;
    },
  },
];
