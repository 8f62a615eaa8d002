/**
 * What an SMTP reply means for whoever relays: whether the message is at fault, the pace, or how the relay is set up.
 *
 * Replies of Exchange Online are told apart by status and words (smtpReplyMeanings.ts), since one status stands for many things and
 * Microsoft's words come with odd spacing and case. What no row knows is read as RFC 5321 section 4.2.1 and RFC 3463 say: 4yz may be
 * tried again, 5yz may not, and what refuses a login for good is a matter of the set-up, never of a message.
 * Trust: the text is the other side's; it is compared and never repeated.
 */

import { MEANINGS, type MeaningRow, type SmtpStage } from './smtpReplyMeanings.ts';

/** A reply with its circumstances. */
export interface SmtpAnswer {
  readonly stage: SmtpStage;
  readonly code: number;
  /** Enhanced status (RFC 3463), where there is one. */
  readonly status?: string | undefined;
  readonly text: string;
}

/**
 * `permanent` and `temporary` are for the message or recipient that was answered; `throttled`, `quota`, `misconfigured` and
 * `restricted` (the sender, tenant or address is barred) for the relay. `advice` is for the administrator.
 */
export type AnswerMeaning =
  | { readonly kind: 'permanent' | 'temporary' | 'throttled'; readonly advice?: string | undefined }
  | {
      readonly kind: 'quota' | 'misconfigured' | 'restricted';
      readonly advice: string;
      /** Whether another sender or recipient may get another answer (no connector fits this sender's domain). */
      readonly dependsOnEnvelope?: boolean | undefined;
    };

/** What a reply of 4yz or 5yz means. */
export function meaningOf(answer: SmtpAnswer): AnswerMeaning {
  const words = normalized(answer.text);
  const status = answer.status ?? statusIn(words);
  const row = MEANINGS.find((each) => fits(each, answer, status, words));
  if (row !== undefined)
    return { kind: row.kind, advice: row.advice, dependsOnEnvelope: row.dependsOnEnvelope };
  if (answer.stage === 'auth' && answer.code >= 500) return { kind: 'misconfigured', advice: LOGIN_ADVICE };
  return { kind: answer.code >= 500 ? 'permanent' : 'temporary' };
}

const LOGIN_ADVICE =
  'The server does not take the login: check user, password or token, and whether the server lets this user send by SMTP';

/** Exchange's texts come with line ends, doubled blanks and either case. */
function normalized(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Some texts have the status behind other words: `550 Access denied 5.7.64 TenantAttribution`. */
function statusIn(words: string): string | undefined {
  return /(?:^|[ ([;])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=$|[ )\];:,])/.exec(words)?.[1];
}

function fits(
  row: MeaningRow,
  { stage, code }: SmtpAnswer,
  status: string | undefined,
  words: string,
): boolean {
  const { codes, stages, statuses, words: wanted } = row;
  return (
    (codes === undefined || codes.includes(code)) &&
    (stages === undefined || stages.includes(stage)) &&
    (statuses === undefined || statuses.some((each) => isStatus(each, status))) &&
    (wanted === undefined || wanted.some((each) => words.includes(each)))
  );
}

/** `5.7.3` is itself, `4.7.500-699` a range of details. */
function isStatus(wanted: string, status: string | undefined): boolean {
  if (status === undefined) return false;
  const [first = '', last] = wanted.split('-');
  if (last === undefined) return status === first;
  const [from, given] = [detail(first), detail(status)];
  return (
    status.startsWith(first.slice(0, first.lastIndexOf('.') + 1)) && given >= from && given <= Number(last)
  );
}

function detail(status: string): number {
  return Number(status.slice(status.lastIndexOf('.') + 1));
}
