/**
 * The day and the moment that a Date field names (RFC 5322 section 3.3 with the obsolete forms of section 4.3).
 *
 * IMAP's SENTBEFORE, SENTON and SENTSINCE take the day in whatever zone it is written and leave time and zone aside (RFC 3501
 * section 6.4.4); SORT and THREAD take the moment (RFC 5256 section 2.2). Comments may stand anywhere.
 */

import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** A day as the field writes it. */
export interface FieldDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY = /(?:^|[\s,])(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*[\s-]+(\d{2,4})(?!\d)/;
const TIME =
  /^[\s,]*(\d{1,2})\s*:\s*(\d{1,2})(?:\s*:\s*(\d{1,2}))?(?!\d)\s*(?:([+-])(\d{2})(\d{2})(?!\d)|([A-Za-z]+))?/;
/** RFC 5322 section 4.3, in hours; every other name says nothing of the zone. */
const ZONES: Readonly<Record<string, number>> = {
  EDT: -4,
  EST: -5,
  CDT: -5,
  CST: -6,
  MDT: -6,
  MST: -7,
  PDT: -7,
  PST: -8,
};
/** RFC 5322 section 4.3: two digits below 50 are of this century, three digits count from 1900. */
const CENTURY_TURN = 50;

/** The day in `value`, a field's value without its folds; undefined when there is none. */
export function dayOfDateField(value: string): FieldDay | undefined {
  return findDay(withoutComments(value))?.day;
}

/**
 * The moment that `value` names, in milliseconds since 1970; undefined when it names no day of the calendar. A zone that is
 * none is UTC, a time that is none 00:00:00 UTC (RFC 5256 section 2.2).
 */
export function momentOfDateField(value: string): number | undefined {
  const text = withoutComments(value);
  const found = findDay(text);
  if (found === undefined) return undefined;
  const { year, month, day } = found.day;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCDate() !== day) return undefined;
  return midnight.getTime() + timeOfDay(text.slice(found.end));
}

function withoutComments(value: string): string {
  return value.replace(/\([^()]*\)/g, ' ');
}

function findDay(text: string): { readonly day: FieldDay; readonly end: number } | undefined {
  const match = DAY.exec(text);
  if (match === null) return undefined;
  const [whole, day, monthName = '', year = ''] = match;
  const month = MONTHS.indexOf(monthName.toLowerCase()) + 1;
  const date = { year: fullYear(Number(year), year.length), month, day: Number(day) };
  if (month === 0 || date.day < 1 || date.day > 31) return undefined;
  return { day: date, end: match.index + whole.length };
}

/** Milliseconds from midnight UTC of the day to the time in its zone; a leap second is the one before it, not the next day's first. */
function timeOfDay(text: string): number {
  const match = TIME.exec(text);
  if (match === null) return 0;
  const [, hour, minute, second = '0', sign, zoneHour, zoneMinute, name = ''] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return 0;
  const time = Number(hour) * HOUR_MS + Number(minute) * MINUTE_MS + Math.min(59, Number(second)) * SECOND_MS;
  if (sign === undefined) return time - (ZONES[name.toUpperCase()] ?? 0) * HOUR_MS;
  if (Number(zoneMinute) > 59) return time;
  const zone = Number(zoneHour) * HOUR_MS + Number(zoneMinute) * MINUTE_MS;
  return sign === '-' ? time + zone : time - zone;
}

function fullYear(year: number, digits: number): number {
  if (digits === 4) return year;
  return digits === 2 && year < CENTURY_TURN ? year + 2000 : year + 1900;
}
