/**
 * A relay with the attempts that go through it: retired by a changed configuration or at the end, it is closed when the last of
 * them is over.
 */

import type { Log } from '../base/log.ts';
import type { Relay } from '../transfer/relay.ts';

/** An attempt's use of a relay. */
export interface RelayUse {
  readonly relay: Relay;
  /** The attempt is over. */
  end(): void;
}

/** A relay that attempts go through. */
export class RelayInUse {
  readonly relay: Relay;
  readonly #log: Log;
  #attempts = 0;
  #isRetired = false;

  constructor(relay: Relay, log: Log) {
    this.relay = relay;
    this.#log = log;
  }

  /** An attempt begins. */
  begin(): RelayUse {
    this.#attempts += 1;
    return {
      relay: this.relay,
      end: () => {
        this.#attempts -= 1;
        this.#closeIfDone();
      },
    };
  }

  /** No attempt begins any more. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#isRetired || this.#attempts > 0) return;
    this.relay.close().catch((error: unknown) => {
      this.#log.warn('outbound.relay.close', { relay: this.relay.name, error });
    });
  }
}
