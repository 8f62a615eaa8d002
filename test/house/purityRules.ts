/**
 * What must not be reached for: the clock, timers and the console outside base and main, anything impure in wire, SQL
 * outside store.
 *
 * The rules look at references by name. A local variable that shadows such a name is flagged too; nobody should be made to
 * guess which `console` is meant.
 */

import { AMBIENT_ROOMS, PURE_BASE_IMPORTS, PURE_NODE_IMPORTS } from './rooms.ts';
import { fileRule, type Rule } from './rules.ts';
import { type Placed, type SourceFile, type SyntaxNode, stringValue, templateText } from './source.ts';

type Marks = [line: number, message: string][];

const AMBIENT_NAMES = new Set(['setTimeout', 'setInterval', 'console', 'performance']);
const AMBIENT_MEMBERS = new Set([
  'Date.now',
  'AbortSignal.timeout',
  'process.hrtime',
  'process.stdin',
  'process.stdout',
  'process.stderr',
  'process.exit',
]);
const AMBIENT_MODULES = new Set([
  'node:timers',
  'node:timers/promises',
  'node:console',
  'node:perf_hooks',
  'node:process',
]);

const ambient = fileRule('clock, timers, console and standard streams only in base and main', (file) => {
  if (file.room === undefined || AMBIENT_ROOMS.includes(file.room)) return [];
  return [
    ...file.imports
      .filter(({ specifier }) => AMBIENT_MODULES.has(specifier))
      .map(({ line, specifier }) => [line, `imports ${specifier}`] as const),
    ...forbidden(file, AMBIENT_NAMES, AMBIENT_MEMBERS),
  ];
});

const IMPURE_NAMES = new Set([
  ...AMBIENT_NAMES,
  'setImmediate',
  'queueMicrotask',
  'Promise',
  'AsyncIterable',
  'AsyncIterableIterator',
  'AsyncGenerator',
  'process',
  'crypto',
  'fetch',
  'globalThis',
]);
const IMPURE_MEMBERS = new Set([...AMBIENT_MEMBERS, 'Math.random', 'Date.parse']);

const pureWire = fileRule('wire is pure', (file) => {
  if (file.room !== 'wire') return [];
  return [...impureImports(file), ...asyncSyntax(file), ...forbidden(file, IMPURE_NAMES, IMPURE_MEMBERS)];
});

function impureImports({ imports }: SourceFile): Marks {
  return imports.flatMap(({ line, specifier, names, kind, target }): Marks => {
    const fromBase = kind === 'type' ? undefined : PURE_BASE_IMPORTS[target ?? ''];
    const pure = specifier.startsWith('node:') ? (PURE_NODE_IMPORTS[specifier] ?? []) : fromBase;
    if (pure === undefined || pure === 'all' || names?.every((name) => pure.includes(name))) return [];
    return [[line, `imports more than types and pure functions from ${specifier}`]];
  });
}

function asyncSyntax({ nodes }: SourceFile): Marks {
  return nodes.flatMap(({ node }): Marks => {
    const isAsync = node.async === true || node.type === 'AwaitExpression' || node.await === true;
    return isAsync ? [[node.loc.start.line, 'is asynchronous']] : [];
  });
}

function forbidden(file: SourceFile, names: Set<string>, members: Set<string>): Marks {
  return file.nodes.flatMap((placed): Marks => {
    const { node } = placed;
    const found = isReference(placed, names) ?? memberName(node, names, members) ?? dateOfNow(node);
    return found === undefined ? [] : [[node.loc.start.line, `uses ${found}`]];
  });
}

const NAMING_FIELDS = new Set(['key', 'property', 'imported', 'exported', 'label', 'right']);

function isReference({ node, parent, field }: Placed, names: Set<string>): string | undefined {
  if (node.type !== 'Identifier' || !names.has(node.name ?? '')) return undefined;
  const isTypeName = parent.type === 'TSQualifiedName' && field === 'right';
  const isName =
    NAMING_FIELDS.has(field) && parent.computed !== true && !EXPRESSIONS_WITH_RIGHT.has(parent.type);
  return isName || isTypeName ? undefined : node.name;
}

/** Where `right` is a value and no name. */
const EXPRESSIONS_WITH_RIGHT = new Set([
  'AssignmentExpression',
  'AssignmentPattern',
  'BinaryExpression',
  'LogicalExpression',
  'ForOfStatement',
  'ForInStatement',
]);

function memberName(node: SyntaxNode, names: Set<string>, members: Set<string>): string | undefined {
  if (!/^(Optional)?MemberExpression$/.test(node.type) || node.object?.type !== 'Identifier')
    return undefined;
  const property = node.computed ? stringValue(node.property) : node.property?.name;
  const full = `${node.object.name}.${property}`;
  const isGlobal = node.object.name === 'globalThis' && names.has(property ?? '');
  return members.has(full) || isGlobal ? full : undefined;
}

/** `new Date()` and `Date()` read the clock; `new Date(value)` does not. */
function dateOfNow(node: SyntaxNode): string | undefined {
  if (node.callee?.name !== 'Date') return undefined;
  if (node.type === 'CallExpression') return 'Date()';
  return node.type === 'NewExpression' && node.arguments?.length === 0 ? 'new Date()' : undefined;
}

/** Statements, not words: IMAP has a SELECT of its own, and texts for administrators may say "select". */
const SQL = [
  /\bSELECT\b.*\bFROM\b/s,
  /\bINSERT\s+(OR\s+\w+\s+)?INTO\b/,
  /\bUPDATE\s+\w+\s+SET\b/,
  /\bDELETE\s+FROM\b/,
  /\b(CREATE|DROP|ALTER)\s+(UNIQUE\s+|TEMP\s+|VIRTUAL\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b/,
  /^\s*PRAGMA\s+\w/i,
  /^\s*(select\s.*\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+(table|index))\s/s,
];

const sqlInStore: Rule = {
  name: 'SQL only in store',
  check: ({ texts, sources }) => [
    ...texts
      .filter(({ path }) => /^src\/(?!store\/).*\.sql$/.test(path))
      .map(({ path }) => ({ path, line: 0, message: 'is a file of SQL' })),
    ...sources
      .filter(({ path, room }) => path.startsWith('src/') && room !== 'store')
      .flatMap(({ path, nodes }) =>
        nodes.flatMap(({ node }) =>
          isSql(node) ? [{ path, line: node.loc.start.line, message: 'holds a statement of SQL' }] : [],
        ),
      ),
    ...sources
      .filter(({ path, room }) => path.startsWith('src/') && room !== 'store')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ specifier }) => specifier === 'node:sqlite')
          .map(({ line }) => ({ path, line, message: 'opens a database' })),
      ),
  ],
};

function isSql(node: SyntaxNode): boolean {
  const text = node.type === 'TemplateLiteral' ? templateText(node) : stringValue(node);
  return text !== undefined && SQL.some((pattern) => pattern.test(text));
}

/** The rules of this file. */
export const PURITY_RULES: readonly Rule[] = [ambient, pureWire, sqlInStore];
