/**
 * IP ranges at work: what a remote address may do, asked when a connection is accepted and when somebody logs in.
 *
 * The one thing of the directory that is kept in memory, since it is asked for each connection of a flood; it is read anew
 * after each change of the directory, before the administrator has the answer. Of the ranges that include an address the one
 * with the highest priority counts, alone: ranges do not add up. What cannot be read again stays as it was, and is logged.
 */

import type { Log } from '../base/log.ts';
import type { Directory, IpRange, IpRangeProtocol } from '../store/contract/directory.ts';
import type { ChangeFeed } from '../store/contract/feed.ts';

/** What this room must know of network addresses; net knows it, and whoever opens this room hands it in. */
export interface NetworkAddresses {
  /** The set of addresses that the texts describe. Errors: `invalid`, with a text that it cannot read. */
  ranges(texts: readonly string[]): { includes(address: string): boolean };
  /** The address or the network that stands for it where failures are counted: of IPv6 the /64. */
  group(address: string): string;
  /** Whether it is an IPv4 or IPv6 address. */
  isAddress(text: string): boolean;
}

/** What is asked about a remote address. Nothing here waits. */
export interface IpRanges {
  /** The range that counts; undefined only for what is no address. */
  rangeOf(address: string): IpRange | undefined;
  /** Names the range that keeps `address` from a protocol; undefined where it may speak it. */
  barring(protocol: IpRangeProtocol, address: string): string | undefined;
  /** Whether `address` gets nothing of value before TLS. */
  needsTls(address: string): boolean;
  /** Ends the subscription to changes. */
  close(): void;
}

/** What ranges are read from. */
export interface IpRangesSurroundings {
  readonly directory: Pick<Directory, 'ipRanges'>;
  readonly feed: ChangeFeed;
  readonly addresses: NetworkAddresses;
  readonly log: Log;
}

interface ReadRange {
  readonly range: IpRange;
  includes(address: string): boolean;
}

/** Reads the ranges and follows their changes. Errors: the store's. */
export async function openIpRanges(surroundings: IpRangesSurroundings): Promise<IpRanges> {
  const { directory, feed, addresses, log } = surroundings;
  let ranges: readonly ReadRange[] = [];
  const read = async () => {
    ranges = (await directory.ipRanges()).map((range) => readRange(addresses, range, log));
  };
  // Subscribed before the first reading, so that no change falls between the two.
  const unsubscribe = feed.subscribe((change) => {
    if (change.kind !== 'directory') return;
    read().catch((error: unknown) => log.error('accounts.ranges.failed', { error }));
  });
  try {
    await read();
  } catch (error) {
    unsubscribe();
    throw error;
  }
  const rangeOf = (address: string) => ranges.find(({ includes }) => includes(address))?.range;
  return {
    rangeOf,
    barring(protocol, address) {
      const range = rangeOf(address);
      if (range === undefined) return 'none';
      return range.protocols.includes(protocol) ? undefined : range.name;
    },
    needsTls: (address) => rangeOf(address)?.needsTls === true,
    close: unsubscribe,
  };
}

function readRange(addresses: NetworkAddresses, range: IpRange, log: Log): ReadRange {
  try {
    const set = addresses.ranges(range.addresses);
    return { range, includes: (address) => set.includes(address) };
  } catch (error) {
    log.error('accounts.range.unreadable', { range: range.name, error });
    return { range, includes: () => false };
  }
}
