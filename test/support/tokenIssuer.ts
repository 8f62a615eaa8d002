/**
 * The grants of the tests' token server: what Microsoft Entra answers, in its words, for applications and users that a test registers.
 *
 * Written from Microsoft's descriptions of the flows and RFC 6749, 7523 and 8628, and checks what it is shown as strictly as they say:
 * secrets octet by octet, assertions by the certificate's public key, audience and time.
 */

import { constants, createHash, randomBytes, randomUUID, verify, X509Certificate } from 'node:crypto';

/** An application. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly secret?: string | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  /** What its own tokens say (`SMTP.SendAsApp`). */
  readonly roles?: readonly string[] | undefined;
  /** The mailbox that it may use by itself: what introspection tells of its tokens. */
  readonly mailbox?: string | undefined;
  /** Whether it may be logged in to by code; then it has to show no secret. */
  readonly isPublic?: boolean | undefined;
}

/** An answer before it is written. */
export interface IssuerAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A token that was given. */
export interface IssuedToken {
  readonly clientId: string;
  /** Who is logged in with it, or the mailbox of the application. */
  readonly user: string;
  readonly scope: string;
  readonly endsAt: number;
  isRevoked: boolean;
}

interface IssuedRefreshToken {
  readonly clientId: string;
  readonly user: string;
  readonly scope: string;
  readonly family: string;
  isUsed: boolean;
}

interface DeviceCode {
  readonly clientId: string;
  readonly scope: string;
  readonly userCode: string;
  readonly endsAt: number;
  state: 'pending' | 'declined' | { readonly user: string };
}

/** What a test may set otherwise. */
export interface IssuerOptions {
  readonly tenant: string;
  /** Of access tokens; an hour unless given. */
  readonly lifetimeSeconds?: number | undefined;
  /** Access tokens are short random text in place of JWTs: Microsoft promises no form, and Dovecot takes no long AUTH line. */
  readonly isOpaque?: boolean | undefined;
  /** `strict`: a refresh token is good once, and using it again ends all that came of that login. Entra keeps old ones good. */
  readonly rotation?: 'keep' | 'strict' | undefined;
  /** Of device codes. */
  readonly deviceSeconds?: number | undefined;
  readonly deviceInterval?: number | undefined;
}

/** The state of a token server. `now` is its calendar in milliseconds. */
export class TokenIssuer {
  readonly clients = new Map<string, RegisteredClient>();
  readonly accessTokens = new Map<string, IssuedToken>();
  readonly #refreshTokens = new Map<string, IssuedRefreshToken>();
  readonly #endedFamilies = new Set<string>();
  readonly #deviceCodes = new Map<string, DeviceCode>();
  #tellNextCode: (userCode: string) => void = () => {};
  readonly #options: IssuerOptions;
  readonly #now: () => number;

  constructor(options: IssuerOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** The token endpoint at `audience`. */
  token(form: URLSearchParams, audience: string): IssuerAnswer {
    const client = this.clients.get(form.get('client_id') ?? '');
    if (client === undefined)
      return refusal('unauthorized_client', 700016, 'Application was not found in the directory.');
    switch (form.get('grant_type')) {
      case 'client_credentials':
        return this.#authenticate(client, form, audience) ?? this.#applicationToken(client, form);
      case 'refresh_token':
        return this.#publicOnly(client, form) ?? this.#refresh(client, form);
      case 'urn:ietf:params:oauth:grant-type:device_code':
        return this.#publicOnly(client, form) ?? this.#redeem(client, form);
      default:
        return refusal('unsupported_grant_type', 70003, 'The app returned an unsupported grant type.');
    }
  }

  /** The device authorization endpoint. */
  device(form: URLSearchParams, verificationUri: string): IssuerAnswer {
    const client = this.clients.get(form.get('client_id') ?? '');
    if (client === undefined) return refusal('unauthorized_client', 700016, 'Application was not found.');
    const seconds = this.#options.deviceSeconds ?? 900;
    const code = `D${randomBytes(48).toString('base64url')}`;
    const userCode = randomBytes(5).toString('hex').slice(0, 9).toUpperCase();
    this.#deviceCodes.set(code, {
      clientId: client.clientId,
      scope: form.get('scope') ?? '',
      userCode,
      endsAt: this.#now() + seconds * 1000,
      state: 'pending',
    });
    this.#tellNextCode(userCode);
    const message = `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`;
    const interval = this.#options.deviceInterval ?? 5;
    return {
      status: 200,
      body: {
        user_code: userCode,
        device_code: code,
        verification_uri: verificationUri,
        expires_in: seconds,
        interval,
        message,
      },
    };
  }

  /** The next code that waits for a user; one asks at a time. */
  nextUserCode(): Promise<string> {
    return new Promise((resolve) => {
      this.#tellNextCode = resolve;
    });
  }

  /** What a user does at the page of a code. */
  decide(userCode: string, state: 'declined' | { readonly user: string }): void {
    const found = [...this.#deviceCodes.values()].find((code) => code.userCode === userCode);
    if (found === undefined) throw new Error(`there is no code ${userCode}`);
    found.state = state;
  }

  /** A refresh token as if `user` had logged in. */
  issueRefreshToken(clientId: string, user: string, scope = 'https://outlook.office.com/SMTP.Send'): string {
    return this.#newRefreshToken({ clientId, user, scope, family: randomUUID() });
  }

  /** Ends every login. */
  revokeLogins(): void {
    for (const { family } of this.#refreshTokens.values()) this.#endedFamilies.add(family);
  }

  /** Whose token it is, where it is good (RFC 7662). */
  find(token: string): IssuedToken | undefined {
    const found = this.accessTokens.get(token);
    return found !== undefined && !found.isRevoked && this.#now() < found.endsAt ? found : undefined;
  }

  #authenticate(client: RegisteredClient, form: URLSearchParams, audience: string): IssuerAnswer | undefined {
    const assertion = form.get('client_assertion');
    if (assertion !== null) return this.#checkAssertion(client, assertion, audience);
    if (form.get('client_secret') === null)
      return refusal(
        'invalid_client',
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required.",
      );
    if (client.secret !== undefined && form.get('client_secret') === client.secret) return undefined;
    return refusal(
      'invalid_client',
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client.clientId}'.`,
      401,
    );
  }

  #checkAssertion(client: RegisteredClient, assertion: string, audience: string): IssuerAnswer | undefined {
    const [head = '', body = '', signature = ''] = assertion.split('.');
    const header = decodeJson(head);
    const claims = decodeJson(body);
    const certificate =
      client.certificate === undefined ? undefined : new X509Certificate(client.certificate);
    const thumbprint = certificate && createHash('sha256').update(certificate.raw).digest('base64url');
    if (certificate === undefined || header['x5t#S256'] !== thumbprint)
      return refusal(
        'invalid_client',
        700027,
        'The certificate with identifier used to sign the client assertion is not registered on application.',
        401,
      );
    const padding =
      header.alg === 'PS256'
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { padding: constants.RSA_PKCS1_PADDING };
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key: certificate.publicKey, ...padding },
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned || header.typ !== 'JWT')
      return refusal(
        'invalid_client',
        700027,
        'The provided signature value did not match the expected value.',
        401,
      );
    const now = this.#now() / 1000;
    const isInTime = Number(claims.nbf) <= now + 300 && now - 300 < Number(claims.exp);
    if (!isInTime || Number(claims.exp) - Number(claims.nbf) > 600)
      return refusal(
        'invalid_client',
        700024,
        'Client assertion is not within its valid time range. Current time: ..., expiry time of assertion ....',
        401,
      );
    const { clientId } = client;
    if (
      claims.iss !== clientId ||
      claims.sub !== clientId ||
      claims.aud !== audience ||
      claims.jti === undefined
    )
      return refusal(
        'invalid_client',
        700023,
        'Client assertion audience claim does not match Realm issuer.',
        401,
      );
    return undefined;
  }

  #applicationToken(client: RegisteredClient, form: URLSearchParams): IssuerAnswer {
    const scope = form.get('scope') ?? '';
    if (!scope.endsWith('/.default'))
      return refusal('invalid_scope', 1002012, `The provided value for scope ${scope} is not valid.`);
    const user = client.mailbox ?? '';
    const said = { roles: client.roles ?? [], idtyp: 'app' };
    return this.#answer(client.clientId, user, scope, said, undefined);
  }

  #publicOnly(client: RegisteredClient, form: URLSearchParams): IssuerAnswer | undefined {
    if (client.isPublic !== true)
      return refusal(
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        401,
      );
    if (form.get('client_secret') === null && form.get('client_assertion') === null) return undefined;
    return refusal(
      'invalid_client',
      700025,
      "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
      401,
    );
  }

  #refresh(client: RegisteredClient, form: URLSearchParams): IssuerAnswer {
    const found = this.#refreshTokens.get(form.get('refresh_token') ?? '');
    if (found === undefined || found.clientId !== client.clientId)
      return refusal('invalid_grant', 70000, 'Provided grant is invalid or malformed.');
    const isReused = found.isUsed && this.#options.rotation === 'strict';
    if (isReused) this.#endedFamilies.add(found.family);
    if (this.#endedFamilies.has(found.family))
      return refusal(
        'invalid_grant',
        50173,
        'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
      );
    found.isUsed = true;
    return this.#userToken(client, found);
  }

  #redeem(client: RegisteredClient, form: URLSearchParams): IssuerAnswer {
    const found = this.#deviceCodes.get(form.get('device_code') ?? '');
    if (found === undefined || found.clientId !== client.clientId)
      return refusal('bad_verification_code', 70018, 'Invalid verification code.');
    if (this.#now() >= found.endsAt) return refusal('expired_token', 70020, 'The code has expired.');
    if (found.state === 'pending')
      return refusal(
        'authorization_pending',
        70016,
        'OAuth 2.0 device flow error. Authorization is pending.',
      );
    if (found.state === 'declined')
      return refusal('authorization_declined', 65004, 'User declined to consent to access the app.');
    const { user } = found.state;
    return this.#userToken(client, { user, scope: found.scope, family: randomUUID() });
  }

  #userToken(
    client: RegisteredClient,
    { user, scope, family }: { readonly user: string; readonly scope: string; readonly family: string },
  ): IssuerAnswer {
    const { clientId } = client;
    const refreshToken = this.#newRefreshToken({ clientId, user, scope, family });
    const scp = scope
      .split(' ')
      .filter((one) => one !== 'offline_access')
      .map((one) => one.slice(one.lastIndexOf('/') + 1))
      .join(' ');
    return this.#answer(clientId, user, scope, { scp, upn: user, idtyp: 'user' }, refreshToken);
  }

  #newRefreshToken(issued: Omit<IssuedRefreshToken, 'isUsed'>): string {
    const token = `1.${randomBytes(180).toString('base64url')}`;
    this.#refreshTokens.set(token, { ...issued, isUsed: false });
    return token;
  }

  #answer(
    clientId: string,
    user: string,
    scope: string,
    said: Readonly<Record<string, unknown>>,
    refreshToken: string | undefined,
  ): IssuerAnswer {
    const seconds = this.#options.lifetimeSeconds ?? 3600;
    const now = Math.floor(this.#now() / 1000);
    const resource = scope.split(' ')[0] ?? '';
    const aud = resource.slice(0, resource.lastIndexOf('/'));
    const claims = {
      aud,
      iss: `https://sts.example/${this.#options.tenant}/`,
      iat: now,
      nbf: now,
      exp: now + seconds,
      appid: clientId,
      tid: this.#options.tenant,
      uti: randomUUID(),
      ver: '1.0',
      ...said,
    };
    const signature = randomBytes(256).toString('base64url');
    const parts = [{ typ: 'JWT', alg: 'RS256', kid: 'test' }, claims].map(encodeJson);
    const token = this.#options.isOpaque
      ? randomBytes(48).toString('base64url')
      : [...parts, signature].join('.');
    this.accessTokens.set(token, { clientId, user, scope, endsAt: (now + seconds) * 1000, isRevoked: false });
    const rotated = refreshToken === undefined ? {} : { refresh_token: refreshToken };
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        scope,
        expires_in: seconds,
        ext_expires_in: seconds,
        access_token: token,
        ...rotated,
      },
    };
  }
}

/** An error in the form of Entra. */
export function refusal(error: string, code: number, text: string, status = 400): IssuerAnswer {
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const timestamp = '2026-01-15 10:00:00Z';
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  };
}

function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decodeJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return {};
  }
}
