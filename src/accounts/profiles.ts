/**
 * The ready profiles: what a server of the past was like to its clients, as far as old programs came to depend on it.
 *
 * A listener or an account names one. What a profile does not set is as the server has it. Capabilities that are not told work
 * all the same. Facts: hMailServer 5.6.9 (POP3Connection.cpp, IMAPCommandCapability.cpp, PersistentMessage.cpp), Exchange 2010
 * to 2019 (Set-PopSettings, MS-OXIMAP4 and captured sessions). docs/PROFILES.md is made from this table.
 */

import type { CompatibilityKeys } from './compatibilityKeys.ts';

/** The names of the profiles, as listeners and accounts have them. */
export const PROFILE_NAMES = ['default', 'hmailserver', 'exchange'] as const;

/** The name of a profile. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** A profile: what it sets, and all capabilities that are told, where it cuts them down. */
export interface Profile extends CompatibilityKeys {
  /** One sentence, for help and documentation. */
  readonly meaning: string;
  readonly 'imap.toldCapabilities'?: readonly string[];
  readonly 'pop3.toldCapabilities'?: readonly string[];
}

/** Every profile. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  default: {
    meaning: 'What is set for the whole server, for an account also where its listener has another profile.',
  },
  hmailserver: {
    meaning: 'For programs that were made or set up for hMailServer 5.',
    'imap.greeting': 'IMAPrev1', // its own spelling; clients look at OK alone
    'imap.delimiter': '.',
    'imap.toldCapabilities': [
      'STARTTLS',
      'IDLE',
      'QUOTA',
      'SORT',
      'NAMESPACE',
      'CHILDREN',
      // It had none of these. Without UIDPLUS Outlook made duplicates (its issue 345); the other two change nothing unasked.
      'UIDPLUS',
      'UNSELECT',
      'MOVE',
    ],
    'pop3.greeting': 'POP3',
    'pop3.marksSeen': false,
    // It locked the mailbox. Programs that poll twice at a time, or on two machines, count on the second being refused: with
    // shared sessions both fetch the same message and open two tickets for it.
    'pop3.sharing': 'exclusive',
    'pop3.toldCapabilities': ['USER', 'UIDL', 'TOP', 'STLS'],
  },
  exchange: {
    meaning: 'For programs that fetched from Exchange, on premises or online.',
    'imap.greeting': 'The Microsoft Exchange IMAP4 service is ready.',
    'imap.delimiter': '/',
    'imap.literals': 'plus',
    'imap.toldCapabilities': [
      'STARTTLS',
      'AUTH=PLAIN',
      'SASL-IR',
      'UIDPLUS',
      'MOVE',
      'ID',
      'UNSELECT',
      'CHILDREN',
      'IDLE',
      'NAMESPACE',
      'LITERAL+',
    ],
    'pop3.greeting': 'The Microsoft Exchange POP3 service is ready.',
    'pop3.marksSeen': true,
    'pop3.sharing': 'shared',
    'pop3.toldCapabilities': ['TOP', 'UIDL', 'SASL', 'USER', 'STLS'],
  },
};
