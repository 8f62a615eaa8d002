/**
 * THREAD and UID THREAD (RFC 5256 section 3): ORDEREDSUBJECT and REFERENCES.
 *
 * The algorithms are in threading/; MODSEQ changes nothing of the answer (RFC 7162 section 3.1.9).
 */

import { formatThreads } from '../../wire/imap/thread.ts';
import type { ThreadArguments } from '../../wire/imap/thread.ts';
import { baseSubjectOf } from '../../wire/mime/baseSubject.ts';
import { octetString } from '../../wire/mime/structure.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { foundMessages, KeptChars } from '../foundMessages.ts';
import type { FoundMessage } from '../foundMessages.ts';
import type { Criterion } from '../searchCriterion.ts';
import { prepareSearch } from '../searchProgram.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';
import { runInSlices } from '../slices.ts';
import { sentDateOf, subjectKeyOf } from '../sortValue.ts';
import { readReferences } from '../threading/messageReferences.ts';
import { threadBySubject } from '../threading/orderedSubject.ts';
import { ReferenceLinks } from '../threading/referenceLinks.ts';
import { threadByReferences } from '../threading/referenceThreads.ts';
import type { ThreadedMessage, ThreadNode } from '../threading/threadedMessage.ts';

/** Finds messages and threads them; `isUid` for UID THREAD. */
export async function thread(
  session: SessionContext,
  { selection }: SelectedState,
  args: ThreadArguments,
  isUid: boolean,
): Promise<Completion> {
  const prepared = await prepareSearch(session, selection, args, isUid);
  if (prepared.kind === 'refused') return prepared.completion;
  const run = { session, selection, criterion: prepared.criterion, isUid };
  const threads = args.algorithm === 'REFERENCES' ? await byReferences(run) : await bySubject(run);
  for (const piece of formatThreads(threads)) {
    session.writer.write(piece);
    if (session.writer.isFlushDue) await session.writer.flush();
    await session.pacer.breathe();
  }
  return ok('THREAD completed');
}

interface ThreadRun {
  readonly session: SessionContext;
  readonly selection: Selection;
  readonly criterion: Criterion;
  readonly isUid: boolean;
}

async function bySubject(run: ThreadRun): Promise<readonly ThreadNode[]> {
  const { session, selection, criterion, isUid } = run;
  const kept = new KeptChars();
  const messages: ThreadedMessage[] = [];
  for await (const found of foundMessages(session, selection, criterion)) {
    const message = threadedMessage(found, isUid);
    kept.add(message.subject.length);
    messages.push(message);
  }
  return runInSlices(threadBySubject(messages), session.pacer);
}

async function byReferences(run: ThreadRun): Promise<readonly ThreadNode[]> {
  const { session, selection, criterion, isUid } = run;
  const kept = new KeptChars();
  const links = new ReferenceLinks();
  for await (const found of foundMessages(session, selection, criterion)) {
    const message = threadedMessage(found, isUid);
    const references = await readReferences(session.server.contents, found.entry.contentId, found.derived);
    kept.add(message.subject.length + links.add(message, references));
  }
  return runInSlices(threadByReferences(links), session.pacer);
}

function threadedMessage({ number, entry, derived }: FoundMessage, isUid: boolean): ThreadedMessage {
  const { envelope } = derived;
  const subject = baseSubjectOf(envelope.subject ?? octetString(''));
  return {
    number: isUid ? entry.uid : number,
    sentMs: sentDateOf(entry, envelope),
    subject: subjectKeyOf(subject),
    isReplyOrForward: subject.isReplyOrForward,
  };
}
