/**
 * Criteria of SEARCH that flags, numbers and mod-sequences decide (RFC 3501 section 6.4.4), as functions.
 *
 * Pure. What most programs search for is UNSEEN, of the whole mailbox, again and again: such a search reads no more than the
 * flags, and asks each message with one call. Everything else is searchCriterion.ts's, which gives the same answers.
 */

import type { Uid } from '../base/ids.ts';
import { holdsNumber } from '../wire/imap/sequenceSet.ts';
import type { EntryFlags } from '../store/contract/mailboxes.ts';
import { hasKeyword } from './searchCriterion.ts';
import type { Criterion } from './searchCriterion.ts';

/** Whether the message `number` meets a criterion. */
export type FlagTest = (entry: EntryFlags, number: number) => boolean;

/** The criterion as a function, undefined where it asks for anything else; `isRecent` tells of \Recent. */
export function flagTestOf(criterion: Criterion, isRecent: (uid: Uid) => boolean): FlagTest | undefined {
  switch (criterion.kind) {
    case 'all':
      return () => true;
    case 'systemFlag': {
      const { bit, isSet } = criterion;
      return isSet ? ({ flags }) => (flags.system & bit) !== 0 : ({ flags }) => (flags.system & bit) === 0;
    }
    case 'recent':
      return ({ uid }) => isRecent(uid) === criterion.isSet;
    case 'keyword':
      return ({ flags }) => hasKeyword(flags, criterion.folded) === criterion.isSet;
    case 'numbers':
      return (_entry, number) => holdsNumber(criterion.ranges, number);
    case 'modSeq':
      return ({ modSeq }) => modSeq >= criterion.atLeast;
    case 'not': {
      const test = flagTestOf(criterion.criterion, isRecent);
      return test && ((entry, number) => !test(entry, number));
    }
    case 'some':
    case 'every':
      return joined(criterion.kind, criterion.criteria, isRecent);
    default:
      return undefined;
  }
}

function joined(
  kind: 'some' | 'every',
  criteria: readonly Criterion[],
  isRecent: (uid: Uid) => boolean,
): FlagTest | undefined {
  const tests: FlagTest[] = [];
  for (const criterion of criteria) {
    const test = flagTestOf(criterion, isRecent);
    if (test === undefined) return undefined;
    tests.push(test);
  }
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return kind === 'some'
    ? (entry, number) => tests.some((test) => test(entry, number))
    : (entry, number) => tests.every((test) => test(entry, number));
}
