/**
 * What a listener takes beyond the plain grammar, by its settings and its role: DSN and AUTH of MAIL on submission alone.
 */

import type { SmtpDialect } from '../wire/smtp/dialect.ts';
import type { SmtpSurroundings } from './context.ts';

/** The dialect of a listener's clients. */
export function dialectOf({ role, isLenient = false }: SmtpSurroundings): SmtpDialect {
  const isSubmission = role === 'submission';
  return { isLenient, hasDsn: isSubmission, hasAuth: isSubmission };
}
