/**
 * Rules on files that are not TypeScript alone: each room's README, and what must never get into the repository.
 *
 * Paths of a developer's machine and addresses of a registry say nothing to whoever clones the repository, and betray where
 * it was made.
 */

import { LIMITS, ROOMS } from './rooms.ts';
import type { House, Rule } from './rules.ts';
import { roomOf, splitLines } from './source.ts';

const readmes: Rule = {
  name: 'every room has a README of at most 40 lines',
  check: ({ texts, sources }: House) => {
    const rooms = new Set(
      sources.flatMap(({ path, room }) => (path.startsWith('src/') && room ? [room] : [])),
    );
    return [...rooms]
      .filter((room) => room !== 'main' && room in ROOMS)
      .flatMap((room) => {
        const path = `src/${room}/README.md`;
        const readme = texts.find((text) => text.path === path);
        if (readme === undefined) return [{ path, line: 0, message: 'is missing' }];
        const { length } = splitLines(readme.text);
        return length > LIMITS.readmeLines ? [{ path, line: 0, message: `has ${length} lines` }] : [];
      });
  },
};

const strays: Rule = {
  name: 'src holds nothing outside the rooms',
  check: ({ texts }) =>
    texts
      .filter(({ path }) => path.startsWith('src/') && roomOf(path) === undefined)
      .map(({ path }) => ({ path, line: 0, message: 'stands in no room' })),
};

/** Written so that this file does not flag itself. */
const MACHINE_PATHS = [/(?<![\w.~-])\/work\//, /(?<![\w.])\/root\//, /\/tmp\/bash_jobs/];

const machinePaths: Rule = {
  name: 'no path of a developer’s machine',
  check: ({ texts }) =>
    texts.flatMap(({ path, text }) =>
      splitLines(text).flatMap((content, index) =>
        MACHINE_PATHS.some((pattern) => pattern.test(content))
          ? [{ path, line: index + 1, message: 'names a path that exists on one machine only' }]
          : [],
      ),
    ),
};

const lockFile: Rule = {
  name: 'the lock file names no registry',
  check: ({ texts }) =>
    texts
      .filter(({ path, text }) => path === 'package-lock.json' && text.includes('"resolved": "http'))
      .map(({ path }) => ({
        path,
        line: 0,
        message: 'holds addresses; set omit-lockfile-registry-resolved',
      })),
};

/** The rules of this file. */
export const REPOSITORY_RULES: readonly Rule[] = [readmes, strays, machinePaths, lockFile];
