/**
 * Who may know whom: rooms and layers, packages, the form and order of imports, and no circle anywhere.
 *
 * Type imports count like any other (but for config, which may know types only), and so do `import()` and the files that a
 * worker is started from: whatever crosses a wall of the house is seen here.
 */

import { isBuiltin } from 'node:module';

import { ROOMS, type SHARED_PACKAGES } from './rooms.ts';
import { type Finding, fileRule, type House, type Rule } from './rules.ts';
import { type Import, roomOf, type SourceFile } from './source.ts';

const roomImports = fileRule('a room imports only what the design allows', (file) => {
  if (!file.path.startsWith('src/')) return [];
  if (file.room === undefined || ROOMS[file.room] === undefined)
    return [[0, 'stands in no room of the design']];
  const { room } = file;
  return file.imports.flatMap((each) =>
    each.target === undefined || mayImport(room, each, each.target)
      ? []
      : [[each.line, `${room} may not import ${each.target} as ${each.kind}`]],
  );
});

function mayImport(room: string, { kind }: Import, target: string): boolean {
  const targetRoom = roomOf(target);
  if (targetRoom === room) return true;
  const allowed = ROOMS[room];
  const other = targetRoom === undefined ? undefined : ROOMS[targetRoom];
  if (allowed === undefined || other === undefined) return false;
  const isLower = other.layer < allowed.layer;
  if (allowed.imports === 'lower') return isLower;
  if (allowed.types === 'lower' && kind === 'type' && isLower) return true;
  return allowed.imports.some((place) => target.startsWith(`src/${place}/`));
}

const packageRooms = fileRule('a package is imported only by its room', (file) => {
  if (!file.path.startsWith('src/')) return [];
  const packages = ROOMS[file.room ?? '']?.packages ?? [];
  return packageImports(file).flatMap(({ line, name }) =>
    packages.includes(name) ? [] : [[line, `${file.room ?? 'src'} may not import the package ${name}`]],
  );
});

const declaredPackages: Rule = {
  name: 'an imported package is a dependency of our own',
  check: ({ texts, sources }) => {
    const manifest = texts.find(({ path }) => path === 'package.json');
    if (manifest === undefined) return [];
    const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest.text);
    return sources.flatMap((file) => {
      const declared = file.path.startsWith('src/') ? dependencies : { ...dependencies, ...devDependencies };
      return packageImports(file)
        .filter(({ name }) => !(name in declared))
        .map(({ line, name }) => ({ path: file.path, line, message: `${name} is not in package.json` }));
    });
  },
};

function packageImports(file: SourceFile): { readonly line: number; readonly name: string }[] {
  return file.imports
    .filter(({ specifier, target }) => target === undefined && !specifier.startsWith('node:'))
    .map(({ specifier, line }) => ({ line, name: packageName(specifier) }));
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const importForms = fileRule('an import names its file in full', (file) => [
  ...file.imports.flatMap(({ line, specifier, target }): [number, string][] => {
    if (target !== undefined && !/\.(ts|mjs|json)$/.test(specifier))
      return [[line, `${specifier} lacks .ts`]];
    return isBuiltin(specifier) && !specifier.startsWith('node:') ? [[line, `${specifier} lacks node:`]] : [];
  }),
  ...file.nodes.flatMap(({ node }): [number, string][] => {
    if (node.type !== 'ImportExpression' || !file.path.startsWith('src/')) return [];
    const isKnown = file.imports.some(({ line }) => line === node.loc.start.line);
    return isKnown ? [] : [[node.loc.start.line, 'the path of an import is computed']];
  }),
]);

const importOrder = fileRule('imports stand in order: node, packages, rooms low to high', (file) => {
  const statements = file.imports.filter(({ isStatement }) => isStatement);
  return statements.flatMap((each, index): [number, string][] => {
    const before = statements[index - 1];
    if (before === undefined || rank(before, file) <= rank(each, file)) return [];
    return [[each.line, `${each.specifier} belongs before ${before.specifier}`]];
  });
});

function rank({ specifier, target }: Import, file: SourceFile): number {
  if (specifier.startsWith('node:')) return 0;
  if (target === undefined) return 1;
  if (file.room === undefined) return 2;
  return 2 + (ROOMS[roomOf(target) ?? '']?.layer ?? 0);
}

const circles: Rule = {
  name: 'no file imports itself in a circle',
  check: (house) =>
    findCircles(house).map(([path, message]) => ({ path, line: 0, message }) satisfies Finding),
};

/** Tarjan's strongly connected components over the files; every component of more than one file is a circle. */
function findCircles({ sources }: House): [path: string, message: string][] {
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.flatMap(({ kind, target }) => (target === undefined || kind === 'worker' ? [] : [target])),
    ]),
  );
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: [string, string][] = [];
  const visit = (path: string): number => {
    let lowest = order.size;
    order.set(path, lowest);
    stack.push(path);
    for (const target of edges.get(path) ?? []) {
      if (!edges.has(target)) continue;
      if (!order.has(target)) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, order.get(target) ?? lowest);
    }
    low.set(path, lowest);
    if (lowest !== order.get(path)) return lowest;
    const circle = stack.splice(stack.indexOf(path));
    const isCircle = circle.length > 1 || edges.get(path)?.includes(path);
    if (isCircle) found.push([path, `a circle of imports: ${circle.sort().join(', ')}`]);
    return lowest;
  };
  for (const path of edges.keys()) if (!order.has(path)) visit(path);
  return found;
}

/** What is wrong with the table of rooms itself: an upward import, an unknown room, a package in two rooms without a reason. */
export function checkRoomTable(rooms: typeof ROOMS, shared: typeof SHARED_PACKAGES): readonly string[] {
  const wrong: string[] = [];
  const owners = new Map<string, string[]>();
  for (const [name, room] of Object.entries(rooms)) {
    for (const place of room.imports === 'lower' ? [] : room.imports) {
      const other = rooms[place.split('/')[0] ?? ''];
      if (other === undefined) wrong.push(`${name} imports ${place}, which is no room`);
      else if (other.layer >= room.layer) wrong.push(`${name} imports ${place}, which is not below it`);
    }
    for (const each of room.packages) owners.set(each, [...(owners.get(each) ?? []), name]);
  }
  for (const [each, names] of owners) {
    if (names.length > 1 && shared[each] === undefined)
      wrong.push(`${each} is shared by ${names.join(', ')}`);
  }
  return wrong;
}

/** The rules of this file. */
export const IMPORT_RULES: readonly Rule[] = [
  roomImports,
  packageRooms,
  declaredPackages,
  importForms,
  importOrder,
  circles,
];
