/**
 * SessionEnd: thrown where a session cannot go on, through whatever command runs, and caught by the session's loop alone.
 */

/** Why a session ends without LOGOUT. */
export type SessionEndReason =
  /** The connection is closed, or the client has closed its side. */
  | 'connectionLost'
  /** Nothing came for too long. */
  | 'autologout'
  /** The server closes. */
  | 'shutdown'
  /** The client has passed a limit. */
  | 'abuse'
  /** The selected mailbox has been deleted. */
  | 'mailboxRemoved'
  /** A response could not be finished, so that nothing can follow it. */
  | 'brokenResponse';

/** Ends the session. `message` is what BYE says, `code` what stands in its brackets. */
export class SessionEnd extends Error {
  readonly reason: SessionEndReason;
  readonly code: string | undefined;

  constructor(reason: SessionEndReason, message: string, code?: string) {
    super(message);
    this.name = 'SessionEnd';
    this.reason = reason;
    this.code = code;
  }

  /** Whether BYE can still be said: not to a client that has gone, nor in the middle of a literal. */
  get mayBeTold(): boolean {
    return this.reason !== 'connectionLost' && this.reason !== 'brokenResponse';
  }
}
