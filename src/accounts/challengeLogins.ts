/**
 * Logins by a challenge (CRAM-MD5, RFC 2195), for accounts that were given a recoverable secret on purpose.
 *
 * The digest is checked before the throttle, since only who knows the secret can say what was tried: a right answer is the secret
 * itself to everything that follows, a wrong one is a password that nobody has. What comes of it is told after the delay, or not
 * at all under a ban, as with a password; an unknown name, a name without a secret and a wrong answer cost the same.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

import type { AccountId } from '../base/ids.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import { findByLoginName, type LoginNameSurroundings } from './findByLoginName.ts';
import { createLogin, type LoginOutcome, type LoginRequest, type LoginSurroundings } from './login.ts';
import { type ThrottleSurroundings, throttleLogin } from './throttledLogin.ts';

/** An answer to a challenge, as a session has it. */
export interface ChallengeRequest
  extends Pick<LoginRequest, 'loginName' | 'protocol' | 'remoteAddress' | 'signal'> {
  /** As it was sent to the client, before base64. */
  readonly challenge: string;
  /** In hexadecimal, in lower case. */
  readonly digest: string;
}

/** Logins by a challenge. */
export interface ChallengeLogins {
  /** Whether anybody can log in so: else it is not offered. */
  areOffered(): Promise<boolean>;
  /** As `Accounts.authenticate`. */
  authenticate(request: ChallengeRequest): Promise<LoginOutcome>;
}

interface Surroundings extends LoginNameSurroundings {
  readonly secrets: Pick<Secrets, 'find' | 'isAny'>;
}

/** In place of the secret of those who have none. */
const NOBODYS_SECRET = 'nobody has this one';
const NOBODY = -1 as AccountId;

/** The logins behind the throttle of all logins. */
export function createChallengeLogins(
  surroundings: Surroundings & LoginSurroundings & ThrottleSurroundings,
): ChallengeLogins {
  const { secrets } = surroundings;
  const check = async (
    credentials: { readonly account: { readonly id: AccountId } } | undefined,
    tried: string,
  ) => {
    const secret = await secretOf(secrets, credentials?.account.id);
    return secret !== undefined && isSame(secret, tried);
  };
  const login = throttleLogin(
    surroundings,
    createLogin(surroundings, (credentials, { password }) => check(credentials, password)),
  );
  return {
    areOffered: () => secrets.isAny('cramMd5'),
    async authenticate({ challenge, digest, ...request }) {
      const found = await findByLoginName(surroundings, request.loginName);
      const secret = await secretOf(secrets, found?.credentials.account.id);
      const isRight = isSame(cramDigest(secret ?? NOBODYS_SECRET, challenge), digest) && secret !== undefined;
      // No secret has a NUL, so a wrong answer is nobody's password.
      return login({ ...request, password: isRight ? secret : `\0${digest}` });
    },
  };
}

/** RFC 2195 section 2: HMAC-MD5 (RFC 2104), in hexadecimal. */
export function cramDigest(secret: string, challenge: string): string {
  return createHmac('md5', secret).update(challenge).digest('hex');
}

function secretOf(secrets: Pick<Secrets, 'find'>, id: AccountId | undefined): Promise<string | undefined> {
  return secrets.find({ purpose: 'cramMd5', owner: id ?? NOBODY });
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHmac('sha256', 'compared').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
