/**
 * The code of an error of the operating system, `ENOSPC` and the like, whoever has no name for it.
 */

import { constants } from 'node:os';

/**
 * An error's code; undefined where it has none. What libuv does not know (EDQUOT and ESTALE, which
 * shares answer) comes from Node as the code "Unknown system error -122"; its number tells which it is.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return undefined;
  if (!code.startsWith('Unknown system error')) return code;
  return Object.entries(constants.errno).find(([, number]) => number === -(errno ?? 0))?.[0] ?? code;
}
