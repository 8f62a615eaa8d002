/**
 * Runs a command of ours: whatever it does, there is one reply, within the deadline.
 *
 * Called by EngineConnection. A handler that throws, rejects or hangs is told to the log and answered as a temporary error, which
 * is our fault; a WireError is the client's.
 */

import { within } from '../../base/deadline.ts';
import { asMailError, WireError } from '../../base/error.ts';
import { ParameterError } from '../../wire/smtp/parameters.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext } from '../context.ts';
import { HANDLER_DEADLINE_MS } from '../limits.ts';
import { type Reply, replyOf, syntaxError } from '../reply.ts';

/** The reply to `line`; a promise of it where the command has to wait. Never throws, never rejects. */
export function runCommand(session: SmtpContext, command: SmtpCommand, line: Buffer): Reply | Promise<Reply> {
  try {
    const outcome = command.run(session, line);
    return outcome instanceof Promise ? awaitReply(session, command, outcome) : outcome;
  } catch (error) {
    return replyTo(error, session, command);
  }
}

async function awaitReply(
  session: SmtpContext,
  command: SmtpCommand,
  outcome: Promise<Reply>,
): Promise<Reply> {
  try {
    const { keyword, deadlineMs = HANDLER_DEADLINE_MS } = command;
    return await within(session.surroundings.clock, deadlineMs, keyword, outcome);
  } catch (error) {
    return replyTo(error, session, command);
  }
}

function replyTo(error: unknown, { log }: SmtpContext, command: SmtpCommand): Reply {
  if (error instanceof ParameterError) return syntaxError('5.5.4', error);
  if (error instanceof WireError) return syntaxError(command.syntaxStatus, error);
  log.error('smtpd.command.failed', { command: command.keyword, error });
  return replyOf(asMailError(error));
}
