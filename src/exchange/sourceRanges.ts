/**
 * The addresses that Exchange Online sends from, as Microsoft publishes them, and the name it greets with.
 *
 * Endpoint set 10 (`*.mail.protection.outlook.com`, TCP 25) of endpoints.office.com; the same since 2022, read last as version
 * 2026081400 in October 2026. The relay pool 40.95.0.0/16, which is used where neither SPF nor DKIM of the original mail passed
 * and its sender's domain is not the tenant's, is not published and not here: a domain of type InternalRelay keeps out of it.
 */

/** The six ranges. */
export const PUBLISHED_RANGES: readonly string[] = [
  '40.92.0.0/15',
  '40.107.0.0/16',
  '52.100.0.0/14',
  '104.47.0.0/17',
  '2a01:111:f400::/48',
  '2a01:111:f403::/48',
];

/** Whether a name in EHLO is one of Exchange Online's. Anybody may say so: it is a hint for people, never a proof. */
export function isExchangeName(heloName: string): boolean {
  return /^[a-z0-9-]{1,63}\.outbound\.protection\.outlook\.com$/i.test(heloName);
}
