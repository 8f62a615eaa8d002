/**
 * What a message's header says about the tenant that it comes from.
 *
 * Each of these fields is a plain one that any sender may write; Exchange Online puts its own in. So a field proves something only
 * where it stands exactly once. Which fields exist and what they are worth: docs/EXCHANGE-DOOR.md.
 * Trust: nothing. Values are compared, never repeated but where they have the form of a tenant id.
 */

import { hash, timingSafeEqual } from 'node:crypto';

import { type MessageHeader, valuesOf } from '../wire/mime/messageHeader.ts';

/** Names of the fields (lower case). */
export const TENANT_FIELDS = {
  crossTenantId: 'x-ms-exchange-crosstenant-id',
  ldProcessed: 'x-ld-processed',
  originatorOrg: 'x-originatororg',
} as const;

const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** How a field stands in a header: not at all, as wanted, with another value, or more than once. */
export type Standing = 'absent' | 'valid' | 'other' | 'repeated';

/** A field that names a tenant. */
export interface TenantField {
  readonly standing: Standing;
  /** The tenant id, lower case, where the field stands once and has one. */
  readonly tenantId: string | undefined;
}

/** `X-MS-Exchange-CrossTenant-Id`: the id alone. */
export function readCrossTenantId(header: MessageHeader, tenantIds: ReadonlySet<string>): TenantField {
  return tenantField(valuesOf(header, TENANT_FIELDS.crossTenantId), tenantIds);
}

/** `X-LD-Processed`: the id of the tenant that did a contact's or a forward's step, then `,ExtAddr` or `,ExtFwd`. */
export function readLdProcessed(header: MessageHeader, tenantIds: ReadonlySet<string>): TenantField {
  const ids = valuesOf(header, TENANT_FIELDS.ldProcessed).map((value) => value.split(',', 1)[0] ?? '');
  return tenantField(ids, tenantIds);
}

/** `X-OriginatorOrg`: a domain of the tenant. It is counted, and opens nothing. */
export function readOriginatorOrg(header: MessageHeader, domains: ReadonlySet<string>): Standing {
  const [value, ...more] = valuesOf(header, TENANT_FIELDS.originatorOrg);
  if (value === undefined) return 'absent';
  if (more.length > 0) return 'repeated';
  return domains.has(value.toLowerCase()) ? 'valid' : 'other';
}

/** The field that a mail flow rule of the tenant puts in. Takes the same time whatever value there is. */
export function readSecret(header: MessageHeader, name: string, secrets: readonly string[]): Standing {
  const [value, ...more] = valuesOf(header, name);
  if (value === undefined) return 'absent';
  if (more.length > 0) return 'repeated';
  const given = hash('sha256', Buffer.from(value, 'latin1'), 'buffer');
  const matches = secrets.map((secret) => timingSafeEqual(given, hash('sha256', secret, 'buffer')));
  return matches.includes(true) ? 'valid' : 'other';
}

function tenantField(values: readonly string[], tenantIds: ReadonlySet<string>): TenantField {
  const [value, ...more] = values;
  if (value === undefined) return { standing: 'absent', tenantId: undefined };
  if (more.length > 0) return { standing: 'repeated', tenantId: undefined };
  const id = value.trim().toLowerCase();
  return {
    standing: tenantIds.has(id) ? 'valid' : 'other',
    tenantId: TENANT_ID.test(id) ? id : undefined,
  };
}
