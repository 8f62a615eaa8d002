/**
 * From a recipient to where its mail goes: what a pickup directory may, routes, then our own domains (address, plus addressing, catch-all), then refusal.
 *
 * RFC 5321 sections 3.9 (aliases and lists), 4.1.1.3 and 4.5.1 (postmaster), RFC 3461 section 5.2.7. Followed breadth first, each
 * address once, so that loops end and duplicates merge; findings come as they are found, so that RCPT need not wait for the
 * ten thousandth member of a list. RCPT, plan and `route test` all ask here, and nowhere else.
 * Trust: none in the path. What administrators set is bounded too: ALIAS_DEPTH_LIMIT, ADDRESS_LIMIT.
 */

import { MailError } from '../../base/error.ts';
import { yieldTurn } from '../../base/pacer.ts';
import { isSrs } from '../../wire/smtp/srs.ts';
import type { Resolution } from '../../store/contract/directory.ts';
import type { DistributionListHead, Route } from '../../store/contract/routing.ts';
import { ALIAS_DEPTH_LIMIT, POSTMASTER_DOMAIN_LIMIT } from '../../accounts/recipients.ts';
import { matchedAddress } from './addressPattern.ts';
import { directoryBar, directoryRelay } from './directories.ts';
import type { DomainNames } from './domainNames.ts';
import type { Finding, Passed, Refusal, Step } from './findings.ts';
import { type ParsedPath, parsePath } from './parsePath.ts';
import { postingBar } from './posting.ts';
import { askRoutes } from './routes.ts';
import type { Sender } from './sender.ts';
import type { PlanSurroundings, RoutingTables } from './surroundings.ts';

/** Addresses that one recipient may lead to, all steps together: five lists of the largest size. */
export const ADDRESS_LIMIT = 50_000;
/** Addresses looked at in one turn of the event loop, some milliseconds. */
const STEPS_PER_TURN = 50;

/** What all ways of one message share. */
export interface ExpandedMessage {
  readonly surroundings: PlanSurroundings;
  readonly tables: RoutingTables;
  readonly sender: Sender;
  readonly domainNames: DomainNames;
  /** Aliases and lists that a way has followed, by which way; absent where each way stands for itself. */
  readonly followed?: Map<string, string>;
  readonly onStep?: (step: Step) => void;
}

/** Where a way begins. */
export interface Way extends Passed {
  /** Unique in the message. */
  readonly key: string;
  /** A path without angle brackets. */
  readonly path: string;
  /** Whether an administrator's forward or rule leads here, and not the envelope. */
  readonly isOfHouse: boolean;
}

/** An address on the way. */
interface Stop extends Passed {
  readonly path: string;
  readonly isOfHouse: boolean;
  /** A route led here: addresses of ours are not routed again. */
  readonly isRouted: boolean;
  /** A list led here: lists that stand on it take what it takes. */
  readonly isListed: boolean;
}

/** An address of a stop. */
type Address = Extract<ParsedPath, { kind: 'address' }>;

/** Follows one way. Errors: the store's, `internal` where aliases nest too deep or lead to too many addresses. */
export async function* expand(message: ExpandedMessage, way: Way): AsyncGenerator<Finding> {
  const seen = new Set<string>();
  const { path, isOfHouse, reversePath, dsn } = way;
  const bar = isOfHouse ? undefined : await barOfDirectory(message, path);
  if (bar !== undefined) return yield refuse(message, bar);
  let level: Stop[] = [{ path, isOfHouse, reversePath, dsn, isRouted: false, isListed: false }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > ALIAS_DEPTH_LIMIT)
      throw unresolvable(way.path, `nests deeper than ${ALIAS_DEPTH_LIMIT} aliases`);
    const next: Stop[] = [];
    for (const stop of level) {
      const key = keyOf(stop);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > ADDRESS_LIMIT)
        throw unresolvable(way.path, `leads to more than ${ADDRESS_LIMIT} addresses`);
      if (seen.size % STEPS_PER_TURN === 0) await yieldTurn();
      for await (const found of look(message, way, stop)) {
        if (found.kind === 'stops') next.push(...found.stops);
        else yield found;
      }
    }
    level = next;
  }
}

async function barOfDirectory(
  { surroundings, domainNames, sender: { submitter } }: ExpandedMessage,
  path: string,
): Promise<Refusal | undefined> {
  if (submitter.kind !== 'directory') return undefined;
  return directoryBar(surroundings, domainNames, submitter.directory, path);
}

function keyOf({ path, isRouted, isListed, isOfHouse }: Stop): string {
  return `${path.toLowerCase()} ${isRouted} ${isListed} ${isOfHouse}`;
}

/** A fault of ours, so it is temporary: the message waits at its sender until the administrator has repaired the aliases. */
function unresolvable(origin: string, problem: string): MailError {
  return new MailError('internal', `${origin} ${problem}`);
}

type Look = Finding | { readonly kind: 'stops'; readonly stops: readonly Stop[] };

/** One step. */
async function* look(message: ExpandedMessage, way: Way, stop: Stop): AsyncGenerator<Look> {
  const parsed = parsePath(stop.path);
  if (parsed.kind === 'postmaster') {
    yield* lookForPostmaster(message, stop);
    return;
  }
  if (parsed.kind === 'noAddress') {
    yield refuse(message, { address: stop.path, reason: 'foreign' });
    return;
  }
  const resolution = await resolve(message, parsed);
  if (isRewritten(message, parsed, resolution)) {
    yield followRewritten(message, stop, parsed);
    return;
  }
  const { route, isRelayingMissed } = await routeOf(message, stop, parsed, resolution);
  const own = stop.isOfHouse ? undefined : directoryRelay(message.sender.submitter, resolution, route);
  if (own !== undefined) yield followOwnRelay(message, stop, parsed, own);
  else if (route !== undefined) yield followRoute(message, stop, parsed, route);
  else yield* followResolution(message, way, stop, parsed, resolution, isRelayingMissed);
}

/** An address that stands for the sender of something forwarded; a real one of that name goes before. */
function isRewritten({ surroundings }: ExpandedMessage, { written }: Address, { kind }: Resolution): boolean {
  const isFree = kind === 'unknownAddress' || kind === 'catchAll';
  return surroundings.senderRewriting !== undefined && isFree && isSrs(written);
}

/**
 * What bounces goes to whom it is for, as mail of the house: we gave the address away for that. Mail with a sender is no bounce; who
 * has seen the address would send through us whatever he likes.
 */
function followRewritten(
  { surroundings, sender, onStep }: ExpandedMessage,
  stop: Stop,
  { address, written }: Address,
): Look {
  const target = sender.reversePath === '' ? surroundings.senderRewriting?.restore(written) : undefined;
  if (target === undefined) {
    const refusal = { address, reason: 'unknown' } as const;
    onStep?.({ kind: 'refused', address, refusal });
    return { kind: 'refusal', refusal };
  }
  onStep?.({ kind: 'rewrittenSender', address, target });
  return stopsAt([target], { ...stop, isOfHouse: true });
}

async function resolve({ surroundings }: ExpandedMessage, parsed: Address): Promise<Resolution> {
  const { directory } = surroundings;
  if (!parsed.isLoose) return directory.resolve(parsed.address);
  const domain = await directory.findDomain(parsed.domain);
  return { kind: domain === undefined ? 'foreignDomain' : 'unknownAddress' };
}

async function routeOf(
  { surroundings, tables, sender, domainNames, onStep }: ExpandedMessage,
  stop: Stop,
  { address, localPart, domain }: Address,
  resolution: Resolution,
): Promise<{ readonly route: Route | undefined; readonly isRelayingMissed: boolean }> {
  const isRoutedAlready = stop.isRouted && resolution.kind !== 'foreignDomain';
  if (tables.routes.length === 0 || isRoutedAlready) return { route: undefined, isRelayingMissed: false };
  const names = await domainNames(domain);
  const localParts = new Set([localPart, baseLocalPart(resolution) ?? localPart]);
  const answers = await askRoutes(tables.routes, {
    recipient: [...localParts].map((part) => matchedAddress(part, names)),
    sender,
    isOfHouse: stop.isOfHouse,
    isOurs: resolution.kind !== 'foreignDomain',
    isRelaying: surroundings.isRelaying(),
  });
  let isRelayingMissed = false;
  for (const { route, bar } of answers) {
    if (bar === undefined) return { route, isRelayingMissed };
    isRelayingMissed ||= bar === 'relayRoutesOff';
    onStep?.({ kind: 'routePassedOver', address, route: route.name, bar });
  }
  return { route: undefined, isRelayingMissed };
}

/** With plus addressing, the local part that the address belongs to. */
function baseLocalPart(resolution: Resolution): string | undefined {
  if (!('detail' in resolution) || resolution.detail === undefined) return undefined;
  const { address } = 'account' in resolution ? resolution.account : ownerOf(resolution);
  return address.slice(0, address.lastIndexOf('@'));
}

function ownerOf(resolution: Extract<Resolution, { kind: 'alias' | 'list' }>): { readonly address: string } {
  return resolution.kind === 'alias' ? resolution.alias : resolution.list;
}

function followOwnRelay(
  message: ExpandedMessage,
  { reversePath, dsn }: Stop,
  { address, written }: Address,
  { directory, relay }: NonNullable<ReturnType<typeof directoryRelay>>,
): Look {
  const { surroundings, onStep } = message;
  if (!surroundings.isRelaying()) return refuse(message, { address, reason: 'relayRoutesOff' });
  onStep?.({ kind: 'directoryRelay', address, directory, relay });
  const nextHop = { kind: 'relay', name: relay } as const;
  return { kind: 'nextHop', recipient: written, nextHop, chosenBy: { directory }, reversePath, dsn };
}

function followRoute(
  message: ExpandedMessage,
  stop: Stop,
  { address, written }: Address,
  route: Route,
): Look {
  const { name, position, target } = route;
  message.onStep?.({ kind: 'routeTaken', address, route: name, position, target });
  const { reversePath, dsn } = stop;
  switch (target.kind) {
    case 'local':
      return { kind: 'stops', stops: [{ ...stop, path: target.address, isRouted: true }] };
    case 'refuse': {
      return refuse(message, { address, reason: 'routeRefuses', route: name, text: target.text });
    }
    case 'relay':
    case 'drop': {
      const hop = target.kind === 'relay' ? target.relay : target.directory;
      const nextHop = { kind: target.kind, name: hop };
      return { kind: 'nextHop', recipient: written, nextHop, chosenBy: { route: name }, reversePath, dsn };
    }
  }
}

async function* followResolution(
  message: ExpandedMessage,
  way: Way,
  stop: Stop,
  { address, localPart }: Address,
  resolution: Resolution,
  isRelayingMissed: boolean,
): AsyncGenerator<Look> {
  const { onStep } = message;
  switch (resolution.kind) {
    case 'account': {
      const { account, detail } = resolution;
      onStep?.({ kind: 'account', address, account: account.address, detail });
      const { reversePath, dsn } = stop;
      yield { kind: 'account', account, reversePath, dsn };
      return;
    }
    case 'alias': {
      const { alias } = resolution;
      onStep?.({ kind: 'alias', address, alias: alias.address, targets: alias.targets });
      const dsn = alias.targets.length > 1 && stop.dsn === 'all' ? 'withoutSuccess' : stop.dsn;
      yield followOnce(message, way, alias.address, { ...stop, isOfHouse: true, dsn }) ??
        stopsAt(alias.targets, { ...stop, isOfHouse: true, dsn });
      return;
    }
    case 'list':
      yield* followList(message, way, stop, resolution.list);
      return;
    case 'catchAll':
      onStep?.({ kind: 'catchAll', address, target: resolution.target });
      yield stopsAt([resolution.target], { ...stop, isOfHouse: true });
      return;
    case 'disabled':
      yield refuse(message, { address, reason: 'disabled' });
      return;
    case 'unknownAddress':
    case 'foreignDomain': {
      const isLocal = resolution.kind === 'unknownAddress';
      if (isLocal && localPart === 'postmaster') yield* lookForPostmaster(message, stop);
      else if (isRelayingMissed) yield refuse(message, { address, reason: 'relayRoutesOff' });
      else yield refuse(message, { address, reason: isLocal ? 'unknown' : 'foreign' });
    }
  }
}

async function* followList(
  message: ExpandedMessage,
  way: Way,
  stop: Stop,
  list: DistributionListHead,
): AsyncGenerator<Look> {
  const { surroundings, sender, onStep } = message;
  const { address } = list;
  if (!list.isEnabled) return yield refuse(message, { address, reason: 'disabled' });
  const bar = stop.isListed ? undefined : await postingBar(surroundings, list, sender);
  if (bar !== undefined) return yield refuse(message, { address, reason: 'mayNotPost', bar });
  onStep?.({ kind: 'list', address, list: address, members: list.memberCount });
  if (list.memberCount > 0) yield { kind: 'list', list };
  // RFC 5321 section 3.9: errors go to who administers the list, and a report's own errors to nobody.
  const reversePath =
    sender.reversePath === '' ? '' : `postmaster@${address.slice(address.lastIndexOf('@') + 1)}`;
  const listed: Stop = { ...stop, isOfHouse: true, isListed: true, reversePath, dsn: 'none' };
  const before = followOnce(message, way, address, listed);
  if (before !== undefined) return yield before;
  const whole = await surroundings.routing.findList(address);
  const members = whole?.members ?? [];
  if (members.length === 0) return yield refuse(message, { address, reason: 'unknown' });
  return yield stopsAt(members, listed);
}

/**
 * `<postmaster>`, and postmaster@ of a domain where nobody has that address: who is configured, and for the bare word else the
 * postmaster of the default domain or of the first domain that has one. The first that leads to anybody takes it.
 */
async function* lookForPostmaster(message: ExpandedMessage, stop: Stop): AsyncGenerator<Look> {
  const { accounts } = message.surroundings;
  for await (const target of postmasters(message, stop)) {
    if ((await accounts.resolveRecipient(target)).kind !== 'accounts') continue;
    message.onStep?.({ kind: 'postmaster', address: stop.path, target });
    return yield stopsAt([target], stop);
  }
  return yield refuse(message, { address: stop.path, reason: 'unknown' });
}

async function* postmasters({ surroundings }: ExpandedMessage, stop: Stop): AsyncGenerator<string> {
  const { accounts, directory } = surroundings;
  const configured = accounts.postmaster();
  if (configured !== undefined) yield configured;
  if (stop.path.includes('@')) return;
  const first = accounts.defaultDomain();
  if (first !== undefined) yield `postmaster@${first}`;
  const domains = (await directory.domains()).slice(0, POSTMASTER_DOMAIN_LIMIT);
  for (const { name } of domains) yield `postmaster@${name}`;
}

function stopsAt(paths: readonly string[], like: Stop): Look {
  return { kind: 'stops', stops: paths.map((path) => ({ ...like, path })) };
}

/** Says which way has followed this alias or list before; undefined for the first one. */
function followOnce(
  { followed }: ExpandedMessage,
  way: Way,
  address: string,
  stop: Stop,
): Finding | undefined {
  if (followed === undefined) return undefined;
  const key = keyOf({ ...stop, path: address });
  const first = followed.get(key);
  // A way meets its own only in a loop or by two names; its `seen` ends that.
  if (first === undefined || first === way.key) {
    followed.set(key, way.key);
    return undefined;
  }
  return { kind: 'sameAs', key: first };
}

function refuse({ onStep }: ExpandedMessage, refusal: Refusal): Finding {
  onStep?.({ kind: 'refused', address: refusal.address, refusal });
  return { kind: 'refusal', refusal };
}
