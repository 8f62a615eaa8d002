/**
 * What a host name or a domain in the configuration looks like; schema.ts and the files of its sections use it.
 */

import { z } from 'zod';

/** A host name. */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
    'a host name like mail.example.com',
  );
