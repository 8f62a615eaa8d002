/**
 * The limits that keep any message, however odd, within bounded memory and linear time.
 *
 * Who meets one is served all the same: the bytes stay whole, and only the description of them gets coarser (what is
 * beyond a limit is one opaque part). Dovecot 2.3 has the same two for nesting and parts; its message-parser.h names them.
 */

import { MIB } from '../../base/units.ts';

/** Multipart and message/rfc822 parts inside each other, the root included. Deeper ones are opaque. As Dovecot. */
export const MAX_DEPTH = 100;
/** Parts of one message, at every depth together. The last one swallows the rest of the message. As Dovecot. */
export const MAX_PARTS = 10_000;
/** Octets of one header whose fields are looked at; Postfix keeps 100 KiB. Fields behind it stay in the ranges only. */
export const MAX_HEADER_OCTETS = 1 * MIB;
/** Weight of everything kept of one message (octets of its headers, and ITEM_WEIGHT for each address and parameter). */
export const MAX_KEPT_WEIGHT = 16 * MIB;
/** What an address or a parameter counts beside its octets: about what it costs as an object. */
export const ITEM_WEIGHT = 100;
/** Addresses of one envelope member; Exchange Online stops at 1,000 recipients. */
export const MAX_ADDRESSES = 10_000;
/** Parameters of one field; real messages have fewer than 20, RFC 2231 continuations included. */
export const MAX_PARAMETERS = 200;
/** Octets of a boundary that are compared; RFC 2046 section 5.1.1 allows 70, and no line may have more than 998. */
export const MAX_BOUNDARY_OCTETS = 200;
/** Tags of one Content-Language field. */
export const MAX_LANGUAGES = 100;
