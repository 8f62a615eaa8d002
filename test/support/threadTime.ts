/**
 * What this thread has worked, for tests of how long something holds the event loop: unlike the time of day it does not grow
 * while other processes have the machine.
 */

/** Milliseconds of processor time of this thread, since it began. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
