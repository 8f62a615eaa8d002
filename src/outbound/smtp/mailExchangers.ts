/**
 * Where mail for a domain goes, from the DNS.
 *
 * RFC 5321 section 5.1 (MX in order, at random among equals, the domain itself where there is none, never back to ourselves or to
 * one behind us), RFC 7505 (a domain that takes no mail). A name that does not exist is an answer; everything else that is
 * no answer is trouble of the DNS, which passes.
 * Trust: the resolver of this machine; hosts and addresses of one domain are counted.
 */

import { Resolver } from 'node:dns/promises';

import type { Clock } from '../../base/clock.ts';
import { within } from '../../base/deadline.ts';
import { MailError } from '../../base/error.ts';
import type { HopAddress } from './connectSocket.ts';
import { ADDRESSES_PER_HOST, DNS_DEADLINE_MS, DNS_TRIES, DNS_TRY_MS, HOSTS_PER_DOMAIN } from './limits.ts';

/** Asks the DNS; rejects as node:dns does. */
export interface MailResolver {
  resolveMx(domain: string): Promise<readonly { readonly exchange: string; readonly priority: number }[]>;
  resolve4(host: string): Promise<readonly string[]>;
  resolve6(host: string): Promise<readonly string[]>;
}

/** Where mail for a domain goes. */
export type Exchangers =
  | { readonly kind: 'found'; readonly hosts: readonly HopAddress[] }
  /** It takes no mail; `status` is of class 5. */
  | { readonly kind: 'none'; readonly status: string; readonly why: string }
  /** The DNS does not say, or we were told to end. */
  | { readonly kind: 'unknown'; readonly why: string };

/** What looking takes. */
export interface ExchangerSearch {
  readonly resolver: MailResolver;
  readonly clock: Clock;
  readonly port: number;
  /** This server: mail never goes to it, nor to a host that comes after it. */
  readonly serverName: string;
  /** Ends the search: nobody waits for an answer any more. */
  readonly signal: AbortSignal;
}

/** The resolver of this machine, or these servers (`address` or `address:port`) in its place. */
export function systemMailResolver(servers: readonly string[] = []): MailResolver {
  const resolver = new Resolver({ timeout: DNS_TRY_MS, tries: DNS_TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** Looks. `domain` is in its ASCII form. Never rejects. */
export async function findExchangers(domain: string, search: ExchangerSearch): Promise<Exchangers> {
  const mx = await ask(search, `MX of ${domain}`, () => search.resolver.resolveMx(domain));
  if (mx.kind === 'unknown') return mx;
  if (mx.kind === 'absent' && mx.isNoName)
    return { kind: 'none', status: '5.1.2', why: `the domain ${domain} does not exist` };
  const records = mx.kind === 'absent' ? [{ exchange: domain, priority: 0 }] : mx.found;
  if (records.every(({ exchange }) => exchange === '' || exchange === '.'))
    return { kind: 'none', status: '5.1.10', why: `the domain ${domain} takes no mail (null MX)` };
  const names = inOrder(records, search.serverName);
  if (names.length === 0)
    return { kind: 'none', status: '5.4.6', why: `mail for ${domain} leads back to this server` };
  return withAddresses(domain, names, search);
}

async function withAddresses(
  domain: string,
  names: readonly string[],
  search: ExchangerSearch,
): Promise<Exchangers> {
  const hosts: HopAddress[] = [];
  let unknown: string | undefined;
  for (const host of names.slice(0, HOSTS_PER_DOMAIN)) {
    const [six, four] = await Promise.all([
      ask(search, `AAAA of ${host}`, () => search.resolver.resolve6(host)),
      ask(search, `A of ${host}`, () => search.resolver.resolve4(host)),
    ]);
    const addresses = [six, four].flatMap((answer) => (answer.kind === 'found' ? answer.found : []));
    for (const answer of [six, four]) if (answer.kind === 'unknown') unknown ??= answer.why;
    if (addresses.length > 0)
      hosts.push({ host, port: search.port, addresses: addresses.slice(0, ADDRESSES_PER_HOST) });
  }
  if (hosts.length > 0) return { kind: 'found', hosts };
  if (unknown !== undefined) return { kind: 'unknown', why: unknown };
  return { kind: 'none', status: '5.4.4', why: `no mail host of ${domain} has an address` };
}

/** By priority, at random among equals, without ourselves and what is no better than we are. */
function inOrder(
  records: readonly { readonly exchange: string; readonly priority: number }[],
  serverName: string,
): readonly string[] {
  const own = records.filter(({ exchange }) => isSameName(exchange, serverName));
  const limit = Math.min(...own.map(({ priority }) => priority), Number.POSITIVE_INFINITY);
  return records
    .filter(({ exchange, priority }) => exchange !== '' && exchange !== '.' && priority < limit)
    .map((record) => ({ ...record, chance: Math.random() }))
    .sort((one, two) => one.priority - two.priority || one.chance - two.chance)
    .map(({ exchange }) => exchange.replace(/\.$/, ''));
}

/** Names without case and final dot. */
export function isSameName(one: string, two: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/\.$/, '');
  return plain(one) === plain(two);
}

type Asked<Value> =
  | { readonly kind: 'found'; readonly found: readonly Value[] }
  /** There is none of this kind, or no such name at all. */
  | { readonly kind: 'absent'; readonly isNoName: boolean }
  | { readonly kind: 'unknown'; readonly why: string };

async function ask<Value>(
  { clock, signal }: ExchangerSearch,
  what: string,
  asked: () => Promise<readonly Value[]>,
): Promise<Asked<Value>> {
  if (signal.aborted) return { kind: 'unknown', why: 'we were told to end' };
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(new MailError('shuttingDown'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = Promise.race([asked(), ended.promise]);
    const found = await within(clock, DNS_DEADLINE_MS, `the DNS question for ${what}`, answer);
    return found.length > 0 ? { kind: 'found', found } : { kind: 'absent', isNoName: false };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'absent', isNoName: code === 'ENOTFOUND' };
    return { kind: 'unknown', why: `the DNS does not answer for ${what} (${code})` };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
