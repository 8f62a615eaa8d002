/**
 * What a CLI verb is: its words, its options, and what it runs. cli.ts finds and runs them; the tables are in verbs/.
 */

import type { Readable, Writable } from 'node:stream';
import type { ParseArgsOptionsConfig } from 'node:util';

/** The streams and surroundings that the CLI is given. */
export interface CliIo {
  readonly out: Writable;
  readonly err: Writable;
  readonly in: Readable & { readonly isTTY?: boolean };
  readonly environment: NodeJS.ProcessEnv;
}

/** Exit codes of every verb: 0 done, 1 failed, 2 wrong usage, 3 the server can't be reached. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a verb's `run` is given. */
export interface Invocation {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly isJson: boolean;
  readonly io: CliIo;
  /** Runs an operation in the server, or on the store itself when no server runs. */
  call(operation: string, input: unknown): Promise<unknown>;
  /** Writes a result: as JSON with --json, else what `show` makes of it. */
  answer<T>(result: T, show: (result: T) => string): void;
}

/** One verb. */
export interface Verb {
  /** `['account', 'add']`; one word for verbs without a noun. */
  readonly words: readonly string[];
  /** Arguments as shown in help: `ADDRESS`, `[DOMAIN]`, `ADDRESS TARGET...`. Their number is checked against it. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly options: ParseArgsOptionsConfig;
  /** What each option means; a test holds that none is missing. */
  readonly optionHelp: Readonly<Record<string, string>>;
  run(invocation: Invocation): Promise<ExitCode>;
}

/** Thrown by a verb for wrong arguments; shown with the verb's usage. */
export class UsageError extends Error {}
