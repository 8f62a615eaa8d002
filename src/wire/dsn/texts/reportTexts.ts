/**
 * What a report says to people, in one language. english.ts and german.ts are the languages; the compiler holds that both have every
 * sentence.
 */

import type { StatusTopic } from '../statusTopic.ts';

/** RFC 3464 section 2.3.3. */
export type ReportedAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** Why, and what the reader can do about it: sentences for somebody who knows nothing of mail servers. */
export interface ReasonText {
  readonly why: string;
  readonly advice: string;
}

/** A language of reports. */
export interface ReportTexts {
  /** Language tag. */
  readonly tag: 'en' | 'de';
  /** Begins the subject. */
  readonly subjects: Readonly<Record<ReportedAction, string>>;
  /** What the message is called that is reported about: the reader's own, or somebody's. */
  readonly message: { readonly own: string; readonly other: string };
  /** Stands above the recipients. */
  readonly headlines: Readonly<Record<ReportedAction, (message: string) => string>>;
  /** Stands below them, where there is something to say that holds for all. */
  readonly closings: Readonly<Record<ReportedAction, string | undefined>>;
  /** The reader has a forward, and the sender was not told. */
  readonly forwarded: (address: string) => string;
  /** The reader is the postmaster. */
  readonly postmaster: (sender: string) => string;
  /** How the null path is called. */
  readonly nobody: string;
  readonly moreRecipients: (count: number) => string;
  readonly triedUntil: (date: string) => string;
  readonly subjectLine: (subject: string) => string;
  readonly reasons: Readonly<Record<StatusTopic, ReasonText>>;
}
