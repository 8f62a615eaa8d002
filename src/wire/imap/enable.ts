/**
 * ENABLE: which extensions the client understands.
 *
 * RFC 5161 section 3.1. Capabilities that are unknown are ignored by the command, so any atom will do.
 */

import type { CommandDecoder } from './decoder.ts';

/** ENABLE's arguments. */
export interface EnableArguments {
  /** In upper case; at least one. */
  readonly capabilities: readonly string[];
}

/** Takes ENABLE's arguments. */
export function parseEnable(decoder: CommandDecoder): EnableArguments {
  const capabilities: string[] = [];
  do {
    decoder.sp();
    capabilities.push(decoder.atom().toUpperCase());
  } while (decoder.peek() !== -1);
  decoder.eof();
  return { capabilities };
}
