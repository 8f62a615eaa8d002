/**
 * IDLE's end: the raw line that the client sends in place of a command. IDLE itself has no arguments (noArguments.ts).
 *
 * RFC 2177 section 4: idle = "IDLE" CRLF "DONE", in any case.
 */

/** Whether `line`, without its line end, ends IDLE. Anything else is BAD. */
export function isDone(line: Buffer): boolean {
  return line.toString('latin1').toUpperCase() === 'DONE';
}
