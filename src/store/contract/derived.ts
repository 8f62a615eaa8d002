/**
 * Derived data: what wire/mime's walker found in a content. It can be dropped and rebuilt with identical answers at any
 * time and is never needed to serve the bytes.
 */

import type { MimeMessage } from '../../wire/mime/structure.ts';

/** The walker's result for one content. */
export type DerivedMessage = MimeMessage;
