/**
 * Octets as Node's Buffer, whose indexOf and latin1 decoding are native.
 */

/** `bytes` as a Buffer on the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
