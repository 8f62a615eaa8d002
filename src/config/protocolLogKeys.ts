/**
 * The section protocolLog of the configuration schema. schema.ts puts the sections together.
 */

import { z } from 'zod';
import { GIB, MIB } from '../base/units.ts';

/** What the protocol log may take of the disk, and how long. */
export const protocolLog = z.strictObject({
  sizeLimitOctets: z
    .int()
    .min(MIB)
    .max(100 * GIB)
    .default(100 * MIB)
    .describe('Octets of all files of the protocol log together; the oldest tenth goes when they are full.'),
  retentionDays: z
    .int()
    .min(1)
    .max(3650)
    .default(7)
    .describe('How long a file of the protocol log is kept after its last line.'),
});
