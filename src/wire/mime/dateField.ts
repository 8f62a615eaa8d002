/**
 * The day that a Date field names (RFC 5322 section 3.3 with the obsolete forms of section 4.3).
 *
 * Only day, month and year are read, in whatever zone they are written: IMAP's SENTBEFORE, SENTON and SENTSINCE leave time and
 * zone aside (RFC 3501 section 6.4.4). Comments may stand anywhere.
 */

/** A day as the field writes it. */
export interface FieldDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY = /(?:^|[\s,])(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*[\s-]+(\d{2,4})(?!\d)/;
/** RFC 5322 section 4.3: two digits below 50 are of this century, three digits count from 1900. */
const CENTURY_TURN = 50;

/** The day in `value`, a field's value without its folds; undefined when there is none. */
export function dayOfDateField(value: string): FieldDay | undefined {
  const [, day, monthName = '', year = ''] = DAY.exec(value.replace(/\([^()]*\)/g, ' ')) ?? [];
  const month = MONTHS.indexOf(monthName.toLowerCase()) + 1;
  const date = { year: fullYear(Number(year), year.length), month, day: Number(day) };
  return month > 0 && date.day >= 1 && date.day <= 31 ? date : undefined;
}

function fullYear(year: number, digits: number): number {
  if (digits === 4) return year;
  return digits === 2 && year < CENTURY_TURN ? year + 2000 : year + 1900;
}
