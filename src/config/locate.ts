/**
 * Finds the line of a key in a TOML file, for messages. It knows tables, arrays of tables and plain keys at the start of a
 * line: what our schema needs. A key inside an inline table is found by the line of that table's key.
 * Trust: the text was already parsed by the TOML library; a wrong guess costs a line number in a message, nothing else.
 */

/** The line (from 1) on which `path` is set, or its section opened; undefined when neither is in the text. */
export function locateKey(text: string, path: readonly (string | number)[]): number | undefined {
  const wanted = path.map(String).join('.');
  const counts = new Map<string, number>();
  let table = '';
  let best: { line: number; length: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line);
    const key = /^\s*([A-Za-z0-9_."'-]+)\s*=/.exec(line);
    let here: string | undefined;
    if (header !== null) {
      table = plain(header[2] ?? '');
      if (header[1] === '[[') {
        const count = counts.get(table) ?? 0;
        counts.set(table, count + 1);
        table = `${table}.${count}`;
      }
      here = table;
    } else if (key !== null) {
      here = table === '' ? plain(key[1] ?? '') : `${table}.${plain(key[1] ?? '')}`;
    }
    if (here === undefined || !(wanted === here || wanted.startsWith(`${here}.`))) continue;
    if (best === undefined || here.length > best.length) best = { line: index + 1, length: here.length };
  }
  return best?.line;
}

function plain(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replace(/^["']|["']$/g, ''))
    .join('.');
}
