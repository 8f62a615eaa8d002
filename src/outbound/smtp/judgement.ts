/**
 * What a reply of 4yz or 5yz is for the recipients that it is for, or for the relay.
 *
 * RFC 5321 section 4.2, RFC 3463 section 2. The words are read by exchange/smtpReplies.ts.
 */

import type { SmtpReply } from '../../wire/smtp/readReply.ts';
import { type AnswerMeaning, meaningOf } from '../../exchange/smtpReplies.ts';
import type { SmtpStage } from '../../exchange/smtpReplyMeanings.ts';
import type { HopTrouble, RecipientOutcome } from '../../transfer/relay.ts';

/** An outcome for recipients, or trouble of the relay. */
export type Judgement =
  | { readonly kind: 'outcome'; readonly outcome: RecipientOutcome }
  | { readonly kind: 'trouble'; readonly trouble: HopTrouble };

/**
 * Judges a reply that is not the one hoped for. `isProven`: the relay has carried other mail lately. Then an answer that depends on
 * sender and recipient is theirs: they are deferred, and all others go on.
 */
export function judge(reply: SmtpReply, stage: SmtpStage, server: string, isProven: boolean): Judgement {
  const { code, status, line } = reply;
  if (code < 400) return outcome({ kind: 'deferred', reply: `unexpected: ${line}`, status: '4.5.0', server });
  const meaning = meaningOf({ stage, code, status, text: line });
  if (isProven && 'dependsOnEnvelope' in meaning && meaning.dependsOnEnvelope === true)
    return outcome({ kind: 'deferred', reply: `${line} - ${meaning.advice}`, status: '4.7.1', server });
  const trouble = troubleOf(meaning, `${server}: ${line}`);
  if (trouble !== undefined) return { kind: 'trouble', trouble };
  if (meaning.kind === 'permanent')
    return outcome({ kind: 'failed', reply: line, status: statusOf(reply, '5'), server });
  return outcome({ kind: 'deferred', reply: line, status: statusOf(reply, '4'), server });
}

/** The relay's trouble that a reply means, where it is the relay's. */
export function troubleOf(meaning: AnswerMeaning, reason: string): HopTrouble | undefined {
  switch (meaning.kind) {
    case 'throttled':
      return { kind: 'throttled', reason };
    case 'quota':
      return { kind: 'quota', reason, advice: meaning.advice };
    case 'misconfigured':
    case 'restricted':
      return { kind: 'misconfigured', reason, advice: meaning.advice };
    case 'permanent':
    case 'temporary':
      return undefined;
  }
}

/** The status of the reply where it has one of that class. */
function statusOf({ status }: SmtpReply, kind: '4' | '5'): string {
  return status?.startsWith(kind) === true ? status : `${kind}.0.0`;
}

function outcome(of: RecipientOutcome): Judgement {
  return { kind: 'outcome', outcome: of };
}
