/**
 * Size and time constants, so that limits read as words. Sizes are octets, times are milliseconds.
 */

/** Octets in a kibibyte. */
export const KIB = 1024;
/** Octets in a mebibyte. */
export const MIB = 1024 * KIB;
/** Octets in a gibibyte. */
export const GIB = 1024 * MIB;

/** Milliseconds in a second. */
export const SECOND_MS = 1000;
/** Milliseconds in a minute. */
export const MINUTE_MS = 60 * SECOND_MS;
/** Milliseconds in an hour. */
export const HOUR_MS = 60 * MINUTE_MS;
/** Milliseconds in a day. */
export const DAY_MS = 24 * HOUR_MS;
