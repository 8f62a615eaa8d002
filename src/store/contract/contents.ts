/**
 * Contents: immutable octets, written once as a draft, read in pieces.
 *
 * A draft streams: small ones travel whole with the job that seals them, large ones go to disk in chunks while they arrive,
 * so that memory stays bounded at any size. Only the job that delivers or appends a draft makes it a content; a draft that
 * is never sealed is swept. Every read checks the chunk's checksum and rejects with `contentCorrupt` rather than serve a
 * changed octet.
 */

import type { ContentId } from '../../base/ids.ts';
import type { DerivedMessage } from './derived.ts';

/** A content that is being written. One writer, in order; sealed by at most one delivery or append. */
export interface ContentDraft {
  /** Octets taken so far. */
  readonly octets: number;
  /**
   * Takes the next octets and resolves when more are welcome (back-pressure). The buffer is the caller's again at once.
   * Rejects with `diskFull`, `storeUnavailable`, `messageTooLarge` (4 GiB) or, after `discard`, `cannot`.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Gives the draft up; nothing of it will be visible. May be called at any time, also after sealing (then it does nothing). */
  discard(): void;
}

/**
 * A sealed content, for reading. Reading stays possible while a hold (see Mailboxes.hold) from before its expunge lives, and a
 * reading that has begun goes on to its end, whatever is expunged or leaves the queue meanwhile.
 */
export interface Content {
  readonly id: ContentId;
  /** Octets in all, trace fields included. */
  readonly octets: number;
  /** Octets in POP3's form: every line end CRLF, a final CRLF (RFC 1939 section 11). */
  readonly pop3Octets: number;
  /** Length of the leading Return-Path line with its CRLF; 0 when there is none. Relay and drop leave it out. */
  readonly returnPathOctets: number;
  /** SHA-256 of all octets. */
  readonly sha256: Buffer;
  /** All octets, already checked and not to be changed, where `openAll` brought them along. */
  readonly small?: Buffer;
  /**
   * The octets from `start` (inclusive) to `end` (exclusive, clamped to `octets`), in pieces of at most 256 KiB, each of which
   * becomes the caller's. No database lock is held between pieces.
   * Errors: `contentCorrupt` (checksum), `contentGone` (swept).
   */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

/** Where contents are begun and opened. */
export interface Contents {
  /** Begins a draft. */
  begin(): ContentDraft;
  /** Opens a content for reading. Errors: `contentGone`. */
  open(id: ContentId): Promise<Content>;
  /**
   * Opens contents, in the order asked for: those of one piece (256 KiB), whose octets come along. Undefined stands for every
   * other, which `open` opens or says why not. The caller bounds the octets that it asks for at a time.
   */
  openAll(ids: readonly ContentId[]): Promise<readonly (Content | undefined)[]>;
  /** ENVELOPE and BODYSTRUCTURE data of contents, in the order asked for. Errors: `contentGone`. */
  derived(ids: readonly ContentId[]): Promise<readonly DerivedMessage[]>;
}
