/**
 * LANG (RFC 6856 section 3): the language of the texts, or which there are.
 */

import { parseLanguageRange } from '../../wire/pop3/command.ts';
import { formatLanguageListing, MULTI_LINE_END } from '../../wire/pop3/reply.ts';
import type { Pop3Command } from '../command.ts';
import type { Pop3Context } from '../context.ts';
import { findLanguage, LANGUAGES } from '../phrases/languages.ts';

/** LANG. */
export const lang: Pop3Command<string | undefined> = {
  keyword: 'LANG',
  states: ['authorization', 'transaction'],
  source: 'RFC 6856 section 3',
  parse: parseLanguageRange,
  run(session, range) {
    if (range === undefined) return listLanguages(session);
    const phrases = findLanguage(range, session.surroundings.settings.preferredLanguage);
    if (phrases === undefined) return session.wrong(session.phrases.languageUnknown);
    session.phrases = phrases;
    session.ok(`${phrases.tag} ${phrases.languageChosen}`);
  },
};

function listLanguages(session: Pop3Context): void {
  const { connection, phrases } = session;
  session.ok(phrases.languageListing);
  for (const { tag, name } of Object.values(LANGUAGES)) connection.write(formatLanguageListing(tag, name));
  connection.write(MULTI_LINE_END);
}
