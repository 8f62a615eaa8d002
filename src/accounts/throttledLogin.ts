/**
 * A login behind the throttle: from trusted addresses as it is, from others after its delay, or not at all.
 *
 * The delay comes before the look at name and password, so that it tells nothing and that dropping the connection saves
 * nobody's time; it holds no place among the hashes and keeps nobody else waiting. Only what `login` refuses counts: what it
 * cannot decide (`tooBusy`, the store's errors) and what is given up does not. Who lets attempts come here keeps away
 * what is none: unknown mechanisms, cancelled exchanges, passwords in the clear where TLS is required.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { parseAddress } from './address.ts';
import { findByLoginName, guessLogin, type LoginNameSurroundings } from './findByLoginName.ts';
import type { IpRanges, NetworkAddresses } from './ipRanges.ts';
import type { LoginOutcome, LoginRequest } from './login.ts';
import type { AdmittedAttempt, LoginThrottle } from './loginThrottle.ts';
import { readLoginName, shownLoginName } from './readLoginName.ts';
import type { VerifiedCache } from './verifiedCache.ts';

/** Decides about logins. */
export type Login = (request: LoginRequest) => Promise<LoginOutcome>;

/** What throttling needs. */
export interface ThrottleSurroundings extends LoginNameSurroundings {
  readonly throttle: LoginThrottle;
  readonly ipRanges: Pick<IpRanges, 'rangeOf'>;
  readonly addresses: Pick<NetworkAddresses, 'group'>;
  /** Which passwords were right from which address within a day; it names passwords without giving them away. */
  readonly proven: VerifiedCache;
  readonly clock: Clock;
  readonly log: Log;
}

/** `login`, throttled. Rejects with the signal's reason beside what `login` rejects with. */
export function throttleLogin(surroundings: ThrottleSurroundings, login: Login): Login {
  const { throttle, ipRanges, addresses, proven, log } = surroundings;
  return async (request) => {
    const { password, protocol, remoteAddress } = request;
    if (ipRanges.rangeOf(remoteAddress)?.isTrusted === true) return login(request);
    const loginName = await nameCounted(surroundings, request.loginName);
    const proof = await proofOf(surroundings, request);
    const admission = throttle.admit({
      loginName,
      address: addresses.group(remoteAddress),
      protocol,
      passwordKey: proven.keyOf({ subject: loginName, passwordHash: '', password }),
      isProven: proven.has(proof),
    });
    const isAdmitted = admission.kind === 'admitted';
    const outcome = isAdmitted ? await attempt(surroundings, login, request, admission) : THROTTLED;
    if (outcome.kind === 'authenticated') proven.add(proof);
    if (outcome.kind === 'throttled')
      log.debug('accounts.login.throttled', { loginName, protocol, remoteAddress });
    return outcome;
  };
}

const THROTTLED: LoginOutcome = { kind: 'throttled' };

async function attempt(
  { clock, log }: ThrottleSurroundings,
  login: Login,
  request: LoginRequest,
  admitted: AdmittedAttempt,
): Promise<LoginOutcome> {
  try {
    if (admitted.waitMs > 0) await clock.sleep(admitted.waitMs, request.signal);
    if (!admitted.mayGoOn()) return THROTTLED;
    const outcome = await login(request);
    for (const ban of admitted.settle(outcome.kind === 'authenticated'))
      log.warn('accounts.ban.begun', { ...ban, remoteAddress: request.remoteAddress });
    return outcome;
  } finally {
    admitted.leave();
  }
}

/**
 * Names a password of an account at an address. Looked up for every attempt alike, and nothing but a right password is ever
 * remembered by it, so that it tells nobody else anything.
 */
async function proofOf(
  surroundings: ThrottleSurroundings,
  { loginName, password, remoteAddress }: LoginRequest,
): Promise<string> {
  const { addresses, proven } = surroundings;
  const credentials = (await findByLoginName(surroundings, loginName))?.credentials;
  const subject = `account ${credentials?.account.id} at ${addresses.group(remoteAddress)}`;
  return proven.keyOf({ subject, passwordHash: credentials?.passwordHash ?? '', password });
}

/**
 * What a name is counted as: the address that its form means, so that nobody gains tries by writing one name in many ways, else
 * the name itself; foreign domains are all one, since an extra login name may have any (`erp@*`). Only the names of domains are
 * looked up, never whether somebody has the name.
 */
async function nameCounted(surroundings: LoginNameSurroundings, sent: string): Promise<string> {
  const shown = shownLoginName(sent);
  const name = readLoginName(shown);
  if (name === undefined) return shown;
  const text = (await guessLogin(surroundings, name))?.address ?? name.spellings[0] ?? shown;
  const parsed = parseAddress(text);
  if (parsed.kind === 'invalid') return text;
  const domain = await surroundings.directory.findDomain(parsed.domain);
  return `${parsed.localPart}@${domain?.name ?? '*'}`;
}
