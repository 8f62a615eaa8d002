/**
 * Plays transcripts against a server: `C: ` lines are sent, `S: ` lines have to come back, in this order.
 *
 * A transcript is a text file under test/scripts/<protocol>/. `#` begins a comment line, an empty line means nothing. In S
 * lines `*` stands for any characters; everything else must be equal. `C+ ` is sent together with the C line that follows it
 * (pipelining). `\r`, `\n`, `\0`, `\\` and `\xNN` in either are those octets; `X:` waits until the server has closed.
 */

import { readFileSync } from 'node:fs';
import type { Client } from './sockets.ts';

/** One step of a transcript. */
export type Step =
  | { readonly kind: 'client'; readonly octets: Buffer; readonly isHeld: boolean }
  | { readonly kind: 'server'; readonly pattern: RegExp; readonly text: string; readonly line: number }
  | { readonly kind: 'closed' };

/** Reads `test/scripts/<name>.txt`. */
export function readTranscript(name: string): Step[] {
  const text = readFileSync(new URL(`../scripts/${name}.txt`, import.meta.url), 'utf8');
  return parseTranscript(text);
}

/** The steps of a transcript. */
export function parseTranscript(text: string): Step[] {
  return text.split('\n').flatMap((line, index): Step[] => {
    const match = /^(C\+|C|S|X):? ?(.*)$/.exec(line);
    if (line.trim() === '' || line.startsWith('#')) return [];
    if (match === null) throw new Error(`line ${index + 1} is no step: ${line}`);
    const [, who, what = ''] = match;
    if (who === 'X') return [{ kind: 'closed' }];
    if (who === 'S') return [{ kind: 'server', pattern: patternOf(what), text: what, line: index + 1 }];
    return [
      { kind: 'client', octets: Buffer.from(`${decodeEscapes(what)}\r\n`, 'latin1'), isHeld: who === 'C+' },
    ];
  });
}

/** Plays the steps on a connected client; rejects at the first line that differs, naming it. */
export async function playTranscript(client: Client, steps: readonly Step[]): Promise<void> {
  let taken = 0;
  let held: Buffer[] = [];
  for (const step of steps) {
    if (step.kind === 'closed') {
      await client.closed();
    } else if (step.kind === 'client') {
      held.push(step.octets);
      if (step.isHeld) continue;
      client.send(Buffer.concat(held));
      held = [];
    } else {
      const [line, end] = await nextLine(client, taken);
      taken = end;
      if (!step.pattern.test(line)) {
        throw new Error(
          `line ${step.line}: expected ${JSON.stringify(step.text)}, got ${JSON.stringify(line)}`,
        );
      }
    }
  }
}

async function nextLine(client: Client, from: number): Promise<[line: string, end: number]> {
  await client.until(new RegExp(`^[^]{${from}}[^]*?\\r\\n`));
  const end = client.received.indexOf('\r\n', from);
  return [client.received.slice(from, end), end + 2];
}

function patternOf(text: string): RegExp {
  const escaped = decodeEscapes(text)
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 's');
}

function decodeEscapes(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[rn0\\])/g, (_match, code: string) => {
    switch (code) {
      case 'r':
        return '\r';
      case 'n':
        return '\n';
      case '0':
        return '\0';
      case '\\':
        return '\\';
      default:
        return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    }
  });
}
