/**
 * The forms of login names as docs/LOGIN.md shows them; a test holds the file against this.
 */

import { LOGIN_FORMS } from './loginForms.ts';

/** The table of docs/LOGIN.md, in Markdown. */
export function documentLoginForms(): string {
  const rows = LOGIN_FORMS.map(({ name, example, wildcardExample, guess, source }) =>
    row(name, code(example), wildcardExample === undefined ? '–' : code(wildcardExample), guess, source),
  );
  const head = row(
    'form',
    'example',
    'with any domain',
    'means, where no extra login name covers it',
    'known from',
  );
  return [head, row('---', '---', '---', '---', '---'), ...rows].join('\n');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
