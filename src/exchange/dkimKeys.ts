/**
 * Public keys of DKIM signatures, from the DNS.
 *
 * RFC 6376 section 3.6.2 and 6.1.2. A name that does not exist, or has no key, is an answer; everything else that is not an answer
 * is trouble of the DNS, which passes, and must cost nobody a message.
 * Trust: the resolver of this machine. Names are asked for domains of the configuration only, so nobody makes us ask for others'.
 */

import { Resolver } from 'node:dns/promises';

import type { Clock } from '../base/clock.ts';
import { within } from '../base/deadline.ts';
import { SECOND_MS } from '../base/units.ts';
import { parseKeyRecord, type ReadKey } from '../wire/dkim/keyRecord.ts';

/** How long one question may take, all tries of the resolver together. Exchange Online waits for the end of the data for minutes. */
export const KEY_DEADLINE_MS = 20 * SECOND_MS;
/** One try; Node's resolver doubles it at each of its tries. */
const TRY_MS = 3 * SECOND_MS;
const TRIES = 2;
/** TXT records at one name that are looked at; RFC 6376 section 3.6.2.2 has one. */
const RECORD_LIMIT = 5;

/** Asks the DNS for TXT records; rejects as node:dns does. */
export interface KeyResolver {
  resolveTxt(name: string): Promise<readonly (readonly string[])[]>;
}

/** A key, why there is none, or that the DNS does not say. */
export type FoundKey = ReadKey | { readonly kind: 'unknown'; readonly why: string };

/** The resolver of this machine, or these servers (`address` or `address:port`) in its place. */
export function systemKeyResolver(servers: readonly string[] = []): KeyResolver {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** Looks for the key of `selector` in `domain`. Never rejects. */
export async function findKey(
  resolver: KeyResolver,
  clock: Clock,
  domain: string,
  selector: string,
): Promise<FoundKey> {
  const name = `${selector}._domainkey.${domain}`;
  try {
    const asked = resolver.resolveTxt(name);
    return bestOf(await within(clock, KEY_DEADLINE_MS, `the DNS question for ${name}`, asked), name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    if (NO_SUCH_NAME.has(code)) return { kind: 'invalid', why: `there is no key at ${name}` };
    return { kind: 'unknown', why: `the DNS does not answer for ${name} (${code})` };
  }
}

const NO_SUCH_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

function bestOf(records: readonly (readonly string[])[], name: string): ReadKey {
  const read = records.slice(0, RECORD_LIMIT).map((strings) => parseKeyRecord(strings.join('')));
  return (
    read.find(({ kind }) => kind === 'key') ??
    read[0] ?? { kind: 'invalid', why: `there is no key at ${name}` }
  );
}
