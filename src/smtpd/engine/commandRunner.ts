/**
 * Runs the commands of ours in one session: whatever one does, there is one reply, within the deadline. Where the reply is a
 * challenge, the next line is no command and goes to what asked for it.
 *
 * Owned by EngineConnection. A handler that throws, rejects or hangs is told to the log and answered as a temporary error, which
 * is our fault; a WireError is the client's.
 */

import { within } from '../../base/deadline.ts';
import { WireError } from '../../base/error.ts';
import { ParameterError } from '../../wire/smtp/parameters.ts';
import { asRefusal } from '../../transfer/refusal.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext } from '../context.ts';
import { HANDLER_DEADLINE_MS } from '../limits.ts';
import { type Reply, replyOf, syntaxError } from '../reply.ts';
import { traceRefusal } from '../traceRefusal.ts';

/** What running a command needs of its session. */
export interface RunningSession extends SmtpContext {
  answer(reply: Reply): void;
}

/** Runs the commands of one session, one after the other. */
export class CommandRunner {
  readonly #session: RunningSession;
  #continuation: SmtpCommand | undefined;
  #isAnswering = false;

  constructor(session: RunningSession) {
    this.#session = session;
  }

  /** Whether a command has not been answered yet. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** What the next line goes to when it is no command; asked once for each line. */
  takeContinuation(): SmtpCommand | undefined {
    const continuation = this.#continuation;
    this.#continuation = undefined;
    return continuation;
  }

  /** Runs `command`; calls `done` when it is answered. */
  run(command: SmtpCommand, line: Buffer, done: () => void): void {
    const settle = (reply: Reply) => {
      const { next, takeEffect } = reply;
      takeEffect?.();
      traceRefusal(this.#session, command.keyword, line, reply);
      this.#session.answer(reply);
      if (next !== undefined) this.#continuation = { ...command, run: (_session, answer) => next(answer) };
      done();
    };
    const outcome = replyOrPromise(this.#session, command, line);
    if (!(outcome instanceof Promise)) {
      settle(outcome);
      return;
    }
    this.#isAnswering = true;
    void outcome.then((reply) => {
      this.#isAnswering = false;
      settle(reply);
    });
  }
}

/** Never throws, never rejects. */
function replyOrPromise(session: SmtpContext, command: SmtpCommand, line: Buffer): Reply | Promise<Reply> {
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
  return replyOf(asRefusal(error));
}
