/**
 * Lays presets under the tables `[[relays]]`, before the schema's defaults: what the administrator wrote goes first.
 * Trust: `raw` is what the TOML parser or the environment gave, not checked yet; what does not look like a relay is left alone.
 */

import type { RelayPreset } from '../exchange/relayPresets.ts';

/** Presets by name. */
export type RelayPresets = Readonly<Record<string, RelayPreset>>;

/** The raw configuration with each relay's preset filled in; `raw` is not changed. */
export function overlayPresets(
  raw: Readonly<Record<string, unknown>>,
  presets: RelayPresets,
): Record<string, unknown> {
  const { relays } = raw;
  if (!Array.isArray(relays)) return { ...raw };
  return { ...raw, relays: relays.map((table: unknown) => withPreset(table, presets)) };
}

function withPreset(table: unknown, presets: RelayPresets): unknown {
  if (typeof table !== 'object' || table === null) return table;
  const given = table as Readonly<Record<string, unknown>>;
  const preset =
    typeof given.preset === 'string' && Object.hasOwn(presets, given.preset)
      ? presets[given.preset]
      : undefined;
  return preset === undefined ? given : { ...preset.values, ...tenantHost(given, preset), ...given };
}

/** The host that Exchange Online has for a tenant's domain: its dots as hyphens. */
function tenantHost(
  { tenantDomain }: Readonly<Record<string, unknown>>,
  { tenantHostEnding }: RelayPreset,
): { readonly hosts?: readonly string[] } {
  if (tenantHostEnding === undefined || typeof tenantDomain !== 'string') return {};
  return { hosts: [`${tenantDomain.toLowerCase().replaceAll('.', '-')}${tenantHostEnding}:25`] };
}
