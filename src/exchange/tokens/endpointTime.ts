/**
 * The endpoint's calendar, learned from the Date of its answers: what it signs and checks goes by its clock, not by ours.
 *
 * RFC 9110 section 6.6.1. It goes on by our monotonic clock, so that no jump of the wall clock changes it. A wall clock that is off is
 * told in the log, once an hour, since other things (certificates, our own Date fields) go by it.
 * Trust: the Date of an answer whose certificate was verified.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { HOUR_MS, SECOND_MS } from '../../base/units.ts';
import { SKEW_LIMIT_MS } from './limits.ts';

/** What the endpoint's clock shows. */
export interface EndpointTime {
  /** Our own calendar until an answer has come. */
  now(): number;
  /** How far our calendar is ahead; 0 until an answer has come. */
  skewMs(): number;
  /** Takes in the Date of an answer. Answers whether that showed our time to be off by more than a little. */
  learn(date: string | undefined): boolean;
}

/** Knows nothing yet. */
export function createEndpointTime(clock: Clock, log: Log): EndpointTime {
  let offsetMs: number | undefined;
  let toldAt: number | undefined;
  const now = () => (offsetMs === undefined ? clock.now() : clock.monotonic() + offsetMs);
  const skewMs = () => (offsetMs === undefined ? 0 : clock.now() - now());
  const tell = () => {
    if (Math.abs(skewMs()) <= SKEW_LIMIT_MS) return;
    if (toldAt !== undefined && clock.monotonic() - toldAt < HOUR_MS) return;
    toldAt = clock.monotonic();
    log.warn('exchange.clock.differs', { aheadSeconds: Math.round(skewMs() / SECOND_MS) });
  };
  return {
    now,
    skewMs,
    learn(date) {
      const told = date === undefined ? Number.NaN : Date.parse(date);
      if (Number.isNaN(told)) return false;
      const isNews = Math.abs(told - now()) > SKEW_LIMIT_MS;
      offsetMs = told - clock.monotonic();
      tell();
      return isNews;
    },
  };
}
