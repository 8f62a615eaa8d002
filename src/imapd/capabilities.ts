/**
 * Which capabilities a client is told (RFC 3501 sections 6.1.1 and 7.2.1).
 *
 * Extensions are told before login as well: Python's imaplib and others ask once, at the beginning. What concerns logging in
 * is told only while it can be done.
 */

import { SASL_MECHANISMS } from '../wire/sasl/mechanism.ts';
import { isTold, type ToldCapabilities } from '../accounts/compatibility.ts';
import type { LiteralForm } from '../accounts/compatibilityKeys.ts';

/** What the list depends on. */
export interface CapabilitySituation {
  readonly isLoggedIn: boolean;
  readonly mayStartTls: boolean;
  readonly needsPrivacy: boolean;
  readonly literals: LiteralForm;
  /** Largest message that APPEND takes. */
  readonly appendLimitOctets: number;
  /** Whether compression is allowed and not on yet. */
  readonly mayCompress: boolean;
  readonly chosen: ToldCapabilities;
}

const EXTENSIONS = [
  'ID', // RFC 2971
  'ENABLE', // RFC 5161
  'CONDSTORE', // RFC 7162
  'QRESYNC', // RFC 7162
  'IDLE', // RFC 2177
  'NAMESPACE', // RFC 2342
  'CHILDREN', // RFC 3348
  'MULTIAPPEND', // RFC 3502
  'BINARY', // RFC 3516
  'UIDPLUS', // RFC 4315
  'UNSELECT', // RFC 3691
  'MOVE', // RFC 6851
  'SPECIAL-USE', // RFC 6154
  'CREATE-SPECIAL-USE', // RFC 6154
  'LIST-EXTENDED', // RFC 5258
  'LIST-STATUS', // RFC 5819
  'STATUS=SIZE', // RFC 8438
  'OBJECTID', // RFC 8474
  'SAVEDATE', // RFC 8514
  'ESEARCH', // RFC 4731
  'SEARCHRES', // RFC 5182
  'WITHIN', // RFC 5032
  'PREVIEW', // RFC 8970
  'QUOTA', // RFC 9208; quotas are read only: no QUOTASET
  'QUOTA=RES-STORAGE', // RFC 9208 section 5.1; there is no limit on the number of messages
  'SORT', // RFC 5256
  'SORT=DISPLAY', // RFC 5957
  'ESORT', // RFC 5267
  'THREAD=ORDEREDSUBJECT', // RFC 5256
  'THREAD=REFERENCES', // RFC 5256
];

/** Told whatever is hidden: a client that is not told so sends its password in the clear (RFC 3501 section 6.2.3). */
const LOGINDISABLED = 'LOGINDISABLED';

/** RFC 7888 section 5: one of them, never both. */
const LITERALS: Readonly<Record<LiteralForm, string>> = { plus: 'LITERAL+', minus: 'LITERAL-' };

/** Capabilities that accounts can have hidden: whatever is told after login but IMAP4rev1 itself. */
export const ACCOUNT_CAPABILITIES: readonly string[] = [
  ...Object.values(LITERALS),
  ...EXTENSIONS,
  'APPENDLIMIT',
  'COMPRESS=DEFLATE',
];

/** Capabilities that listeners can have hidden: those before login, too, but LOGINDISABLED. */
export const LISTENER_CAPABILITIES: readonly string[] = [
  ...loginCapabilities(true, false),
  ...ACCOUNT_CAPABILITIES,
];

/** The list, IMAP4rev1 first. */
export function capabilityList({
  isLoggedIn,
  mayStartTls,
  needsPrivacy,
  literals,
  appendLimitOctets,
  mayCompress,
  chosen,
}: CapabilitySituation): readonly string[] {
  const login = isLoggedIn ? [] : loginCapabilities(mayStartTls, needsPrivacy);
  const appendLimit = `APPENDLIMIT=${appendLimitOctets}`; // RFC 7889 section 2
  const compression = isLoggedIn && mayCompress ? ['COMPRESS=DEFLATE'] : []; // RFC 4978
  const offered = [...login, LITERALS[literals], ...EXTENSIONS, appendLimit, ...compression];
  const isForThem = (capability: string) => capability === LOGINDISABLED || isTold(chosen, capability);
  return ['IMAP4rev1', ...offered.filter(isForThem)];
}

/** RFC 3501 section 6.2.3: LOGINDISABLED where LOGIN would be refused; RFC 4959: SASL-IR. */
function loginCapabilities(mayStartTls: boolean, needsPrivacy: boolean): readonly string[] {
  const startTls = mayStartTls ? ['STARTTLS'] : [];
  if (needsPrivacy) return [...startTls, LOGINDISABLED];
  return [...startTls, 'SASL-IR', ...SASL_MECHANISMS.map((mechanism) => `AUTH=${mechanism}`)];
}
