/**
 * What files of a pickup directory may reach: recipients that its policy means, and its own relay for what is not ours.
 *
 * INVARIANT (no open relay): whoever may write into a directory gets to the recipients that an administrator has allowed it, and from
 * there wherever aliases, lists and forwards lead. A local part that names a further way is meant by its whole address or `*` alone.
 */

import { MailError } from '../../base/error.ts';
import type { Resolution } from '../../store/contract/directory.ts';
import type { Route } from '../../store/contract/routing.ts';
import type { DirectoryPolicy, Submitter } from '../contract.ts';
import { isMeant, matchedAddress } from './addressPattern.ts';
import type { DomainNames } from './domainNames.ts';
import { type Refusal, refusalError, worstOf } from './findings.ts';
import { isSenderRouted, parsePath } from './parsePath.ts';
import type { PlanSurroundings } from './surroundings.ts';

/** Recipients that an error tells one by one. */
const TOLD_RECIPIENTS_LIMIT = 10;
/** What is told of each. */
const TOLD_LIMIT_CHARS = 200;

/** Why a directory may not send to a recipient of its envelope; undefined where it may. Errors: the store's. */
export async function directoryBar(
  { directory }: Pick<PlanSurroundings, 'directory'>,
  domainNames: DomainNames,
  { name, recipients }: DirectoryPolicy,
  path: string,
): Promise<Refusal | undefined> {
  if (recipients.includes('*')) return undefined;
  const refusal = { address: path, reason: 'notForDirectory', directory: name } as const;
  const parsed = parsePath(path);
  if (parsed.kind === 'noAddress') return refusal;
  const isLocalMeant = recipients.includes('local');
  if (parsed.kind === 'postmaster') return isLocalMeant ? undefined : refusal;
  const { localPart, domain } = parsed;
  if (isLocalMeant && (await directory.findDomain(domain)) !== undefined) return undefined;
  // `local` is a word here and no domain.
  const named = recipients.filter((pattern) => pattern !== 'local');
  const patterns = isSenderRouted(localPart) ? named.filter((pattern) => pattern.includes('@')) : named;
  return isMeant(patterns, matchedAddress(localPart, await domainNames(domain))) ? undefined : refusal;
}

/** The relay of the directory, where it takes an address of its envelope, which `route` would take else. */
export function directoryRelay(
  submitter: Submitter,
  resolution: Resolution,
  route: Route | undefined,
): { readonly directory: string; readonly relay: string } | undefined {
  if (submitter.kind !== 'directory' || resolution.kind !== 'foreignDomain') return undefined;
  const { name, relay } = submitter.directory;
  // What a route refuses, keeps here or puts into a directory is not for relays.
  const isForRelays = route === undefined || route.target.kind === 'relay';
  return relay !== undefined && isForRelays ? { directory: name, relay } : undefined;
}

/** A recipient that cannot have the message. */
export interface RefusedRecipient {
  readonly recipient: string;
  readonly refusal: Refusal;
}

/** That none of a file's recipients can have it, at least one, as whoever finds the file in badmail reads it. */
export function refusedForAll(refused: readonly RefusedRecipient[]): MailError {
  const told = refused.slice(0, TOLD_RECIPIENTS_LIMIT).map(({ recipient, refusal }) => {
    const { smtp, publicText } = refusalError(refusal).reply;
    return `<${recipient.slice(0, TOLD_LIMIT_CHARS)}>: ${smtp.code} ${smtp.status} ${publicText}`;
  });
  const more = refused.length - told.length;
  const text = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  const worst = worstOf(refused.map(({ refusal }) => refusal));
  const code = worst === undefined ? 'recipientUnknown' : refusalError(worst).code;
  return new MailError(code, text, { publicText: text });
}
