/**
 * Replies as a client reads them.
 *
 * RFC 5321 section 4.2.1 (Reply-line, multi-line replies), RFC 2034 section 4 and RFC 3463 (the enhanced status, repeated on every
 * line). Controls become blanks, so that no line of a log, a trace or a report can be made by the other side.
 * Trust: text and length are the other side's; what is kept of it is cut.
 */

/** Characters of a reply that are kept: enough for what Exchange Online says, which are some 400. */
const REPLY_TEXT_LIMIT_CHARS = 1000;

/** A reply. */
export interface SmtpReply {
  /** 200 to 599; 0 where the reply had no code. */
  readonly code: number;
  /** The enhanced status, where the first line has one whose class is the code's. */
  readonly status: string | undefined;
  /** All lines in one: the code, the status once, the texts. */
  readonly line: string;
  /** The texts of the lines, without code and status. */
  readonly texts: readonly string[];
}

const HEAD = /^([2-5][0-9][0-9])(?:[ -](?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$))?|$)/;

/** Reads a whole reply, its lines parted by CRLF or LF. */
export function readReply(reply: string): SmtpReply {
  const lines = reply.split(/\r?\n/).filter((line) => line !== '');
  const head = HEAD.exec(lines[0] ?? '');
  const code = Number(head?.[1] ?? 0);
  const given = head?.[2];
  const status = given?.[0] === head?.[1]?.[0] ? given : undefined;
  const texts = lines.map((line) => {
    const own = HEAD.exec(line);
    return printable(own === null ? line : line.slice(own[0].length)).trim();
  });
  const words = [head?.[1], given, ...texts].filter((word) => word !== undefined && word !== '');
  return { code, status, texts, line: words.join(' ').slice(0, REPLY_TEXT_LIMIT_CHARS) };
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
}

/** What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1): parameters by keyword in upper case. */
export type EhloKeywords = ReadonlyMap<string, string>;

/** Keywords that are looked at; no server has more than some twenty. */
const KEYWORD_LIMIT = 100;

/** Reads the answer to EHLO; the first line is the server's name. */
export function readEhloKeywords({ texts }: SmtpReply): EhloKeywords {
  const keywords = new Map<string, string>();
  for (const text of texts.slice(1, KEYWORD_LIMIT)) {
    const [keyword = '', ...parameters] = text.split(/[ =]+/);
    // `AUTH=LOGIN` is how servers of the nineties wrote it beside `AUTH LOGIN`.
    const name = keyword.toUpperCase();
    keywords.set(name, [keywords.get(name) ?? '', ...parameters].join(' ').trim());
  }
  return keywords;
}
