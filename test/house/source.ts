/**
 * What the rules read: files as text, and TypeScript files parsed into facts (imports, comments, syntax nodes).
 *
 * The parser is @babel/parser: TypeScript 7 has no JavaScript API, and stripping types first would lose just what the rules
 * look for (type imports, interfaces, docstrings of types). It is plain JavaScript and reads the whole house in under 2 s.
 * Facts are made once per file; nothing here judges.
 */

import { posix } from 'node:path';

import { parse } from '@babel/parser';

import { MAIN_FILES } from './rooms.ts';

/** A file of the repository; `path` is relative to its root, with slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A node of @babel/parser's tree: the fields that the rules read, each present on some types of node only. */
export interface SyntaxNode {
  readonly type: string;
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
  readonly leadingComments?: readonly Comment[];
  readonly name?: string;
  readonly value?: unknown;
  readonly kind?: string;
  readonly async?: boolean;
  readonly await?: boolean;
  readonly computed?: boolean;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly source?: SyntaxNode | null;
  readonly argument?: SyntaxNode;
  readonly arguments?: readonly SyntaxNode[];
  readonly callee?: SyntaxNode;
  readonly object?: SyntaxNode;
  readonly property?: SyntaxNode;
  readonly literal?: SyntaxNode;
  readonly exprName?: SyntaxNode;
  readonly imported?: SyntaxNode;
  readonly local?: SyntaxNode;
  readonly id?: SyntaxNode | null;
  readonly specifiers?: readonly SyntaxNode[];
  readonly declaration?: SyntaxNode | null;
  readonly declarations?: readonly SyntaxNode[];
  readonly expressions?: readonly SyntaxNode[];
  readonly quasis?: readonly { readonly value: { readonly cooked?: string } }[];
}

/** A comment without its delimiters. */
export interface Comment {
  readonly type: 'CommentBlock' | 'CommentLine';
  readonly value: string;
  readonly loc: SyntaxNode['loc'];
}

/** A node with the place where it stands: `parent[field]` is it, or contains it. */
export interface Placed {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode;
  readonly field: string;
}

/** One import in any form: statement, export from, `import()`, `import('…')` as a type, or a worker's file by URL. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly kind: 'value' | 'type' | 'worker';
  /** Whether it is an import statement at the top of the file. */
  readonly isStatement: boolean;
  /** The imported names; undefined when everything is taken. */
  readonly names: readonly string[] | undefined;
  /** The imported file's path in the repository; undefined for packages and Node's own modules. */
  readonly target: string | undefined;
}

/** A TypeScript file with what the parser found. */
export interface SourceFile extends TextFile {
  /** Number of lines, the last one with or without its line end. */
  readonly lines: number;
  /** The room of src/ that it stands in; undefined outside src/. */
  readonly room: string | undefined;
  readonly isTest: boolean;
  readonly body: readonly SyntaxNode[];
  readonly nodes: readonly Placed[];
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
}

interface ParsedFile {
  readonly program: SyntaxNode & { readonly body: readonly SyntaxNode[] };
  readonly comments: readonly Comment[];
}

/** The room of src/ that `path` belongs to. */
export function roomOf(path: string): string | undefined {
  if (MAIN_FILES.includes(path)) return 'main';
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** Whether `path` is one that `parseSource` reads. */
export function isSourcePath(path: string): boolean {
  return /^(src|test|bench|bin)\/.*\.ts$/.test(path);
}

/** `text` without a final line end, as lines. */
export function splitLines(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** Parses one TypeScript file; throws the parser's SyntaxError. What only a type checker need mind is left to it. */
export function parseSource({ path, text }: TextFile): SourceFile {
  const parsed: unknown = parse(text, {
    sourceType: 'module',
    plugins: ['typescript', 'decorators'],
    errorRecovery: true,
  });
  const file = parsed as ParsedFile;
  const nodes = collectNodes(file.program);
  return {
    path,
    text,
    lines: splitLines(text).length,
    room: roomOf(path),
    isTest: path.startsWith('test/'),
    body: file.program.body,
    nodes,
    comments: file.comments,
    imports: nodes.flatMap(({ node }) => readImport(node, path) ?? []),
  };
}

const BOOKKEEPING = new Set(['loc', 'leadingComments', 'trailingComments', 'innerComments', 'extra']);

function collectNodes(root: SyntaxNode): Placed[] {
  const found: Placed[] = [];
  const visit = (parent: SyntaxNode) => {
    for (const [field, value] of Object.entries(parent)) {
      if (value === null || typeof value !== 'object' || BOOKKEEPING.has(field)) continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type !== 'string') continue;
        found.push({ node: child, parent, field });
        visit(child);
      }
    }
  };
  visit(root);
  return found;
}

function readImport(node: SyntaxNode, path: string): Import | undefined {
  const literal = importedLiteral(node);
  const specifier = stringValue(literal);
  if (literal === undefined || specifier === undefined) return undefined;
  const isType = node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type';
  const isRelative = specifier.startsWith('.');
  return {
    specifier,
    line: literal.loc.start.line,
    kind: isType ? 'type' : node.type === 'NewExpression' ? 'worker' : 'value',
    isStatement: node.type === 'ImportDeclaration',
    names: importedNames(node),
    target: isRelative ? posix.join(posix.dirname(path), specifier) : undefined,
  };
}

/** The node that names the imported module, when `node` imports one. */
function importedLiteral(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
      return node.source ?? undefined;
    case 'TSImportType':
      return node.source ?? node.argument;
    case 'NewExpression': {
      const [first, second] = node.arguments ?? [];
      const isUrl = node.callee?.name === 'URL' && second?.type === 'MemberExpression';
      return isUrl && stringValue(first)?.endsWith('.ts') ? first : undefined;
    }
    default:
      return undefined;
  }
}

function importedNames(node: SyntaxNode): readonly string[] | undefined {
  const { specifiers } = node;
  const isNamed = (each: SyntaxNode) => each.type === 'ImportSpecifier' || each.type === 'ExportSpecifier';
  if (specifiers === undefined || !specifiers.every(isNamed)) return undefined;
  return specifiers.map((each) => String((each.imported ?? each.local)?.name));
}

/** The value of a string literal or of a template without substitutions. */
export function stringValue(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'StringLiteral') return String(node.value);
  if (node?.type === 'TSLiteralType') return stringValue(node.literal);
  return node?.type === 'TemplateLiteral' && node.expressions?.length === 0 ? templateText(node) : undefined;
}

/** The fixed parts of a template literal, with `?` where something is put in. */
export function templateText(node: SyntaxNode): string {
  return (node.quasis ?? []).map((part) => part.value.cooked ?? '').join('?');
}
