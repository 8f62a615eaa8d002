/**
 * Reads options of verbs: switches, lists, octets, passwords. Wrong values are a UsageError that says what is allowed.
 */

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseOctets } from '../table.ts';
import { type Invocation, UsageError } from '../verb.ts';

/** Answers `{ [name]: value }` for an option that was given, `{}` otherwise: for objects of changes. */
export function given<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: V });
}

/** A text option. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A text option that `none` takes away (null). */
export function removableOption(invocation: Invocation, name: string): string | null | undefined {
  const value = textOption(invocation, name);
  return value === 'none' ? null : value;
}

/** An option that may be given many times; undefined when it was not given. */
export function manyOption(invocation: Invocation, name: string): readonly string[] | undefined {
  const value = invocation.options[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** `--position`: a whole number from 1. */
export function positionOption(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'position');
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--position: found "${text}"; allowed: a whole number from 1`);
}

/** A comma-separated list; an empty text is an empty list. */
export function listOption(invocation: Invocation, name: string): readonly string[] | undefined {
  return textOption(invocation, name)
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A text option with a closed list of values. */
export function choiceOption<Choice extends string>(
  invocation: Invocation,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = textOption(invocation, name);
  const chosen = choices.find((choice) => choice === value);
  if (value === undefined || chosen !== undefined) return chosen;
  throw new UsageError(`--${name}: found "${value}"; allowed: ${choices.join(' or ')}`);
}

/** `--enable` or `--disable`. */
export function enabledOption(invocation: Invocation): boolean | undefined {
  const { enable, disable } = invocation.options;
  if (enable === true && disable === true) throw new UsageError('--enable and --disable exclude each other');
  if (enable === true) return true;
  return disable === true ? false : undefined;
}

/** Octets like `5GB`; `none` takes the limit away (null). */
export function octetsOption(invocation: Invocation, name: string): number | null | undefined {
  const value = removableOption(invocation, name);
  if (value === undefined || value === null) return value;
  const octets = parseOctets(value);
  if (octets === undefined)
    throw new UsageError(`--${name}: found "${value}"; allowed: a size like 500MB or 5GB, or none`);
  return octets;
}

/**
 * The password by --password-stdin or --password-file; undefined when neither was given, and one is to be generated.
 * Passwords are never taken from the command line: other users of the machine can read it.
 */
export async function passwordOption(invocation: Invocation): Promise<string | undefined> {
  const file = textOption(invocation, 'password-file');
  const isStdin = invocation.options['password-stdin'] === true;
  if (file !== undefined && isStdin)
    throw new UsageError('--password-file and --password-stdin exclude each other');
  if (file === undefined && !isStdin) return undefined;
  const source = file === undefined ? await text(invocation.io.in) : readPasswordFile(file);
  const password = source.split(/\r?\n/)[0] ?? '';
  if (password === '') throw new UsageError('the password is empty');
  return password;
}

function readPasswordFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--password-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}
