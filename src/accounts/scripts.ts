/**
 * Which writing systems may stand together in one label, so that `раypal` in Cyrillic and Latin is refused as a name.
 *
 * UTS #39 section 5.2, restriction level "Highly Restrictive": one recommended script (UAX #31 table 5), or Latin together
 * with the scripts of Japanese, Chinese or Korean. Characters of every script (digits, hyphen, marks) go with each. Called by
 * address.ts for every label of a domain and every part of a local part or login name.
 */

const RECOMMENDED_SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Arabic',
  'Armenian',
  'Bengali',
  'Devanagari',
  'Ethiopic',
  'Georgian',
  'Gujarati',
  'Gurmukhi',
  'Hebrew',
  'Kannada',
  'Khmer',
  'Lao',
  'Malayalam',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Tamil',
  'Telugu',
  'Thaana',
  'Thai',
  'Tibetan',
];

const COMBINED_SCRIPTS = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];

const PERMITTED: readonly RegExp[] = [
  ...RECOMMENDED_SCRIPTS.map((script) => [script]),
  ...COMBINED_SCRIPTS,
].map(
  (scripts) =>
    new RegExp(
      `^[\\p{sc=Common}\\p{sc=Inherited}${scripts.map((script) => `\\p{scx=${script}}`).join('')}]*$`,
      'u',
    ),
);

/** Whether all characters of `text` belong to one writing system, or to several that are commonly written together. */
export function isOfOneScript(text: string): boolean {
  return PERMITTED.some((pattern) => pattern.test(text));
}
