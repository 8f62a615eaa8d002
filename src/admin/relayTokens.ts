/**
 * The token client's options of a relay: which application, what it asks for, and how it proves itself; and what its token says.
 */

import { unixMs } from '../base/clock.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import type { TokenAnswer } from '../exchange/accessTokens.ts';
import { lacksOf, readAccessToken, type TokenClaims } from '../exchange/tokens/accessToken.ts';
import {
  EXCHANGE_APPLICATION_SCOPE,
  EXCHANGE_USER_SCOPE,
  type TokenGrant,
  type TokenOptions,
} from '../exchange/tokens/options.ts';
import type { RelayCheck } from '../transfer/relay.ts';
import type { RelayConfig } from '../config/relayKeys.ts';
import { firstLine, type RelayFiles } from './relayOptions.ts';

/** Whether a relay asks for access tokens. */
export function usesTokens({ way, login }: RelayConfig): boolean {
  return way === 'graph' || (way === 'smtp' && login === 'xoauth2');
}

/** What its token client is made from. The relay uses tokens. */
export function tokenOptions(
  relay: RelayConfig,
  files: RelayFiles,
  secrets: Pick<Secrets, 'find'>,
): TokenOptions {
  return {
    name: relay.name,
    authority: relay.authorityUrl,
    tenant: relay.tenant ?? '',
    clientId: relay.clientId ?? '',
    scope: scopeOf(relay),
    grant: grantOf(relay, secrets),
    certificateAuthorities: files.authorityCertificates,
  };
}

/** What of a relay its token client depends on: the same text, the same client. */
export function tokenIdentity(relay: RelayConfig, { authorityCertificates }: RelayFiles): string {
  const { authorityUrl, tenant, clientId, grant, clientSecretFile, secretExpires } = relay;
  const { applicationCertificateFile, applicationKeyFile, applicationKeyPassphraseFile } = relay;
  return JSON.stringify([
    [authorityUrl, tenant, clientId, scopeOf(relay), grant, clientSecretFile, secretExpires],
    [applicationCertificateFile, applicationKeyFile, applicationKeyPassphraseFile, authorityCertificates],
  ]);
}

/**
 * A try of `relay` with what came of asking for a new token: what the token says and lacks, a sentence each; nothing where it cannot be
 * read, since Microsoft promises no form. Where none came, a relay that is ready is so for as long as the old one is good.
 */
export function withToken(check: RelayCheck, relay: RelayConfig, answer: TokenAnswer): RelayCheck {
  if (answer.kind === 'token') return { ...check, steps: [...tokenSteps(relay, answer), ...check.steps] };
  if (!check.isReady) return check;
  const denied = `It goes on with the token that it has for a while, but no new one comes: ${answer.reason}`;
  const advice = answer.kind === 'refused' ? [answer.advice] : [];
  return { ...check, isReady: false, steps: [...check.steps, denied, ...advice] };
}

function tokenSteps(relay: RelayConfig, answer: TokenAnswer): readonly string[] {
  const claims = answer.kind === 'token' ? readAccessToken(answer.token) : undefined;
  if (claims === undefined) return [];
  const { way, grant, clientId = '' } = relay;
  const use = way === 'graph' ? 'graph' : 'smtp';
  return [
    `The token ${saying(claims)}.`,
    ...lacksOf(claims, { use, isApplication: grant !== 'deviceCode', clientId }),
  ];
}

function saying({ audience, tenant, user, roles, scopes, endsAt }: TokenClaims): string {
  const may = [...roles, ...scopes].join(', ');
  return [
    `is for ${audience}`,
    `of the tenant ${tenant}`,
    ...(user === undefined ? [] : [`as ${user}`]),
    may === '' ? 'with no role' : `with ${may}`,
    ...(endsAt === undefined ? [] : [`until ${new Date(endsAt).toISOString()}`]),
  ].join(', ');
}

/** National clouds have a Graph of their own, and its tokens name it. */
function scopeOf({ way, grant, graphEndpoint, tokenScope }: RelayConfig): string {
  if (tokenScope !== undefined) return tokenScope;
  const graph = graphEndpoint.replace(/\/+$/, '');
  if (grant === 'deviceCode')
    return way === 'graph' ? `${graph}/Mail.Send offline_access` : EXCHANGE_USER_SCOPE;
  return way === 'graph' ? `${graph}/.default` : EXCHANGE_APPLICATION_SCOPE;
}

function grantOf(relay: RelayConfig, secrets: Pick<Secrets, 'find'>): TokenGrant {
  const {
    name,
    grant,
    clientSecretFile,
    secretExpires,
    applicationKeyPassphraseFile: passphraseFile,
  } = relay;
  switch (grant) {
    case 'clientSecret':
      return {
        kind: 'clientSecret',
        secret: () =>
          clientSecretFile === undefined
            ? secrets.find({ purpose: 'relaySecret', owner: name })
            : firstLine(clientSecretFile),
        expiresAt: secretExpires === undefined ? undefined : unixMs(Date.parse(secretExpires)),
      };
    case 'certificate':
      return {
        kind: 'clientCertificate',
        certificateFile: relay.applicationCertificateFile ?? '',
        keyFile: relay.applicationKeyFile ?? '',
        passphrase: passphraseFile === undefined ? undefined : () => firstLine(passphraseFile),
      };
    case 'deviceCode':
      return { kind: 'user' };
  }
}
