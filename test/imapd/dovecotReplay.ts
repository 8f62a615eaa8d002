/**
 * Plays the transcripts of test/scripts/imap against a private Dovecot: the same words sent, the same answers expected.
 *
 * What a reader does not see is masked: texts for humans, the order of untagged responses, of flags and of a FETCH line's items,
 * quotes around names, letters' case, `{0}` for `""`, MAILBOXID, which Dovecot 2.3 does not have, HIGHESTMODSEQ, which it tells
 * only those who turned CONDSTORE on, and its CLIENTBUG. Dovecot's imap program has logged in beforehand, so that LOGIN is
 * answered here. Lines that are one server's alone are marked: `Sh:` is ours, `Sd:` Dovecot's, and a comment above says why
 * (`# Dovecot: ...`; docs/DOVECOT.md lists them).
 */

import type { Duplex } from 'node:stream';

import { decodeEscapes } from './harness.ts';

/** Dovecot answers within milliseconds; where it waits for more, the transcript is not one that it can play. */
const LINE_DEADLINE_MS = 30_000;

/** What a transcript plays with. */
export interface DovecotStage {
  connect(): Duplex;
  put(mailbox: string, message: Buffer): void;
}

/** Plays a transcript; answers its differences, one for each block of answers. */
export async function replay(text: string, stage: DovecotStage): Promise<readonly string[]> {
  const differences: string[] = [];
  const clients = new Map<string, ReplayClient>();
  const steps = parseSteps(text);
  for (let at = 0; at < steps.length; ) {
    const step = steps[at] as Step;
    if (step.who === 'M') {
      const [, mailbox = '', octets = ''] = /^(\S+) (.*)$/s.exec(step.what) ?? [];
      stage.put(mailbox, Buffer.from(decodeEscapes(octets), 'latin1'));
      at += 1;
      continue;
    }
    const client = clients.get(step.digit) ?? new ReplayClient(stage.connect());
    clients.set(step.digit, client);
    let end = at + 1;
    if (step.who === 'S') {
      while (steps[end]?.who === 'S' && steps[end]?.digit === step.digit) end += 1;
      const difference = await client.expect(steps.slice(at, end));
      if (difference !== undefined) differences.push(difference);
    } else if (step.who === 'C') {
      client.say(decodeEscapes(step.what), step.isHeld);
    }
    at = end;
  }
  return differences;
}

interface Step {
  readonly who: string;
  readonly digit: string;
  /** C+: sent together with the next. */
  readonly isHeld: boolean;
  /** S*: other lines may come before it. */
  readonly isOpen: boolean;
  readonly what: string;
  readonly line: number;
}

/** The steps that Dovecot is asked and answers. */
function parseSteps(text: string): Step[] {
  return text.split('\n').flatMap((raw, index): Step[] => {
    const match = /^([CSXM])(\d?)([dh]?)([:+*])(?: (.*))?$/.exec(raw.trimStart());
    if (match === null || match[3] === 'h') return [];
    const [, who = '', digit = '', , sign, what = ''] = match;
    return [{ who, digit, isHeld: sign === '+', isOpen: sign === '*', what, line: index + 1 }];
  });
}

/** A session with Dovecot, by lines. */
class ReplayClient {
  readonly #session: Duplex;
  readonly #lines: string[] = [];
  #waiting = '';
  #held = '';
  #wake: (() => void) | undefined;

  constructor(session: Duplex) {
    this.#session = session;
    session.setEncoding('latin1');
    session.on('data', (text: string) => {
      const lines = (this.#waiting + text).split('\r\n');
      this.#waiting = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#wake?.();
    });
    session.on('error', () => {});
  }

  /** Sends a line, or answers the LOGIN that it is. */
  say(line: string, isHeld: boolean): void {
    const [, tag] = /^(\S+) (?:LOGIN|AUTHENTICATE) /i.exec(line) ?? [];
    if (tag !== undefined) {
      this.#lines.push(`${tag} OK [CAPABILITY IMAP4rev1] Logged in`);
      return;
    }
    this.#held += `${line}\r\n`;
    if (isHeld) return;
    this.#session.write(Buffer.from(this.#held, 'latin1'));
    this.#held = '';
  }

  /** Takes as many lines as are expected, or all up to the last tagged one; answers what differs. */
  async expect(steps: readonly Step[]): Promise<string | undefined> {
    const expected = steps.map(({ what }) => what).filter((line) => !isMasked(line));
    const tagged = expected.filter(isTagged).length;
    const got: string[] = [];
    const isDone = () => (tagged > 0 ? got.filter(isTagged).length >= tagged : got.length >= expected.length);
    while (!isDone()) {
      const line = await this.#line();
      if (line === undefined) break;
      got.push(line);
      // It wants a literal where an answer was expected.
      if (line.startsWith('+') && !expected.some((one) => one.startsWith('+'))) break;
    }
    const left = withoutOrderOfExpunges(joinEmptyLiterals(got))
      .map(normalLine)
      .filter((line) => !isMasked(line));
    const missing: string[] = [];
    // Lines without wildcards first, so that these find their own.
    const byWildcards = withoutOrderOfExpunges(expected).sort(
      (a, b) => Number(a.includes('<any>')) - Number(b.includes('<any>')),
    );
    for (const line of byWildcards) {
      const pattern = patternOf(line);
      const found = left.findIndex((candidate) => pattern.test(candidate));
      if (found === -1) missing.push(line);
      else left.splice(found, 1);
    }
    if (steps.some(({ isOpen }) => isOpen)) left.length = 0;
    if (missing.length === 0 && left.length === 0) return undefined;
    return `line ${steps[0]?.line} to ${steps.at(-1)?.line}: missing ${JSON.stringify(missing)}, came ${JSON.stringify(left)}`;
  }

  async #line(): Promise<string | undefined> {
    while (this.#lines.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      const isInTime = await new Promise<boolean>((resolve) => {
        this.#wake = () => resolve(true);
        timer = setTimeout(() => resolve(false), LINE_DEADLINE_MS);
      });
      clearTimeout(timer);
      if (!isInTime) return undefined;
    }
    return this.#lines.shift();
  }
}

function isMasked(line: string): boolean {
  return line.startsWith('* OK [MAILBOXID ') || line.startsWith('* OK [HIGHESTMODSEQ ');
}

function isTagged(line: string): boolean {
  return /^[^\s*+]\S* (OK|NO|BAD)\b/.test(line);
}

/** `{0}` and the line behind it are `""` and the rest of the same line. */
function joinEmptyLiterals(lines: readonly string[]): string[] {
  return lines.join('\r\n').replaceAll('{0}\r\n', '""').split('\r\n');
}

/** EXPUNGE lines as one, with the numbers that the messages had before: Dovecot expunges the last message first. */
function withoutOrderOfExpunges(lines: readonly string[]): string[] {
  const removed: number[] = [];
  const others = lines.filter((line) => {
    const number = /^\* (\d+) EXPUNGE$/.exec(line)?.[1];
    if (number === undefined) return true;
    let before = Number(number);
    for (const gone of removed.toSorted((left, right) => left - right)) if (gone <= before) before += 1;
    removed.push(before);
    return false;
  });
  return removed.length === 0 ? others : [...others, `* EXPUNGED ${removed.sort().join(' ')}`];
}

/** A line without what does not count. */
function normalLine(raw: string): string {
  const line = raw.toUpperCase();
  if (/^\+( |$)/.test(line)) return '+';
  const [, who, condition, code = ''] = /^(\S+) (OK|NO|BAD|PREAUTH|BYE)( \[[^\]]*\])?/.exec(line) ?? [];
  if (condition !== undefined) {
    const kind = condition === 'PREAUTH' ? 'OK' : condition;
    return `${who} ${kind}${/^ \[(CAPABILITY |MAILBOXID |CLIENTBUG)/.test(code) ? '' : sortedLists(code)}`;
  }
  if (line.startsWith('* CAPABILITY ')) return '* CAPABILITY';
  if (/^\* (ENABLED|ESEARCH)/.test(line)) return line.split(' ').sort().join(' ');
  if (/^\* (LIST|LSUB|STATUS|FLAGS|\d+ FETCH)\b/.test(line)) return sortedLists(unquotedName(line));
  return line;
}

/** LIST's and STATUS's name without quotes. */
function unquotedName(line: string): string {
  return line
    .replace(/^(\* (?:LIST|LSUB) \(.*?\) \S+) "([^"]*)"/, '$1 $2')
    .replace(/^(\* STATUS) "([^"]*)"/, '$1 $2');
}

/** The words of each innermost list in alphabetical order; STATUS's and FETCH's items in pairs. */
function sortedLists(line: string): string {
  if (/^\* STATUS/.test(line)) {
    return line.replace(/\(([^()]*)\)$/, (_match, list: string) => {
      return `(${(list.match(/\S+ \S+/g) ?? []).sort().join(' ')})`;
    });
  }
  const sorted = line.replace(
    /\(([^()"]*)\)/g,
    (_match, list: string) => `(${list.split(' ').sort().join(' ')})`,
  );
  return sorted.replace(/^(\* \d+ FETCH \()([^"{[]*)\)$/, (_match, start: string, items: string) => {
    return `${start}${(items.match(/\S+ (?:\([^()]*\)|\S+)/g) ?? []).sort().join(' ')})`;
  });
}

function patternOf(text: string): RegExp {
  // `a OK <any>` with any code, `* OK [PERMANENTFLAGS <any>` with any value.
  const [, withAnyCode, openCode] =
    /^(\S+ (?:OK|NO|BAD)(?: (\[[^\]]*))?)<any>$/.exec(text.replace(/ <any>$/, '<any>')) ?? [];
  if (withAnyCode !== undefined) {
    const start = escapeRegExp(withAnyCode.toUpperCase());
    return new RegExp(openCode === undefined ? `^${start}( \\[.*\\])?$` : `^${start}[ \\]]`);
  }
  const escaped = escapeRegExp(normalLine(decodeEscapes(text)))
    .replaceAll('<ANY>', '.*')
    .replaceAll('<N>', '\\d+');
  return new RegExp(`^${escaped}$`, 's');
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
