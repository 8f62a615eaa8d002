/**
 * Reads a file that another program wrote: opened without following links, read block by block, decoded.
 *
 * As many octets are read as the file had when it was opened; one that has fewer meanwhile is not the same any more.
 *
 * Trust: nothing of what is read. A FIFO that was put in the file's place neither blocks the open nor is read.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { createFileDecoder } from '../wire/pickup/fileDecoder.ts';
import { READ_BLOCK_OCTETS } from './limits.ts';

/** The file has other octets than it had when it was looked at. */
export class FileChanged extends Error {
  constructor() {
    super('the file changed while it was read');
    this.name = 'FileChanged';
  }
}

/** Opens for reading. Errors: the system's, among them ELOOP for a link. */
export function openFile(path: Buffer): Promise<FileHandle> {
  // Windows has neither flag.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/** The first octets of a file, `limitOctets` at most. Errors: the system's. */
export async function readStart(path: Buffer, limitOctets: number): Promise<Buffer> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    return await new FileOctets(handle, size).first(limitOctets);
  } finally {
    await handle.close();
  }
}

/** The octets of an open file, which may be read more than once. */
export class FileOctets {
  readonly #handle: FileHandle;
  readonly #octets: number;
  /** A small file is read from the disk once. */
  #only: Buffer | undefined;

  /** `octets`: how many the file has. */
  constructor(handle: FileHandle, octets: number) {
    this.#handle = handle;
    this.#octets = octets;
  }

  /** The first octets, `limitOctets` at most. */
  async first(limitOctets: number): Promise<Buffer> {
    return this.#block(0, Math.min(limitOctets, this.#octets));
  }

  /** All of them, from the first. Errors: FileChanged, the system's. */
  async *blocks(): AsyncGenerator<Buffer, void> {
    if (this.#only !== undefined) {
      yield this.#only;
      return;
    }
    for (let position = 0; position < this.#octets; ) {
      const block = await this.#block(position, Math.min(READ_BLOCK_OCTETS, this.#octets - position));
      position += block.length;
      if (block.length === this.#octets) this.#only = block;
      yield block;
    }
  }

  /** All of them as the message that they are: UTF-8, lines that end in CRLF. */
  async *decoded(decoder = createFileDecoder()): AsyncGenerator<Buffer, void> {
    for await (const block of this.blocks()) yield decoder.push(block);
    yield decoder.end();
  }

  async #block(position: number, octets: number): Promise<Buffer> {
    const block = Buffer.allocUnsafe(octets);
    let filled = 0;
    while (filled < octets) {
      const { bytesRead } = await this.#handle.read(block, filled, octets - filled, position + filled);
      if (bytesRead === 0) throw new FileChanged();
      filled += bytesRead;
    }
    return block;
  }
}
