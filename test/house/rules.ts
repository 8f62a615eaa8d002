/**
 * The engine of the house rules: a rule is a name and a function over the files of the house that tells violations.
 *
 * Rules see files only as {path, text}, so a test can plant a bad file that exists nowhere and see it flagged. The house is
 * parsed once for all rules. Rooms that are not there yet violate nothing.
 */

import { isSourcePath, parseSource, type SourceFile, type TextFile } from './source.ts';

/** The files of the house: all text files, and the TypeScript ones among them parsed, or why they could not be. */
export interface House {
  readonly texts: readonly TextFile[];
  readonly sources: readonly SourceFile[];
  readonly unread: readonly Finding[];
}

/** Something that breaks a rule. */
export interface Violation {
  readonly rule: string;
  readonly path: string;
  /** 0 where the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** A violation as a rule's function tells it. */
export type Finding = Omit<Violation, 'rule'>;

/** One rule of the house. */
export interface Rule {
  readonly name: string;
  readonly check: (house: House) => readonly Finding[];
}

/** A rule that looks at each TypeScript file by itself. */
export function fileRule(
  name: string,
  check: (file: SourceFile) => readonly (readonly [line: number, message: string])[],
): Rule {
  return {
    name,
    check: ({ sources }) =>
      sources.flatMap((file) => check(file).map(([line, message]) => ({ path: file.path, line, message }))),
  };
}

/** Parses what the rules need to see. A file that cannot be read is itself a violation (the rule UNREAD). */
export function openHouse(texts: readonly TextFile[]): House {
  const sources: SourceFile[] = [];
  const unread: Finding[] = [];
  for (const text of texts.filter(({ path }) => isSourcePath(path))) {
    try {
      sources.push(parseSource(text));
    } catch (error) {
      unread.push({
        path: text.path,
        line: 0,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return { texts, sources, unread };
}

/** Tells of files that openHouse could not parse, which no other rule has seen. */
export const UNREAD: Rule = { name: 'every TypeScript file parses', check: ({ unread }) => unread };

/** Every violation of `rules`, in the order of the rules. */
export function inspect(house: House, rules: readonly Rule[]): readonly Violation[] {
  return rules.flatMap((rule) => rule.check(house).map((finding) => ({ rule: rule.name, ...finding })));
}

/** `path:line: message (rule)`, as an editor can follow it. */
export function describeViolation({ rule, path, line, message }: Violation): string {
  return `${path}${line > 0 ? `:${line}` : ''}: ${message} (${rule})`;
}
