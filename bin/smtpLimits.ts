/**
 * The rows of docs/LIMITS.md for SMTP: every named limit of a session with what is answered, its setting and its test.
 */

import type { LimitRow } from './limits.ts';

const SMTPD = 'smtpd/limits.ts';
const ERRORS = 'errors and commands that lead nowhere';

/** In the order in which a session meets them. */
export const SMTP_LIMITS: readonly LimitRow[] = [
  {
    name: 'COMMAND_LINE_LIMIT_OCTETS',
    file: SMTPD,
    answer: '`500 5.5.2`, then `421 4.7.0` and the end',
    test: 'a line without an end is refused for good',
  },
  {
    name: 'LOGIN_LINE_LIMIT_OCTETS',
    file: SMTPD,
    answer: '`500 5.5.6` for an answer beyond 12,288; beyond this `500 5.5.2`, then `421 4.7.0` and the end',
    test: 'a line that is too long for its command',
  },
  {
    name: 'COMMAND_DEADLINE_MS',
    file: SMTPD,
    answer: '`421 4.4.2` and the end',
    test: 'dribbling does not extend the time for a command',
  },
  {
    name: 'PROGRESS_DEADLINE_MS',
    file: SMTPD,
    answer: '`421 4.4.2` and the end',
    test: 'commands alone do not hold a session',
  },
  {
    name: 'SESSION_DEADLINE_MS',
    file: SMTPD,
    answer: '`421 4.4.2` and the end',
    test: 'no session lasts longer than six hours',
  },
  {
    name: 'HANDLER_DEADLINE_MS',
    file: SMTPD,
    answer: '`451 4.3.0`',
    test: 'a fault of ours is a 4yz',
  },
  {
    name: 'LOGIN_DEADLINE_MS',
    file: SMTPD,
    answer: '`451 4.4.2`',
    test: 'a login that takes too long',
  },
  {
    name: 'ERROR_LIMIT',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: ERRORS,
  },
  {
    name: 'JUNK_COMMAND_LIMIT',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: ERRORS,
  },
  {
    name: 'COMMAND_LIMIT',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: 'transactions that come to nothing end a session',
  },
  {
    name: 'FAILED_LOGIN_LIMIT',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: 'failed logins are counted over all messages',
  },
  {
    name: 'PATH_LIMIT_OCTETS',
    file: 'wire/smtp/path.ts',
    answer: '`501 5.1.7` or `501 5.1.3`',
    test: 'what is no path is told where it ends',
  },
  {
    name: 'smtp.recipientLimit',
    answer: '`452 4.5.3` for each one beyond; the others get the message',
    test: 'more recipients than the limit are answered 452',
  },
  {
    name: 'REFUSED_RECIPIENT_LIMIT',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: 'refused recipients do not cut off a message',
  },
  {
    name: 'smtp.sizeLimitOctets',
    answer: '`552 5.3.4`, at MAIL where the size is declared',
    test: 'a message beyond the size is read to its end',
  },
  {
    name: 'DATA_GRACE_MS',
    file: SMTPD,
    answer: '`421 4.4.2` and the end; nothing is stored',
    test: 'data that dribbles is cut off and stores nothing',
  },
  {
    name: 'DATA_RATE_OCTETS_PER_SECOND',
    file: SMTPD,
    answer: '`421 4.4.2` and the end; nothing is stored',
    test: 'data that dribbles is cut off and stores nothing',
  },
  {
    name: 'FREE_CHUNKS',
    file: SMTPD,
    answer:
      'the reply, then `421 4.7.0` and the end, where chunks are smaller on average than the next row says',
    test: 'empty and tiny chunks without number',
  },
  {
    name: 'CHUNK_AVERAGE_OCTETS',
    file: SMTPD,
    answer: 'the reply, then `421 4.7.0` and the end',
    test: 'empty and tiny chunks without number',
  },
  {
    name: 'ACCEPT_DEADLINE_MS',
    file: SMTPD,
    answer: '`451 4.4.2`',
    test: 'a message that nobody decides about',
  },
  {
    name: 'PLACE_KEPT_MS',
    file: SMTPD,
    answer: '`421` and the end where the listener is full',
    test: 'who has had a message accepted keeps the place',
  },
  {
    name: 'LINGER_MS',
    file: SMTPD,
    answer: 'the end',
    test: 'a client that does not close after QUIT is closed',
  },
];
