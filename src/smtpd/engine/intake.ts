/**
 * What takes octets of a session that are no commands, until it has all that are its own: the data after DATA, which end with
 * CRLF.CRLF (RFC 5321 section 4.1.1.4), and a chunk after BDAT, which is counted (RFC 3030 section 2).
 */

import { createDataDecoder } from '../../wire/smtp/dataDecoder.ts';
import type { MessageBody } from './messageBody.ts';

/** Takes octets from the parser. */
export interface Intake {
  /** Takes of `octets`, which become its own, what belongs to it; answers what follows its end, undefined before. */
  take(octets: Buffer): Buffer | undefined;
  /** Calls `resume` when it can take more. */
  whenRoom(resume: () => void): void;
  /** It has all; `resume` goes on with the commands that follow. */
  end(resume: () => void): void;
}

/** Takes data into `body`, its stuffed dots removed. */
export function dataIntake(body: MessageBody, end: (resume: () => void) => void): Intake {
  const decoder = createDataDecoder();
  return {
    take(octets) {
      const decoded = decoder.push(octets);
      if (decoded.octets.length > 0) body.push(decoded.octets);
      return decoded.rest;
    },
    whenRoom: (resume) => body.whenRoom(resume),
    end,
  };
}

/** Takes a chunk of `octets` (1 at least) into `body`, as they are. */
export function chunkIntake(octets: number, body: MessageBody, end: (resume: () => void) => void): Intake {
  let left = octets;
  return {
    take(come) {
      const taken = Math.min(left, come.length);
      left -= taken;
      body.push(come.subarray(0, taken));
      return left === 0 ? come.subarray(taken) : undefined;
    },
    whenRoom: (resume) => body.whenRoom(resume),
    end,
  };
}
