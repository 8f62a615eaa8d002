/**
 * One self-signed certificate for all tests of this machine, as a first start makes it: an RSA key takes a second on a busy machine.
 * That a server makes its own is seen in net/tls.test.ts and in journeys/lifecycle.test.ts.
 */

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { systemClock } from '../../src/base/clock.ts';
import { ensureSelfSigned } from '../../src/net/selfSigned.ts';

const KEPT = fileURLToPath(new URL('../../node_modules/.cache/hauspost-certificate', import.meta.url));

/** The pair of files, made by whoever asks first. */
export async function madeCertificate(): Promise<{ certificateFile: string; keyFile: string }> {
  if (!existsSync(KEPT)) await make();
  return ensureSelfSigned({ directory: KEPT, hostName: hostname(), clock: systemClock });
}

/** Two test files may do so at a time: the first directory in its place counts. */
async function make(): Promise<void> {
  mkdirSync(dirname(KEPT), { recursive: true });
  const directory = mkdtempSync(`${KEPT}-`);
  try {
    await ensureSelfSigned({ directory, hostName: hostname(), clock: systemClock });
    renameSync(directory, KEPT);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    if (!existsSync(KEPT)) throw error;
  }
}
