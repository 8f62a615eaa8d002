/**
 * The rows of docs/LIMITS.md for POP3: every named limit of a session with what is answered, its setting and its test.
 */

import type { LimitRow } from './limits.ts';

const POP3D = 'pop3d/limits.ts';
const COMMAND = 'wire/pop3/command.ts';
const LINES = 'lines may have 255 octets';
const TOO_LONG = '`-ERR`, and the line is dropped';

/** In the order in which a session meets them. */
export const POP3_LIMITS: readonly LimitRow[] = [
  {
    name: 'LOGIN_TIMEOUT_MS',
    file: POP3D,
    answer: '`-ERR [SYS/TEMP]` and the end',
    test: 'a minute of silence before login',
  },
  {
    name: 'LOGIN_DEADLINE_MS',
    file: POP3D,
    answer: '`-ERR [SYS/TEMP]` and the end',
    test: 'five minutes are all the time',
  },
  { name: 'COMMAND_LINE_LIMIT_OCTETS', file: COMMAND, answer: TOO_LONG, test: LINES },
  { name: 'UTF8_COMMAND_LINE_LIMIT_OCTETS', file: COMMAND, answer: TOO_LONG, test: LINES },
  { name: 'CREDENTIAL_LINE_LIMIT_OCTETS', file: COMMAND, answer: TOO_LONG, test: LINES },
  {
    name: 'FAILED_LOGIN_LIMIT',
    file: POP3D,
    answer: '`-ERR [AUTH]` and the end',
    test: 'junk, overlong lines and guessed passwords',
  },
  {
    name: 'REFUSED_COMMAND_LIMIT',
    file: POP3D,
    answer: '`-ERR` and the end',
    test: 'an unknown command is -ERR; twenty refused ones',
  },
  {
    name: 'IDLE_TIMEOUT_MS',
    file: POP3D,
    answer: '`-ERR [SYS/TEMP]` and the end; nothing is deleted',
    setting: 'pop3.idleTimeoutSeconds',
    test: 'ten silent minutes end a session',
  },
  {
    name: 'TAKEOVER_SILENCE_MS',
    file: POP3D,
    answer: 'the end of the silent session; nothing is deleted',
    test: 'a holder that has been silent for two minutes',
  },
  {
    name: 'LOGIN_DELAY_ENTRY_LIMIT',
    file: POP3D,
    answer: 'one login may come too early',
    test: 'delays between logins are counted',
  },
];
