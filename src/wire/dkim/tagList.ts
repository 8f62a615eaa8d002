/**
 * Tag lists, which DKIM signatures and key records are made of.
 *
 * RFC 6376 section 3.2: tag-list, tag-spec, tag-name, tag-value. Tag names are case-sensitive; a name that stands twice makes the
 * whole list invalid, as section 3.2 demands.
 * Trust: nothing. Linear time; at most TAG_LIMIT tags.
 */

/** A signature has some fourteen tags, a key record eight. */
const TAG_LIMIT = 50;

const TAG = /^[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=([^;]*)$/;
const BLANK = /^[ \t\r\n]*$/;

/** Values by tag name, without the space around them; folds inside them stay. */
export type TagList = ReadonlyMap<string, string>;

/** Reads a tag list; undefined when it is none. */
export function parseTagList(text: string): TagList | undefined {
  const specs = text.split(';', TAG_LIMIT + 1);
  // The last semicolon may stand behind the last tag.
  if (BLANK.test(specs.at(-1) ?? '')) specs.pop();
  if (specs.length > TAG_LIMIT) return undefined;
  const tags = new Map<string, string>();
  for (const spec of specs) {
    const [, name, value = ''] = TAG.exec(spec) ?? [];
    if (name === undefined || tags.has(name)) return undefined;
    tags.set(name, value.replace(/^[ \t\r\n]+/, '').trimEnd());
  }
  return tags;
}

/** A value without any folding white space inside (base64, lists of names). */
export function withoutSpace(value: string): string {
  return value.replace(/[ \t\r\n]+/g, '');
}

/** The octets of a base64 value that may be folded; undefined when it is not base64. */
export function parseBase64(value: string): Buffer | undefined {
  const text = withoutSpace(value);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
