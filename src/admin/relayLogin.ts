/**
 * Logins by device code at a relay's token endpoint, for `hauspost relay login NAME`: one at a time for each relay.
 *
 * The login goes on in the server while the administrator opens the page; the verb asks how it stands and may go away and come back.
 * What comes of it is in the vault; the relay's token client takes it from there at its next request.
 */

import type { Clock } from '../base/clock.ts';
import { SECOND_MS } from '../base/units.ts';
import { beginDeviceLogin, type DeviceLoginEnd } from '../exchange/tokens/deviceLogin.ts';
import type { TokenOptions, TokenSurroundings } from '../exchange/tokens/options.ts';

/** How long a question about a login waits for its end. */
export const LOGIN_QUESTION_MS = 10 * SECOND_MS;

/** What the administrator is to do. */
export interface LoginBegun {
  readonly kind: 'begun';
  readonly userCode: string;
  readonly verificationUri: string;
  readonly message: string;
  readonly endsInMs: number;
}

/** How a login stands. */
export type LoginState = DeviceLoginEnd | { readonly kind: 'pending' } | { readonly kind: 'none' };

/** Logins of relays by code. */
export interface RelayLogins {
  /** Asks for a code; a login of this relay that was pending ends. `whenDone` is called when somebody has logged in. */
  begin(
    options: TokenOptions,
    whenDone: () => void,
  ): Promise<LoginBegun | Exclude<DeviceLoginEnd, { readonly kind: 'loggedIn' }>>;
  /** How the login of this relay ended, `pending` after LOGIN_QUESTION_MS, or `none` where none was begun. The end is told once. */
  state(name: string): Promise<LoginState>;
  /** Ends all that are pending. */
  close(): void;
}

interface Pending {
  readonly aborting: AbortController;
  readonly end: Promise<DeviceLoginEnd>;
}

/** Logins that keep what comes of them in the vault of `surroundings`. */
export function createRelayLogins(surroundings: TokenSurroundings): RelayLogins {
  const { clock } = surroundings;
  const pending = new Map<string, Pending>();
  const closed: DeviceLoginEnd = { kind: 'unavailable', reason: 'the login was given up' };
  const giveUp = (name: string) => {
    pending.get(name)?.aborting.abort(new Error('the login was given up'));
    pending.delete(name);
  };
  return {
    async begin(options, whenDone) {
      giveUp(options.name);
      const aborting = new AbortController();
      const login = await beginDeviceLogin(options, surroundings, aborting.signal);
      if (login.kind !== 'begun') return login;
      giveUp(options.name);
      const end = login.finish(aborting.signal).then(
        (ended) => {
          if (ended.kind === 'loggedIn') whenDone();
          return ended;
        },
        () => closed,
      );
      pending.set(options.name, { aborting, end });
      const { finish: _, ...begun } = login;
      return begun;
    },
    async state(name) {
      const login = pending.get(name);
      if (login === undefined) return { kind: 'none' };
      const state = await firstOf(clock, login.end);
      if (state.kind !== 'pending' && pending.get(name) === login) pending.delete(name);
      return state;
    },
    close() {
      for (const name of [...pending.keys()]) giveUp(name);
    },
  };
}

/** The end, or `pending` when it takes longer than a question may wait. */
async function firstOf(clock: Clock, end: Promise<DeviceLoginEnd>): Promise<LoginState> {
  const { promise, resolve } = Promise.withResolvers<LoginState>();
  const timer = clock.after(LOGIN_QUESTION_MS, () => resolve({ kind: 'pending' }));
  try {
    return await Promise.race([promise, end]);
  } finally {
    timer.clear();
  }
}
