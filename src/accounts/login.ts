/**
 * Logging in: from a name and a password to an account, or one refusal that tells nothing.
 *
 * An unknown name, a wrong password and a disabled account have the same answer and take the same time: a hash is computed
 * for each. Identical attempts at the same moment share one hash, and those by another spelling do not, whether the account
 * exists or not. What was wrong stands in the log alone. RFC 4616 section 2 (authorization identity), RFC 4954, RFC 3501 section 6.2.3, RFC 1939 section 7.
 * Trust: nothing is believed of names and passwords; both are bounded before anything is computed.
 */

import type { Log } from '../base/log.ts';
import type { Account, Credentials, Directory } from '../store/contract/directory.ts';
import { findByLoginName } from './findByLoginName.ts';
import type { PasswordHasher } from './password.ts';
import { shownLoginName } from './readLoginName.ts';
import type { VerifiedCache } from './verifiedCache.ts';

/** A login as a session has it. */
export interface LoginRequest {
  /** As it was sent, in any of the forms of loginForms.ts. */
  readonly loginName: string;
  /** As it was sent, blanks included. */
  readonly password: string;
  /** SASL's authzid: empty or absent, or another name of the same account. */
  readonly authorizationIdentity?: string | undefined;
  /** For the log. */
  readonly protocol: string;
  readonly remoteAddress: string;
  /** Aborts when the session ends: a login that waits for its turn is given up then. */
  readonly signal?: AbortSignal | undefined;
}

/** How a login ended. Refusals all look alike; `throttled` was not looked at, after too many failures. */
export type LoginOutcome =
  | { readonly kind: 'authenticated'; readonly account: Account }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled' };

/** What logging in needs. `defaultDomain` is asked each time, since a reload may change it. */
export interface LoginSurroundings {
  readonly directory: Pick<Directory, 'findCredentials' | 'findDomain'>;
  readonly passwords: PasswordHasher;
  readonly verified: VerifiedCache;
  readonly log: Log;
  defaultDomain(): string | undefined;
}

/** Why a login was refused, for the log. */
type Refusal = 'unknownName' | 'wrongPassword' | 'accountDisabled' | 'domainDisabled' | 'otherIdentity';

/** Decides about logins. Its function rejects with `tooBusy` when too many hashes wait, or with the store's errors. */
export function createLogin(
  surroundings: LoginSurroundings,
  check: PasswordCheck = createPasswordCheck(surroundings),
): (request: LoginRequest) => Promise<LoginOutcome> {
  return async (request) => {
    const credentials = await findByName(surroundings, request.loginName);
    const isRight = await check(credentials, request);
    const refusal = await refusalOf(surroundings, credentials, isRight, request);
    logOutcome(surroundings.log, request, credentials, refusal);
    if (credentials === undefined || refusal !== undefined) return { kind: 'refused' };
    return { kind: 'authenticated', account: credentials.account };
  };
}

async function findByName(surroundings: LoginSurroundings, name: string): Promise<Credentials | undefined> {
  return (await findByLoginName(surroundings, name))?.credentials;
}

/** Whether what was tried is right for the account; undefined credentials never are, and cost the same. */
export type PasswordCheck = (credentials: Credentials | undefined, request: LoginRequest) => Promise<boolean>;

/** Checks passwords at the cost of one hash, or of none when the same was found right a short while ago. */
function createPasswordCheck({ passwords, verified, log }: LoginSurroundings): PasswordCheck {
  const pending = new Map<string, Promise<boolean>>();
  const compute = async (credentials: Credentials | undefined, password: string) => {
    if (credentials === undefined) return passwords.refuse(password);
    if (passwords.isReadable(credentials.passwordHash))
      return passwords.verify(password, credentials.passwordHash);
    log.error('accounts.password.unreadable', { account: credentials.account.address });
    return passwords.refuse(password);
  };
  return async (credentials, { loginName, password }) => {
    const passwordHash = credentials?.passwordHash ?? '';
    const key = verified.keyOf({ subject: `account ${credentials?.account.id}`, passwordHash, password });
    const mayRemember = credentials !== undefined && isEnabled(credentials);
    if (mayRemember && verified.has(key)) return true;
    // By the name as it was sent: shared by account, many spellings of a name would cost one hash or many, and that would tell.
    const attempt = verified.keyOf({ subject: `name ${loginName}`, passwordHash, password });
    const shared =
      pending.get(attempt) ?? compute(credentials, password).finally(() => pending.delete(attempt));
    pending.set(attempt, shared);
    const isRight = await shared;
    if (isRight && mayRemember) verified.add(key);
    return isRight;
  };
}

async function refusalOf(
  surroundings: LoginSurroundings,
  credentials: Credentials | undefined,
  isRight: boolean,
  { authorizationIdentity = '' }: LoginRequest,
): Promise<Refusal | undefined> {
  if (credentials === undefined) return 'unknownName';
  if (!isRight) return 'wrongPassword';
  if (!credentials.account.isEnabled) return 'accountDisabled';
  if (!credentials.isDomainEnabled) return 'domainDisabled';
  if (authorizationIdentity === '') return undefined;
  const other = await findByName(surroundings, authorizationIdentity);
  return other?.account.id === credentials.account.id ? undefined : 'otherIdentity';
}

function isEnabled({ account, isDomainEnabled }: Credentials): boolean {
  return account.isEnabled && isDomainEnabled;
}

function logOutcome(
  log: Log,
  { loginName, protocol, remoteAddress }: LoginRequest,
  credentials: Credentials | undefined,
  refusal: Refusal | undefined,
): void {
  const fields = {
    loginName: shownLoginName(loginName),
    account: credentials?.account.address,
    protocol,
    remoteAddress,
  };
  if (refusal === undefined) log.debug('accounts.login.authenticated', fields);
  else log.warn('accounts.login.refused', { ...fields, reason: refusal });
}
