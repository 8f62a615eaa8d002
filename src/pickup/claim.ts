/**
 * The names of claims: a file that is being taken is renamed to `<name>.<16 hex digits>.tmp` in its own directory.
 *
 * The digits are the handover id: the message is committed with it, so that after a crash the name tells whether the file has been
 * taken. The name before them is what the file gets back where it is not taken after all, and what badmail calls it.
 */

import { randomBytes } from 'node:crypto';

import type { FileName } from './fileNames.ts';
import { NAME_LIMIT_OCTETS } from './limits.ts';

/** Octets of a handover id, and its digits. */
const ID_OCTETS = 8;
const ENDING_OF_CLAIMS = '.tmp';
const CLAIM = /^(.+)\.([0-9a-f]{16})\.tmp$/s;
/** Octets of `.<id>.tmp`. */
const SUFFIX_OCTETS = 1 + 2 * ID_OCTETS + 4;
/** An ending that is kept when a name is cut: by it the file is known as one that is taken. */
const ENDING = /\.[^.]{1,16}$/s;

/** What a claim's name says. */
export interface ClaimName {
  /** What the file is called without the claim; shorter than it was where it was too long. */
  readonly original: FileName;
  /** 16 hex digits. */
  readonly handoverId: string;
}

/** A new handover id; two are never the same by accident. */
export function newHandoverId(): string {
  return randomBytes(ID_OCTETS).toString('hex');
}

/** The name of a claim on `name`. Cut to `limitOctets`, in front of its ending and between characters of UTF-8. */
export function claimName(
  name: FileName,
  handoverId: string,
  limitOctets: number = NAME_LIMIT_OCTETS,
): FileName {
  return `${cutName(name, limitOctets - SUFFIX_OCTETS)}.${handoverId}.tmp` as FileName;
}

/** What the name of a claim says; undefined for every other name. */
export function parseClaimName(name: FileName): ClaimName | undefined {
  const parts = name.endsWith(ENDING_OF_CLAIMS) ? CLAIM.exec(name) : null;
  if (parts === null) return undefined;
  return { original: parts[1] as FileName, handoverId: parts[2] as string };
}

/** `name` with `limitOctets` at most, its ending kept. */
export function cutName(name: FileName, limitOctets: number): FileName {
  if (name.length <= limitOctets) return name;
  const ending = ENDING.exec(name)?.[0] ?? '';
  let end = limitOctets - ending.length;
  // Octets 80 to BF continue a character of UTF-8; it has three of them at most.
  for (let back = 0; back < 3 && /[\x80-\xbf]/.test(name.charAt(end)); back += 1) end -= 1;
  return `${name.slice(0, end)}${ending}` as FileName;
}
