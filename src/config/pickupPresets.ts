/**
 * The ready presets of pickup directories, and how they are laid under the tables `[[pickups]]`, before the schema's defaults: what
 * the administrator wrote goes first. Each preset says where its values come from.
 *
 * Trust: `raw` is what the TOML parser or the environment gave, not checked yet; what does not look like a pickup is left alone.
 */

import type { PICKUP_PRESET_NAMES, PickupConfig } from './pickupKeys.ts';

/** One preset. */
interface PickupPreset {
  /** One sentence for an administrator; docs/PICKUP.md has it. */
  readonly summary: string;
  /** Where the values come from, for whoever checks them again. */
  readonly sources: readonly string[];
  readonly values: Partial<PickupConfig>;
}

/** Every preset by name. */
export const PICKUP_PRESETS: Readonly<Record<(typeof PICKUP_PRESET_NAMES)[number], PickupPreset>> = {
  exchange: {
    summary:
      'As the Pickup directory of an Exchange server: *.eml, no dots doubled, Received and Resent-* fields left out.',
    sources: ['learn.microsoft.com/exchange/mail-flow/mail-routing/pickup-directory-and-replay-directory'],
    values: { kind: 'pickup', names: 'eml', dots: 'raw', senderFirst: false, removesTrace: true },
  },
  iis: {
    summary:
      'As inetpub\\mailroot\\Pickup of the Windows SMTP service: files of any name, doubled dots found out from the file, Sender before From.',
    sources: [
      'axuno/MailMergeLib, wiki IIS-SMTP-Server (the service drops one dot of a line that begins with one)',
      'vsysad.com 2014 (files of any name)',
      '.NET reference source, Message.cs (Sender is written before From, so that IIS takes it)',
    ],
    values: { kind: 'pickup', names: 'any', dots: 'auto', senderFirst: true, removesTrace: false },
  },
  dotnet: {
    summary:
      'What SmtpClient of .NET writes into SpecifiedPickupDirectory: *.eml that grow in place, X-Sender and X-Receiver in front, doubled dots found out from the file, Sender before From.',
    sources: [
      'dotnet/runtime, SmtpClient.cs (names, X-fields, files that grow in place)',
      'dotnet/corefx pull request 40492 (dots are not doubled since August 2019; .NET Framework doubles them)',
    ],
    values: { kind: 'pickup', names: 'eml', dots: 'auto', senderFirst: true, removesTrace: false },
  },
  replay: {
    summary:
      'As the Replay directory of an Exchange server: *.eml with X-Sender and X-Receiver of the strict form, which are the envelope alone.',
    sources: ['learn.microsoft.com/exchange/mail-flow/mail-routing/pickup-directory-and-replay-directory'],
    values: { kind: 'replay', names: 'eml', dots: 'raw', senderFirst: false, removesTrace: false },
  },
};

/** The raw configuration with the preset of each pickup filled in; `raw` is not changed. */
export function overlayPickupPresets(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { pickups } = raw;
  return Array.isArray(pickups) ? { ...raw, pickups: pickups.map(withPreset) } : { ...raw };
}

function withPreset(table: unknown): unknown {
  if (typeof table !== 'object' || table === null) return table;
  const given = table as Readonly<Record<string, unknown>>;
  const preset = Object.entries(PICKUP_PRESETS).find(([name]) => name === given.preset)?.[1];
  return preset === undefined ? given : { ...preset.values, ...given };
}
