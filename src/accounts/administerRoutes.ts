/**
 * The administrator's verbs for routes, hMailServer's word for where mail of some addresses goes.
 *
 * A route to a relay or drop directory that anyone may use is how servers become open relays: it is taken only with recipients
 * that name an address or a domain. A local target that does not exist at present is taken and told of in every report.
 */

import { MailError } from '../base/error.ts';
import type { Directory } from '../store/contract/directory.ts';
import {
  type AddressPattern,
  isNarrowPattern,
  type NewRoute,
  type Route,
  type RouteChanges,
  type RouteTarget,
} from '../store/contract/routing.ts';
import { addressGiven, atMost } from './namesGiven.ts';
import {
  danglingOf,
  objectNameGiven,
  positionGiven,
  recipientPatternGiven,
  senderPatternGiven,
} from './routingNames.ts';

/** Routes of a server: they are looked through for each recipient, some microseconds each. */
export const ROUTES_LIMIT = 500;
/** Patterns of one route, of recipients and of senders each. */
export const ROUTE_PATTERNS_LIMIT = 1000;
/** Characters of a refusal's text; a reply line of SMTP has 512 octets with its code and line end (RFC 5321 section 4.5.3.1.5). */
export const REFUSAL_TEXT_LIMIT_CHARS = 200;

/** A route, for showing. */
export interface RouteReport extends Route {
  /** A local target that nobody receives at present. */
  readonly danglingTarget: string | null;
}

/** What can be set of a route; what is absent stays. Patterns replace all. */
export interface RouteSettings {
  readonly recipients?: readonly string[] | undefined;
  readonly senders?: readonly string[] | undefined;
  readonly isOpenTo?: Route['isOpenTo'] | undefined;
  readonly target?: RouteTarget | undefined;
  readonly position?: number | undefined;
  readonly isEnabled?: boolean | undefined;
}

/** A route to add; it is the last one, enabled and for submitters unless it says otherwise. */
export interface RouteGiven extends RouteSettings {
  readonly name: string;
  readonly recipients: readonly string[];
  readonly target: RouteTarget;
}

/** Verbs for routes. */
export interface RouteAdministration {
  /** Errors: `invalid`, `conflict` (the name is taken), `cannot` (would be an open relay; a target that is not ours), `limit`. */
  add(route: RouteGiven): Promise<RouteReport>;
  /** In order of position. */
  list(): Promise<readonly RouteReport[]>;
  /** By name, in any case. Errors: `notFound`. */
  show(name: string): Promise<RouteReport>;
  /** Errors: as of `add`, and `notFound`. */
  set(name: string, settings: RouteSettings): Promise<RouteReport>;
  /** Errors: `notFound`. */
  remove(name: string): Promise<void>;
}

/** The verbs on this directory. */
export function createRouteAdministration({
  directory,
}: {
  readonly directory: Directory;
}): RouteAdministration {
  const report = (route: Route) => reportOf(directory, route);
  return {
    async add(given) {
      const route = await newRoute(directory, given);
      if ((await directory.routes()).length >= ROUTES_LIMIT)
        throw new MailError('limit', `${ROUTES_LIMIT} routes are there already, and no more can be.`);
      return report(await directory.addRoute(route));
    },
    list: async () => Promise.all((await directory.routes()).map(report)),
    show: async (name) => report(await requireRoute(directory, name)),
    async set(name, settings) {
      const route = await requireRoute(directory, name);
      const changes = await changesOf(directory, settings);
      refuseOpenRelay({ ...route, ...changes });
      return report(await directory.setRoute(route.name, changes));
    },
    remove: async (name) => directory.removeRoute((await requireRoute(directory, name)).name),
  };
}

async function requireRoute(directory: Directory, given: string): Promise<Route> {
  const name = objectNameGiven('route', given);
  const route = (await directory.routes()).find((each) => folded(each.name) === folded(name));
  if (route === undefined) throw new MailError('notFound', `There is no route “${name}”.`);
  return route;
}

/** As the store compares names: without case in ASCII only. */
function folded(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

async function newRoute(directory: Directory, given: RouteGiven): Promise<NewRoute> {
  const route: NewRoute = {
    name: objectNameGiven('route', given.name),
    recipients: recipientsGiven(given.recipients),
    senders: patternsGiven(given.senders ?? [], senderPatternGiven),
    isOpenTo: given.isOpenTo ?? 'submitters',
    target: await targetGiven(directory, given.target),
    isEnabled: given.isEnabled ?? true,
    ...(given.position === undefined ? {} : { position: positionGiven(given.position) }),
  };
  refuseOpenRelay(route);
  return route;
}

async function changesOf(directory: Directory, given: RouteSettings): Promise<RouteChanges> {
  const { recipients, senders, isOpenTo, target, position, isEnabled } = given;
  return {
    ...(recipients === undefined ? {} : { recipients: recipientsGiven(recipients) }),
    ...(senders === undefined ? {} : { senders: patternsGiven(senders, senderPatternGiven) }),
    ...(isOpenTo === undefined ? {} : { isOpenTo }),
    ...(target === undefined ? {} : { target: await targetGiven(directory, target) }),
    ...(position === undefined ? {} : { position: positionGiven(position) }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  };
}

function recipientsGiven(given: readonly string[]): AddressPattern[] {
  if (given.length === 0) throw new MailError('invalid', 'A route needs one recipient or pattern at least.');
  return patternsGiven(given, recipientPatternGiven);
}

function patternsGiven(given: readonly string[], parse: (text: string) => AddressPattern): AddressPattern[] {
  return [...new Set(atMost(ROUTE_PATTERNS_LIMIT, 'patterns', given).map(parse))];
}

function refuseOpenRelay({ isOpenTo, recipients }: Pick<Route, 'isOpenTo' | 'recipients'>): void {
  const wide = isOpenTo === 'anyone' ? recipients.find((pattern) => !isNarrowPattern(pattern)) : undefined;
  if (wide === undefined) return;
  throw new MailError(
    'cannot',
    `A route for “${wide}” cannot be open to anyone: strangers could send mail to the whole world through this server. ` +
      'Name the domains, or open it to submitters only.',
  );
}

async function targetGiven(directory: Directory, target: RouteTarget): Promise<RouteTarget> {
  switch (target.kind) {
    case 'local':
      return { kind: 'local', address: await localGiven(directory, target.address) };
    case 'relay':
      return { kind: 'relay', relay: hopGiven('relay', target.relay) };
    case 'drop':
      return { kind: 'drop', directory: hopGiven('drop directory', target.directory) };
    case 'refuse':
      return target.text === undefined
        ? { kind: 'refuse' }
        : { kind: 'refuse', text: textGiven(target.text) };
  }
}

async function localGiven(directory: Directory, text: string): Promise<string> {
  const given = addressGiven(text);
  const domain = await directory.findDomain(given.domain);
  if (domain !== undefined) return `${given.localPart}@${domain.name}`;
  throw new MailError(
    'cannot',
    `A local target cannot be “${given.address}”: “${given.domain}” is not a domain of this server.`,
  );
}

/** The name of a relay or drop directory; a path cannot hide in it. */
function hopGiven(what: string, text: string): string {
  const name = text.trim().toLowerCase();
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) return name;
  const allowed = 'up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first';
  throw new MailError('invalid', `“${text}” cannot name a ${what}; allowed: ${allowed}.`);
}

function textGiven(text: string): string {
  const given = text.trim();
  if (/^[\x20-\x7e]+$/.test(given) && given.length <= REFUSAL_TEXT_LIMIT_CHARS) return given;
  const allowed = `1 to ${REFUSAL_TEXT_LIMIT_CHARS} characters of ASCII`;
  throw new MailError('invalid', `“${text}” cannot be the text of a refusal; allowed: ${allowed}.`);
}

async function reportOf(directory: Directory, route: Route): Promise<RouteReport> {
  const { target } = route;
  if (target.kind !== 'local') return { ...route, danglingTarget: null };
  // Its domain may have been removed since: then it is elsewhere, and nobody receives it here.
  const isElsewhere = (await directory.resolve(target.address)).kind === 'foreignDomain';
  const [dangling = null] = isElsewhere ? [target.address] : await danglingOf(directory, [target.address]);
  return { ...route, danglingTarget: dangling };
}
