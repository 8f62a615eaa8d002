/**
 * Dates: the calendar days of SEARCH and the date-time of APPEND and INTERNALDATE.
 *
 * RFC 3501 section 9: date, date-day, date-month, date-text, date-time, date-year, time, zone.
 * A date-time keeps its zone, which INTERNALDATE gives back. Days that the month does not have are errors.
 * Deviates from RFC 3501 because home-made clients do not pad: a date-time's day may be one digit without the space.
 */

import { unixMs } from '../../base/clock.ts';
import type { UnixMs } from '../../base/clock.ts';
import { MINUTE_MS } from '../../base/units.ts';
import type { CommandDecoder } from './decoder.ts';
import { LABEL_CHAR } from './octetClass.ts';

/** A day without time and zone. */
export interface CalendarDate {
  /** 0 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** A moment and the zone that it is told in. */
export interface DateTime {
  readonly at: UnixMs;
  /** Offset from UTC in minutes, east is positive, -1439 to 1439. */
  readonly zoneMinutes: number;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const DATE_TEXT = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/;
const DATE_TIME = /^( \d|\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const LEAP_SECOND = 60;

/** Takes a date, quoted or not. */
export function parseDate(decoder: CommandDecoder): CalendarDate {
  const start = decoder.offset;
  const octets = decoder.peek() === 0x22 ? decoder.quoted() : decoder.run(LABEL_CHAR, 'date');
  const [, day, month, year] = DATE_TEXT.exec(octets.toString('latin1')) ?? [];
  const date = calendarDate(year, month, day);
  if (date === undefined) throw decoder.error('date', start);
  return date;
}

/** Takes a date-time. */
export function parseDateTime(decoder: CommandDecoder): DateTime {
  const start = decoder.offset;
  const match = DATE_TIME.exec(decoder.quoted().toString('latin1')) ?? [];
  const [, day, month, year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = match;
  const date = calendarDate(year, month, day);
  const time = secondsOf(hours, minutes, seconds);
  const zone = secondsOf(zoneHours, zoneMinutes, '00');
  if (date === undefined || time === undefined || zone === undefined) throw decoder.error('date-time', start);
  const offsetMinutes = (sign === '-' ? -zone : zone) / 60 + 0; // + 0: no negative zero
  return {
    at: unixMs(midnightUtc(date) + time * 1000 - offsetMinutes * MINUTE_MS),
    zoneMinutes: offsetMinutes,
  };
}

/** A date-time with its quotes: `"dd-Mon-yyyy hh:mm:ss +zzzz"`, the day padded with a space. */
export function formatDateTime({ at, zoneMinutes }: DateTime): string {
  const local = new Date(at + zoneMinutes * MINUTE_MS);
  const date = `${String(local.getUTCDate()).padStart(2)}-${MONTHS[local.getUTCMonth()]}-${digits(local.getUTCFullYear(), 4)}`;
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map((n) => digits(n, 2));
  const zone = Math.abs(zoneMinutes);
  return `"${date} ${time.join(':')} ${zoneMinutes < 0 ? '-' : '+'}${digits(Math.trunc(zone / 60), 2)}${digits(zone % 60, 2)}"`;
}

/** A date as date-text. */
export function formatDate({ year, month, day }: CalendarDate): string {
  return `${day}-${MONTHS[month - 1]}-${digits(year, 4)}`;
}

/** Midnight UTC at which `date` begins. */
export function midnightUtc({ year, month, day }: CalendarDate): UnixMs {
  return unixMs(new Date(0).setUTCFullYear(year, month - 1, day));
}

function calendarDate(
  yearText: string | undefined,
  monthText: string | undefined,
  dayText: string | undefined,
): CalendarDate | undefined {
  const month = MONTHS.findIndex((name) => name.toLowerCase() === monthText?.toLowerCase()) + 1;
  const date = { year: Number(yearText), month, day: Number(dayText) };
  const monthsDays = new Date(midnightUtc({ ...date, month: month + 1, day: 0 })).getUTCDate();
  return month > 0 && date.day >= 1 && date.day <= monthsDays ? date : undefined;
}

function secondsOf(hours = '99', minutes = '99', seconds = '99'): number | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > LEAP_SECOND) return undefined;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
