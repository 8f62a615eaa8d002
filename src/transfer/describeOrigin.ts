/**
 * Who handed something over, and how, as fields of trace events.
 */

import type { Origin } from './contract.ts';
import { submitterFields } from './submitterFields.ts';

/** Short plain values; what is unknown is left out. */
export function describeOrigin(origin: Origin): Record<string, string> {
  // Nobody handed it over.
  if (origin.kind === 'report')
    return { protocol: origin.kind, ...(origin.about === undefined ? {} : { about: origin.about }) };
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
