/**
 * The forms in which clients send login names, as data: everything that is read into a name follows from its row here.
 *
 * Exchange took all of them (MS-OXIMAP4 section 2.2.2, KB161116), so old applications have them in their settings. The reader is
 * readLoginName.ts, the order of meanings is findByLoginName.ts, and docs/LOGIN.md is made from this table.
 */

/** What a part of a name is. `address` and `principal` have an @, the others have none; `alias` and `principal` name a mailbox. */
export type LoginPart = 'domain' | 'user' | 'address' | 'alias' | 'principal';

/** One form. */
export interface LoginForm {
  readonly name: string;
  /** In the order of the name; no two forms look alike. */
  readonly parts: readonly LoginPart[];
  readonly example: string;
  /** The extra login name by which one account has the example whatever the domain is. */
  readonly wildcardExample: string | undefined;
  /** What it means where no extra login name covers it, for administrators. */
  readonly guess: string;
  readonly source: string;
}

const DELEGATE_GUESS = 'only where what stands in front means the same account';

/** Every form. */
export const LOGIN_FORMS: readonly LoginForm[] = [
  {
    name: 'full address',
    parts: ['address'],
    example: 'erp@app.example',
    wildcardExample: 'erp@*',
    guess: 'nothing: it is an address here or an extra login name, or nobody',
    source: 'hMailServer; Exchange (user principal name)',
  },
  {
    name: 'bare name',
    parts: ['user'],
    example: 'erp',
    wildcardExample: undefined,
    guess: 'the user in the default domain',
    source: 'hMailServer with a default domain; Exchange',
  },
  {
    name: 'domain and user',
    parts: ['domain', 'user'],
    example: String.raw`CORP\erp`,
    wildcardExample: String.raw`*\erp`,
    guess: 'the user in that domain if it is one of this server, else in the default domain',
    source: 'MS-OXIMAP4 2.2.2',
  },
  {
    name: 'domain and address',
    parts: ['domain', 'address'],
    example: String.raw`CORP\erp@app.example`,
    wildcardExample: String.raw`*\erp@app.example`,
    guess: 'the address; the domain in front is not looked at',
    source: 'clients that put a domain before whatever the user wrote',
  },
  {
    name: 'domain, user and alias',
    parts: ['domain', 'user', 'alias'],
    example: String.raw`CORP\erp\erp`,
    wildcardExample: String.raw`*\erp\erp`,
    guess: `the alias, read like a user of the domain; ${DELEGATE_GUESS}`,
    source: 'MS-OXIMAP4 2.2.2; KB161116',
  },
  {
    name: 'address and alias',
    parts: ['address', 'alias'],
    example: 'erp@corp.example/erp',
    wildcardExample: String.raw`erp@*\erp`,
    guess: `the alias, read like a user of the address's domain; ${DELEGATE_GUESS}`,
    source: 'MS-OXIMAP4 2.2.2',
  },
  {
    name: 'delegate by domain and user',
    parts: ['domain', 'user', 'principal'],
    example: 'CORP/erp/shared@app.example',
    wildcardExample: String.raw`*\erp\shared@app.example`,
    guess: `the address at the end; ${DELEGATE_GUESS}`,
    source: 'MS-OXIMAP4 2.2.2, delegate access',
  },
  {
    name: 'delegate by address',
    parts: ['address', 'principal'],
    example: 'erp@corp.example/shared@app.example',
    wildcardExample: String.raw`erp@*\shared@app.example`,
    guess: `the address at the end; ${DELEGATE_GUESS}`,
    source: 'MS-OXIMAP4 2.2.2, delegate access',
  },
];
