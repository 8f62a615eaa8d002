/**
 * Which route takes an address: the first enabled one, in order of position, whose patterns mean it and its sender and which the
 * sender may use. The smarthost's route (`*` to a relay) means what is not ours: it must not carry away our own mail.
 *
 * INVARIANT (no open relay): for somebody who has not logged in only a route that is open to anyone leads to a relay or drop
 * directory, and none does where the local part names a further way. Mail of the house (what administrators had aliases,
 * lists, forwards and rules send on) counts as mail of a submitter. A route that may not be used is passed over.
 */

import type { Route } from '../../store/contract/routing.ts';
import { isMeant, type MatchedAddress } from './addressPattern.ts';
import { isSenderRouted } from './parsePath.ts';
import type { Sender } from './sender.ts';

/** Why a route that means the address does not take it. */
export type RouteBar =
  /** The sender has not logged in, and the route is open to submitters only. */
  | 'submittersOnly'
  /** The sender has not logged in, and the local part asks the next hop to send it on. */
  | 'senderRouted'
  /** The address is ours, and the route means it only as one of all (`*`): who wants it to leave has to name it. */
  | 'ours'
  /** Nothing is relayed: transfer.relayRoutes is off. */
  | 'relayRoutesOff';

/** A route that means an address: it takes it, or what bars it. */
export interface RouteAnswer {
  readonly route: Route;
  readonly bar: RouteBar | undefined;
}

/** What is asked of routes. */
export interface RouteQuestion {
  /** The address by all its names: as it was written and, with plus addressing, whose it is. */
  readonly recipient: readonly MatchedAddress[];
  readonly sender: Sender;
  /** Whether an administrator's alias, list, forward or rule leads here. */
  readonly isOfHouse: boolean;
  /** Whether its domain is one of ours. */
  readonly isOurs: boolean;
  readonly isRelaying: boolean;
}

/** Routes that mean the address, in order, up to the first that takes it. */
export async function askRoutes(routes: readonly Route[], question: RouteQuestion): Promise<RouteAnswer[]> {
  const answers: RouteAnswer[] = [];
  for (const route of routes) {
    if (!route.isEnabled || !question.recipient.some((address) => isMeant(route.recipients, address)))
      continue;
    if (!(await isSenderMeant(route, question.sender))) continue;
    const bar = barOf(route, question);
    answers.push({ route, bar });
    if (bar === undefined) break;
  }
  return answers;
}

async function isSenderMeant({ senders }: Route, sender: Sender): Promise<boolean> {
  if (senders.length === 0) return true;
  return (await sender.matched()).some((address) => isMeant(senders, address));
}

function barOf(route: Route, question: RouteQuestion): RouteBar | undefined {
  const { recipient, sender, isOfHouse, isOurs, isRelaying } = question;
  const { kind } = route.target;
  if (kind !== 'relay' && kind !== 'drop') return undefined;
  const named = route.recipients.filter((pattern) => pattern !== '*');
  if (isOurs && !recipient.some((address) => isMeant(named, address))) return 'ours';
  if (!isOfHouse && sender.submitter.kind === 'anyone') {
    if (route.isOpenTo !== 'anyone') return 'submittersOnly';
    if (recipient.some(({ localPart }) => isSenderRouted(localPart))) return 'senderRouted';
  }
  return isRelaying ? undefined : 'relayRoutesOff';
}
