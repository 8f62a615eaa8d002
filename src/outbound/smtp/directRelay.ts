/**
 * The relay by SMTP straight to the mail exchangers of named domains.
 *
 * RFC 5321 section 5.1. Each domain is a next hop of its own: what goes wrong with one defers its recipients and never holds the others,
 * so this relay has no trouble of its own. A domain that is not named is held, since whoever routes mail here without naming it meant
 * something else.
 */

import { domainToASCII } from 'node:url';

import type {
  HopTrouble,
  RecipientOutcome,
  Relay,
  RelayCheck,
  RelayedMessage,
  RelayRecipient,
  RelayResult,
} from '../../transfer/relay.ts';
import type { DirectRelayOptions } from '../contract.ts';
import { checkSession } from './checkSession.ts';
import { EXCHANGERS_KEPT_MS } from './limits.ts';
import { type Exchangers, findExchangers, type MailResolver, systemMailResolver } from './mailExchangers.ts';
import { SessionPool } from './sessionPool.ts';
import { type RelaySurroundings, relayThrough } from './smtpRelay.ts';

/** A relay straight to mail exchangers; `resolver` takes the place of the system's. */
export function createDirectRelay(
  options: DirectRelayOptions,
  surroundings: RelaySurroundings & { readonly resolver?: MailResolver | undefined },
): Relay {
  const domains = new DomainPools(options, surroundings);
  return {
    name: options.name,
    relay: (message, signal) => domains.relay(message, signal),
    check: (signal) => domains.check(signal),
    close: () => domains.close(),
  };
}

/** A domain's exchangers with their sessions, for a while. */
interface KnownDomain {
  readonly pool: SessionPool;
  readonly untilMs: number;
}

class DomainPools {
  readonly #options: DirectRelayOptions;
  readonly #surroundings: RelaySurroundings;
  readonly #resolver: MailResolver;
  readonly #known = new Map<string, KnownDomain>();

  constructor(
    options: DirectRelayOptions,
    surroundings: RelaySurroundings & { readonly resolver?: MailResolver | undefined },
  ) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#resolver = surroundings.resolver ?? systemMailResolver();
  }

  async relay(message: RelayedMessage, signal: AbortSignal): Promise<RelayResult> {
    const outcomes = new Map<RelayRecipient, RecipientOutcome>();
    for (const [domain, recipients] of Map.groupBy(message.recipients, domainOf)) {
      const all = await this.#relayTo(domain, { ...message, recipients }, signal);
      for (const [index, recipient] of recipients.entries()) outcomes.set(recipient, all[index] ?? UNTRIED);
    }
    return { outcomes: message.recipients.map((recipient) => outcomes.get(recipient) ?? UNTRIED) };
  }

  async check(signal: AbortSignal): Promise<RelayCheck> {
    const steps: string[] = [];
    let trouble: HopTrouble | undefined;
    for (const domain of this.#options.domains) {
      const found = await this.#poolOf(domain, signal);
      const checked =
        found instanceof SessionPool
          ? await checkSession(await found.take(signal, true))
          : failedCheck(found.why);
      steps.push(...checked.steps.map((step) => `${domain}: ${step}`));
      trouble ??= checked.trouble;
    }
    return trouble === undefined ? { isReady: true, steps } : { isReady: false, steps, trouble };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ pool }) => pool.close()));
  }

  async #relayTo(
    domain: string,
    message: RelayedMessage,
    signal: AbortSignal,
  ): Promise<readonly RecipientOutcome[]> {
    const forAll = (outcome: RecipientOutcome) => message.recipients.map(() => outcome);
    if (signal.aborted) return forAll(UNTRIED);
    if (domain === '')
      return forAll({
        kind: 'failed',
        status: '5.1.3',
        reply: 'not sent: an address without a domain of the DNS',
      });
    if (!this.#options.domains.includes(domain))
      return forAll({ kind: 'held', reason: `this relay is not for the domain ${domain}` });
    const found = await this.#poolOf(domain, signal);
    if (signal.aborted) return forAll(UNTRIED);
    if (!(found instanceof SessionPool))
      return forAll(
        found.kind === 'none'
          ? { kind: 'failed', status: found.status, reply: found.why }
          : { kind: 'deferred', status: '4.4.3', reply: found.why },
      );
    const { clock } = this.#surroundings;
    const { sizeLimitOctets } = this.#options.limits;
    const { outcomes, trouble } = await relayThrough(
      { pool: found, clock, sizeLimitOctets },
      message,
      signal,
    );
    if (trouble === undefined) return outcomes;
    return outcomes.map((outcome) => (outcome.kind === 'untried' ? deferredBy(trouble) : outcome));
  }

  async #poolOf(
    domain: string,
    signal: AbortSignal,
  ): Promise<SessionPool | Exclude<Exchangers, { kind: 'found' }>> {
    const { clock, log, serverName } = this.#surroundings;
    const { name, port, tls } = this.#options;
    const known = this.#known.get(domain);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.pool;
    const search = { resolver: this.#resolver, clock, port, serverName, signal };
    const found = await findExchangers(domain, search);
    if (found.kind !== 'found') return found;
    await known?.pool.close();
    const pool = new SessionPool(found.hosts, {
      clock,
      log: log.with({ relay: name, domain }),
      serverName,
      tls,
    });
    this.#known.set(domain, { pool, untilMs: clock.monotonic() + EXCHANGERS_KEPT_MS });
    return pool;
  }
}

const UNTRIED: RecipientOutcome = { kind: 'untried' };

function domainOf({ address }: RelayRecipient): string {
  return domainToASCII(address.slice(address.lastIndexOf('@') + 1).replace(/\.$/, ''));
}

function deferredBy(trouble: HopTrouble): RecipientOutcome {
  const reply = 'advice' in trouble ? `${trouble.reason} - ${trouble.advice}` : trouble.reason;
  if (trouble.kind === 'throttled')
    return { kind: 'deferred', status: '4.4.5', reply, retryAfterMs: trouble.retryAfterMs };
  return { kind: 'deferred', status: trouble.kind === 'unreachable' ? '4.4.1' : '4.7.0', reply };
}

function failedCheck(why: string): RelayCheck {
  return { isReady: false, steps: [why], trouble: { kind: 'unreachable', reason: why } };
}
