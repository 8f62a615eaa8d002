/**
 * What a token endpoint's refusals mean, and what the administrator does about them, as data.
 *
 * What is done with an answer is decided by its `error` field alone (tokenAnswer.ts): Microsoft says that clients must not depend on
 * the numbers behind AADSTS. They choose the words here and nothing else. docs/OAUTH.md shows this table.
 */

/** One row. `{relay}`, `{authority}`, `{tenant}` and `{clientId}` in `advice` are filled in. */
export interface TokenErrorRow {
  /** The number behind AADSTS, or the value of `error`. */
  readonly code: number | string;
  readonly reason: string;
  readonly advice: string;
  readonly source: 'Microsoft' | 'RFC 6749' | 'RFC 8628' | 'reports of administrators';
}

/** What fills the advice. */
export interface TokenErrorPlace {
  readonly relay: string;
  readonly authority: string;
  readonly tenant: string;
  readonly clientId: string;
}

const M = 'Microsoft';
const LOGIN_AGAIN = 'run `hauspost relay login {relay}` and log in once more';
const CONSENT =
  'open {authority}/{tenant}/adminconsent?client_id={clientId} as an administrator of Entra and agree, ' +
  'or choose “Grant admin consent” under API permissions of the application';
const WAIT = 'wait: it is asked again by itself';

/** By number. */
export const AADSTS_ROWS: readonly TokenErrorRow[] = [
  row(
    7000215,
    'the client secret is wrong',
    'give the secret’s Value, not its Secret ID, by `hauspost relay secret {relay}`; make a new secret if the value is lost',
    M,
  ),
  row(
    7000222,
    'the client secret has expired',
    'make a new secret in Entra (Certificates & secrets) and give it by `hauspost relay secret {relay}`',
    M,
  ),
  row(
    7000216,
    'no secret or certificate was shown',
    'give the secret by `hauspost relay secret {relay}`, or set the files of the certificate',
    M,
  ),
  row(
    7000218,
    'the application asks for a secret, which a login by code does not have',
    'switch on “Allow public client flows” of the application (Authentication)',
    M,
  ),
  row(
    700025,
    'the application is a public one and must show no secret',
    'take the secret or certificate out of the relay’s settings, or make the application a confidential one',
    M,
  ),
  row(7000112, 'the application is disabled', 'enable it in Entra (Enterprise applications, Properties)', M),
  row(7000229, 'the application has no service principal in this tenant', CONSENT, M),
  row(
    700016,
    'the application is not in this tenant',
    'compare the client id ({clientId}) and the tenant ({tenant}) with the application’s Overview in Entra',
    M,
  ),
  row(
    90002,
    'there is no such tenant',
    'compare the tenant ({tenant}) with Overview in Entra; another cloud has another authority',
    M,
  ),
  row(
    900023,
    'the tenant is neither an id nor a domain',
    'compare the tenant ({tenant}) with Overview in Entra',
    M,
  ),
  row(900382, 'the tenant is in another cloud', 'set the authority of that cloud', M),
  row(
    700027,
    'the signature of the assertion is not accepted',
    'upload the certificate to the application (Certificates & secrets); see that certificate and key belong together',
    M,
  ),
  row(
    7000214,
    'the certificate is not registered for the application',
    'upload the certificate to the application (Certificates & secrets)',
    M,
  ),
  row(700024, 'the assertion is outside its time', 'set this server’s clock (NTP)', M),
  row(
    50012,
    'the certificate is not accepted',
    'upload the certificate to the application (Certificates & secrets); see that it has not expired',
    M,
  ),
  row(
    50027,
    'the assertion is not well formed',
    'see that the certificate’s key is RSA with 2048 bits or more',
    M,
  ),
  row(65001, 'nobody has consented to what the application asks for', CONSENT, M),
  row(65004, 'the user declined to consent', `${LOGIN_AGAIN} and agree`, M),
  row(90094, 'an administrator’s consent is needed', CONSENT, M),
  row(90093, 'the user may not consent to this', CONSENT, M),
  row(
    650052,
    'the tenant has no subscription for the resource',
    'see that Exchange Online is licensed in this tenant, then grant admin consent',
    M,
  ),
  row(
    650057,
    'the application lacks the permission that is asked for',
    'add the permission of Office 365 Exchange Online (or Microsoft Graph) under API permissions, then grant admin consent',
    M,
  ),
  row(
    500011,
    'the resource that the scope names is not in this tenant',
    'compare the scope; Exchange Online has to be licensed in this tenant',
    M,
  ),
  row(
    70011,
    'the scope is not valid',
    'compare the scope: one resource, ending in /.default for an application',
    M,
  ),
  row(
    1002012,
    'the scope of an application must end in /.default',
    'set the scope to the resource and /.default',
    M,
  ),
  row(50034, 'the user is not in this tenant', `${LOGIN_AGAIN} with an account of the tenant {tenant}`, M),
  row(
    50020,
    'the user’s account is of another tenant',
    `${LOGIN_AGAIN} with an account of the tenant {tenant}`,
    M,
  ),
  row(50055, 'the user’s password has expired', `let the user set a new one, then ${LOGIN_AGAIN}`, M),
  row(50057, 'the user’s account is disabled', `enable it, or ${LOGIN_AGAIN} as another one`, M),
  row(
    50053,
    'the account is locked, or the address is blocked',
    'look at the sign-in log in Entra; unlock the account or clear the address',
    M,
  ),
  row(50126, 'user name or password is wrong', LOGIN_AGAIN, M),
  row(
    50105,
    'the user is not assigned to the application',
    'assign the user (Enterprise applications, Users and groups), or switch off “Assignment required”',
    M,
  ),
  row(50076, 'a second factor is asked for', LOGIN_AGAIN, M),
  row(50079, 'the user has to register a second factor', `let the user register it, then ${LOGIN_AGAIN}`, M),
  row(50072, 'the user has to register a second factor', `let the user register it, then ${LOGIN_AGAIN}`, M),
  row(50158, 'a condition outside of Entra was not met', LOGIN_AGAIN, M),
  row(
    53000,
    'Conditional Access asks for a device that is compliant',
    'except the application or this server’s address from the policy, or use the application’s own permissions (app-only)',
    M,
  ),
  row(
    53001,
    'Conditional Access asks for a device that is joined',
    'except the application or this server’s address from the policy, or use the application’s own permissions (app-only)',
    M,
  ),
  row(
    53003,
    'Conditional Access blocks it',
    'look at the sign-in log in Entra for the policy’s name; except the application or this server’s address from it',
    M,
  ),
  row(
    530003,
    'Conditional Access asks for a device that is registered',
    'except the application or this server’s address from the policy, or use the application’s own permissions (app-only)',
    M,
  ),
  row(
    530035,
    'security defaults block it',
    'use the application’s own permissions (app-only) with a certificate in place of a user’s login',
    'reports of administrators',
  ),
  row(50199, 'the user must confirm the login', LOGIN_AGAIN, M),
  row(
    70043,
    'the refresh token has expired by the tenant’s sign-in frequency',
    `${LOGIN_AGAIN}; except the application from the policy’s sign-in frequency`,
    M,
  ),
  row(700082, 'the refresh token was not used for 90 days', LOGIN_AGAIN, M),
  row(
    700084,
    'the refresh token was given to a single-page application, and is good for a day',
    'register the application for mobile and desktop, not as a single-page application, and log in again',
    M,
  ),
  row(70008, 'the refresh token or code has expired', LOGIN_AGAIN, M),
  row(70000, 'the refresh token is not good any more', LOGIN_AGAIN, M),
  row(
    70002,
    'the application’s credentials are wrong',
    'give the secret by `hauspost relay secret {relay}`, or upload the certificate',
    M,
  ),
  row(
    50173,
    'the refresh token was revoked: the password was changed, or sessions were ended',
    LOGIN_AGAIN,
    M,
  ),
  row(50132, 'the login is not valid any more: the password was changed or has expired', LOGIN_AGAIN, M),
  row(50133, 'the login is not valid any more: the password was changed or has expired', LOGIN_AGAIN, M),
  row(50089, 'the login has expired', LOGIN_AGAIN, M),
  row(54005, 'the code was used already', LOGIN_AGAIN, M),
  row(70016, 'the login by code is still pending', 'open the page and enter the code', M),
  row(70018, 'the code is not known', LOGIN_AGAIN, M),
  row(70019, 'the code has expired', LOGIN_AGAIN, M),
  row(70020, 'the code has expired', LOGIN_AGAIN, M),
  row(
    50196,
    'the same was asked for too often (a loop)',
    'wait some minutes; if it comes again, tell the developers of Hauspost',
    M,
  ),
  row(90024, 'the directory’s budget for requests is used up', WAIT, M),
  row(90033, 'the directory is down for a moment', WAIT, M),
  row(90055, 'the tenant is being throttled', WAIT, M),
];

/** By the value of `error`, where no number says more. */
export const OAUTH_ROWS: readonly TokenErrorRow[] = [
  row(
    'invalid_client',
    'the application’s credentials are not accepted',
    'give a new secret by `hauspost relay secret {relay}`, or upload the certificate',
    'RFC 6749',
  ),
  row(
    'unauthorized_client',
    'the application may not ask for tokens in this way',
    'see that the application is in the tenant {tenant}; for a login by code switch on “Allow public client flows”',
    'RFC 6749',
  ),
  row('invalid_grant', 'what was granted is not good any more', LOGIN_AGAIN, 'RFC 6749'),
  row(
    'invalid_scope',
    'the scope is not valid',
    'compare the scope: one resource, ending in /.default for an application',
    'RFC 6749',
  ),
  row(
    'invalid_request',
    'the endpoint does not take the request',
    'compare tenant, client id and scope with the application in Entra',
    'RFC 6749',
  ),
  row(
    'unsupported_grant_type',
    'the endpoint has no such grant',
    'compare the authority: it has to be Microsoft’s login server',
    'RFC 6749',
  ),
  row('access_denied', 'it was declined', LOGIN_AGAIN, 'RFC 6749'),
  row('authorization_declined', 'the user declined', LOGIN_AGAIN, M),
  row('bad_verification_code', 'the code is not known', LOGIN_AGAIN, M),
  row('expired_token', 'the code has expired', LOGIN_AGAIN, 'RFC 8628'),
  row(
    'invalid_resource',
    'the resource that the scope names is not there',
    'compare the scope; Exchange Online has to be licensed in this tenant',
    M,
  ),
  row('interaction_required', 'somebody has to log in', LOGIN_AGAIN, M),
  row('login_required', 'somebody has to log in', LOGIN_AGAIN, M),
  row('consent_required', 'nobody has consented to what the application asks for', CONSENT, M),
];

const BY_CODE: ReadonlyMap<number | string, TokenErrorRow> = new Map(
  [...AADSTS_ROWS, ...OAUTH_ROWS].map((found) => [found.code, found]),
);

/** In words, with the place filled in: by the first number that is known, else by `error`. */
export function meaningOfTokenError(
  error: string,
  codes: readonly number[],
  place: TokenErrorPlace,
): { readonly reason: string; readonly advice: string } {
  const known =
    codes.map((code) => BY_CODE.get(code)).find((found) => found !== undefined) ?? BY_CODE.get(error);
  const advice =
    known?.advice ??
    'look the error up at https://login.microsoftonline.com/error and compare the relay’s settings with the application in Entra';
  return {
    reason: known?.reason ?? 'the token endpoint refuses',
    advice: sentence(
      advice.replace(/\{(relay|authority|tenant|clientId)\}/g, (_, key: keyof TokenErrorPlace) => place[key]),
    ),
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function row(
  code: TokenErrorRow['code'],
  reason: string,
  advice: string,
  source: TokenErrorRow['source'],
): TokenErrorRow {
  return { code, reason, advice, source };
}
