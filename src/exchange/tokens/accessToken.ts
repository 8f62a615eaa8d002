/**
 * What an access token says of itself, read without verifying it: for diagnosis only, since it is meant for its resource.
 *
 * RFC 7519 (claims), in the names that Microsoft gives them. Nothing is decided by it: `relay test` shows it, and what it lacks.
 * Trust: whatever stands there is shown as bounded text.
 */

import { SECOND_MS } from '../../base/units.ts';
import { type UnixMs, unixMs } from '../../base/clock.ts';
import { jsonObject, oneLine } from './tokenAnswer.ts';

/** Claims that an administrator asks about. */
export interface TokenClaims {
  /** The resource that it is for. */
  readonly audience: string;
  /** What the application may do by itself. */
  readonly roles: readonly string[];
  /** What it may do for the user who has logged in. */
  readonly scopes: readonly string[];
  readonly tenant: string;
  readonly clientId: string;
  /** Of a login. */
  readonly user: string | undefined;
  readonly endsAt: UnixMs | undefined;
}

/** What a token is wanted for. */
export interface WantedToken {
  readonly use: 'smtp' | 'graph';
  /** Whether the application acts by itself, or for a user. */
  readonly isApplication: boolean;
  readonly clientId: string;
}

const WANTED = {
  smtp: {
    role: 'SMTP.SendAsApp',
    scope: 'SMTP.Send',
    audience: /(outlook\.office(365)?\.(com|us)|partner\.outlook\.cn|00000002-0000-0ff1-ce00-000000000000)/i,
    resource: 'Office 365 Exchange Online',
  },
  graph: {
    role: 'Mail.Send',
    scope: 'Mail.Send',
    audience: /(graph\.microsoft\.|microsoftgraph\.chinacloudapi\.cn|00000003-0000-0000-c000-000000000000)/i,
    resource: 'Microsoft Graph',
  },
} as const;
const NAMES_LIMIT = 50;

/** The claims of `token`; undefined when it is no JWT (Microsoft promises no form). */
export function readAccessToken(token: string): TokenClaims | undefined {
  const claims = jsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  if (claims === undefined) return undefined;
  const text = (value: unknown) => oneLine(value, []);
  const end = Number(claims.exp) * SECOND_MS;
  return {
    audience: text(claims.aud),
    roles: (Array.isArray(claims.roles) ? claims.roles : []).slice(0, NAMES_LIMIT).map(text),
    scopes: text(claims.scp)
      .split(' ')
      .filter((scope) => scope !== ''),
    tenant: text(claims.tid),
    clientId: text(claims.appid ?? claims.azp),
    user: [claims.upn, claims.preferred_username, claims.unique_name].map(text).find((name) => name !== ''),
    endsAt: Number.isFinite(end) ? unixMs(end) : undefined,
  };
}

/** What is wrong with a token for this use, a sentence each with what to do; nothing when it should do. */
export function lacksOf(
  claims: TokenClaims,
  { use, isApplication, clientId }: WantedToken,
): readonly string[] {
  const { role, scope, audience, resource } = WANTED[use];
  const has = isApplication ? claims.roles.includes(role) : claims.scopes.includes(scope);
  const lacks: string[] = [];
  if (!audience.test(claims.audience))
    lacks.push(`The token is for “${claims.audience}”, not for ${resource}: compare the scope.`);
  if (!has && isApplication)
    lacks.push(
      `The token lacks the role ${role}: add the application permission ${role} of ${resource} in Entra and grant admin consent; with ` +
        'RBAC for Applications in Exchange there is no role in the token, and Test-ServicePrincipalAuthorization tells.',
    );
  if (!has && !isApplication)
    lacks.push(
      `The token lacks the scope ${scope}: add the delegated permission ${scope} of ${resource} and log in once more.`,
    );
  if (claims.clientId !== '' && claims.clientId.toLowerCase() !== clientId.toLowerCase())
    lacks.push(`The token is of the application ${claims.clientId}, not of ${clientId}.`);
  return lacks;
}
