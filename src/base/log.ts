/**
 * The log that every room is handed: JSON lines by pino.
 *
 * A line is an event name `room.noun.verb` with fields; a line about a message carries `trace`. Secrets and bodies never
 * come here. Levels: error (a person must look), warn (something was refused or degraded), info (the life of listeners and
 * messages), debug (the life of sessions).
 */

import { Writable } from 'node:stream';
import { pino } from 'pino';

/** What a log line may carry beside its event. */
export type LogFields = Readonly<Record<string, unknown>>;

/** How much is logged; each level includes those before it. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log with fixed fields. An `error` field that is an Error is written with message, code and stack. */
export interface Log {
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** A log whose lines carry `fields` as well. */
  with(fields: LogFields): Log;
  /** Changes how much this log, and every log made from it later or before, writes. */
  setLevel(level: LogLevel): void;
}

/** A log that writes one JSON line per event to `stream`. */
export function createLog(stream: Writable, level: LogLevel): Log {
  const shared = { level: LOG_LEVELS.indexOf(level) };
  const sink: Sink = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'event',
      serializers: { error: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return logOn(sink, shared);
}

/** A log that nobody reads, for tests and tools. */
export const silentLog: Log = createLog(
  new Writable({ write: (_chunk, _encoding, done) => done() }),
  'silent',
);

interface Sink {
  error(fields: LogFields, event: string): void;
  warn(fields: LogFields, event: string): void;
  info(fields: LogFields, event: string): void;
  debug(fields: LogFields, event: string): void;
  child(fields: LogFields): Sink;
}

function logOn(sink: Sink, shared: { level: number }): Log {
  const write =
    (level: Exclude<LogLevel, 'silent'>) =>
    (event: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) <= shared.level) sink[level](fields, event);
    };
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    with: (fields) => logOn(sink.child(fields), shared),
    setLevel: (level) => {
      shared.level = LOG_LEVELS.indexOf(level);
    },
  };
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { message, code, stack, cause: cause === undefined ? undefined : describeError(cause) };
}
