/**
 * POP3 replies.
 *
 * RFC 1939 section 3, RFC 2449 sections 3 (single-line, resp-code, capability) and 8 (response codes), RFC 3206 (AUTH and SYS),
 * RFC 5034 section 4 (continuation). Multi-line replies are a first line, lines, and MULTI_LINE_END; messages go through
 * DotStuffer instead. Text is ours or an administrator's, never the other side's; line ends in it become blanks all the same.
 */

/** Longest first line of a reply, and longest capability, with CRLF (RFC 2449 section 4). */
export const REPLY_LINE_LIMIT_OCTETS = 512;

/** Ends a multi-line reply whose lines were listings. */
export const MULTI_LINE_END = '.\r\n';

/** `+OK`, the first line of a multi-line reply as well. The greeting is one: without `<` in it, or clients try APOP. */
export function formatOk(text = ''): string {
  return formatLine(text === '' ? '+OK' : `+OK ${text}`);
}

/** `-ERR` with a response code without its brackets, such as `SYS/TEMP` (MailErrorReply.pop3.code). */
export function formatErr(text: string, code?: string): string {
  return formatLine(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`);
}

/** A SASL challenge in base64, perhaps empty. Always `+` and a blank: Exchange 2003 sent `+OK` here, and clients gave up. */
export function formatContinuation(challenge: string): string {
  return `+ ${challenge}\r\n`;
}

/** A scan listing: message number and octets (RFC 1939 section 5, LIST). */
export function formatScanListing(message: number, octets: number): string {
  return `${message} ${octets}\r\n`;
}

/** A unique-id listing (RFC 1939 section 7, UIDL). `uniqueId` has 1 to 70 octets of 0x21 to 0x7E. */
export function formatUniqueIdListing(message: number, uniqueId: string): string {
  return `${message} ${uniqueId}\r\n`;
}

/** A language listing: the tag, and the language's name in itself (RFC 6856 section 3.2, LANG). */
export function formatLanguageListing(tag: string, name: string): string {
  return formatLine(`${tag} ${name}`);
}

/** A line of the CAPA reply: a tag with its parameters. */
export function formatCapability(tag: string, ...parameters: readonly string[]): string {
  return formatLine([tag, ...parameters].join(' '));
}

function formatLine(text: string): string {
  const line = text.replace(/[\r\n]+/g, ' ');
  if (Buffer.byteLength(line) <= REPLY_LINE_LIMIT_OCTETS - 2) return `${line}\r\n`;
  return `${cut(line, REPLY_LINE_LIMIT_OCTETS - 2)}\r\n`;
}

/** The longest beginning of `line` that has at most `octets` octets in UTF-8. */
function cut(line: string, octets: number): string {
  const whole = Buffer.from(line);
  let end = octets;
  while (((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return whole.toString('utf8', 0, end);
}
