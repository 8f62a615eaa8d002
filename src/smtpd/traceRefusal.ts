/**
 * Tells the trace what a session refuses at AUTH, MAIL and RCPT, whatever the reason: the one place through which every such reply
 * passes. Order of commands (503) and numbers of recipients are nobody's business but the client's.
 *
 * Trust: paths are taken from the line as they are, so that what cannot be read is told, too; transfer bounds how many are told.
 */

import { newTraceId } from '../base/ids.ts';
import type { SessionOrigin } from '../transfer/contract.ts';
import type { SmtpContext } from './context.ts';
import type { Reply } from './reply.ts';

const STAGES = { AUTH: 'login', MAIL: 'sender', RCPT: 'recipient' } as const;
/** What is told of a path: longer than any that is taken. */
const PATH_LIMIT_CHARS = 600;

/** Tells of `reply` to the command `line`, where it refuses something. */
export function traceRefusal(session: SmtpContext, keyword: string, line: Buffer, reply: Reply): void {
  const stage = STAGES[keyword as keyof typeof STAGES];
  if (stage === undefined || !isRefusal(stage, reply)) return;
  const { transaction, surroundings } = session;
  const traceId = transaction?.traceId ?? newTraceId(surroundings.clock.now());
  if (transaction !== undefined) transaction.traceId = traceId;
  const path = stage === 'login' ? undefined : pathIn(line);
  surroundings.transfer.note(traceId, {
    stage,
    origin: originOf(session),
    reply: [reply.code, reply.status, ...[reply.text].flat().slice(0, 1)].filter(Boolean).join(' '),
    reversePath: stage === 'sender' ? (path ?? '') : (transaction?.reversePath ?? ''),
    recipient: stage === 'recipient' ? path : undefined,
    loginName: reply.loginName,
  });
}

/** Who is at the other side, for transfer. */
export function originOf({ surroundings, submitter, peer }: SmtpContext): SessionOrigin {
  const { role, listener } = surroundings;
  return { kind: 'smtp', role, listener, submitter, ...peer };
}

function isRefusal(stage: 'login' | 'sender' | 'recipient', { code, status }: Reply): boolean {
  if (code < 400 || code === 503 || status === '4.5.3') return false;
  // A login that was cancelled or could not be read is none.
  return stage !== 'login' || code !== 501;
}

/** What stands in the brackets, or behind the colon; the whole argument where there is neither. */
function pathIn(line: Buffer): string {
  const text = line.toString();
  const argument = text.slice(text.indexOf(':') + 1).trim();
  const path = /^<([^>]*)/.exec(argument)?.[1] ?? argument.split(/[ \t]/, 1)[0] ?? '';
  return path.slice(0, PATH_LIMIT_CHARS);
}
