/**
 * The languages of POP3's texts, and which of them a client's language range means (RFC 6856 section 3.2).
 *
 * A range is looked up as RFC 4647 section 3.4 does: `de-AT` finds `de`, since a German of another country is nearer to what
 * was asked for than a refusal.
 */

import { ENGLISH } from './english.ts';
import { GERMAN } from './german.ts';
import type { Phrases } from './phrases.ts';

/** Every language, by its tag in lower case. */
export const LANGUAGES = { en: ENGLISH, de: GERMAN } as const satisfies Record<string, Phrases>;

/** The tag of a language that there is. */
export type LanguageTag = keyof typeof LANGUAGES;

/** The language that `range` means; `*` means the administrator's choice. Undefined when there is none. */
export function findLanguage(range: string, preferred: LanguageTag): Phrases | undefined {
  if (range === '*') return LANGUAGES[preferred];
  const languages: Readonly<Record<string, Phrases>> = LANGUAGES;
  const subtags = range.toLowerCase().split('-');
  for (let length = subtags.length; length > 0; length -= 1) {
    const tag = subtags.slice(0, length).join('-');
    if (Object.hasOwn(languages, tag)) return languages[tag];
  }
  return undefined;
}
