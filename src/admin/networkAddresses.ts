/**
 * What the accounts room must know of network addresses, from net, which it may not import.
 */

import { AddressRanges, addressGroup, isAddress } from '../net/addressRange.ts';
import type { NetworkAddresses } from '../accounts/ipRanges.ts';

/** net's knowledge of addresses, for accounts. */
export const networkAddresses: NetworkAddresses = {
  ranges: (texts) => new AddressRanges(texts),
  group: addressGroup,
  isAddress,
};
