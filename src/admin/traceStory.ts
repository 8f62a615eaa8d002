/**
 * A trace as an administrator reads it: what the message is, then a line for each thing that happened, in words. What the words
 * leave out stands behind them as `name=value`, so that nothing is lost; --json has the same as data.
 */

import type { MessageTrace, TraceEvent } from '../store/contract/trace.ts';
import { formatOctets } from './table.ts';

/** The story of a message, or of something that was refused without one. */
export function tellTrace(trace: MessageTrace): string {
  const { traceId, reversePath, recipients, octets, messageId, subject, events } = trace;
  const isMessage = events.some(({ kind }) => kind === 'accepted');
  const to =
    recipients.length === 0 ? '' : ` to ${recipients.map((recipient) => `<${recipient}>`).join(', ')}`;
  const size = isMessage ? `, ${formatOctets(octets)}` : '';
  const isAboutMail = reversePath !== '' || recipients.length > 0;
  return [
    isAboutMail ? `${traceId}  <${reversePath}>${to}${size}` : traceId,
    ...(subject === undefined ? [] : [`  Subject: ${oneLine(subject)}`]),
    ...(messageId === undefined ? [] : [`  Message-ID: <${oneLine(messageId)}>`]),
    ...events.map((event) => `  ${new Date(event.at).toISOString()}  ${tellEvent(event)}`),
    '',
  ].join('\n');
}

/** What comes from outside stays on its line. */
function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}

/** An event in words. */
export function tellEvent(event: TraceEvent): string {
  const teller = new Teller(event);
  const words = SENTENCES[event.kind]?.(teller) ?? event.kind;
  return oneLine([words, ...teller.rest()].join(' '));
}

/** Hands out an event's fields, and remembers which of them the words have told. */
class Teller {
  readonly #fields: TraceEvent['fields'];
  readonly #told = new Set<string>();

  constructor({ fields }: TraceEvent) {
    this.#fields = fields;
  }

  /** `before` + the field's value + `after`; nothing where there is no such field. */
  say(name: string, before = '', after = ''): string {
    const value = this.#fields[name];
    this.#told.add(name);
    return value === undefined ? '' : `${before}${value}${after}`;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** Whether the field has this value; then it is told. */
  is(name: string, value: string): boolean {
    if (this.#fields[name] !== value) return false;
    this.#told.add(name);
    return true;
  }

  rest(): readonly string[] {
    return Object.entries(this.#fields)
      .filter(([name]) => !this.#told.has(name))
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  }
}

const SENTENCES: Partial<Readonly<Record<TraceEvent['kind'], (teller: Teller) => string>>> = {
  accepted: (event) =>
    event.is('protocol', 'report')
      ? `written by this server, a report${event.say('about', ' about ')}`
      : `accepted${by(event)}`,
  refused: tellRefusal,
  refusedMore: (event) =>
    `${event.say('refusals')} more refusals${event.say('remote', ' to ')} within an hour, told by their number alone`,
  stored: (event) =>
    `stored${event.say('recipient', ' for <', '>')} in ${event.say('account')}/${event.say('mailbox')}${event.say('uid', ' as UID ')}`,
  queued: (event) =>
    `waits for the ${event.say('hop')} ${event.say('name')}${event.say('recipient', ', for <', '>')}${event.say('to', ', to go to <', '>')}`,
  relayed: (event) => `taken${nextHop(event, ' by ')}${recipientAndReply(event)}`,
  deferred: (event) =>
    `put off${event.say('attempt', ' after attempt ')}${nextHop(event, ' at ')}${recipientAndReply(event)}`,
  failed: (event) => `refused for good${nextHop(event, ' by ')}${recipientAndReply(event)}`,
  held: (event) => `held${nextHop(event, ' before ')}${recipientAndReply(event)}`,
  released: (event) => `released${nextHop(event, ' to ')}${recipientAndReply(event)}`,
  retried: (event) => `to be tried at once${nextHop(event, ' at ')}${recipientAndReply(event)}`,
  removed: (event) => `taken out of the queue${nextHop(event, ' for ')}${recipientAndReply(event)}`,
  rerouted: (event) =>
    `sent on${event.say('fromHop', ' from the ')}${event.say('fromName', ' ')}${nextHop(event, ' to ')}${recipientAndReply(event)}`,
  prioritized: (event) =>
    `given the priority ${event.say('priority')}${nextHop(event, ' at ')}${recipientAndReply(event)}`,
  delayed: (event) => `still waits${nextHop(event, ' for ')}${recipientAndReply(event)}`,
  expiredInQueue: (event) => `given up: waited too long${nextHop(event, ' for ')}${recipientAndReply(event)}`,
  replied: (event) =>
    `answered${event.say('account', ' for ')}${event.say('recipient', ' to <', '>')}${event.say('report', ' by ')}`,
  routed: (event) =>
    `${event.say('recipient', '<', '> ')}taken by the ${event.say('route', 'route ')}${event.say('directory', 'relay of the pickup directory ')}${event.say('to', ' to <', '>')}`,
  ruled: (event) =>
    `${event.has('failed') ? 'left alone' : 'taken'} by the rule ${event.say('rule')}${event.say('account', ' of ')}${event.say('failed', ': ')}`,
  forwarded: (event) =>
    `forwarded${event.say('account', ' by ')} to <${event.say('target')}>${event.say('rule', ' by the rule ')}`,
  notForwarded: (event) =>
    `not forwarded${event.say('account', ' by ')} to <${event.say('target')}>${event.say('moreTargets', ' and ', ' more')}${event.say('rule', ' by the rule ')}${event.say('reason', ': ')}`,
  withheld: (event) => `not stored${event.say('recipient', ' for <', '>')}${event.say('reason', ': ')}`,
  reported: (event) =>
    `the ${event.say('told') || 'sender'} was told about <${event.say('recipient')}> by ${event.say('report')}`,
  dsnDue: (event) =>
    `the sender could not be told about <${event.say('recipient')}>${event.say('reason', ': ')}`,
  duplicate: tellDuplicate,
  fetched: (event) => `fetched${by(event)}`,
  deleted: (event) => `deleted${by(event)}`,
  retained: (event) => `kept in ${event.say('mailbox')} after its deletion${by(event)}`,
  restored: (event) => `brought back to ${event.say('mailbox')}${by(event)}`,
};

function tellRefusal(event: Teller): string {
  if (event.is('stage', 'login'))
    return `login refused${event.say('loginName', ' to ')}: ${event.say('reply')}${by(event)}`;
  if (event.is('stage', 'sender')) return `sender refused: ${event.say('reply')}${by(event)}`;
  if (event.is('stage', 'recipient'))
    return `recipient refused${event.say('recipient', ' <', '>')}: ${event.say('reply')}${by(event)}`;
  if (event.is('stage', 'message'))
    return `refused: ${event.say('reply')}${event.say('reason', ' (', ')')}${by(event)}`;
  if (event.is('stage', 'file')) {
    event.is('protocol', 'pickup');
    return `the file ${event.say('file')} of the pickup directory ${event.say('directory')} was moved to badmail${event.say('badFile', ' as ')}: ${event.say('reason')}`;
  }
  return `refused${event.say('recipient', ' <', '>')}${event.say('reason', ': ')}${by(event)}`;
}

function tellDuplicate(event: Teller): string {
  const whose = event.has('recipient')
    ? event.say('recipient', ' for <', '>')
    : event.say('recipients', ' for ', ' recipients');
  event.say('recipients');
  const why = event.is('reason', 'vacation')
    ? 'an answer that was given already'
    : event.is('reason', 'exchange')
      ? 'a copy that Exchange Online made'
      : event.is('reason', 'pickup')
        ? 'the same file once more'
        : 'the same message once more';
  event.say('reason');
  return event.has('again')
    ? `came again as ${event.say('again')}, ${why}, which was not stored${whose}`
    : `not stored${whose}: ${why}, first stored as ${event.say('of')}`;
}

function nextHop(event: Teller, before: string): string {
  return event.say('hop', `${before}the `) + event.say('name', ' ');
}

/** For whom, who did it or where, and what the next hop said. */
function recipientAndReply(event: Teller): string {
  const whom = event.say('recipient', ', for <', '>') + event.say('by', ', by the ');
  return `${whom}${event.say('server', ', at ')}${event.say('reply', ': ')}${event.say('status', ' (', ')')}`;
}

/** Who did it, and how. */
function by(event: Teller): string {
  if (event.has('directory') && event.is('protocol', 'pickup'))
    return ` from the pickup directory ${event.say('directory')}${event.say('file', ', file ')}`;
  const whom = event.say('account', ' by ') + event.say('range', ' by the range ');
  const where = event.say('remote', ' from ') + event.say('helo', ' (', ')');
  const how =
    event.say('protocol', ' over ') +
    event.say('listener', ' at the listener ') +
    event.say('role', ' (', ')');
  return whom + where + how + event.say('tls', ', ');
}
