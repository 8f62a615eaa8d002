/**
 * The four states of an IMAP session (RFC 3501 section 3), as a union: what a state has, it has by its type.
 *
 * Commands are handed the state that their table entry asks for, and move the session by SessionContext.enter.
 */

import type { Account } from '../store/contract/directory.ts';
import type { Selection } from './selection.ts';

/** Before login. */
export interface NotAuthenticatedState {
  readonly kind: 'notAuthenticated';
}

/** Logged in, no mailbox selected. */
export interface AuthenticatedState {
  readonly kind: 'authenticated';
  readonly account: Account;
}

/** Logged in, with a mailbox. */
export interface SelectedState {
  readonly kind: 'selected';
  readonly account: Account;
  readonly selection: Selection;
}

/** After LOGOUT: the connection closes. */
export interface LogoutState {
  readonly kind: 'logout';
}

/** Where a session stands. */
export type SessionState = NotAuthenticatedState | AuthenticatedState | SelectedState | LogoutState;
