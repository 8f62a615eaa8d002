/**
 * LIST's wildcards: which mailbox names a pattern matches.
 *
 * RFC 3501 section 6.3.8: `*` matches any characters, `%` any but the delimiter. INBOX matches in any case.
 * A pattern is walked as a set of positions, without trying one branch after the other, so that the time is at most the
 * product of both lengths whatever the client sends (`*a*a*a*a*b`).
 */

import { INBOX, isInbox } from './mailboxName.ts';

/** Tells whether a mailbox name matches. */
export type ListPattern = (name: string) => boolean;

/** The pattern `reference` followed by `pattern`, as LIST and LSUB put them together. */
export function compileListPattern(
  reference: string,
  pattern: string,
  delimiter: string | undefined,
): ListPattern {
  const tokens = (reference + pattern).replace(/[*%]{2,}/g, (run) => (run.includes('*') ? '*' : '%'));
  const fewestChars = tokens.replace(/[*%]/g, '').length;
  return (name) => fewestChars <= name.length && matches(tokens, name, delimiter);
}

function matches(tokens: string, name: string, delimiter: string | undefined): boolean {
  const foldedChars = isUnderInbox(name, delimiter) ? INBOX.length : 0;
  let positions = withSkippedWildcards(tokens, new Uint8Array(tokens.length + 1).fill(1, 0, 1));
  for (let index = 0; index < name.length; index += 1) {
    const char = name.charAt(index);
    const next = new Uint8Array(tokens.length + 1);
    for (let position = 0; position < tokens.length; position += 1) {
      if (positions[position] === 0) continue;
      const token = tokens.charAt(position);
      if (token === '*' || (token === '%' && char !== delimiter)) next[position] = 1;
      else if (token === char || (index < foldedChars && token.toUpperCase() === char))
        next[position + 1] = 1;
    }
    positions = withSkippedWildcards(tokens, next);
  }
  return positions[tokens.length] === 1;
}

/** A wildcard may match nothing: whoever stands before it stands behind it as well. */
function withSkippedWildcards(tokens: string, positions: Uint8Array): Uint8Array {
  for (let position = 0; position < tokens.length; position += 1) {
    const isWildcard = tokens.charAt(position) === '*' || tokens.charAt(position) === '%';
    if (isWildcard && positions[position] === 1) positions[position + 1] = 1;
  }
  return positions;
}

function isUnderInbox(name: string, delimiter: string | undefined): boolean {
  return isInbox(name) || (delimiter !== undefined && name.startsWith(INBOX + delimiter));
}
