/**
 * Patterns of LIST and LSUB (RFC 3501 section 6.3.8): `*` stands for anything, `%` for anything without the delimiter.
 *
 * Pure. All positions in the pattern that may be reached are followed at once, so that the time is pattern times name
 * however many wildcards a client writes. INBOX matches in any case, its children by their first component likewise.
 * Trust: pattern and reference are the client's; their lengths are bounded by the framer.
 */

/** Answers whether a mailbox name, as text with the delimiter, matches. */
export type MailboxMatcher = (name: string) => boolean;

/** Longest pattern that is looked at: 1,000 characters on a name of 1,000 are a million steps, 2 ms. */
export const PATTERN_LIMIT_CHARACTERS = 1000;

const INBOX_LENGTH = 5;

/** A matcher for `pattern`, which the reference has been put in front of; undefined when it is too long. */
export function mailboxMatcher(pattern: string, delimiter: string): MailboxMatcher | undefined {
  const symbols = [...pattern.normalize('NFC').replace(/[%*]*\*[%*]*/g, '*')];
  if (symbols.length > PATTERN_LIMIT_CHARACTERS) return undefined;
  return (name) => {
    const inboxLength = isInboxOrBelow(name, delimiter) ? INBOX_LENGTH : 0;
    let reached = new Uint8Array(symbols.length + 1);
    reached[0] = 1;
    passWildcards(reached, symbols);
    for (const [index, character] of [...name].entries()) {
      const next = new Uint8Array(symbols.length + 1);
      for (let position = 0; position < symbols.length; position += 1) {
        if (reached[position] === 0) continue;
        const symbol = symbols[position];
        if (symbol === '*' || (symbol === '%' && character !== delimiter)) next[position] = 1;
        else if (isSame(symbol, character, index < inboxLength)) next[position + 1] = 1;
      }
      reached = passWildcards(next, symbols);
    }
    return reached[symbols.length] === 1;
  };
}

/** A wildcard may stand for nothing: whoever reaches it reaches what follows. */
function passWildcards(
  reached: Uint8Array<ArrayBuffer>,
  symbols: readonly string[],
): Uint8Array<ArrayBuffer> {
  for (let position = 0; position < symbols.length; position += 1) {
    const symbol = symbols[position];
    if (reached[position] === 1 && (symbol === '*' || symbol === '%')) reached[position + 1] = 1;
  }
  return reached;
}

function isSame(symbol: string | undefined, character: string, isAnyCase: boolean): boolean {
  if (symbol === character) return true;
  return isAnyCase && symbol?.toUpperCase() === character;
}

function isInboxOrBelow(name: string, delimiter: string): boolean {
  return name === 'INBOX' || name.startsWith(`INBOX${delimiter}`);
}
