/**
 * APPEND (RFC 3501 section 6.3.11), one or several messages (RFC 3502), answered with APPENDUID (RFC 4315 section 3).
 *
 * Mailbox, size and quota are answered before the client sends anything. Each message streams from the connection into the
 * store and is never collected; nothing of it is visible until the last one is sealed, all in one commit.
 * Trust: the octets are kept as they come. NUL is no part of a literal (RFC 3501 section 9: CHAR8) and refused; a literal8
 * may hold it (RFC 3516 section 4.4), and no encoding is ever changed.
 */

import type { MailErrorCode } from '../../base/error.ts';
import { parseAppendEnd, parseAppendNext } from '../../wire/imap/append.ts';
import type { AppendArguments, AppendMessage } from '../../wire/imap/append.ts';
import { CommandDecoder } from '../../wire/imap/decoder.ts';
import { formatAppendUid } from '../../wire/imap/responseCode.ts';
import { formatContinuation } from '../../wire/imap/responses.ts';
import type { CommandLiteral } from '../../wire/imap/segment.ts';
import type { ContentDraft } from '../../store/contract/contents.ts';
import type { Account } from '../../store/contract/directory.ts';
import type { Appendix, InternalDate, Mailbox } from '../../store/contract/mailboxes.ts';
import type { AccountQuota } from '../../accounts/accounts.ts';
import { bad, failed, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { storedFlags } from '../flagNames.ts';
import { APPEND_MESSAGE_LIMIT } from '../limits.ts';
import { findMailbox } from '../mailboxLookup.ts';
import { inServerZone } from '../serverZone.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Appends messages. */
export async function append(
  session: SessionContext,
  state: AuthenticatedState | SelectedState,
  { mailbox: text, message }: AppendArguments,
): Promise<Completion> {
  const mailbox = await findMailbox(session, state.account, text);
  if (mailbox === undefined) return no('No such mailbox', 'TRYCREATE');
  const appendices: Appendix[] = [];
  try {
    const refusal = await takeMessages(session, state.account, message, appendices);
    return refusal ?? (await seal(session, mailbox, appendices));
  } finally {
    for (const { draft } of appendices) draft.discard();
  }
}

/** Takes all messages into `appendices`; answers why not, if not. */
async function takeMessages(
  session: SessionContext,
  account: Account,
  first: AppendMessage,
  appendices: Appendix[],
): Promise<Completion | undefined> {
  let total = 0;
  for (let message = first; ; ) {
    total += message.literal.octetCount;
    const refusal = await refusalOf(session, account, message, total, appendices.length);
    if (refusal !== undefined) return refusal;
    if (message.literal.isSynchronising) session.writer.write(formatContinuation('Ready for literal data'));
    session.input.acceptLiteral();
    const draft = session.server.contents.begin();
    appendices.push({
      draft,
      flags: storedFlags(message.flags),
      internalDate: message.internalDate ?? dateNow(session),
    });
    if (!(await takeLiteral(session, message.literal, draft))) return bad('A literal cannot hold NUL');
    const event = await session.input.next();
    if (event.kind === 'commandEnd') {
      parseAppendEnd(new CommandDecoder(event.segments), message);
      return undefined;
    }
    if (event.kind !== 'literalStart') return bad('The command is too long', 'TOOBIG');
    message = parseAppendNext(new CommandDecoder(event.segments), message);
  }
}

/** Why `message` is not even asked for. */
async function refusalOf(
  session: SessionContext,
  account: Account,
  { literal, isUtf8 }: AppendMessage,
  total: number,
  count: number,
): Promise<Completion | undefined> {
  const { settings, accounts } = session.server;
  if (isUtf8) return bad('UTF8 is not offered');
  if (literal.octetCount === 0) return no('A message cannot be empty');
  if (count >= APPEND_MESSAGE_LIMIT) return failed('limit');
  const code: MailErrorCode | undefined =
    literal.octetCount > settings.appendLimitOctets
      ? 'messageTooLarge'
      : isOver(await accounts.quotaOf(account), total)
        ? 'overQuota'
        : undefined;
  return code === undefined ? undefined : failed(code);
}

/** By the quota of now, which may be another than at login; the store asks again when it seals. */
function isOver({ usedOctets, limitOctets }: AccountQuota, octets: number): boolean {
  return limitOctets !== undefined && usedOctets + octets > limitOctets;
}

/** Streams a literal into `draft`, as fast as the store takes it; false where it holds NUL and may not. */
async function takeLiteral(
  { input, pacer }: SessionContext,
  { isLiteral8 }: CommandLiteral,
  draft: ContentDraft,
): Promise<boolean> {
  for (;;) {
    const event = await input.next();
    if (event.kind !== 'literalData') return event.kind === 'literalEnd';
    if (!isLiteral8 && event.octets.includes(0)) return false;
    await draft.write(event.octets);
    await pacer.breathe();
  }
}

async function seal(
  session: SessionContext,
  mailbox: Mailbox,
  appendices: readonly Appendix[],
): Promise<Completion> {
  const { uidValidity, to } = await session.server.mailboxes.append(mailbox.id, appendices);
  const { state } = session;
  if (state.kind === 'selected' && state.selection.id === mailbox.id) state.selection.touch();
  const range = { first: to[0] ?? 1, last: to.at(-1) ?? 0 };
  for await (const entries of session.server.mailboxes.entries(mailbox.id, range)) {
    for (const { contentId, uid } of entries) {
      if (to.includes(uid)) session.note(contentId, 'appended', { uid });
    }
  }
  return ok('APPEND completed', formatAppendUid(uidValidity, to));
}

/** Now, in the server's own zone. */
function dateNow({ server }: SessionContext): InternalDate {
  return inServerZone(server.clock.now());
}
