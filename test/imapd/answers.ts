/**
 * What a raw client is answered, in the pieces that tests look at.
 *
 * For tests that ask one command after the other and look at what came of each; transcripts need none of it.
 */

import type { Test } from 'tap';

import type { RawClient } from './harness.ts';

/** The last line of a command's answer, without its tag. */
export async function outcome(client: RawClient, command: string): Promise<string> {
  return ((await client.command(command)).at(-1) ?? '').replace(/^\S+ /, '');
}

/** The untagged responses to a command, each without its asterisk; the command has to be OK. */
export async function told(t: Test, client: RawClient, command: string): Promise<string[]> {
  const lines = await client.command(command);
  t.match(lines.at(-1), /^\S+ OK /, command.slice(0, 200));
  return lines.slice(0, -1).map((line) => line.replace(/^\* /, ''));
}
