/**
 * Reads a login name by its form, and checks the extra login names that an administrator gives.
 *
 * A name is taken apart at `\` and `/` alike, several in a row being one, since clients double a backslash where nobody undoubles
 * it. Nothing is looked up here.
 * Trust: none; a name that fits no form is only looked up as it is. Each step takes time in the length of the name.
 */

import { LOGIN_NAME_LIMIT_OCTETS, parseAddress, parseDomain, parseLoginName } from './address.ts';
import { LOGIN_FORMS, type LoginForm } from './loginForms.ts';

/** A name read by its form. */
export interface ReadLoginName {
  readonly form: LoginForm | undefined;
  /** As it is and with either separator throughout: what an extra login name may be stored as. In order of preference. */
  readonly spellings: readonly string[];
  /** The same name with `*` for its domain. */
  readonly wildcard: string | undefined;
  /** The domain in front, in its one form, where it can be one. */
  readonly domain: string | undefined;
  /** The local part or address at the end. */
  readonly mailbox: string | undefined;
  /** Who opens the mailbox, where the name says both. */
  readonly opener: { readonly name: string; readonly user: string } | undefined;
}

/** Reads a name; undefined for what cannot be a login name. Blanks around it are some client's, never the name's. */
export function readLoginName(sent: string): ReadLoginName | undefined {
  const parsed = parseLoginName(withoutBlanksAround(sent));
  if (parsed.kind === 'invalid') return undefined;
  const { loginName } = parsed;
  const asItIs = { spellings: [loginName], ...NOTHING_READ };
  // A quoted local part may have anything in it, and no form has one.
  const parts = loginName.includes('"') ? [] : loginName.split(SEPARATORS).map(partOf);
  const form = LOGIN_FORMS.find((candidate) => fits(candidate, parts));
  if (form === undefined) return asItIs;
  const texts = parts.map(({ text }) => text);
  const [first, ...others] = texts as [string, ...string[]];
  const local = localPartOf(first);
  const named = form.parts[0] === 'domain' ? first : first.slice(local.length + 1);
  const isMailboxOpened = form.parts.at(-1) === 'alias' || form.parts.at(-1) === 'principal';
  const openerTexts = texts.slice(0, -1);
  return {
    form,
    spellings: [...new Set([loginName, texts.join('\\'), texts.join('/')])],
    wildcard: form.wildcardExample === undefined ? undefined : wildcardOf(form, local, others),
    domain: form.parts[0] === 'user' ? undefined : domainOf(named),
    mailbox: texts.at(-1),
    opener: isMailboxOpened
      ? { name: openerTexts.join('\\'), user: localPartOf(openerTexts.at(-1) ?? '') }
      : undefined,
  };
}

/** An extra login name with its separators as backslashes, so that it stands once. */
export function withBackslashes(loginName: string): string {
  return parseAddress(loginName).kind === 'address' ? loginName : loginName.replace(SEPARATOR_RUNS, '\\');
}

/**
 * A name as logs and lists have it: up to its first blank, since some programs send `USER name password`, and at most as long as
 * a name may be.
 */
export function shownLoginName(sent: string): string {
  const [word = ''] = sent.trim().slice(0, LOGIN_NAME_LIMIT_OCTETS).split(/\s/, 1);
  return word;
}

/** Why an extra login name with an asterisk cannot be; undefined where it can. `loginName` is as `withBackslashes` has it. */
export function faultOfWildcard(loginName: string): string | undefined {
  if (!loginName.includes('*') || parseAddress(loginName).kind === 'address') return undefined;
  const example = loginName.startsWith('*\\') ? loginName.replace('*', 'x') : loginName.replace('@*', '@x');
  if (!example.includes('*') && readLoginName(example)?.wildcard === loginName) return undefined;
  return String.raw`an asterisk stands only for the whole domain, as in *\user, *\user\alias, user@* or user@*\alias`;
}

const SEPARATORS = /[\\/]+/;
const SEPARATOR_RUNS = /[\\/]+/g;
const NOTHING_READ = {
  form: undefined,
  wildcard: undefined,
  domain: undefined,
  mailbox: undefined,
  opener: undefined,
} as const;

interface Part {
  readonly kind: 'name' | 'address' | 'invalid';
  readonly text: string;
}

function partOf(text: string): Part {
  if (!text.includes('@')) return { kind: text === '' ? 'invalid' : 'name', text };
  const parsed = parseAddress(text);
  return parsed.kind === 'address' ? { kind: 'address', text: parsed.address } : { kind: 'invalid', text };
}

function fits(form: LoginForm, parts: readonly Part[]): boolean {
  return (
    form.parts.length === parts.length &&
    form.parts.every((part, index) => {
      const hasAt = part === 'address' || part === 'principal';
      return parts[index]?.kind === (hasAt ? 'address' : 'name');
    })
  );
}

function wildcardOf({ parts }: LoginForm, local: string, others: readonly string[]): string {
  return [parts[0] === 'domain' ? '*' : `${local}@*`, ...others].join('\\');
}

function localPartOf(text: string): string {
  const at = text.lastIndexOf('@');
  return at < 0 ? text : text.slice(0, at);
}

function domainOf(text: string): string | undefined {
  const parsed = parseDomain(text);
  return parsed.kind === 'domain' ? parsed.domain : undefined;
}

/** Walked rather than matched: a pattern for trailing blanks takes quadratic time on many of them in the middle. */
function withoutBlanksAround(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
