/**
 * The appliance as the demo needs it; main.ts hands one in.
 */

/** Where a listener is. */
export interface DemoEndpoint {
  readonly host: string;
  readonly port: number;
}

/** An appliance as the demo needs it. */
export interface DemoAppliance {
  readonly endpoints: Readonly<Record<'smtp' | 'pop3' | 'pop3s' | 'imap' | 'imaps', DemoEndpoint>>;
  /** The self-signed certificate in PEM form, which the demo's clients trust. */
  readonly certificate: string;
  addDomain(name: string): Promise<void>;
  /** Adds an account and answers the password generated for it. */
  addAccount(address: string): Promise<string>;
}

/** An account of the demo. */
export interface DemoAccount {
  readonly address: string;
  readonly password: string;
}
