/**
 * One mail transaction with a next hop: MAIL, RCPT for each recipient, DATA, and what each recipient was answered with.
 *
 * RFC 5321 sections 3.3 and 4.1.1, RFC 2920 (pipelining), RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 section 3.4 (SMTPUTF8), RFC 3461
 * sections 4 and 5 (NOTIFY and ORCPT for each recipient, RET and ENVID).
 * Deviates from RFC 6152 section 3, which would have 8-bit messages encoded anew for a hop without 8BITMIME: they go as they are, as
 * Postfix and Exchange send them, since every server takes octets today and a message that is encoded anew loses its signatures.
 */

import type { Clock } from '../../base/clock.ts';
import type { SmtpReply } from '../../wire/smtp/readReply.ts';
import type { HopTrouble, RecipientOutcome, RelayedMessage, RelayRecipient } from '../../transfer/relay.ts';
import { isAscii, isEnvid, isOrcpt } from './checkPath.ts';
import type { Answer, HopConnection } from './hopConnection.ts';
import { judge } from './judgement.ts';
import { COMMAND_DEADLINE_MS, DATA_DEADLINE_MS, MAIL_DEADLINE_MS, RCPT_DEADLINE_MS } from './limits.ts';
import type { MessageLook } from './messageLook.ts';
import { type DataResult, sendData } from './sendData.ts';

/** What a transaction is made of. */
export interface TransactionOrder {
  readonly connection: HopConnection;
  readonly message: RelayedMessage;
  readonly look: MessageLook;
  /** One or more of the message's. */
  readonly recipients: readonly RelayRecipient[];
  /** Whether the relay has carried mail lately. */
  readonly isProven: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What it came to. Recipients without an outcome were not decided about. */
export interface TransactionResult {
  readonly outcomes: Map<RelayRecipient, RecipientOutcome>;
  readonly trouble?: HopTrouble | undefined;
  /** Recipients that the server takes in a transaction of their own. */
  readonly again: readonly RelayRecipient[];
  /** Lost before the server took anything of it. */
  readonly isLostAtOnce: boolean;
}

/** Runs one. Never rejects. */
export async function transact(order: TransactionOrder): Promise<TransactionResult> {
  const transaction = new Transaction(order);
  transaction.refuseBefore();
  if (transaction.asked.length > 0) await transaction.run();
  return transaction.result();
}

interface Begun {
  readonly mail: Answer;
  readonly rcpts: readonly Answer[];
  readonly data: Answer | undefined;
}

class Transaction {
  readonly #order: TransactionOrder;
  readonly #outcomes = new Map<RelayRecipient, RecipientOutcome>();
  readonly #again: RelayRecipient[] = [];
  /** Recipients that the server is asked about, and those that it took. */
  asked: readonly RelayRecipient[];
  #accepted: RelayRecipient[] = [];
  #trouble: HopTrouble | undefined;
  #isLostAtOnce = false;

  constructor(order: TransactionOrder) {
    this.#order = order;
    this.asked = order.recipients;
  }

  result(): TransactionResult {
    return {
      outcomes: this.#outcomes,
      trouble: this.#trouble,
      again: this.#again,
      isLostAtOnce: this.#isLostAtOnce,
    };
  }

  /** What the server need not be asked about, since what it offers says no. */
  refuseBefore(): void {
    const { connection, message } = this.#order;
    const limit = Number(connection.keywords.get('SIZE') ?? 0);
    if (limit > 0 && message.octets > limit) {
      this.#settle(
        this.asked,
        this.#failed('5.3.4', `the server takes ${limit} octets, and the message has ${message.octets}`),
      );
    } else if (!connection.offers('SMTPUTF8')) {
      const needing = this.#isUtf8() ? this.asked : this.asked.filter(({ address }) => !isAscii(address));
      this.#settle(
        needing,
        this.#failed('5.6.7', 'the server does not offer SMTPUTF8, which the message needs'),
      );
    }
    this.asked = this.asked.filter((recipient) => !this.#outcomes.has(recipient));
  }

  async run(): Promise<void> {
    const { connection, signal } = this.#order;
    const onAbort = () => connection.destroy('we were told to end');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const begun = await this.#begin();
    signal.removeEventListener('abort', onAbort);
    const isReady = this.#judgeBeginning(begun);
    if (isReady) await this.#sendMessage();
    else if (connection.lost === undefined) await this.#endWithoutMessage(begun.data);
  }

  #begin(): Promise<Begun> {
    return this.#order.connection.offers('PIPELINING') ? this.#beginTogether() : this.#beginInTurn();
  }

  async #beginTogether(): Promise<Begun> {
    const lines = [
      { line: this.#mailLine(), limitMs: MAIL_DEADLINE_MS, what: 'MAIL' },
      ...this.asked.map((recipient) => ({
        line: this.#rcptLine(recipient),
        limitMs: RCPT_DEADLINE_MS,
        what: 'RCPT',
      })),
      { line: 'DATA', limitMs: DATA_DEADLINE_MS, what: 'DATA' },
    ];
    const [mail = NEVER_ASKED, ...others] = await Promise.all(this.#order.connection.askTogether(lines));
    return { mail, rcpts: others.slice(0, -1), data: others.at(-1) };
  }

  async #beginInTurn(): Promise<Begun> {
    const { connection } = this.#order;
    const mail = await connection.ask(this.#mailLine(), MAIL_DEADLINE_MS, 'MAIL');
    if (!isPositive(mail)) return { mail, rcpts: [], data: undefined };
    const rcpts: Answer[] = [];
    for (const recipient of this.asked)
      rcpts.push(await connection.ask(this.#rcptLine(recipient), RCPT_DEADLINE_MS, 'RCPT'));
    if (!rcpts.some(isPositive)) return { mail, rcpts, data: undefined };
    return { mail, rcpts, data: await connection.ask('DATA', DATA_DEADLINE_MS, 'DATA') };
  }

  /** Whether the message is to be sent now. */
  #judgeBeginning({ mail, rcpts, data }: Begun): boolean {
    if (mail.kind === 'lost') {
      this.#isLostAtOnce = true;
      this.#lose(mail.why);
      return false;
    }
    if (!isPositive(mail)) {
      this.#isLostAtOnce = mail.reply.code === 421;
      this.#judge(this.asked, mail.reply, 'mail');
      return false;
    }
    this.#accepted = this.asked.filter((_, index) => isPositive(rcpts[index] ?? NEVER_ASKED));
    for (const [index, recipient] of this.asked.entries()) this.#judgeRcpt(recipient, rcpts[index]);
    if (this.#accepted.length === 0 || data === undefined) return false;
    if (data.kind === 'lost') this.#lose(data.why);
    else if (data.reply.code === 354) return true;
    else this.#judge(this.#accepted, data.reply, 'data');
    return false;
  }

  #judgeRcpt(recipient: RelayRecipient, answer: Answer = NEVER_ASKED): void {
    if (answer.kind === 'lost') this.#lose(answer.why);
    else if (isPositive(answer)) return;
    else if (this.#accepted.length > 0 && isTooMany(answer.reply)) this.#again.push(recipient);
    else this.#judge([recipient], answer.reply, 'rcpt');
  }

  async #sendMessage(): Promise<void> {
    const { connection, message, clock, signal } = this.#order;
    this.#judgeData(await sendData(connection, () => message.open(), clock, signal));
  }

  #judgeData(result: DataResult): void {
    const { connection } = this.#order;
    const { host: server } = connection;
    switch (result.kind) {
      case 'answered': {
        const { reply } = result;
        if (reply.code < 200 || reply.code > 299) this.#judge(this.#accepted, reply, 'message');
        else
          for (const recipient of this.#accepted)
            this.#outcomes.set(recipient, {
              kind: 'relayed',
              reply: reply.line,
              server,
              tellsSender: this.#tellsSender(recipient),
            });
        return;
      }
      case 'early':
        this.#judge(this.#accepted, result.reply, 'message');
        return;
      case 'lost':
        // An attempt: a message on which a scanner behind the hop breaks off must not hold up all others for ever.
        this.#settle(this.#accepted, {
          kind: 'deferred',
          status: '4.4.2',
          reply: `the connection was lost while the message was sent: ${result.why}`,
          server,
        });
        this.#lose(result.why);
        return;
      case 'doubtful':
        this.#settle(this.#accepted, {
          kind: 'deferred',
          status: '4.4.2',
          reply: `the connection was lost before the answer to the message, which may have been taken: ${result.why}`,
          server,
        });
        return;
      case 'unreadable':
        this.#settle(this.#accepted, {
          kind: 'deferred',
          status: '4.3.0',
          reply: `the message cannot be read here: ${result.error instanceof Error ? result.error.message : 'unknown'}`,
        });
        return;
      case 'aborted':
        return;
    }
  }

  /** RFC 2920 section 3.1: a server that took DATA without a recipient gets an empty message for nobody. */
  async #endWithoutMessage(data: Answer | undefined): Promise<void> {
    const { connection } = this.#order;
    if (data?.kind === 'reply' && data.reply.code === 354)
      await connection.ask('.', COMMAND_DEADLINE_MS, 'the end of no data');
    const reset = await connection.ask('RSET', COMMAND_DEADLINE_MS, 'RSET');
    if (!isPositive(reset)) connection.destroy('the server does not answer RSET as it should');
  }

  #mailLine(): string {
    const { connection, message, look } = this.#order;
    const isUtf8 = this.#isUtf8() || this.asked.some(({ address }) => !isAscii(address));
    const dsn = connection.offers('DSN');
    const parameters = [
      connection.offers('SIZE') ? `SIZE=${message.octets}` : '',
      connection.offers('8BITMIME') && (look.mayHave8Bit || isUtf8) ? 'BODY=8BITMIME' : '',
      isUtf8 ? 'SMTPUTF8' : '',
      dsn && message.ret !== undefined ? `RET=${message.ret}` : '',
      dsn && message.envid !== undefined && isEnvid(message.envid) ? `ENVID=${message.envid}` : '',
    ].filter((parameter) => parameter !== '');
    return [`MAIL FROM:<${message.reversePath}>`, ...parameters].join(' ');
  }

  #rcptLine({ address, notify, orcpt }: RelayRecipient): string {
    const dsn = this.#order.connection.offers('DSN');
    const parameters = [
      dsn && notify !== undefined && notify.length > 0 ? `NOTIFY=${notify.join(',')}` : '',
      dsn && orcpt !== undefined && isOrcpt(orcpt) ? `ORCPT=${orcpt}` : '',
    ].filter((parameter) => parameter !== '');
    return [`RCPT TO:<${address}>`, ...parameters].join(' ');
  }

  #tellsSender({ orcpt }: RelayRecipient): boolean {
    return this.#order.connection.offers('DSN') && (orcpt === undefined || isOrcpt(orcpt));
  }

  /** Whether the message needs SMTPUTF8 for every recipient: for its sender or its header. An ASCII one goes without. */
  #isUtf8(): boolean {
    const { message, look } = this.#order;
    return message.isSmtpUtf8 && (look.hasUtf8Header || !isAscii(message.reversePath));
  }

  #judge(
    recipients: readonly RelayRecipient[],
    reply: SmtpReply,
    stage: 'mail' | 'rcpt' | 'data' | 'message',
  ): void {
    const { message, connection, isProven } = this.#order;
    // A connector that knows us by address carries no report, since it has no sender of ours: other mail goes all the same.
    if (message.reversePath === '' && reply.code >= 500 && NO_CONNECTOR.test(reply.line)) {
      this.#settle(recipients, this.#failed('5.7.1', reply.line));
      return;
    }
    const judgement = judge(
      reply,
      stage,
      connection.host,
      isProven || (stage === 'rcpt' && this.#accepted.length > 0),
    );
    if (judgement.kind === 'outcome') this.#settle(recipients, judgement.outcome);
    else this.#trouble ??= judgement.trouble;
  }

  #settle(recipients: readonly RelayRecipient[], outcome: RecipientOutcome): void {
    for (const recipient of recipients) this.#outcomes.set(recipient, outcome);
  }

  #lose(why: string): void {
    if (this.#order.signal.aborted) return;
    this.#trouble ??= { kind: 'unreachable', reason: `${this.#order.connection.host}: ${why}` };
  }

  #failed(status: string, reply: string): RecipientOutcome {
    return { kind: 'failed', status, reply, server: this.#order.connection.host };
  }
}

/** Exchange Online's, where no connector fits the sender. */
const NO_CONNECTOR = /\b5\.7\.(?:54|64|68)\b/;
const NEVER_ASKED: Answer = { kind: 'lost', why: 'never asked' };

function isPositive(answer: Answer): boolean {
  return answer.kind === 'reply' && answer.reply.code >= 200 && answer.reply.code < 300;
}

/** RFC 5321 section 4.5.3.1.10; some servers still answer 552 as in the eighties. */
function isTooMany({ code, status, line }: SmtpReply): boolean {
  if (code !== 452 && code !== 552) return false;
  return status === '4.5.3' || status === '5.5.3' || /too many recipients/i.test(line);
}
