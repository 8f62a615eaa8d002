/**
 * What an application shows to be given a token, by its grant: read anew for each request, since secrets and files change.
 *
 * RFC 6749 sections 2.3.1, 4.4.2 and 6, RFC 7523 section 2.2. A public client shows no secret (RFC 6749 section 2.1).
 */

import { createHash } from 'node:crypto';

import { asMailError } from '../../base/error.ts';
import type { TokenAnswer } from '../accessTokens.ts';
import { readClientCertificate, signAssertion } from './clientAssertion.ts';
import { tokenEndpointOf, type TokenOptions } from './options.ts';
import type { KeptRefreshToken, TokenVault } from './tokenVault.ts';

/** What is shown. */
export interface Credential {
  /** Differs when the administrator has changed what is shown; tells nothing of it. */
  readonly fingerprint: string;
  /** What no text may show. */
  readonly secrets: readonly string[];
  /** The request's form. `now` is the endpoint's calendar. */
  form(now: number): Readonly<Record<string, string>>;
  /** The refresh token that is used up by it. */
  readonly kept?: KeptRefreshToken | undefined;
}

/** What there is to show, or why there is nothing. Never rejects. */
export async function readCredential(
  options: TokenOptions,
  vault: Pick<TokenVault, 'loadRefreshToken'>,
): Promise<Credential | Exclude<TokenAnswer, { readonly kind: 'token' }>> {
  try {
    switch (options.grant.kind) {
      case 'clientSecret':
        return await secretCredential(options, options.grant);
      case 'clientCertificate':
        return await certificateCredential(options, options.grant);
      case 'user':
        return await userCredential(options, vault);
    }
  } catch (error) {
    return unreadable(options, error);
  }
}

type Grant<Kind> = Extract<TokenOptions['grant'], { readonly kind: Kind }>;

async function secretCredential(options: TokenOptions, { secret }: Grant<'clientSecret'>) {
  const { name, clientId, scope } = options;
  const given = await secret();
  if (given === undefined || given === '')
    return refused('there is no client secret', `Give it by \`hauspost relay secret ${name}\`.`);
  return {
    fingerprint: fingerprintOf(options, given),
    secrets: [given],
    form: () => ({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: given,
      scope,
    }),
  };
}

async function certificateCredential(options: TokenOptions, grant: Grant<'clientCertificate'>) {
  const passphrase = await grant.passphrase?.();
  const pair = await readClientCertificate(grant.certificateFile, grant.keyFile, passphrase);
  const { clientId, scope } = options;
  const audience = tokenEndpointOf(options);
  return {
    fingerprint: fingerprintOf(options, pair.certificate.fingerprint256),
    secrets: passphrase === undefined ? [] : [passphrase],
    form: (now: number) => ({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signAssertion(pair, grant.algorithm ?? 'PS256', clientId, audience, now),
      scope,
    }),
  };
}

async function userCredential(options: TokenOptions, vault: Pick<TokenVault, 'loadRefreshToken'>) {
  const { name, tenant, clientId, scope } = options;
  const kept = await vault.loadRefreshToken(name);
  const login = `Run \`hauspost relay login ${name}\` and log in.`;
  if (kept === undefined) return refused('nobody has logged in yet', login);
  if (kept.clientId !== clientId || kept.tenant !== tenant)
    return refused('somebody has logged in, but for another application or tenant', login);
  return {
    fingerprint: fingerprintOf(options, kept.token),
    secrets: [kept.token],
    kept,
    form: () => ({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: kept.token,
      scope,
    }),
  };
}

/** What an administrator mends is refused; what passes is not. */
function unreadable({ name }: TokenOptions, error: unknown) {
  const { code, message, reply } = asMailError(error);
  if (reply.isTemporary && code !== 'internal')
    return { kind: 'unavailable' as const, reason: `the credentials cannot be read: ${message}` };
  const advice =
    code === 'cannot'
      ? `Put the key file back from a backup; without one, give the secret or log in once more (\`hauspost relay secret ${name}\`, \`hauspost relay login ${name}\`).`
      : 'Mend the file, or the setting that names it.';
  return refused(message, advice);
}

function refused(reason: string, advice: string) {
  return { kind: 'refused' as const, reason, advice };
}

function fingerprintOf({ tenant, clientId, scope }: TokenOptions, shown: string): string {
  return createHash('sha256').update([tenant, clientId, scope, shown].join('\0')).digest('base64');
}
