/**
 * Text of strangers within a line of a report.
 */

/** `text` without anything that ends a line, hides characters or could be taken for the brackets around an address. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(/[\p{C}\p{Zl}\p{Zp}<>]/gu, '?');
}

/** The same in ASCII: RFC 3464 section 2.1.1, whose fields have no other characters. */
export function asciiLine(text: string): string {
  return oneLine(text).replace(/[^ -~]/gu, '?');
}
