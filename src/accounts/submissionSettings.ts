/**
 * What can be set of submission for a single account or IP range: who may be the sender, and how much may be sent. The server's
 * own values stand in the configuration (section `submission`); what is set here goes before them.
 *
 * Sender patterns are written in one form: `own`, `local`, `*`, an address, a domain, `*.domain`. What they mean is for
 * transfer's sender policy to say.
 */

import { GIB, KIB } from '../base/units.ts';
import { parseAddress, parseDomain } from './address.ts';
import { parseNumber, setting } from './settingForm.ts';

/** Patterns of one account or range. */
export const SENDER_PATTERNS_LIMIT = 100;
/** Recipients of one message: what smtp.recipientLimit may be at most. */
export const SUBMISSION_RECIPIENTS_MAX = 10_000;
/** Recipients a day. */
export const SUBMISSION_RECIPIENTS_PER_DAY_MAX = 100_000_000;
/** Messages a minute: their times are kept, some 8 octets each. */
export const SUBMISSION_MESSAGES_PER_MINUTE_MAX = 10_000;

const SENDERS_ALLOWED = 'addresses, domains, *.domain, own, local or *, comma-separated (docs/SUBMISSION.md)';

/** The closed list, of accounts and of IP ranges. */
export const SUBMISSION_SETTINGS = {
  'submission.senders': setting<readonly string[]>({
    meaning:
      'Senders (MAIL FROM and From) that it may use, comma-separated: addresses, domains, *.domain for those below one; own: addresses whose mail comes to the account alone; local: every address of our domains; * for all. Without it an account has own and an IP range local.',
    allowed: () => SENDERS_ALLOWED,
    parse: parseSenders,
    format: (patterns) => patterns.join(','),
  }),
  'submission.rewriteSender': setting<string>({
    meaning:
      'Address that takes the place of a sender (MAIL FROM or From) that it may not use, which is refused without it: for devices that cannot be configured.',
    allowed: () => 'an address',
    parse(text) {
      const parsed = parseAddress(text);
      return parsed.kind === 'address' ? parsed.address : undefined;
    },
    format: (address) => address,
  }),
  'submission.recipientLimit': setting<number>({
    meaning: 'Recipients of one message that it submits, in place of submission.recipientLimit.',
    allowed: () => `a whole number from 1 to ${SUBMISSION_RECIPIENTS_MAX}`,
    parse: (text) => parseNumber(text, 1, SUBMISSION_RECIPIENTS_MAX),
    format: String,
  }),
  'submission.recipientsPerDayLimit': setting<number>({
    meaning:
      'Recipients of all messages that it submits in a day, in place of submission.recipientsPerDayLimit; 0 for no limit.',
    allowed: () => `a whole number from 0 to ${SUBMISSION_RECIPIENTS_PER_DAY_MAX}`,
    parse: (text) => parseNumber(text, 0, SUBMISSION_RECIPIENTS_PER_DAY_MAX),
    format: String,
  }),
  'submission.messagesPerMinuteLimit': setting<number>({
    meaning:
      'Messages that it submits within a minute, in place of submission.messagesPerMinuteLimit; 0 for no limit.',
    allowed: () => `a whole number from 0 to ${SUBMISSION_MESSAGES_PER_MINUTE_MAX}`,
    parse: (text) => parseNumber(text, 0, SUBMISSION_MESSAGES_PER_MINUTE_MAX),
    format: String,
  }),
  'submission.sizeLimitOctets': setting<number>({
    meaning: 'Octets of the largest message that it submits; smtp.sizeLimitOctets is the limit of all.',
    allowed: () => `a whole number from ${KIB} to ${GIB}`,
    parse: (text) => parseNumber(text, KIB, GIB),
    format: String,
  }),
} as const;

/** Patterns in their one form, each once; undefined where one is none, or none is there. */
function parseSenders(text: string): readonly string[] | undefined {
  const patterns = text.split(',').map(parsePattern);
  const known = new Set(patterns.filter((pattern) => pattern !== undefined));
  if (known.size === 0 || known.size > SENDER_PATTERNS_LIMIT || patterns.includes(undefined))
    return undefined;
  return [...known];
}

function parsePattern(text: string): string | undefined {
  const pattern = text.trim();
  const word = pattern.toLowerCase();
  if (word === 'own' || word === 'local' || word === '*') return word;
  if (pattern.startsWith('*.')) {
    const below = domainOf(pattern.slice(2));
    return below === undefined ? undefined : `*.${below}`;
  }
  if (!pattern.includes('@')) return domainOf(pattern);
  const parsed = parseAddress(pattern);
  return parsed.kind === 'address' ? parsed.address : undefined;
}

function domainOf(text: string): string | undefined {
  const parsed = parseDomain(text);
  return parsed.kind === 'domain' ? parsed.domain : undefined;
}
