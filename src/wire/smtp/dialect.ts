/**
 * What a listener takes beyond the plain grammar of MAIL and RCPT: writing of old clients, and parameters of extensions that not
 * every listener offers.
 */

/** All of it is off where nothing is said. */
export interface SmtpDialect {
  /**
   * Takes what many old devices and applications write: blanks behind the colon and inside the brackets, and no brackets at all
   * (RFC 5321 section 3.3 has neither).
   */
  readonly isLenient?: boolean;
  /** RET, ENVID, NOTIFY and ORCPT (RFC 3461). */
  readonly hasDsn?: boolean;
  /** AUTH of MAIL (RFC 4954 section 5). */
  readonly hasAuth?: boolean;
}
