/**
 * How code here looks: sizes, names of files, head comments, docstrings, and the constructs that the house does without.
 *
 * Formatting and the finer points of style are Biome's; here stands only what it cannot know or what the design fixes.
 */

import { posix } from 'node:path';

import { EMPTY_NAMES, LIMITS, LONG_FILES } from './rooms.ts';
import { fileRule, type Rule } from './rules.ts';
import { type Comment, type SourceFile, type SyntaxNode, splitLines } from './source.ts';

type Marks = [line: number, message: string][];

const fileSizes = fileRule('a file keeps to its size', (file) => {
  const usual = /\.test\.ts$/.test(file.path) ? LIMITS.testFileLines : LIMITS.fileLines;
  const limit = LONG_FILES[file.path]?.lines ?? usual;
  return file.lines > limit ? [[0, `has ${file.lines} lines, at most ${limit}`]] : [];
});

const functionSizes = fileRule('a function keeps to its size', (file) => {
  const limit = /\.test\.ts$/.test(file.path) ? LIMITS.testFunctionLines : LIMITS.functionLines;
  return file.nodes.flatMap(({ node }): Marks => {
    const isFunction = /^(Function|ArrowFunction)|^(Object|Class|ClassPrivate)Method$/.test(node.type);
    const lines = node.loc.end.line - node.loc.start.line + 1;
    return isFunction && lines > limit
      ? [[node.loc.start.line, `a function of ${lines} lines, at most ${limit}`]]
      : [];
  });
});

const fileNames = fileRule('a file is named for what is inside', ({ path }) => {
  const name = posix.basename(path).replace(/(\.test)?\.ts$/, '');
  const directories = posix.dirname(path).split('/');
  const empty = [name, ...directories].find((each) => EMPTY_NAMES.includes(each.toLowerCase()));
  return empty === undefined ? [] : [[0, `the name ${empty} says nothing`]];
});

const UNWANTED: Readonly<Record<string, string>> = {
  ExportDefaultDeclaration: 'a default export',
  TSExportAssignment: 'an export assignment',
  TSImportEqualsDeclaration: 'an import assignment',
  TSEnumDeclaration: 'an enum',
  TSModuleDeclaration: 'a namespace',
  TSParameterProperty: 'a parameter property',
  Decorator: 'a decorator',
};

const constructs = fileRule(
  'no enum, namespace, parameter property, decorator, default export',
  ({ nodes }) =>
    nodes.flatMap(({ node }): Marks => {
      const what = UNWANTED[node.type];
      return what === undefined ? [] : [[node.loc.start.line, `has ${what}`]];
    }),
);

const mutableGlobals = fileRule('no variable at the top of a module', ({ path, body }) =>
  !path.startsWith('src/')
    ? []
    : body.flatMap((statement): Marks => {
        const { type, kind } = statement.declaration ?? statement;
        const isVariable = type === 'VariableDeclaration' && (kind === 'let' || kind === 'var');
        return isVariable ? [[statement.loc.start.line, 'a global that changes']] : [];
      }),
);

const headComments = fileRule('a file opens with a comment of 3 to 8 lines', (file) => {
  const head = headOf(file);
  if (head === undefined) return [[1, 'does not open with a comment']];
  const { lines, lastLine } = head;
  const isTest = /\.test\.ts$/.test(file.path);
  const min = isTest ? LIMITS.testHeadCommentLinesMin : LIMITS.headCommentLinesMin;
  const max = LIMITS.headCommentLinesMax;
  if (lines.length < min) return [[1, `opens with a comment of ${lines.length} lines, at least ${min}`]];
  const written = lines.filter((line) => /\w/.test(line)).length;
  if (written > max) return [[1, `opens with a comment of ${written} written lines, at most ${max}`]];
  const after = splitLines(file.text)[lastLine];
  return after === '' || after === undefined
    ? []
    : [[1, 'the comment on the file lacks an empty line below it']];
});

/** The comment on the file's first line; delimiters count as lines of it, so that one sentence in a block is three. */
function headOf({
  comments,
  text,
}: SourceFile): { readonly lines: readonly string[]; readonly lastLine: number } | undefined {
  const first = comments[0];
  if (first === undefined || !/^\/[/*]/.test(text)) return undefined;
  if (first.type === 'CommentBlock') return { lines: first.value.split('\n'), lastLine: first.loc.end.line };
  const next = comments.findIndex(
    ({ type, loc }, index) => type !== 'CommentLine' || loc.start.line !== index + 1,
  );
  const run = comments.slice(0, next === -1 ? comments.length : next);
  return { lines: run.map(({ value }) => value), lastLine: run.length };
}

const docstrings = fileRule('every export has a docstring', (file) => {
  if (/\.test\.ts$/.test(file.path)) return [];
  const documented = new Set<string>();
  return file.body.flatMap((statement, index): Marks => {
    if (statement.type !== 'ExportNamedDeclaration') return [];
    if (isMadeFrom(file.body[index - 1], statement, file)) return [];
    const line = statement.loc.start.line;
    const names = statement.declaration ? declaredNames(statement.declaration) : [];
    if (hasDocstring(statement)) for (const name of names) documented.add(name);
    const missing = statement.source ? [] : [...names, ...undocumentedLocals(statement, file)];
    return missing.filter((name) => !documented.has(name)).map((name) => [line, `${name} has no docstring`]);
  });
});

/** For `export { a, b }`: the names whose own declaration in the file has no docstring. */
function undocumentedLocals({ specifiers = [] }: SyntaxNode, { body }: SourceFile): string[] {
  const documented = new Set(body.filter(hasDocstring).flatMap(declaredNames));
  return specifiers.map((each) => String(each.local?.name)).filter((name) => !documented.has(name));
}

/** `export type Level = (typeof LEVELS)[number];` right below `export const LEVELS`: one docstring serves both. */
function isMadeFrom(
  above: SyntaxNode | undefined,
  { declaration, loc }: SyntaxNode,
  { nodes }: SourceFile,
): boolean {
  if (declaration?.type !== 'TSTypeAliasDeclaration' || above?.declaration == null) return false;
  if (!hasDocstring(above) || above.loc.end.line !== loc.start.line - 1) return false;
  const names = declaredNames(above.declaration);
  return nodes.some(({ node }) => {
    const isInside = node.loc.start.line >= loc.start.line && node.loc.end.line <= loc.end.line;
    return isInside && node.type === 'TSTypeQuery' && names.includes(node.exprName?.name ?? '');
  });
}

function declaredNames({ id, declarations = [] }: SyntaxNode): string[] {
  return [id, ...declarations.map((each) => each.id)].flatMap((each) => each?.name ?? []);
}

function hasDocstring({ leadingComments = [], loc }: SyntaxNode): boolean {
  const last: Comment | undefined = leadingComments.at(-1);
  return (
    last?.type === 'CommentBlock' && last.value.startsWith('*') && last.loc.end.line === loc.start.line - 1
  );
}

const reminders = fileRule('no TODO or FIXME without a reason', ({ comments }) =>
  comments.flatMap(({ value, loc }): Marks => {
    const isBare = /\b(TODO|FIXME)\b(?!(\([^)]+\))?: \S.{14,})/.test(value);
    return isBare ? [[loc.start.line, 'a reminder that does not say what and why']] : [];
  }),
);

/** The rules of this file. */
export const SHAPE_RULES: readonly Rule[] = [
  fileSizes,
  functionSizes,
  fileNames,
  constructs,
  mutableGlobals,
  headComments,
  docstrings,
  reminders,
];
