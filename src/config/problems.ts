/**
 * What is wrong with a configuration, in sentences: file, line, key, what was found and what is allowed.
 */

import type { z } from 'zod';
import { CONFIG_KEYS, findKey } from './keys.ts';
import { locateKey } from './locate.ts';
import { SECRET_KEYS } from './schema.ts';

/** One fault. */
export interface Problem {
  /** The configuration file, or the environment variable's name. */
  readonly where: string;
  /** Line in the file, from 1. */
  readonly line: number | undefined;
  readonly key: string;
  readonly text: string;
}

/** `where:line: key: text`, as compilers write it. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.where : `${problem.where}:${problem.line}`;
  return problem.key === '' ? `${place}: ${problem.text}` : `${place}: ${problem.key}: ${problem.text}`;
}

/** What made a value: the text of the file and its name, and which variable set which key. */
export interface Origins {
  readonly file: string;
  readonly text: string;
  /** Key path in zod's form joined by dots (`listeners.0.port`) to the variable that set it. */
  readonly variables: ReadonlyMap<string, string>;
}

/** The problems behind zod's issues about `raw`. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  origins: Origins,
): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) =>
        problemAt([...issue.path, name], unknownKeyText(issue.path, name), origins),
      );
    }
    const key = displayPath(issue.path);
    if (SECRET_KEYS.includes(key)) return problemAt(issue.path, `allowed: ${issue.message}`, origins);
    const known = findKey(key)?.allowed;
    // A pattern says more than that it is a text.
    const allowed =
      known === undefined || (known === 'a text' && issue.code === 'invalid_format') ? issue.message : known;
    const found = valueAt(raw, issue.path);
    const text =
      found === undefined
        ? `is missing; allowed: ${allowed}`
        : `found ${JSON.stringify(found)}; allowed: ${allowed}`;
    return [problemAt(issue.path, issue.code === 'custom' ? issue.message : text, origins)];
  });
}

/** A problem at a key: the variable that set it, or its line in the file. */
export function problemAt(path: readonly PropertyKey[], text: string, origins: Origins): Problem {
  const parts = path.map((part) => (typeof part === 'number' ? part : String(part)));
  const variable = origins.variables.get(parts.join('.'));
  if (variable !== undefined) return { where: variable, line: undefined, key: displayPath(path), text };
  return { where: origins.file, line: locateKey(origins.text, parts), key: displayPath(path), text };
}

function unknownKeyText(path: readonly PropertyKey[], name: string): string {
  const section = displayPath(path).replace(/\[\d+\]/, '[]');
  const known = section === '' ? [...new Set(CONFIG_KEYS.map((key) => key.section))] : siblings(section);
  const guess = nearest(name, known);
  return guess === undefined
    ? `unknown key; allowed: ${known.join(', ')}`
    : `unknown key; did you mean ${guess}?`;
}

function siblings(section: string): string[] {
  return CONFIG_KEYS.filter((key) => key.path === `${section}.${key.name}`).map((key) => key.name);
}

/** The candidate nearest to `name` by edit distance, if it is near (at most a third of its letters differ). */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

function displayPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
