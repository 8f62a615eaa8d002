/**
 * Addresses and ranges of addresses: one spelling for each address, CIDR blocks and first-last ranges.
 *
 * RFC 4291 section 2.2 (IPv6 text, IPv4-mapped addresses), RFC 5952 (canonical text), RFC 4632 (CIDR).
 * An IPv4-mapped IPv6 address is its IPv4 address everywhere: a dual-stack listener reports IPv4 clients so, and a range
 * for 10.0.0.0/8 has to hold for them. A range of one family never includes an address of the other: `::/0` is all of
 * IPv6 and no IPv4 (net.BlockList alone would let it include every IPv4 address), so that nobody opens a relay by accident.
 */

import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

import { MailError } from '../base/error.ts';

const IPV4_BITS = 32;
const IPV6_BITS = 128;
/** The prefix of IPv4-mapped addresses, ::ffff:0:0/96. */
const MAPPED_PREFIX = '::ffff:';
const MAPPED_PREFIX_BITS = 96;
const IPV6_GROUPS = 8;
const IPV6_NETWORK_GROUPS = 4;

/** A fixed set of addresses, made from the texts of a configuration. */
export class AddressRanges {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  /** Takes `address`, `address/prefixLength` and `first-last`; throws MailError('invalid') that names the text it cannot read. */
  constructor(texts: readonly string[]) {
    for (const text of texts) this.#add(text);
  }

  /** Whether `address` lies in one of the ranges; false for what is no address. */
  includes(address: string): boolean {
    const normal = normalizeAddress(address);
    if (isIP(normal) === 0) return false;
    return isIPv4(normal) ? this.#ipv4.check(normal, 'ipv4') : this.#ipv6.check(normal, 'ipv6');
  }

  #add(text: string): void {
    const range = parseRange(text.trim());
    if (range === undefined) {
      throw new MailError(
        'invalid',
        `"${text}" is not an address, a block such as 10.0.0.0/8 or a range such as 10.0.0.1-10.0.0.9`,
      );
    }
    const list = range.family === 'ipv4' ? this.#ipv4 : this.#ipv6;
    if (range.kind === 'block') list.addSubnet(range.network, range.prefixBits, range.family);
    else list.addRange(range.first, range.last, range.family);
  }
}

/** Whether `text` is an IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** `address` in its one spelling: IPv6 canonical and without zone, IPv4-mapped as IPv4. What is no address comes back unchanged. */
export function normalizeAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const tail = canonical.slice(MAPPED_PREFIX.length);
  return canonical.startsWith(MAPPED_PREFIX) && isIPv4(tail) ? tail : canonical;
}

/** Whether `address` is this machine's own: 127.0.0.0/8, ::1, and the former IPv4-mapped. */
export function isLoopback(address: string): boolean {
  const normal = normalizeAddress(address);
  return normal === '::1' || (isIPv4(normal) && normal.startsWith('127.'));
}

/**
 * The key under which connections and failures of one party are counted: an IPv4 address itself, of an IPv6 address its
 * /64, because whoever has one IPv6 address has the 2^64 of its network (RFC 4291 section 2.5.4).
 */
export function addressGroup(address: string): string {
  const normal = normalizeAddress(address);
  if (isIP(normal) !== 6) return normal;
  const [head = '', tail = ''] = normal.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const zeros = new Array<string>(Math.max(0, IPV6_GROUPS - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, IPV6_NETWORK_GROUPS).join(':')}::/64`;
}

type AddressRange =
  | {
      readonly kind: 'block';
      readonly family: 'ipv4' | 'ipv6';
      readonly network: string;
      readonly prefixBits: number;
    }
  | {
      readonly kind: 'span';
      readonly family: 'ipv4' | 'ipv6';
      readonly first: string;
      readonly last: string;
    };

function parseRange(text: string): AddressRange | undefined {
  const dash = text.indexOf('-');
  if (dash >= 0) return parseSpan(text.slice(0, dash).trim(), text.slice(dash + 1).trim());
  const slash = text.indexOf('/');
  if (slash < 0) return parseBlock(text, undefined);
  return parseBlock(text.slice(0, slash), text.slice(slash + 1));
}

function parseSpan(firstText: string, lastText: string): AddressRange | undefined {
  const first = normalizeAddress(firstText);
  const last = normalizeAddress(lastText);
  if (isIP(first) === 0 || isIP(first) !== isIP(last)) return undefined;
  const family = familyOf(first);
  const from = new SocketAddress({ address: first, family });
  const to = new SocketAddress({ address: last, family });
  try {
    // BlockList is what knows the order of addresses; it throws when the last stands before the first.
    new BlockList().addRange(from, to);
  } catch {
    return undefined;
  }
  return { kind: 'span', family, first, last };
}

function parseBlock(addressText: string, prefixText: string | undefined): AddressRange | undefined {
  const version = isIP(addressText);
  if (version === 0) return undefined;
  const network = normalizeAddress(addressText);
  const family = familyOf(network);
  const bits = version === 4 ? IPV4_BITS : IPV6_BITS;
  if (prefixText === undefined)
    return { kind: 'block', family, network, prefixBits: family === 'ipv4' ? 32 : 128 };
  if (!/^[0-9]{1,3}$/.test(prefixText)) return undefined;
  const mappedBits = version === 6 && family === 'ipv4' ? MAPPED_PREFIX_BITS : 0;
  const prefixBits = Number(prefixText) - mappedBits;
  if (prefixBits < 0 || Number(prefixText) > bits) return undefined;
  return { kind: 'block', family, network, prefixBits };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** The groups of one side of `::`; an embedded IPv4 tail stands for two. Only their number matters beyond the first four. */
function groupsOf(side: string): string[] {
  if (side === '') return [];
  return side.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
