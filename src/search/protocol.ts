/**
 * What the main thread and the search thread say to each other. Everything here survives the structured clone.
 */

import type { MailErrorCode } from '../base/error.ts';
import type { ContentId } from '../base/ids.ts';
import type { LogFields, LogLevel } from '../base/log.ts';
import type { TextQuestion } from './question.ts';

/** What the thread is started with. */
export interface SearchThreadData {
  /** The store's data directory. */
  readonly directory: string;
  /** Path of the index; undefined where there is to be none. */
  readonly indexPath: string | undefined;
  readonly textLimitChars: number;
  /** Octets of the disk that the index leaves free. */
  readonly reserveOctets: number;
}

/** What the thread is asked. Requests are answered in any order, by their number. */
export type SearchRequest =
  | {
      readonly kind: 'ask';
      readonly request: number;
      /** Number of the search that it is part of. */
      readonly search: number;
      /** With the first request of a search. */
      readonly questions: readonly TextQuestion[] | undefined;
      readonly contents: readonly ContentId[];
    }
  /** The search is over; not answered. */
  | { readonly kind: 'end'; readonly search: number }
  /** Something may have to be indexed or taken out; an urgent one is answered when that is done. */
  | { readonly kind: 'index'; readonly request: number; readonly isUrgent: boolean }
  | { readonly kind: 'close' };

/** What the thread says. */
export type SearchReply =
  | {
      readonly kind: 'answered';
      readonly request: number;
      /** For the first contents that were asked of, as many as there was time for: numbers of the questions answered yes. */
      readonly yes: readonly (readonly number[])[];
      /** How many of them were read. */
      readonly read: number;
    }
  | {
      readonly kind: 'failed';
      readonly request: number;
      readonly code: MailErrorCode;
      readonly message: string;
    }
  | { readonly kind: 'indexed'; readonly request: number }
  | {
      readonly kind: 'log';
      readonly level: Exclude<LogLevel, 'silent'>;
      readonly event: string;
      readonly fields: LogFields;
    };
