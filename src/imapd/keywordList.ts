/**
 * The keywords that a client has been told of by FLAGS and PERMANENTFLAGS (RFC 3501 sections 7.1 and 7.2.6).
 *
 * A keyword that first appears in some message's flags is announced before them; clients such as Thunderbird drop flags that
 * FLAGS did not list. Keywords are compared without case.
 */

/** Grows only, while the mailbox stays selected. */
export class KeywordList {
  readonly #byFolded = new Map<string, string>();
  readonly #limit: number;

  /** `limit` is how many the mailbox can have. */
  constructor(keywords: Iterable<string>, limit: number) {
    this.#limit = limit;
    this.add(keywords);
  }

  /** Whether the mailbox takes keywords that it does not know yet: `\*` in PERMANENTFLAGS. */
  get takesNew(): boolean {
    return this.#byFolded.size < this.#limit;
  }

  /** All that have been announced, in order of their first use. */
  get names(): readonly string[] {
    return [...this.#byFolded.values()];
  }

  /** Adds keywords; answers whether one of them was new. */
  add(keywords: Iterable<string>): boolean {
    const before = this.#byFolded.size;
    for (const keyword of keywords) {
      const folded = keyword.toLowerCase();
      if (!this.#byFolded.has(folded)) this.#byFolded.set(folded, keyword);
    }
    return this.#byFolded.size > before;
  }
}
