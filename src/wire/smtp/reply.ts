/**
 * SMTP replies.
 *
 * RFC 5321 sections 4.2 and 4.5.3.1.5 (Reply-line), RFC 2034 section 4 (the enhanced status on every line).
 * Text may quote what a client sent: controls become blanks, so that no reply can be split, and long text is cut.
 */

/** Longest reply line with its CRLF (RFC 5321 section 4.5.3.1.5). */
export const REPLY_LINE_LIMIT_OCTETS = 512;

/** A reply with one line or several, each with the status where there is one, and its CRLF. */
export function formatReply(
  code: number,
  status: string | undefined,
  text: string | readonly string[],
): string {
  const lines = typeof text === 'string' ? [text] : text;
  const last = lines.length - 1;
  return lines.map((line, index) => formatLine(code, index < last ? '-' : ' ', status, line)).join('');
}

function formatLine(code: number, separator: string, status: string | undefined, text: string): string {
  const head = `${code}${separator}${status === undefined ? '' : `${status} `}`;
  const line = `${head}${text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')}`;
  if (Buffer.byteLength(line) <= REPLY_LINE_LIMIT_OCTETS - 2) return `${line}\r\n`;
  const octets = Buffer.from(line);
  let end = REPLY_LINE_LIMIT_OCTETS - 2;
  while (((octets[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${octets.toString('utf8', 0, end)}\r\n`;
}
