/**
 * COMPRESS: which algorithm both directions are to be compressed with.
 *
 * RFC 4978 section 5: compress, algorithm. DEFLATE is the only algorithm that was ever registered.
 */

import type { CommandDecoder } from './decoder.ts';

/** COMPRESS's argument. */
export interface CompressArguments {
  readonly algorithm: 'DEFLATE';
}

/** Takes COMPRESS's argument. */
export function parseCompress(decoder: CommandDecoder): CompressArguments {
  decoder.sp();
  const start = decoder.offset;
  if (decoder.atom().toUpperCase() !== 'DEFLATE') throw decoder.error('DEFLATE', start);
  decoder.eof();
  return { algorithm: 'DEFLATE' };
}
