/**
 * What the client takes for the mailbox's HIGHESTMODSEQ, worked out as RFC 7162 section 6 has it work it out.
 *
 * Pure. With each tagged response the client takes the last HIGHESTMODSEQ code that came, else the highest MODSEQ item if
 * that is above what it had. It will resynchronize from there, so it must never be above what it has been told: an expunge
 * that waits while the client hears of later flags would be lost with the connection (section 3.2). `correction` answers the
 * code that puts it right.
 */

/** One session's client and its selected mailbox. */
export class ClientModSeq {
  #known = 0;
  #code: number | undefined;
  #highestItem = 0;
  #hasVanished = false;

  /** The highest MODSEQ item that was sent since the last tagged response. */
  get highestItem(): number {
    return this.#highestItem;
  }

  /** A HIGHESTMODSEQ code was sent. */
  noteCode(modSeq: number): void {
    this.#code = modSeq;
  }

  /** A MODSEQ item was sent. */
  noteItem(modSeq: number): void {
    if (modSeq > this.#highestItem) this.#highestItem = modSeq;
  }

  /** VANISHED was sent, without EARLIER. */
  noteVanished(): void {
    this.#hasVanished = true;
  }

  /**
   * The code that the client must be sent by its next tagged response, as it has been told everything up to `toldModSeq`;
   * undefined where it will be right by itself. With QRESYNC it is also told what brought no MODSEQ item: messages that came,
   * and, always, that some have gone (sections 3.2.7 and 3.2.9; RFC 6851 section 4.4).
   */
  correction(toldModSeq: number, isQresync: boolean): number | undefined {
    const next = this.#code ?? Math.max(this.#known, this.#highestItem);
    if (next > toldModSeq) return toldModSeq;
    const isOwed = next < toldModSeq || (this.#hasVanished && this.#code !== toldModSeq);
    return isQresync && isOwed ? toldModSeq : undefined;
  }

  /** A tagged response is being sent, after any code. */
  settle(): void {
    this.#known = this.#code ?? Math.max(this.#known, this.#highestItem);
    this.#code = undefined;
    this.#highestItem = 0;
    this.#hasVanished = false;
  }
}
