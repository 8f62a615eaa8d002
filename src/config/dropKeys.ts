/**
 * The tables `[[drops]]` of the schema (schema.ts): directories that routes lead to (`drop:NAME`), where each message becomes a file for an
 * application to fetch, docs/DROP.md; and what is wrong with them beyond the form of each key.
 */

import { isAbsolute, relative, sep } from 'node:path';

import { z } from 'zod';
import { GIB, KIB } from '../base/units.ts';

/** What files in a drop directory are like. */
export const DROP_PRESET_NAMES = ['iis', 'plain'] as const;

/** One drop directory. */
export const drop = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'lower-case letters, digits, dots, hyphens and underscores, a letter or digit first',
    )
    .describe(
      'Names the directory in routes (drop:NAME), in logs and in environment variables; unique among drops.',
    ),
  directory: z
    .string()
    .min(1)
    .max(4096)
    .describe('Where the files go; nothing else has to be in it. Relative to the configuration file.'),
  preset: z
    .enum(DROP_PRESET_NAMES)
    .default('iis')
    .describe(
      'iis: lines x-sender and x-receiver stand in front of the message, as the Windows SMTP service wrote them. plain: the message alone.',
    ),
  createDirectory: z
    .boolean()
    .default(false)
    .describe(
      'Whether the directory is made where it is missing. Leave it off for a share or a disk of its own: mail would go below its mount point while it is away.',
    ),
  fileLimit: z
    .int()
    .min(0)
    .max(100_000)
    .default(10_000)
    .describe(
      'Files (*.eml) that may wait for their reader; what is more waits in the queue. 0 for no limit.',
    ),
  ageLimitHours: z
    .int()
    .min(0)
    .max(8760)
    .default(24)
    .describe('Age of the oldest file from which status has an alarm: nobody fetches. 0 for none.'),
  deleteAfterHours: z
    .int()
    .min(0)
    .max(87_600)
    .default(0)
    .describe('Age at which a message that nobody has fetched is deleted, for good. 0 for never.'),
  sizeLimitOctets: z
    .int()
    .min(0)
    .max(GIB)
    .default(0)
    .refine(
      (octets) => octets === 0 || octets >= KIB,
      'allowed: 0, or a whole number from 1024 to 1073741824',
    )
    .describe('Largest message that becomes a file; a larger one goes back to its sender. 0 for no limit.'),
});

/** One drop directory, complete. */
export type DropConfig = z.infer<typeof drop>;

/** The faults of one drop, with those before it and the pickup directories, all with absolute paths: key and text. */
export function dropProblems(
  { name, directory }: DropConfig,
  before: readonly DropConfig[],
  pickups: readonly { readonly name: string; readonly directory: string }[],
): readonly (readonly [key: string, text: string])[] {
  const isTwin = before.some((other) => other.name === name);
  const sameDrop = before.find((other) => other.directory === directory);
  const samePickup = pickups.find((other) => other.directory === directory);
  return [
    ...(isTwin ? [['name', `found "${name}" a second time; names are unique`] as const] : []),
    ...(sameDrop === undefined || isTwin
      ? []
      : [
          [
            'directory',
            `is that of the drop ${sameDrop.name} too; several routes may lead to one drop`,
          ] as const,
        ]),
    ...(samePickup === undefined
      ? []
      : [
          [
            'directory',
            `is that of the pickup ${samePickup.name} too: what is dropped would be sent again`,
          ] as const,
        ]),
  ];
}

/** What works, and an administrator should know; paths are absolute. */
export function dropWarnings(
  { name, directory, deleteAfterHours }: DropConfig,
  dataDirectory: string,
): string[] {
  const warnings: string[] = [];
  const way = relative(dataDirectory, directory);
  if (!isAbsolute(way) && way.split(sep)[0] !== '..')
    warnings.push(
      `drop ${name} lies in server.dataDirectory (${dataDirectory}): whoever fetches from it has to be let into the directory that holds all mail and its keys; a place apart is safer`,
    );
  if (deleteAfterHours > 0)
    warnings.push(
      `drop ${name} deletes messages that nobody has fetched for ${deleteAfterHours} hours (deleteAfterHours): they are gone, and their senders are not told`,
    );
  return warnings;
}
