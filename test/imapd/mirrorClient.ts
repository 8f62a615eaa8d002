/**
 * A client that believes what untagged responses say and nothing else: numbers, UIDs, flags, mod-sequences, and HIGHESTMODSEQ
 * as RFC 7162 section 6 has a client work it out. For the random-operation test (randomSessions.test.ts).
 *
 * It is as strict as a client can be: EXISTS that shrinks, FETCH of a number that does not exist, EXPUNGE where VANISHED is due
 * or at a forbidden time, a keyword that was not announced: each is an error.
 */

import type { RawClient } from './harness.ts';

/** What a client asks for when it opens the mailbox. */
export type MirrorKind = 'plain' | 'condstore' | 'qresync';

/** A message as the client knows it; flags without \Recent, sorted. */
export interface MirroredMessage {
  uid: number;
  flags: readonly string[];
  modSeq: number;
}

/** What outlives a connection. */
export interface MirrorMemory {
  readonly uidValidity: number;
  readonly highestModSeq: number;
  readonly messages: ReadonlyMap<number, MirroredMessage>;
  readonly numbers: readonly number[];
}

const UNKNOWN: MirroredMessage = { uid: 0, flags: [], modSeq: 0 };

/** One connection with INBOX selected. */
export class MirrorClient {
  readonly kind: MirrorKind;
  readonly #raw: RawClient;
  #messages: MirroredMessage[] = [];
  #keywords = new Set<string>();
  #uidValidity = 0;
  #highestModSeq = 0;
  #code: number | undefined;
  #highestItem = 0;
  /** Set while SELECT runs: VANISHED (EARLIER) and FETCH speak of what was remembered. */
  #remembered: Map<number, MirroredMessage> | undefined;

  constructor(raw: RawClient, kind: MirrorKind) {
    this.#raw = raw;
    this.kind = kind;
  }

  get messages(): readonly MirroredMessage[] {
    return this.#messages;
  }

  /** Opens INBOX; with what an earlier connection knew, it is brought up to date by QRESYNC. */
  async open(memory: MirrorMemory | undefined, pick: (choices: number) => number): Promise<void> {
    if (this.kind === 'qresync') await this.#raw.command('ENABLE QRESYNC');
    this.#remembered = new Map(memory?.messages);
    const parameter =
      memory === undefined ? (this.kind === 'plain' ? '' : ' (CONDSTORE)') : ` (${qresync(memory, pick)})`;
    await this.run(`SELECT INBOX${parameter}`, true);
    const known = [...this.#remembered.values()].sort((one, other) => one.uid - other.uid);
    this.#remembered = undefined;
    this.#messages = [...known, ...this.#messages.slice(known.length).map(() => ({ ...UNKNOWN }))];
    await this.#learn();
  }

  /** Runs a command and believes its responses; answers them, and looks at messages that came. */
  async run(command: string, mayExpunge: boolean): Promise<readonly string[]> {
    const lines = await this.#raw.command(command);
    for (const line of lines) this.#hear(line, mayExpunge, command);
    this.#settle();
    if (this.#remembered === undefined) await this.#learn();
    return lines;
  }

  /** Idles until everything has been told that is known to the server by now. */
  async idle(): Promise<void> {
    this.#raw.send('i IDLE\r\n');
    for (let line = await this.#raw.line(); !line.startsWith('+'); line = await this.#raw.line()) {
      this.#hear(line, true, 'IDLE');
    }
    this.#raw.send('DONE\r\n');
    for (const line of await this.#raw.answer('i')) this.#hear(line, true, 'IDLE');
    this.#settle();
    await this.#learn();
  }

  /** What the client does itself and does not want to hear of. */
  assume(indexes: readonly number[], change: (flags: readonly string[]) => readonly string[]): void {
    for (const index of indexes) {
      const message = this.#messages[index];
      if (message !== undefined) message.flags = [...new Set(change(message.flags))].sort();
    }
  }

  /** Loses the connection. */
  break(): MirrorMemory {
    this.#raw.socket.destroy();
    // New messages stand behind all others: those that it has not looked at yet are forgotten.
    const known = this.#messages.filter(({ uid }) => uid !== 0);
    return {
      uidValidity: this.#uidValidity,
      highestModSeq: this.#highestModSeq,
      messages: new Map(known.map((message) => [message.uid, { ...message }])),
      numbers: known.map(({ uid }) => uid),
    };
  }

  /** Asks for UIDs and flags of messages that it knows only by EXISTS. */
  async #learn(): Promise<void> {
    const first = this.#messages.findIndex(({ uid }) => uid === 0);
    if (first === -1) return;
    const items = this.kind === 'plain' ? 'UID FLAGS' : 'UID FLAGS MODSEQ';
    const last = this.#messages.length;
    const command = `FETCH ${first + 1}:${last} (${items})`;
    for (const line of await this.#raw.command(command)) this.#hear(line, false, command);
    this.#settle();
    // One that nothing is told of has been expunged meanwhile.
    if (this.#messages.length > last) await this.#learn();
  }

  #hear(line: string, mayExpunge: boolean, command: string): void {
    const fail = (why: string): never => {
      throw new Error(
        `${this.kind}: ${why}: ${JSON.stringify(line)} in answer to ${JSON.stringify(command)}`,
      );
    };
    const [, number = '', word = ''] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)\b/.exec(line) ?? [];
    if (word === 'EXISTS') {
      if (Number(number) < this.#messages.length) fail('EXISTS shrinks');
      while (this.#messages.length < Number(number)) this.#messages.push({ ...UNKNOWN });
    } else if (word === 'EXPUNGE') {
      if (this.kind === 'qresync') fail('EXPUNGE under QRESYNC');
      if (!mayExpunge) fail('EXPUNGE at a forbidden time');
      if (this.#messages.splice(Number(number) - 1, 1).length === 0) fail('EXPUNGE of nothing');
    } else if (word === 'FETCH') {
      this.#hearFetch(Number(number), line, fail);
    } else if (line.startsWith('* VANISHED ')) {
      this.#hearVanished(line, mayExpunge, fail);
    } else if (line.startsWith('* FLAGS ')) {
      this.#keywords = new Set(wordsOf(/\(([^)]*)\)/.exec(line)?.[1]));
    }
    const [, uidValidity] = /\[UIDVALIDITY (\d+)\]/.exec(line) ?? [];
    if (uidValidity !== undefined) this.#uidValidity = Number(uidValidity);
    const [, code] = /^\S+ OK \[HIGHESTMODSEQ (\d+)\]/.exec(line) ?? [];
    if (code !== undefined) this.#code = Number(code);
    if (/^t\d+ BAD/.test(line)) fail('BAD');
  }

  #hearFetch(number: number, line: string, fail: (why: string) => never): void {
    const [, uid] = /[( ]UID (\d+)/.exec(line) ?? [];
    const [, flags] = /FLAGS \(([^)]*)\)/.exec(line) ?? [];
    const [, modSeq] = /MODSEQ \((\d+)\)/.exec(line) ?? [];
    const remembered = this.#remembered;
    const message = remembered === undefined ? this.#messages[number - 1] : remembered.get(Number(uid));
    // A message that came since: it is asked for like any other.
    if (remembered !== undefined && Number(uid) > Math.max(0, ...remembered.keys())) return;
    if (message === undefined) {
      fail('FETCH of a message that the client does not know');
      return;
    }
    if (uid !== undefined) {
      if (message.uid !== 0 && message.uid !== Number(uid)) fail(`number ${number} was UID ${message.uid}`);
      message.uid = Number(uid);
    }
    if (flags !== undefined) {
      const known = wordsOf(flags).filter((flag) => flag !== '\\Recent');
      for (const flag of known) if (!this.#keywords.has(flag)) fail(`${flag} was not announced by FLAGS`);
      message.flags = known.sort();
    }
    if (modSeq !== undefined) {
      message.modSeq = Number(modSeq);
      this.#highestItem = Math.max(this.#highestItem, Number(modSeq));
    }
  }

  #hearVanished(line: string, mayExpunge: boolean, fail: (why: string) => never): void {
    if (this.kind !== 'qresync') fail('VANISHED without QRESYNC');
    const [, earlier, set = ''] = /^\* VANISHED (\(EARLIER\) )?(.*)$/.exec(line) ?? [];
    if (earlier !== undefined) {
      for (const uid of numbersOf(set)) this.#remembered?.delete(uid);
      return;
    }
    if (!mayExpunge) fail('VANISHED at a forbidden time');
    for (const uid of numbersOf(set)) {
      const known = this.#messages.findIndex((message) => message.uid === uid);
      const after = this.#messages.findIndex((message) => message.uid > uid);
      // One that went before the client could ask for its UID stands where it would.
      const index = known === -1 ? (after === -1 ? this.#messages.length : after) - 1 : known;
      if (known === -1 && this.#messages[index]?.uid !== 0) fail(`UID ${uid} is not known`);
      this.#messages.splice(index, 1);
    }
  }

  /** At each tagged response (RFC 7162 section 6). */
  #settle(): void {
    this.#highestModSeq = this.#code ?? Math.max(this.#highestModSeq, this.#highestItem);
    this.#code = undefined;
    this.#highestItem = 0;
  }
}

/** The parameter in one of its forms. */
function qresync(
  { uidValidity, highestModSeq, messages, numbers }: MirrorMemory,
  pick: (choices: number) => number,
): string {
  const known = [...messages.keys()].sort((one, other) => one - other);
  const knownUids =
    known.length === 0 || pick(2) === 0 ? '' : ` ${pick(2) === 0 ? known.join() : `1:${known.at(-1)}`}`;
  const sample = numbers.map((_uid, index) => index).filter(() => pick(3) === 0);
  const match =
    sample.length === 0 || pick(2) === 0
      ? ''
      : ` (${sample.map((index) => index + 1).join()} ${sample.map((index) => numbers[index]).join()})`;
  return `QRESYNC (${uidValidity} ${highestModSeq}${knownUids}${match})`;
}

function wordsOf(list = ''): string[] {
  return list.split(' ').filter((word) => word !== '');
}

function* numbersOf(set: string): Generator<number> {
  for (const part of set.split(',')) {
    const [first = 0, last = first] = part.split(':').map(Number);
    for (let number = first; number <= last; number += 1) yield number;
  }
}
