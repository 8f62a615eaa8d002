/**
 * Plain tables for a terminal: columns as wide as their widest cell, no lines, so that they can be cut and grepped.
 * Trust: cells may hold what strangers sent, names of failed logins above all; a terminal shows it and does not obey it.
 */

import type { UnixMs } from '../base/clock.ts';

/** Rows of text under `headings`; answers `empty` and a line end when there are none. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  if (rows.length === 0) return `${empty}\n`;
  const shown = rows.map((row) => row.map((cell) => visibleText(cell).replaceAll('\n', '\\u{a}')));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return `${[line(headings), ...shown.map(line)].map((text) => text.trimEnd()).join('\n')}\n`;
}

/** `text` with every control character but the line feed, and those that turn the direction of writing, as `\u{...}`. */
export function visibleText(text: string): string {
  return text.replace(OBEYED, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** Control characters (C0, DEL, C1) but the line feed, marks and overrides of direction, Unicode's own line ends. */
const OBEYED = /(?!\n)[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** `name: value` lines, values in one column. */
export function formatFields(fields: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(fields).map((name) => name.length)) + 1;
  return Object.entries(fields)
    .map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`.trimEnd())
    .join('\n')
    .concat('\n');
}

/** Octets as an administrator writes them: 5 GB is 5 * 1024^3. */
export function formatOctets(octets: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = octets;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

/** `5GB`, `500 MB`, `1024` as octets; undefined when it is none of these. */
export function parseOctets(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*(B|KB|MB|GB|TB)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const power = ['B', 'KB', 'MB', 'GB', 'TB'].indexOf((match[2] ?? 'B').toUpperCase());
  const octets = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(octets) ? octets : undefined;
}

/** A time in UTC (ISO 8601); `-` where there is none. */
export function timeText(at: UnixMs | null): string {
  return at === null ? '-' : new Date(at).toISOString();
}
