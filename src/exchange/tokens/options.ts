/**
 * What a token client is told and handed: the application, how it proves itself, and where its refresh token is kept.
 *
 * RFC 6749: sections 4.4 (client credentials) and 6 (refresh token); RFC 7523 section 2.2 (an assertion in place of a secret).
 * One client is for one relay: one application, one resource, one user.
 */

import type { Clock, UnixMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { PostForm } from './postForm.ts';
import type { TokenVault } from './tokenVault.ts';

/** Microsoft's login server but for national clouds (`https://login.microsoftonline.us`, `https://login.partner.microsoftonline.cn`). */
export const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';
/** What an application may do with SMTP, IMAP and POP of Exchange Online, as consented. */
export const EXCHANGE_APPLICATION_SCOPE = 'https://outlook.office365.com/.default';
/** What an application may do with Microsoft Graph, as consented. */
export const GRAPH_APPLICATION_SCOPE = 'https://graph.microsoft.com/.default';
/** Sending by SMTP as the user who has logged in, also when nobody is there. */
export const EXCHANGE_USER_SCOPE = 'https://outlook.office.com/SMTP.Send offline_access';
/** Sending by Graph as the user who has logged in, also when nobody is there. */
export const GRAPH_USER_SCOPE = 'https://graph.microsoft.com/Mail.Send offline_access';

/** The application and the endpoints. */
export interface TokenOptions {
  /** Of the relay: in logs, advice and the vault. */
  readonly name: string;
  /** `https:` and a host; DEFAULT_AUTHORITY unless given. */
  readonly authority?: string | undefined;
  /** The directory's id, or one of its domains. */
  readonly tenant: string;
  /** The application's (client) id. */
  readonly clientId: string;
  /** Scopes with spaces between. */
  readonly scope: string;
  readonly grant: TokenGrant;
  /** In place of `authority/tenant/oauth2/v2.0/token`, and of `.../devicecode`. */
  readonly tokenEndpoint?: string | undefined;
  readonly deviceEndpoint?: string | undefined;
  /** PEM; instead of Node's roots. */
  readonly certificateAuthorities?: string | undefined;
}

/** How the application proves who it is, or who has logged in. */
export type TokenGrant =
  | {
      readonly kind: 'clientSecret';
      /** Asked for at each request, since it may be sealed in the store; undefined: there is none. */
      readonly secret: () => Promise<string | undefined>;
      /** When it ends, as Entra shows it beside the secret. */
      readonly expiresAt?: UnixMs | undefined;
    }
  | {
      readonly kind: 'clientCertificate';
      /** PEM files, read at each request, so that new ones need no restart. The key is RSA: Entra takes no other. */
      readonly certificateFile: string;
      readonly keyFile: string;
      readonly passphrase?: (() => Promise<string | undefined>) | undefined;
      /** PS256 unless said, as Microsoft asks for. */
      readonly algorithm?: 'PS256' | 'RS256' | undefined;
    }
  /** Somebody has logged in by device code; the refresh token is in the vault. A public client: it has no secret. */
  | { readonly kind: 'user' };

/** Surroundings of a token client. */
export interface TokenSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: TokenVault;
  /** Our own HTTPS unless given. */
  readonly post?: PostForm | undefined;
  /** 0 to 1, for jitter; Math.random unless given. */
  readonly random?: (() => number) | undefined;
}

/** Where tokens are asked for. */
export function tokenEndpointOf(options: TokenOptions): string {
  return options.tokenEndpoint ?? `${endpointBase(options)}/token`;
}

/** Where a device code is asked for (RFC 8628 section 3.1). */
export function deviceEndpointOf(options: TokenOptions): string {
  return options.deviceEndpoint ?? `${endpointBase(options)}/devicecode`;
}

function endpointBase({ authority = DEFAULT_AUTHORITY, tenant }: TokenOptions): string {
  return `${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0`;
}
