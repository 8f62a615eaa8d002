/**
 * The keys of the schema as data: path, environment variable, what is allowed, default, description.
 * Derived from the JSON Schema that zod makes, so that documentation, messages and environment can't disagree with the check.
 */

import { z } from 'zod';
import { configSchema } from './schema.ts';

/** One key. `path` is `section.key`, or `listeners[].key` for a key of every table of a list. */
export interface ConfigKey {
  readonly path: string;
  readonly section: string;
  readonly name: string;
  /** Environment variable that overrides it; `<NAME>` stands for the name of the list's table in upper case. */
  readonly environment: string;
  /** What is allowed, in words. */
  readonly allowed: string;
  /** The default as JSON, or undefined where there is none. */
  readonly defaultValue: unknown;
  readonly isRequired: boolean;
  readonly isNumber: boolean;
  /** Whether it is true or false. */
  readonly isBoolean: boolean;
  /** Whether it is a list; in the environment its items are separated by commas. */
  readonly isList: boolean;
  readonly description: string;
}

/** The parts of JSON Schema that the configuration uses. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
}

/** The JSON Schema of the configuration file (draft 2020-12), for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

/** The sections that are lists of tables with a name, and what stands before that name in their environment variables. */
export const LIST_PREFIXES: Readonly<Record<string, string>> = {
  listeners: '',
  relays: 'RELAY_',
  pickups: 'PICKUP_',
  drops: 'DROP_',
};

/** Every key, section by section in the schema's order. */
export const CONFIG_KEYS: readonly ConfigKey[] = listKeys();

/** The key at `path`; indexes of lists may be given (`listeners[2].port`). */
export function findKey(path: string): ConfigKey | undefined {
  const plain = path.replace(/\[\d+\]/, '[]');
  return CONFIG_KEYS.find((key) => key.path === plain);
}

/** The environment variable of a key of a list's table. */
export function tableVariable(section: string, tableName: string, keyName: string): string {
  const name = tableName.toUpperCase().replace(/[.-]/g, '_');
  return `HAUSPOST_${LIST_PREFIXES[section]}${name}_${upperSnake(keyName)}`;
}

function listKeys(): ConfigKey[] {
  const root = configJsonSchema() as SchemaNode;
  return Object.entries(root.properties ?? {}).flatMap(([section, node]) =>
    node.type === 'array' ? keysOf(section, node.items, true) : keysOf(section, node, false),
  );
}

function keysOf(section: string, node: SchemaNode | undefined, isTable: boolean): ConfigKey[] {
  return Object.entries(node?.properties ?? {}).map(([name, child]) => ({
    path: isTable ? `${section}[].${name}` : `${section}.${name}`,
    section,
    name,
    environment: isTable
      ? `HAUSPOST_${LIST_PREFIXES[section]}<NAME>_${upperSnake(name)}`
      : `HAUSPOST_${upperSnake(section)}_${upperSnake(name)}`,
    allowed: describeAllowed(child),
    defaultValue: child.default,
    isRequired: child.default === undefined && (node?.required ?? []).includes(name),
    isNumber: child.type === 'integer',
    isBoolean: child.type === 'boolean',
    isList: child.type === 'array',
    description: child.description ?? '',
  }));
}

function describeAllowed(node: SchemaNode): string {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  if (node.type === 'integer') return `a whole number from ${node.minimum} to ${node.maximum}`;
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'array')
    return node.items?.enum === undefined ? 'a list of texts' : `a list of ${node.items.enum.join(', ')}`;
  if (node.anyOf !== undefined) return node.anyOf.map(describeAllowed).join(' or ');
  switch (node.format) {
    case 'ipv4':
      return 'an IPv4 address';
    case 'ipv6':
      return 'an IPv6 address';
    case 'email':
      return 'a mail address';
    default:
      return node.maxLength === 253 ? 'a host name like mail.example.com' : 'a text';
  }
}

function upperSnake(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}
