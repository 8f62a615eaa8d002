/**
 * The SASL mechanisms that there are: offered by IMAP (AUTH=), POP3 (SASL) and SMTP (AUTH), each under its own conditions.
 *
 * RFC 4422 section 3.1: mechanism names. Both send the password as it is, so sessions offer them under TLS or by setting only.
 */

import type { SaslExchange } from './exchange.ts';
import { createLogin } from './login.ts';
import { createPlain } from './plain.ts';

/** The mechanisms that there are, in the order of preference in which they are offered. */
export const SASL_MECHANISMS = ['PLAIN', 'LOGIN'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** The mechanism called `name`, in any case; undefined where there is none. */
export function findMechanism(name: string): SaslMechanism | undefined {
  const upper = name.toUpperCase();
  return SASL_MECHANISMS.find((mechanism) => mechanism === upper);
}

/** A machine for one exchange. */
export function createExchange(mechanism: SaslMechanism): SaslExchange {
  switch (mechanism) {
    case 'PLAIN':
      return createPlain();
    case 'LOGIN':
      return createLogin();
  }
}
