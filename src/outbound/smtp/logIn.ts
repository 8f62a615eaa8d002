/**
 * Logging in at a next hop: AUTH PLAIN, LOGIN and XOAUTH2.
 *
 * RFC 4954 sections 4 and 6, RFC 4616 (PLAIN), draft-murchison-sasl-login, Microsoft's and Google's XOAUTH2. After a refused token a
 * fresh one is asked for, once. Never in clear but to this machine itself.
 * Trust: challenges are not looked at; secrets go to the server alone, never into a reason, not even where it says them back.
 */

import type { SmtpReply } from '../../wire/smtp/readReply.ts';
import { isLoopback } from '../../net/addressRange.ts';
import { meaningOf } from '../../exchange/smtpReplies.ts';
import type { HopTrouble } from '../../transfer/relay.ts';
import type { RelayLogin } from '../contract.ts';
import type { HopConnection } from './hopConnection.ts';
import { troubleOf } from './judgement.ts';
import { COMMAND_DEADLINE_MS } from './limits.ts';

/** Base64 of a length that tells something. */
const ECHO = /[A-Za-z0-9+/]{4,}={0,2}/g;

/** Logs in. Answers why it could not; undefined when it could. Never rejects. */
export async function logIn(
  connection: HopConnection,
  login: RelayLogin,
  signal: AbortSignal,
): Promise<HopTrouble | undefined> {
  const { host } = connection;
  // 0x01 parts the fields of XOAUTH2, NUL those of PLAIN; nodemailer checks neither.
  if (/[\p{Cc}]/u.test(login.user))
    return misconfigured(`the user name of ${host} has control characters`, 'Give the user name anew');
  if (!connection.isSecure && !isLoopback(connection.socket.remoteAddress ?? ''))
    return misconfigured(
      `${host} is reached without TLS, and no password goes there in clear`,
      'Set tls of this relay to required or implicit, or take its login away',
    );
  const offered = (connection.keywords.get('AUTH') ?? '').toUpperCase().split(' ');
  if (login.kind === 'xoauth2') return logInByToken(connection, login, offered, signal);
  return logInByPassword(connection, login, offered);
}

type TokenLogin = Extract<RelayLogin, { kind: 'xoauth2' }>;
type PasswordLogin = Extract<RelayLogin, { kind: 'password' }>;

async function logInByToken(
  connection: HopConnection,
  { user, tokens }: TokenLogin,
  offered: readonly string[],
  signal: AbortSignal,
): Promise<HopTrouble | undefined> {
  if (!offered.includes('XOAUTH2')) return notOffered(connection, offered, 'XOAUTH2');
  let rejected: string | undefined;
  for (;;) {
    const answer = await tokens.token(signal, rejected).catch(() => undefined);
    if (answer === undefined) return { kind: 'unreachable', reason: 'we were told to end' };
    if (answer.kind === 'refused') return misconfigured(answer.reason, answer.advice);
    if (answer.kind === 'unavailable') {
      const { reason, retryAfterMs } = answer;
      return retryAfterMs === undefined
        ? { kind: 'unreachable', reason }
        : { kind: 'throttled', reason, retryAfterMs };
    }
    const initial = base64(`user=${user}\x01auth=Bearer ${answer.token}\x01\x01`);
    const reply = await ask(connection, `AUTH XOAUTH2 ${initial}`, '');
    if ('kind' in reply) return reply;
    if (reply.code === 235) return undefined;
    const isRefused =
      reply.code === 535 && meaningOf({ stage: 'auth', ...answered(reply) }).kind === 'misconfigured';
    if (!isRefused || rejected !== undefined || isAboutSettings(reply)) return refused(reply);
    rejected = answer.token;
  }
}

/** A fresh token does not help where SMTP AUTH is switched off. */
function isAboutSettings({ status }: SmtpReply): boolean {
  return status === '5.7.139';
}

async function logInByPassword(
  connection: HopConnection,
  { user, password, mechanism }: PasswordLogin,
  offered: readonly string[],
): Promise<HopTrouble | undefined> {
  const chosen = mechanism ?? (['PLAIN', 'LOGIN'] as const).find((each) => offered.includes(each));
  if (chosen === undefined || !offered.includes(chosen))
    return notOffered(connection, offered, mechanism ?? 'PLAIN and LOGIN');
  const secret = await password().catch(() => undefined);
  if (secret === undefined)
    return misconfigured(`there is no password for ${connection.host}`, 'Give it by hauspost relay secret');
  if (chosen === 'PLAIN' && secret.includes('\0'))
    return misconfigured('the password has a NUL in it', 'Give it anew by hauspost relay secret');
  const lines =
    chosen === 'PLAIN'
      ? [`AUTH PLAIN ${base64(`\0${user}\0${secret}`)}`]
      : ['AUTH LOGIN', base64(user), base64(secret)];
  let reply: SmtpReply | undefined;
  for (const line of lines) {
    const next = await ask(connection, line);
    if ('kind' in next) return next;
    reply = next;
    if (reply.code !== 334) break;
  }
  if (reply?.code === 235) return undefined;
  return reply === undefined ? undefined : refused(reply);
}

/** Sends a line of AUTH. `afterChallenge` answers a challenge that comes instead of the end: an empty line lets XOAUTH2 end. */
async function ask(
  connection: HopConnection,
  line: string,
  afterChallenge?: string,
): Promise<SmtpReply | HopTrouble> {
  const answer = await connection.ask(line, COMMAND_DEADLINE_MS, 'AUTH');
  if (answer.kind === 'lost')
    return { kind: 'unreachable', reason: `${connection.host}: lost while logging in: ${answer.why}` };
  if (answer.reply.code === 334 && afterChallenge !== undefined) return ask(connection, afterChallenge);
  return withoutEcho(answer.reply, line);
}

/** Servers that do not know a command say it back, whole or cut: what looks like our line is left out. */
function withoutEcho(reply: SmtpReply, line: string): SmtpReply {
  const said = line.slice(line.lastIndexOf(' ') + 1);
  const mask = (text: string) =>
    text.replace(ECHO, (word) => (said.startsWith(word) || word.startsWith(said) ? '(our login)' : word));
  // A line of one word may be AUTH LOGIN's, or empty.
  return said === '' || said === 'LOGIN' ? reply : { ...reply, line: mask(reply.line) };
}

function refused(reply: SmtpReply): HopTrouble {
  const meaning = meaningOf({ stage: 'auth', ...answered(reply) });
  return (
    troubleOf(meaning, reply.line) ?? {
      kind: 'unreachable',
      reason: `the login was not taken: ${reply.line}`,
    }
  );
}

function answered({ code, status, line }: SmtpReply) {
  return { code, status, text: line };
}

function notOffered(connection: HopConnection, offered: readonly string[], wanted: string): HopTrouble {
  const have = offered.filter((each) => each !== '').join(', ');
  return misconfigured(
    `${connection.host} offers no login by ${wanted}${have === '' ? ', nor any other' : `, but by ${have}`}`,
    'Check host, port and tls of this relay; a server may offer logins only on its submission port (587) and after TLS',
  );
}

function misconfigured(reason: string, advice: string): HopTrouble {
  return { kind: 'misconfigured', reason, advice };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
