/**
 * The rows of docs/LIMITS.md for access tokens, and the table of refusals in docs/OAUTH.md.
 */

import { AADSTS_ROWS, OAUTH_ROWS } from '../src/exchange/tokens/tokenErrors.ts';
import type { LimitRow } from './limits.ts';

const TOKENS = 'exchange/tokens/limits.ts';
const PLACE = 'whatever comes in place of an answer is trouble that passes';
const RENEWED = 'a token is renewed five minutes before its end';
const PATIENT = 'trouble that passes is waited for within the call';
const GROWING = 'waits grow, and nobody asks within them';
const REFUSED = 'a refusal is asked for once, until something changes';
const REJECTED = 'a token that is rejected is renewed once for all';
const CERTIFICATE = 'an application shows its certificate, whatever our clock says';
const CLOCK = 'the wall clock changes nothing, and is told of when it is off';
const RARER = 'slow_down and trouble make the questions rarer';
const ONCE_A_SECOND = 'an endpoint that asks for no wait is asked once a second';
const FORGOTTEN = 'a login that is declined, forgotten or given up says so';
const IDLE = 'a login that nobody uses is warned of after 60 days';
const LATER = 'no token, and it is asked for later';

/** In the order in which a token meets them. */
export const TOKEN_LIMITS: readonly LimitRow[] = [
  row('REQUEST_DEADLINE_MS', LATER, 'silence ends at a deadline'),
  row('ANSWER_LIMIT_OCTETS', LATER, PLACE),
  row('TOKEN_LIMIT_CHARS', LATER, PLACE),
  row('RENEWAL_MS', 'none: a new token is asked for', RENEWED),
  row('LAST_USE_MS', 'the token is handed out no more', 'without a new token the old one is used to its end'),
  row('UNSAID_LIFETIME_MS', 'as if the answer said this', 'how long a token is good for is read as it comes'),
  row('LIFETIME_LIMIT_MS', 'as if it were this', 'how long a token is good for is read as it comes'),
  row('ATTEMPTS', LATER, PATIENT),
  row('PATIENCE_MS', LATER, PATIENT),
  row('FIRST_WAIT_MS', LATER, GROWING),
  row('WAIT_LIMIT_MS', 'as if it were this', GROWING),
  row('RETRY_AFTER_LIMIT_MS', 'as if it were this', 'without a new token the old one is used to its end'),
  row('REFUSAL_REST_MS', 'the same refusal', REFUSED),
  row('REJECTION_REST_MS', 'a refusal', REJECTED),
  row('REJECTED_MEMORY', 'the oldest is forgotten', REJECTED),
  row('SKEW_LIMIT_MS', 'a warning in the log', CLOCK),
  row('ASSERTION_LIFETIME_MS', 'none', CERTIFICATE),
  row('PEM_LIMIT_OCTETS', 'a refusal', CERTIFICATE),
  row('DEVICE_INTERVAL_MS', 'none', RARER),
  row('DEVICE_INTERVAL_MINIMUM_MS', 'none', ONCE_A_SECOND),
  row('SLOW_DOWN_MS', 'none', RARER),
  row('DEVICE_LIFETIME_LIMIT_MS', 'the login ends', FORGOTTEN),
  row('REFRESH_LIFETIME_MS', 'a warning', IDLE),
  row('REFRESH_IDLE_WARNING_MS', 'a warning', IDLE),
];

/** The table of docs/OAUTH.md. */
export function documentTokenErrors(): string {
  const lines = [...AADSTS_ROWS, ...OAUTH_ROWS].map(({ code, reason, advice, source }) => {
    const name = typeof code === 'number' ? `AADSTS${code}` : code;
    const filled = advice.replace(/\{(\w+)\}/g, (_, key: string) => PLACES[key] ?? key);
    return `| \`${name}\` | ${reason} | ${filled} | ${source} |`;
  });
  return [
    '',
    '| code | what it means | what to do | source |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

const PLACES: Readonly<Record<string, string>> = {
  relay: 'NAME',
  authority: 'AUTHORITY',
  tenant: 'TENANT',
  clientId: 'CLIENT-ID',
};

function row(name: string, answer: string, test: string): LimitRow {
  return { name, file: TOKENS, answer, test };
}
