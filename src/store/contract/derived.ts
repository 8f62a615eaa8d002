/**
 * Derived data: what wire/mime's walker found in a content. It can be dropped and rebuilt with identical answers at any
 * time and is never needed to serve the bytes.
 */

import type { StoredMessage } from '../../wire/mime/encoding.ts';

/** The walker's result for one content, decoded when it is looked at, with ENVELOPE and BODYSTRUCTURE as FETCH tells them. */
export type DerivedMessage = StoredMessage;
