/**
 * The text of an HTML document as a reader sees it: no tags, scripts, styles or comments; entities decoded.
 *
 * Not a parser of HTML: it cuts where tags begin and end, as HTML Living Standard section 13.2.5 has it, and keeps no tree.
 * Blocks are parted by a space. What is quoted from another message (blockquote) is left out by those who ask for it.
 * Trust: nothing; linear in the length, for a tag or comment without an end is the last of it, and the tags are counted.
 */

import { decodeEntities } from './htmlEntities.ts';

/** Tags that are looked at. The first words of the busiest newsletter stand behind some hundred. */
const TAG_LIMIT = 4_000;

/**
 * The text of `html`, white space as it came, until at least `enough` units of it are there; `isWithoutQuotes` leaves out what
 * stands in blockquotes.
 */
export function htmlText(html: string, enough: number, isWithoutQuotes: boolean): string {
  const pieces: string[] = [];
  let quoteDepth = 0;
  let units = 0;
  const add = (text: string) => {
    if (quoteDepth > 0 && isWithoutQuotes) return;
    pieces.push(text);
    units += text.trim().length;
  };
  for (let at = 0, tags = 0; at < html.length && units < enough && tags < TAG_LIMIT; tags += 1) {
    const open = html.indexOf('<', at);
    add(decodeEntities(html.slice(at, open === -1 ? html.length : open)));
    if (open === -1) break;
    const tag = readTag(html, open);
    if (tag === undefined) break;
    at = tag.end;
    if (tag.name === '') add(tag.text);
    if (tag.name === 'blockquote') quoteDepth = Math.max(0, quoteDepth + (tag.isEnd ? -1 : 1));
    if (!INLINE.has(tag.name)) add(' ');
  }
  return pieces.join('');
}

interface Tag {
  /** In lower case; empty where it is no element's. */
  readonly name: string;
  readonly isEnd: boolean;
  /** What stands for itself after all. */
  readonly text: string;
  /** Where the text goes on, behind what may not be read. */
  readonly end: number;
}

/** Elements that do not part the words beside them; the empty name is a comment's. */
const INLINE = new Set(
  ',a,abbr,acronym,b,bdi,bdo,big,cite,code,del,dfn,em,font,i,ins,kbd,label,mark,meta,q,s,samp,small,span,strike,strong,sub,sup,time,tt,u,var,wbr'.split(
    ',',
  ),
);
/** Elements whose text nobody sees. */
const UNSEEN = new Set(['script', 'style', 'svg', 'template', 'title']);

/** What begins with the `<` at `open`; undefined where it has no end. */
function readTag(html: string, open: number): Tag | undefined {
  const [, slash, name = ''] = matchAt(/<(\/?)([a-zA-Z][^\s/>]{0,99})/y, html, open) ?? [];
  if (name === '') return readOther(html, open);
  const end = endOfTag(html, open);
  if (end === undefined) return undefined;
  const tag = { name: name.toLowerCase(), isEnd: slash === '/', text: '', end };
  if (tag.isEnd || !UNSEEN.has(tag.name) || html[end - 2] === '/') return tag;
  const close = new RegExp(`</${tag.name}[\\s/>]`, 'gi');
  close.lastIndex = end;
  const found = close.exec(html);
  return found === null ? undefined : { ...tag, end: found.index };
}

/** Comments, declarations and processing instructions; any other `<` stands for itself. */
function readOther(html: string, open: number): Tag | undefined {
  const next = html[open + 1] ?? '';
  if (!'!?/'.includes(next) || next === '') return { name: '', isEnd: false, text: '<', end: open + 1 };
  const isComment = html.startsWith('<!--', open);
  const close = isComment ? '-->' : '>';
  const found = html.indexOf(close, open + (isComment ? 4 : 2));
  return found === -1 ? undefined : { name: '', isEnd: false, text: '', end: found + close.length };
}

/** Behind the `>` that ends the tag; those in quoted attribute values do not. */
function endOfTag(html: string, open: number): number | undefined {
  const next = /[>"']/g;
  next.lastIndex = open;
  for (let match = next.exec(html); match !== null; match = next.exec(html)) {
    if (match[0] === '>') return match.index + 1;
    const isValue = /=\s*$/.test(html.slice(Math.max(open, match.index - 20), match.index));
    if (!isValue) continue;
    const close = html.indexOf(match[0], match.index + 1);
    if (close === -1) return undefined;
    next.lastIndex = close + 1;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
