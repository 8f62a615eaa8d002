/**
 * MailError, the one kind of error that leaves a room, and its table of codes.
 *
 * The table says for each code what every protocol answers: SMTP reply and enhanced status (RFC 5321 section 4.2, RFC 3463),
 * IMAP condition and response code (RFC 3501 section 7.1, RFC 5530), POP3 response code (RFC 2449 section 8, RFC 3206).
 * SYS/TEMP and SYS/PERM are for faults of the server alone, the one for what passes, the other for what a person must mend
 * (RFC 3206 section 4): a client keeps its password and does not ask its user. Public text never shows paths, SQL, configuration or whether an account exists. Expected outcomes are values, not errors;
 * grammar violations are WireError and are answered by the session as a syntax error.
 */

/** What each protocol says for one code. */
export interface MailErrorReply {
  /** Whether a client that tries again later may succeed. */
  readonly isTemporary: boolean;
  /** One sentence for the other side, without CR or LF. */
  readonly publicText: string;
  readonly smtp: { readonly code: number; readonly status: string };
  readonly imap: { readonly condition: 'NO' | 'BAD'; readonly code: string | undefined };
  readonly pop3: { readonly code: string | undefined };
}

function reply(
  isTemporary: boolean,
  publicText: string,
  smtp: readonly [code: number, status: string],
  imap: readonly [condition: 'NO' | 'BAD', code?: string],
  pop3?: string,
): MailErrorReply {
  return {
    isTemporary,
    publicText,
    smtp: { code: smtp[0], status: smtp[1] },
    imap: { condition: imap[0], code: imap[1] },
    pop3: { code: pop3 },
  };
}

/** Every code that a MailError can carry, with what each protocol answers. Held against docs/ERRORS.md by a test. */
export const MAIL_ERRORS = {
  internal: reply(
    true,
    'Temporary server error, please try again later',
    [451, '4.3.0'],
    ['NO', 'SERVERBUG'],
    'SYS/TEMP',
  ),
  storeUnavailable: reply(
    true,
    'The message store is not available, please try again later',
    [451, '4.3.0'],
    ['NO', 'UNAVAILABLE'],
    'SYS/TEMP',
  ),
  diskFull: reply(
    true,
    'Insufficient system storage, please try again later',
    [452, '4.3.1'],
    ['NO', 'UNAVAILABLE'],
    'SYS/TEMP',
  ),
  contentCorrupt: reply(
    false,
    'This message cannot be read: its stored copy is damaged',
    [554, '5.3.0'],
    ['NO', 'CORRUPTION'],
    'SYS/PERM',
  ),
  contentGone: reply(
    false,
    'This message has been expunged',
    [554, '5.3.0'],
    ['NO', 'EXPUNGEISSUED'],
    undefined,
  ),
  shuttingDown: reply(
    true,
    'The server is shutting down, please try again later',
    [421, '4.3.2'],
    ['NO', 'UNAVAILABLE'],
    'SYS/TEMP',
  ),
  tooBusy: reply(
    true,
    'Too many connections, please try again later',
    [421, '4.3.2'],
    ['NO', 'LIMIT'],
    'SYS/TEMP',
  ),
  deadlineExceeded: reply(
    true,
    'The operation took too long, please try again later',
    [451, '4.4.2'],
    ['NO', 'UNAVAILABLE'],
    'SYS/TEMP',
  ),
  connectionLost: reply(true, 'The connection was lost', [421, '4.4.2'], ['NO', 'UNAVAILABLE'], 'SYS/TEMP'),
  overQuota: reply(true, 'The mailbox is over its quota', [452, '4.2.2'], ['NO', 'OVERQUOTA'], 'SYS/TEMP'),
  messageTooLarge: reply(
    false,
    'The message is larger than this server accepts',
    [552, '5.3.4'],
    ['NO', 'TOOBIG'],
    undefined,
  ),
  bareLineEnd: reply(
    false,
    'The message has a CR or LF that is not part of CRLF',
    [550, '5.6.0'],
    ['NO'],
    undefined,
  ),
  unknownEncoding: reply(
    false,
    'The content transfer encoding of this part is not known here',
    [554, '5.6.1'],
    ['NO', 'UNKNOWN-CTE'],
    undefined,
  ),
  recipientUnknown: reply(false, 'No such recipient here', [550, '5.1.1'], ['NO'], undefined),
  recipientDisabled: reply(
    false,
    'The recipient is disabled and does not accept messages',
    [550, '5.2.1'],
    ['NO'],
    undefined,
  ),
  senderRefused: reply(
    false,
    'This sender address may not be used here',
    [550, '5.7.1'],
    ['NO', 'NOPERM'],
    undefined,
  ),
  tooManyRecipients: reply(
    true,
    'The message has too many recipients',
    [452, '4.5.3'],
    ['NO', 'LIMIT'],
    undefined,
  ),
  sendingLimit: reply(
    true,
    'The limit on what may be sent is reached, please try again later',
    [452, '4.7.1'],
    ['NO', 'LIMIT'],
    undefined,
  ),
  policyRefused: reply(
    false,
    'Refused by a policy of this server',
    [550, '5.7.1'],
    ['NO', 'NOPERM'],
    undefined,
  ),
  tlsRequired: reply(
    false,
    'Must issue a STARTTLS command first',
    [530, '5.7.0'],
    ['NO', 'PRIVACYREQUIRED'],
    undefined,
  ),
  certificateUnproved: reply(
    true,
    'The client certificate cannot be checked, please try again later',
    [451, '4.7.5'],
    ['NO', 'UNAVAILABLE'],
    undefined,
  ),
  signatureRequired: reply(
    false,
    'A DKIM signature that passes is required here',
    [550, '5.7.20'],
    ['NO', 'NOPERM'],
    undefined,
  ),
  dnsUnavailable: reply(
    true,
    'The DNS does not answer, please try again later',
    [451, '4.4.3'],
    ['NO', 'UNAVAILABLE'],
    undefined,
  ),
  addressBarred: reply(false, 'Your address may not use this service', [554, '5.7.1'], ['NO', 'NOPERM']),
  relayingDenied: reply(false, 'Relaying denied', [550, '5.7.1'], ['NO'], undefined),
  mailLoop: reply(false, 'Too many hops: this message is in a mail loop', [554, '5.4.6'], ['NO'], undefined),
  authenticationFailed: reply(
    false,
    'Authentication failed',
    [535, '5.7.8'],
    ['NO', 'AUTHENTICATIONFAILED'],
    'AUTH',
  ),
  maildropInUse: reply(true, 'Another session has the maildrop', [450, '4.2.0'], ['NO', 'INUSE'], 'IN-USE'),
  loginTooSoon: reply(
    true,
    'The last login was too short a time ago, please try again later',
    [454, '4.7.0'],
    ['NO', 'LIMIT'],
    'LOGIN-DELAY',
  ),
  loginThrottled: reply(
    true,
    'Too many failed logins, please try again later',
    [454, '4.7.0'],
    ['NO', 'UNAVAILABLE'],
    'SYS/TEMP',
  ),
  privacyRequired: reply(false, 'Logging in needs TLS first', [538, '5.7.11'], ['NO', 'PRIVACYREQUIRED']),
  mailboxMissing: reply(false, 'No such mailbox', [550, '5.2.0'], ['NO', 'NONEXISTENT'], undefined),
  mailboxExists: reply(
    false,
    'A mailbox of this name exists already',
    [550, '5.2.0'],
    ['NO', 'ALREADYEXISTS'],
    undefined,
  ),
  mailboxHasChildren: reply(
    false,
    'The mailbox has child mailboxes',
    [550, '5.2.0'],
    ['NO', 'HASCHILDREN'],
    undefined,
  ),
  cannot: reply(false, 'This cannot be done', [550, '5.3.0'], ['NO', 'CANNOT'], undefined),
  limit: reply(false, 'A limit of this server has been reached', [550, '5.3.0'], ['NO', 'LIMIT'], undefined),
  conflict: reply(
    false,
    'An entry of this name exists already',
    [550, '5.3.0'],
    ['NO', 'ALREADYEXISTS'],
    undefined,
  ),
  notFound: reply(false, 'No such entry', [550, '5.3.0'], ['NO', 'NONEXISTENT'], undefined),
  invalid: reply(false, 'A value is not allowed here', [501, '5.5.4'], ['NO', 'CANNOT'], undefined),
} as const satisfies Record<string, MailErrorReply>;

/** A key of MAIL_ERRORS. */
export type MailErrorCode = keyof typeof MAIL_ERRORS;

/** What a MailError may have beside its code. */
export interface MailErrorOptions {
  readonly cause?: unknown;
  /** One sentence for the other side in place of the table's; what is no printable ASCII in it is shown as `?`. */
  readonly publicText?: string;
}

/** An error with a known answer in every protocol. `message` is for the log and the administrator, never for the other side. */
export class MailError extends Error {
  readonly code: MailErrorCode;
  readonly #publicText: string | undefined;

  constructor(code: MailErrorCode, message?: string, options: MailErrorOptions = {}) {
    const { cause, publicText } = options;
    super(message ?? publicText ?? MAIL_ERRORS[code].publicText, cause === undefined ? undefined : { cause });
    this.name = 'MailError';
    this.code = code;
    this.#publicText = publicText?.replace(/[^\x20-\x7e]/g, '?');
  }

  /** What each protocol says. */
  get reply(): MailErrorReply {
    const reply: MailErrorReply = MAIL_ERRORS[this.code];
    return this.#publicText === undefined ? reply : { ...reply, publicText: this.#publicText };
  }
}

/** `error` itself when it is a MailError, else `internal` with it as the cause: unknown errors count as temporary. */
export function asMailError(error: unknown): MailError {
  if (error instanceof MailError) return error;
  return new MailError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}

/** Bytes from outside that break a grammar. `offset` counts octets in the unit parsed; `expected` names the ABNF rule or token. */
export class WireError extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string) {
    super(`expected ${expected} at octet ${offset}`);
    this.name = 'WireError';
    this.offset = offset;
    this.expected = expected;
  }
}

/** The table of docs/ERRORS.md in Markdown; a test holds the file against it. */
export function documentErrors(): string {
  const rows = Object.entries(MAIL_ERRORS).map(([code, { isTemporary, publicText, smtp, imap, pop3 }]) => {
    const imapText = imap.code === undefined ? imap.condition : `${imap.condition} [${imap.code}]`;
    const pop3Text = pop3.code === undefined ? '-ERR' : `-ERR [${pop3.code}]`;
    const kind = isTemporary ? 'temporary' : 'permanent';
    return `| \`${code}\` | ${kind} | ${smtp.code} ${smtp.status} | ${imapText} | ${pop3Text} | ${publicText} |`;
  });
  return [
    '| code | kind | SMTP | IMAP | POP3 | text |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
