/**
 * Whether a client speaks before the greeting (RFC 5321 section 3.1), as junk mailers do.
 */

import type { Socket } from 'node:net';

/** Calls `heard` when the system has had the time to look at the socket: with true when the client has sent something. */
export function whenHeard(socket: Socket, heard: (isEarly: boolean) => void): void {
  // The system looks at the socket between the two turns of the event loop.
  setImmediate(() => setImmediate(() => heard(socket.readableLength > 0)));
}
