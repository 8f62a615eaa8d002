/**
 * A drop directory of a test with its relay, and what a reader finds in it.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { DropRelayOptions } from '../../src/outbound/contract.ts';
import { createDropRelay } from '../../src/outbound/drop/dropRelay.ts';
import type { Relay } from '../../src/transfer/relay.ts';
import type { Teardown } from '../support/sockets.ts';
import { NO_LIMITS } from './smtpHop.ts';

/** A file as its reader has it. */
export interface DroppedFile {
  readonly name: string;
  readonly sender: string | undefined;
  readonly receivers: readonly string[];
  /** What stands behind the lines in front. */
  readonly message: Buffer;
}

/** Makes a directory that goes with the test; answers the path of one in it that is there unless said otherwise. */
export function makeDropDirectory(t: Teardown, isThere = true): string {
  const above = mkdtempSync(join(tmpdir(), 'hauspost-drop-'));
  t.teardown(() => rmSync(above, { recursive: true, force: true }));
  const directory = join(above, 'drop');
  if (isThere) mkdirSync(directory);
  return directory;
}

/** Options of a drop in `directory` without limits, unless said otherwise. */
export function dropOptions(directory: string, options: Partial<DropRelayOptions> = {}): DropRelayOptions {
  return {
    kind: 'drop',
    name: 'scans',
    directory,
    createDirectory: false,
    format: 'iis',
    fileLimit: 0,
    deleteAfterHours: 0,
    limits: NO_LIMITS,
    ...options,
  };
}

/** The relay of these options, which closes with the test. */
export function openDrop(t: Teardown, options: DropRelayOptions, clock: Clock = systemClock): Relay {
  const relay = createDropRelay(options, { clock, log: silentLog });
  t.teardown(() => relay.close());
  return relay;
}

/** What a reader of `*.eml` finds, in the order of the names. */
export function readDrop(directory: string): readonly DroppedFile[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() && /^[^.].*\.eml$/.test(entry.name) ? [entry.name] : []))
    .sort()
    .map((name) => readDropped(name, readFileSync(join(directory, name))));
}

/** A file of the IIS form, taken apart as an application does it: the lines at its beginning are the envelope. */
export function readDropped(name: string, octets: Buffer): DroppedFile {
  const receivers: string[] = [];
  let sender: string | undefined;
  let at = 0;
  for (;;) {
    const end = octets.indexOf('\r\n', at);
    const [, field, value] = /^x-(sender|receiver): (.*)$/.exec(octets.toString('utf8', at, end)) ?? [];
    if (value === undefined) break;
    if (field === 'sender') sender = value;
    else receivers.push(value);
    at = end + 2;
  }
  return { name, sender, receivers, message: octets.subarray(at) };
}
