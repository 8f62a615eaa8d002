/**
 * The job behind IMAP APPEND: drafts become contents and entries of one mailbox, all or none.
 */

import { MailError } from '../../../base/error.ts';
import type { MailboxId, Uid } from '../../../base/ids.ts';
import { type CopyOutcome, FLAG, type Flags, type InternalDate } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import type { JobContext } from './context.ts';
import {
  addSums,
  changeMailbox,
  checkQuota,
  type EntrySums,
  NO_SUMS,
  nextModSeq,
  requireMailbox,
} from './counters.ts';
import { type DraftEnd, sealDraft } from './drafts.ts';
import { insertEntry } from './entryRows.ts';
import { takeKeywords } from './keywordRows.ts';

/** One message to be appended, as it comes over from the main thread. */
export interface AppendItem {
  readonly draft: DraftEnd;
  readonly flags: Flags;
  readonly internalDate: InternalDate;
}

/** Jobs by name. */
export const APPEND_JOBS = { append } as const;

function append(
  db: Connection,
  input: { readonly mailboxId: MailboxId; readonly items: readonly AppendItem[] },
  context: JobContext,
): CopyOutcome {
  const { mailboxId, items } = input;
  const state = requireMailbox(db, mailboxId);
  checkQuota(
    db,
    state.accountId,
    items.reduce((sum, item) => sum + item.draft.octets, 0),
  );
  const modSeq = nextModSeq(state);
  const to: Uid[] = [];
  let delta: EntrySums = NO_SUMS;
  for (const item of items) {
    const content = sealDraft(db, item.draft, 0, undefined, context);
    const uid = (state.uidNext + to.length) as Uid;
    const flags = { system: item.flags.system, ...takeKeywords(db, mailboxId, item.flags.keywords) };
    insertEntry(db, { mailboxId, uid, modSeq }, content, flags, item.internalDate, context.now);
    delta = addSums(delta, {
      ...NO_SUMS,
      ...sumsOf(item.flags.system),
      octets: content.octets,
      pop3Octets: content.pop3Octets,
    });
    to.push(uid);
  }
  if (to.length === 0) throw new MailError('invalid', 'nothing to append');
  changeMailbox(db, mailboxId, state, { modSeq, uids: to.length, delta }, context);
  return { uidValidity: state.uidValidity, from: [], to };
}

function sumsOf(system: number): Pick<EntrySums, 'messages' | 'unseen' | 'deleted'> {
  return {
    messages: 1,
    unseen: (system & FLAG.seen) === 0 ? 1 : 0,
    deleted: (system & FLAG.deleted) === 0 ? 0 : 1,
  };
}
