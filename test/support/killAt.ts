/**
 * Loaded into the server's process by --import: kills it by SIGKILL at a chosen call of the file system.
 *
 * HAUSPOST_KILL_AT is the JSON of a KillMoment. Nothing but the moment of death is changed: the call is made as ever, or not any
 * more. Counts are of the main thread, where pickup directories are looked after.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** When the server dies. */
export interface KillMoment {
  readonly call: 'rename' | 'unlink' | 'open' | 'writeFile' | 'copyFile' | 'rm' | 'link';
  /** Of one of the call's paths, octets as Latin-1. */
  readonly path: string;
  readonly when: 'before' | 'after';
  /** The how-manieth such call; from 1. */
  readonly count: number;
}

/** The environment of a server that dies at this moment. */
export function killAt(moment: KillMoment): { readonly HAUSPOST_KILL_AT: string } {
  return { HAUSPOST_KILL_AT: JSON.stringify(moment) };
}

const moment = process.env.HAUSPOST_KILL_AT;
if (isMainThread && moment !== undefined) arm(JSON.parse(moment) as KillMoment);

function arm({ call, path, when, count }: KillMoment): void {
  const pattern = new RegExp(path, 's');
  let left = count;
  const isMeant = (args: readonly unknown[]) => args.slice(0, 2).some((arg) => pattern.test(textOf(arg)));
  const countDown = () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
  type Call = (...args: unknown[]) => Promise<unknown>;
  const calls = fs.promises as unknown as Record<string, Call>;
  const original = calls[call] as Call;
  calls[call] = async (...args) => {
    if (when === 'before' && isMeant(args)) countDown();
    const answer = await original(...args);
    // A call that failed does not count.
    if (when === 'after' && isMeant(args)) countDown();
    return answer;
  };
  syncBuiltinESMExports();
}

function textOf(arg: unknown): string {
  return Buffer.isBuffer(arg) ? arg.toString('latin1') : String(arg);
}
