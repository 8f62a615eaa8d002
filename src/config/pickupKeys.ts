/**
 * The tables `[[pickups]]` of the schema (schema.ts): directories that applications write messages into, docs/PICKUP.md.
 *
 * A preset stands below what is written here (pickupPresets.ts). pickupProblems.ts says what does not go together. Whoever can write
 * into such a directory can send mail: `senders` and `recipients` say as whom and to whom.
 */

import { z } from 'zod';
import { GIB, KIB, MIB } from '../base/units.ts';

/** The ready presets (pickupPresets.ts). */
export const PICKUP_PRESET_NAMES = ['exchange', 'iis', 'dotnet', 'replay'] as const;

const path = z.string().min(1).max(4096);

/** A domain in letters of any script; accounts has the last word on those that are not ASCII, when the server starts. */
const DOMAIN = String.raw`([\p{L}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?)(\.[\p{L}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?)*`;
const pattern = z
  .string()
  .max(253)
  // Nobody owns a file: `own` means nothing here.
  .regex(
    new RegExp(String.raw`^(?!own$)(\*|(\*\.)?${DOMAIN}|[^\s@*,<>()"\\]{1,64}@${DOMAIN})$`, 'iu'),
    '*, local, a domain, *.domain or an address',
  );

/** One pickup directory. */
export const pickup = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'lower-case letters, digits, dots, hyphens and underscores, a letter or digit first',
    )
    .describe(
      'Names the directory in `hauspost pickup`, in logs and traces, in Received fields and in environment variables; unique.',
    ),
  preset: z
    .enum(PICKUP_PRESET_NAMES)
    .optional()
    .describe('What the writers are used to (docs/PICKUP.md); each other key goes before it.'),
  directory: path.describe(
    'The directory, relative to the configuration file. It is not made: whoever may write into it may send mail, so make it with the rights that it needs. While it is missing, status has an alarm.',
  ),
  badmailDirectory: path
    .optional()
    .describe(
      'Where files go that cannot be taken, each with its reason beside it; the directory badmail inside the pickup directory when absent. Made where it is missing.',
    ),
  kind: z
    .enum(['pickup', 'replay'])
    .default('pickup')
    .describe(
      'pickup: files with or without X-Sender and X-Receiver in front. replay: only files whose X-fields have the strict form of Exchange’s Replay directory.',
    ),
  names: z
    .enum(['eml', 'any'])
    .default('eml')
    .describe(
      'Which files are taken: eml those that end in .eml, any all of them. Never *.tmp, *.part, *.bad, *.reason.txt, ~* or names with a dot in front.',
    ),
  dots: z
    .enum(['auto', 'stuffed', 'raw'])
    .default('auto')
    .describe(
      'Whether lines that begin with a dot have a second one in front, as SMTP wants it: stuffed, raw, or auto, which judges by the file.',
    ),
  senderFirst: z
    .boolean()
    .default(false)
    .describe(
      'Whether Sender is the sender of the envelope where a file has Sender and From, as IIS read it; else From is, as Exchange reads it.',
    ),
  removesTrace: z
    .boolean()
    .default(false)
    .describe('Whether Received and Resent-* fields of a file are left out, as Exchange does.'),
  scanSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(1)
    .describe('Time between two looks at the directory; what the system tells of new files comes sooner.'),
  settleSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(5)
    .describe(
      'How long size and times of a file have to be still before it counts as finished; a file that was written elsewhere and moved in need not wait.',
    ),
  messagesPerMinuteLimit: z
    .int()
    .min(0)
    .max(10_000)
    .default(100)
    .describe('Messages taken within a minute; more files wait in the directory. 0 for no limit.'),
  recipientLimit: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Recipients of one file; a file with more is bad.'),
  headerLimitOctets: z
    .int()
    .min(KIB)
    .max(MIB)
    .default(64 * KIB)
    .describe('Octets of a file’s header, X-fields among them; a file with more is bad.'),
  sizeLimitOctets: z
    .int()
    .min(KIB)
    .max(GIB)
    .optional()
    .describe(
      'Octets of the largest file; smtp.sizeLimitOctets when absent, and that is the limit of all. A larger file is bad.',
    ),
  senders: z
    .array(pattern)
    .min(1)
    .max(100)
    .default(['local'])
    .describe(
      'Senders (envelope and From) that files may have: local for every address of our domains, domains, *.domain for those below one, addresses, or * for all.',
    ),
  rewriteSender: z
    .email()
    .optional()
    .describe(
      'Address that takes the place of a sender that files may not have; without it such files are bad.',
    ),
  defaultSender: z
    .email()
    .optional()
    .describe(
      'Sender of files that name none, neither X-Sender nor From nor Sender; without it such files are bad.',
    ),
  recipients: z
    .array(pattern)
    .min(1)
    .max(100)
    .default(['*'])
    .describe(
      'Recipients that files may have, in the same forms; others are refused and told to the sender.',
    ),
  relay: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Name of the relay that takes what is not for our own domains, whatever routes say; routes decide when absent.',
    ),
});

/** One pickup directory, complete. */
export type PickupConfig = z.infer<typeof pickup>;
