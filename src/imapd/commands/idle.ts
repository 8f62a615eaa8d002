/**
 * IDLE (RFC 2177): the client waits, the server tells what happens as it happens.
 *
 * The change feed interrupts the wait for DONE; no timer and no polling but for `Still here`, which keeps NAT tables alive and
 * finds clients that are gone. Idling counts as silence: after the session's time-out it ends like any other.
 */

import { formatContinuation, formatUntagged } from '../../wire/imap/responses.ts';
import { bad, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { STILL_HERE_PERIOD_MS } from '../limits.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** What interrupts the wait. One value for all: an abort without a reason makes an exception with its stack each time. */
const NEWS = Symbol('news');

/** Waits for DONE. */
export async function idle(
  session: SessionContext,
  state: AuthenticatedState | SelectedState,
): Promise<Completion> {
  const { clock, settings } = session.server;
  session.writer.write(formatContinuation('idling'));
  const untilMs = clock.monotonic() + settings.idleTimeoutMs;
  for (;;) {
    const line = await waitForLine(session, state, untilMs);
    if (line === 'tooLong') return bad('Expected DONE');
    if (line !== undefined) return isDone(line) ? ok('IDLE completed') : bad('Expected DONE');
  }
}

/** The client's line, or undefined when there was something to tell. */
async function waitForLine(
  session: SessionContext,
  state: AuthenticatedState | SelectedState,
  untilMs: number,
): Promise<Buffer | 'tooLong' | undefined> {
  const { clock } = session.server;
  const wake = new AbortController();
  const selection = state.kind === 'selected' ? state.selection : undefined;
  // Listening before telling: what comes in between interrupts the wait at once.
  selection?.onNews(() => wake.abort(NEWS));
  const stillHere = clock.after(STILL_HERE_PERIOD_MS, () => {
    session.writer.write(formatUntagged('OK', 'Still here'));
    wake.abort(NEWS);
  });
  try {
    await session.tellUpdates({ mayExpunge: true, isUid: false, isPrompt: true });
    const deadlineMs = Math.max(0, untilMs - clock.monotonic());
    return await session.input.line({ interrupt: wake.signal, deadlineMs });
  } catch (error) {
    if (error !== NEWS) throw error;
    return undefined;
  } finally {
    stillHere.clear();
    selection?.onNews(undefined);
  }
}

function isDone(line: Buffer): boolean {
  return line.toString('latin1').trim().toUpperCase() === 'DONE';
}
