/**
 * What has been tried to make servers relay: an address elsewhere, dressed up as one of ours or of a domain that we relay for.
 * And who may be relayed to, decided by nothing but the letters of the address: the upper bound of what a server may do.
 */

import { domainToASCII } from 'node:url';
import type { Route } from '../../src/store/contract/routing.ts';
import type { RoutingWorld } from './routingWorld.ts';

/** The domain that nobody relays for. */
export const VICTIM_DOMAIN = 'victim.test';
const VICTIM = `v@${VICTIM_DOMAIN}`;

/** Paths by which somebody might be reached who must not; `ours` is a domain of ours, `open` one that we relay for. */
export function relayTricks(ours: string, open: string): readonly string[] {
  return [...elsewhere(ours), ...[ours, open].flatMap(dressedUpAs)];
}

/** The victim's address and what stands for a host, written oddly. */
function elsewhere(ours: string): readonly string[] {
  return [
    VICTIM,
    VICTIM.toUpperCase(),
    `${VICTIM}.`,
    `V@Victim.Test`,
    `"v"@${VICTIM_DOMAIN}`,
    `"@${ours}"@${VICTIM_DOMAIN}`,
    `v(comment)@${VICTIM_DOMAIN}`,
    `v @${VICTIM_DOMAIN}`,
    `v@ ${VICTIM_DOMAIN}`,
    `<${VICTIM}>`,
    `a@${ours}\r\nRCPT TO:<${VICTIM}>`,
    `a@${ours}\nRCPT TO:<${VICTIM}>`,
    `v@xn--victim-test`,
    `v@victim\u3002test`,
    `v@\u0432ictim.test`,
    'v@[127.0.0.1]',
    'v@[IPv6:::1]',
    'v@[192.0.2.1]',
    'v@127.0.0.1',
    'v@2130706433',
    'v@0x7f000001',
    'v@localhost',
    'v@localhost.localdomain',
    'v@mail.example.com',
    'v',
    'v@',
    '@',
    '',
    '@@',
    'postmaster@',
    `${'v'.repeat(600)}@${VICTIM_DOMAIN}`,
    `v@${'a.'.repeat(120)}${VICTIM_DOMAIN}`,
  ];
}

/** The victim's address inside one of `domain`, and names that look like `domain`. */
function dressedUpAs(domain: string): readonly string[] {
  return [
    `v%${VICTIM_DOMAIN}@${domain}`,
    `v%${VICTIM_DOMAIN}%x@${domain}`,
    `${VICTIM_DOMAIN}!v@${domain}`,
    `${VICTIM_DOMAIN}!v%x@${domain}`,
    `"${VICTIM}"@${domain}`,
    `"v%${VICTIM_DOMAIN}"@${domain}`,
    `"${VICTIM_DOMAIN}!v"@${domain}`,
    `"v\\@${VICTIM_DOMAIN}"@${domain}`,
    `@${domain}:${VICTIM}`,
    `@${domain},@${domain}:${VICTIM}`,
    `@${domain}:v%${VICTIM_DOMAIN}@${domain}`,
    `${VICTIM}@${domain}`,
    `v@${domain}@${VICTIM_DOMAIN}`,
    `v@${domain}.${VICTIM_DOMAIN}`,
    `v@${domain}%${VICTIM_DOMAIN}`,
    `v@${domain}/${VICTIM_DOMAIN}`,
    `v@${domain}#${VICTIM_DOMAIN}`,
    `v@${domain}\\${VICTIM_DOMAIN}`,
    `v@${domain}:25`,
    `v@${domain}.`,
    `v@${domain}..`,
    `v@.${domain}`,
    `v@sub.${domain}`,
    `v@x${domain}`,
    `v@${domain} ${VICTIM_DOMAIN}`,
    `v@${domain}\0${VICTIM_DOMAIN}`,
    `v@${domain},${VICTIM}`,
    `v@${domain}> <${VICTIM}`,
    `v=40${VICTIM_DOMAIN}@${domain}`,
    `=?utf-8?Q?v=40${VICTIM_DOMAIN}?=@${domain}`,
    `v+${VICTIM_DOMAIN}@${domain}`,
    `${VICTIM_DOMAIN}+v@${domain}`,
    `v\uff20${VICTIM_DOMAIN}@${domain}`,
    `v\uff05${VICTIM_DOMAIN}@${domain}`,
    `v@${lookalike(domain)}`,
    `v@${domain.replace('.', '\u3002')}`,
    `v@${domain.replace('.', '\u2024')}`,
    `v@${fullWidth(domain)}`,
    `v@${domain.replace('.', '.\u200b')}`,
    `v@(${domain})${VICTIM_DOMAIN}`,
    `v@${VICTIM_DOMAIN}(${domain})`,
    `@${domain}`,
    `""@${domain}`,
    `"\0"@${domain}`,
    `"${VICTIM}" @${domain}`,
  ];
}

/** The same to the eye: the first letter that has a Cyrillic twin is that. */
function lookalike(domain: string): string {
  return domain.replace(/[aeopcx]/, (letter) => TWINS[letter] ?? letter);
}

const TWINS: Readonly<Record<string, string>> = {
  a: '\u0430',
  e: '\u0435',
  o: '\u043e',
  p: '\u0440',
  c: '\u0441',
  x: '\u0445',
};

function fullWidth(domain: string): string {
  return domain.replace(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0));
}

/** All names of a domain of ours; a domain elsewhere has its own. */
function namesOf(world: RoutingWorld, domain: string): readonly string[] {
  const found = world.domains.find(({ name, aliases = [] }) => name === domain || aliases.includes(domain));
  return found === undefined ? [domain] : [found.name, ...(found.aliases ?? [])];
}

/** Whether anything may be relayed to this path for somebody who has not logged in. */
export function mayBeRelayed(world: RoutingWorld, path: string): boolean {
  const isOpen = ({ isOpenTo }: Route) => isOpenTo === 'anyone';
  return !/[%!@]/.test(path.slice(0, path.lastIndexOf('@'))) && isMeantByRelay(world, path, isOpen);
}

/** Whether anything may be relayed to this path for a submitter. */
export function mayBeSubmitted(world: RoutingWorld, path: string): boolean {
  return isMeantByRelay(world, path, () => true);
}

/** Whether files of a directory with these patterns of recipients may be for this path. */
export function mayBePickedUp(world: RoutingWorld, patterns: readonly string[], path: string): boolean {
  const at = path.lastIndexOf('@');
  const local = path.slice(0, at).toLowerCase();
  const domain = domainToASCII(path.slice(at + 1));
  const isOurs = world.domains.some(({ name, aliases = [] }) => name === domain || aliases.includes(domain));
  if (
    patterns.includes('*') ||
    (patterns.includes('local') && (isOurs || path.toLowerCase() === 'postmaster'))
  )
    return true;
  const isWay = /[%!@]/.test(local);
  return namesOf(world, domain).some((name) =>
    patterns.some((pattern) => (pattern.includes('@') || !isWay) && means(pattern, local, name)),
  );
}

function isMeantByRelay(world: RoutingWorld, path: string, isUsable: (route: Route) => boolean): boolean {
  const at = path.lastIndexOf('@');
  const local = path.slice(0, at).toLowerCase();
  const domain = domainToASCII(path.slice(at + 1));
  const locals = [local, baseOf(world, local, domain)];
  if (at < 1 || domain === '' || world.isRelaying === false) return false;
  const isOurs = world.domains.some(({ name, aliases = [] }) => name === domain || aliases.includes(domain));
  return (world.routes ?? []).some((route) => {
    const { isEnabled, target, recipients } = route;
    if (!isEnabled || !isUsable(route) || (target.kind !== 'relay' && target.kind !== 'drop')) return false;
    if (!isOurs && recipients.includes('*')) return true;
    return namesOf(world, domain).some((name) =>
      recipients.some((pattern) => locals.some((each) => means(pattern, each, name))),
    );
  });
}

/** With plus addressing: whose address it is. */
function baseOf(world: RoutingWorld, local: string, domain: string): string {
  const found = world.domains.find(({ name, aliases = [] }) => name === domain || aliases.includes(domain));
  return found?.plusSeparator === '+' ? local.replace(/(?<=.)\+.*$/, '') : local;
}

function means(pattern: string, local: string, domain: string): boolean {
  if (pattern.startsWith('*.')) return domain.endsWith(pattern.slice(1));
  return pattern === domain || pattern === `${local}@${domain}`;
}

/** The path as a next hop is given it, in lower case: its domain in the one form. */
export function asRelayed(path: string): string {
  const at = path.lastIndexOf('@');
  return `${path.slice(0, at)}@${domainToASCII(path.slice(at + 1))}`.toLowerCase();
}

/** Addresses that an administrator has written down: mail of the house may go there. */
export function houseTargets(world: RoutingWorld): ReadonlySet<string> {
  return new Set([
    ...world.domains.map(({ catchAll }) => catchAll ?? ''),
    ...world.domains.map(({ name }) => `postmaster@${name}`),
    world.postmaster ?? '',
    ...(world.routes ?? []).flatMap(({ target }) => (target.kind === 'local' ? [target.address] : [])),
    ...(world.aliases ?? []).flatMap(({ targets }) => targets),
    ...(world.lists ?? []).flatMap(({ members }) => members),
    ...(world.forwards ?? []).flatMap(({ targets }) => targets),
    ...(world.rules ?? []).flatMap(({ actions }) =>
      actions.flatMap((action) => (action.kind === 'forward' ? [action.address] : [])),
    ),
  ]);
}
