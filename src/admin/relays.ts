/**
 * The relays of a running server: made from the configuration, made anew at a reload and when their files change.
 *
 * Each stands for itself: one whose files cannot be used stays as it was, and log and status say why; one that never could be used
 * is not there, and what waits for it is held. What has not changed stays the same object, so that outbound leaves its connections
 * alone. A token client lives as long as its relay is configured alike.
 */

import type { Clock } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { MINUTE_MS } from '../base/units.ts';
import { stampOf } from '../net/fileStamp.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import type { TokenOptions } from '../exchange/tokens/options.ts';
import type { TokenClient } from '../exchange/tokens/tokenClient.ts';
import type { RelayOptions, SmtpRelayOptions } from '../outbound/contract.ts';
import { RELAY_FILE_KEYS, type RelayConfig } from '../config/relayKeys.ts';
import { expiriesOf, expiryStep, expiryWarning } from './relayExpiry.ts';
import { firstLine, readRelayFiles, type RelayFiles, relayOptions } from './relayOptions.ts';
import { tokenIdentity, tokenOptions, usesTokens } from './relayTokens.ts';

/** How often the files of relays are looked at. */
export const RELAY_LOOK_PERIOD_MS = MINUTE_MS;

/** Surroundings of relays. */
export interface RelaySurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: Pick<Secrets, 'find'>;
  createTokens(options: TokenOptions): TokenClient;
}

/** The relays of a running server. */
export interface Relays {
  /** As they can be used, in the configuration's order. */
  options(): readonly RelayOptions[];
  /** Takes another configuration; answers a sentence for each relay that cannot be used as it says. Never rejects. */
  reload(relays: readonly RelayConfig[]): Promise<readonly string[]>;
  /** Is told of other options whenever files have changed. */
  follow(take: (options: readonly RelayOptions[]) => void): void;
  /** As configured now, whether they can be used or not. */
  all(): readonly RelayConfig[];
  configured(name: string): RelayConfig | undefined;
  /** What is in use of a relay's files; undefined where it cannot be used. */
  filesOf(name: string): RelayFiles | undefined;
  /** Why a relay cannot be used, or not as it is configured now. */
  problemOf(name: string): string | undefined;
  /** The token client of a relay; undefined where it has none. */
  tokens(name: string): TokenClient | undefined;
  /** What an administrator should know: files that cannot be used, and what ends soon. */
  warnings(): readonly string[];
  close(): Promise<void>;
}

interface OpenRelay {
  readonly relay: RelayConfig;
  readonly files: RelayFiles;
  readonly options: RelayOptions;
  readonly tokens: TokenClient | undefined;
}

/** Opens the relays of a configuration; what is wrong with one is logged and no error. */
export async function openRelays(
  configured: readonly RelayConfig[],
  surroundings: RelaySurroundings,
): Promise<Relays> {
  const opened = new OpenRelays(surroundings);
  await opened.reload(configured);
  return opened;
}

class OpenRelays implements Relays {
  readonly #surroundings: RelaySurroundings;
  #configured: readonly RelayConfig[] = [];
  #open: readonly OpenRelay[] = [];
  #problems = new Map<string, string>();
  /** What the log has said of what ends, so that it says each step once. */
  readonly #said = new Set<string>();
  #stamp = '';
  #take: (options: readonly RelayOptions[]) => void = () => {};
  #turn: Promise<unknown> = Promise.resolve();
  readonly #timer;

  constructor(surroundings: RelaySurroundings) {
    this.#surroundings = surroundings;
    this.#timer = surroundings.clock.every(RELAY_LOOK_PERIOD_MS, () => {
      this.#inTurn(() => this.#look());
    });
  }

  options(): readonly RelayOptions[] {
    return this.#open.map(({ options }) => options);
  }

  reload(relays: readonly RelayConfig[]): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      this.#configured = relays;
      await this.#openAll();
      return [...this.#problems.values()];
    });
  }

  follow(take: (options: readonly RelayOptions[]) => void): void {
    this.#take = take;
  }

  all(): readonly RelayConfig[] {
    return this.#configured;
  }

  filesOf(name: string): RelayFiles | undefined {
    return this.#open.find(({ relay }) => relay.name === name)?.files;
  }

  problemOf(name: string): string | undefined {
    return this.#problems.get(name);
  }

  configured(name: string): RelayConfig | undefined {
    return this.#configured.find((relay) => relay.name === name);
  }

  tokens(name: string): TokenClient | undefined {
    return this.#open.find(({ relay }) => relay.name === name)?.tokens;
  }

  warnings(): readonly string[] {
    const now = this.#surroundings.clock.now();
    return [
      ...this.#problems.values(),
      ...this.#open.flatMap(({ relay, files }) =>
        expiriesOf(relay, files).flatMap((expiry) => expiryWarning(relay.name, expiry, now) ?? []),
      ),
    ];
  }

  async close(): Promise<void> {
    this.#timer.clear();
    await this.#turn;
    for (const { tokens } of this.#open) tokens?.close();
  }

  /** One after the other: a reload and a look must not mix. */
  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #look(): Promise<void> {
    this.#sayWhatEnds();
    if ((await this.#stampNow()) === this.#stamp) return;
    const before = this.#open;
    await this.#openAll();
    if (this.#open.every((one, index) => one === before[index])) return;
    this.#surroundings.log.info('admin.relay.renewed', {
      relays: this.#open.filter((one) => !before.includes(one)).map(({ relay }) => relay.name),
    });
    this.#take(this.options());
  }

  async #openAll(): Promise<void> {
    this.#stamp = await this.#stampNow();
    const before = this.#open;
    const after: OpenRelay[] = [];
    const problems = new Map<string, string>();
    // Smarthosts first: Graph may fall back to one.
    for (const relay of [...this.#configured].sort(bySmtpFirst)) {
      const old = before.find((one) => one.relay.name === relay.name);
      try {
        after.push(await this.#openOne(relay, old, after));
      } catch (error) {
        const problem = asMailError(error).message;
        problems.set(relay.name, old === undefined ? problem : `${problem}; it stays as it was`);
        if (old !== undefined) after.push(old);
      }
    }
    for (const [name, problem] of problems)
      if (this.#problems.get(name) !== problem)
        this.#surroundings.log.warn('admin.relay.refused', { relay: name, problem });
    this.#problems = problems;
    this.#open = this.#configured.flatMap(({ name }) => after.find(({ relay }) => relay.name === name) ?? []);
    const kept = new Set(this.#open.map(({ tokens }) => tokens));
    for (const { tokens } of before) if (!kept.has(tokens)) tokens?.close();
    this.#sayWhatEnds();
  }

  async #openOne(
    relay: RelayConfig,
    old: OpenRelay | undefined,
    opened: readonly OpenRelay[],
  ): Promise<OpenRelay> {
    const files = await readRelayFiles(relay);
    const fallback = opened.find((one) => one.relay.name === relay.fallback)?.options;
    if (relay.fallback !== undefined && fallback?.kind !== 'smtp')
      throw new MailError('invalid', `relay ${relay.name}: its fallback ${relay.fallback} cannot be used`);
    const isSame = old !== undefined && isEqual([old.relay, old.files], [relay, files]);
    if (isSame && fallbackOf(old.options) === fallback) return old;
    const { secrets } = this.#surroundings;
    const tokens = this.#tokensFor(relay, files, old);
    const access = {
      password: async () =>
        relay.passwordFile === undefined
          ? secrets.find({ purpose: 'relayPassword', owner: relay.name })
          : firstLine(relay.passwordFile),
      tokens: () => tokens as TokenClient,
    };
    const options = relayOptions(relay, files, access, fallback as SmtpRelayOptions | undefined);
    return { relay, files, options, tokens };
  }

  #tokensFor(relay: RelayConfig, files: RelayFiles, old: OpenRelay | undefined): TokenClient | undefined {
    if (!usesTokens(relay)) return undefined;
    const isSame =
      old?.tokens !== undefined && tokenIdentity(old.relay, old.files) === tokenIdentity(relay, files);
    if (isSame) return old.tokens;
    return this.#surroundings.createTokens(tokenOptions(relay, files, this.#surroundings.secrets));
  }

  #stampNow(): Promise<string> {
    return stampOf(this.#configured.flatMap((relay) => RELAY_FILE_KEYS.flatMap((key) => relay[key] ?? [])));
  }

  #sayWhatEnds(): void {
    const { clock, log } = this.#surroundings;
    for (const { relay, files } of this.#open)
      for (const expiry of expiriesOf(relay, files)) {
        const step = expiryStep(expiry, clock.now());
        const said = JSON.stringify([relay.name, expiry, step]);
        if (step === undefined || this.#said.has(said)) continue;
        this.#said.add(said);
        const endsAt = new Date(expiry.endsAt).toISOString();
        log.warn('admin.relay.expiring', { relay: relay.name, what: expiry.what, endsAt });
      }
  }
}

function bySmtpFirst(left: RelayConfig, right: RelayConfig): number {
  return Number(left.way !== 'smtp') - Number(right.way !== 'smtp');
}

function fallbackOf(options: RelayOptions): SmtpRelayOptions | undefined {
  return options.kind === 'graph' ? options.fallback : undefined;
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
