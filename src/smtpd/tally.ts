/**
 * Counts what a session gets wrong, so that scanners and broken programs are ended. An accepted message starts all counts anew
 * but that of failed logins.
 */

import type { BdatArguments } from '../wire/smtp/bdat.ts';
import { JUNK_COMMANDS } from './commands.ts';
import {
  CHUNK_AVERAGE_OCTETS,
  COMMAND_LIMIT,
  ERROR_LIMIT,
  FAILED_LOGIN_LIMIT,
  FREE_CHUNKS,
  JUNK_COMMAND_LIMIT,
  REFUSED_RECIPIENT_LIMIT,
} from './limits.ts';

/** Replies to what the client does wrong: 500 to 504, 530 and 555. Refused recipients are counted apart. */
const ERROR_CODES = new Set([500, 501, 502, 503, 504, 530, 555]);

/** The counts of one session. */
export class SessionTally {
  #commands = 0;
  #failedLogins = 0;
  #errors = 0;
  #junkCommands = 0;
  #refusedRecipients = 0;
  #chunks = 0;
  #chunkOctets = 0;
  #accepted = 0;

  /** Messages accepted in this session. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Recipients refused since the last accepted message. */
  get refusedRecipients(): number {
    return this.#refusedRecipients;
  }

  /** BDAT is counted as a chunk. */
  noteCommand(keyword: string): void {
    if (keyword !== 'BDAT') this.#commands += 1;
    if (JUNK_COMMANDS.has(keyword)) this.#junkCommands += 1;
  }

  /** An empty chunk that is not the last leads nowhere. */
  noteChunk({ octets, isLast }: BdatArguments): void {
    this.#chunks += 1;
    this.#chunkOctets += octets;
    if (octets === 0 && !isLast) this.#junkCommands += 1;
  }

  noteReply(code: number): void {
    if (ERROR_CODES.has(code)) this.#errors += 1;
  }

  noteFailedLogin(): void {
    this.#failedLogins += 1;
  }

  noteRefusedRecipient(): void {
    this.#refusedRecipients += 1;
  }

  noteAccepted(): void {
    this.#accepted += 1;
    this.#commands = 0;
    this.#errors = 0;
    this.#junkCommands = 0;
    this.#refusedRecipients = 0;
    this.#chunks = 0;
    this.#chunkOctets = 0;
  }

  /** What there were too many of, as the end of "Too many …". */
  get excess(): string | undefined {
    if (this.#failedLogins >= FAILED_LOGIN_LIMIT) return 'failed logins';
    if (this.#errors >= ERROR_LIMIT) return 'errors';
    if (this.#commands > COMMAND_LIMIT) return 'commands';
    if (this.#junkCommands > JUNK_COMMAND_LIMIT) return 'commands without a message';
    if (this.#refusedRecipients >= REFUSED_RECIPIENT_LIMIT) return 'refused recipients';
    if (this.#chunks > FREE_CHUNKS && this.#chunkOctets < this.#chunks * CHUNK_AVERAGE_OCTETS)
      return 'small chunks';
    return undefined;
  }
}
