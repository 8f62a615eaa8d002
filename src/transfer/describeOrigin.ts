/**
 * Who handed something over, and how, as fields of trace events and of log lines.
 */

import type { Origin } from './contract.ts';
import { submitterFields } from './submitterFields.ts';

/** Short plain values; what is unknown is left out. */
export function describeOrigin(origin: Origin): Record<string, string> {
  // Nobody handed it over.
  if (origin.kind === 'report')
    return { protocol: origin.kind, ...(origin.about === undefined ? {} : { about: origin.about }) };
  if (origin.kind === 'pickup') return { protocol: origin.kind, ...sourceFields(origin) };
  return {
    protocol: origin.kind,
    listener: origin.listener,
    ...(origin.role === 'submission' ? { role: origin.role } : {}),
    remote: origin.remoteAddress,
    helo: origin.heloName,
    ...(origin.tls === undefined ? {} : { tls: origin.tls }),
    ...submitterFields(origin.submitter),
  };
}

/** Where it came from, in the fewest fields: a remote address, or a directory and the file. */
export function sourceFields(origin: Origin): Record<string, string> {
  if (origin.kind === 'pickup') return { directory: origin.listener, file: origin.file };
  return { remote: origin.remoteAddress };
}

/** What the budget of refusals counts it with, and what the trace finds its refusals by. */
export function sourceName(origin: Origin): string {
  return origin.kind === 'pickup' ? directoryName(origin.listener) : origin.remoteAddress;
}

/** The same for a pickup directory of this name. */
export function directoryName(directory: string): string {
  return `pickup:${directory}`;
}
