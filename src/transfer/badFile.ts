/**
 * A file that was put aside, as the trace has it: where it was, what is wrong with it, and where it is now. Whoever moved it has logged
 * it.
 */

import type { Clock } from '../base/clock.ts';
import type { RefusedFile } from './contract.ts';
import { directoryName } from './describeOrigin.ts';
import type { Refusals } from './refusals.ts';

/** Notes a file in badmail. */
export function noteBadFile(
  refusals: Refusals,
  clock: Clock,
  { traceId, directory, file, badFile, reason, reversePath = '', recipients = [] }: RefusedFile,
): void {
  refusals.note(directoryName(directory), {
    traceId,
    reversePath,
    recipients,
    event: {
      at: clock.now(),
      kind: 'refused',
      fields: { stage: 'file', protocol: 'pickup', directory, file, badFile, reason },
    },
  });
}
