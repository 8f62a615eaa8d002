/**
 * Which file systems belong to another machine. They are not watched: what others do there gives no events, and to begin watching is a
 * call that holds the whole server for as long as a share's own server is silent.
 *
 * Linux alone says so, by a number for each file system; on other systems every directory is watched.
 */

import { statfs } from 'node:fs/promises';

/** Of Linux's statfs(2): NFS, SMB in three versions, 9P, AFS, Ceph, Coda. */
const SHARES: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x00c36400, 0x73757245,
]);

/** Whether a directory lies on a share. Errors: the system's. */
export async function isShare(directory: string): Promise<boolean> {
  return process.platform === 'linux' && SHARES.has((await statfs(directory)).type);
}
