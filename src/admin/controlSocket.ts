/**
 * The local control socket: how the CLI reaches a running server.
 *
 * A Unix socket (0600) in the data directory, a named pipe on Windows. One request is one line of JSON
 * `{"operation","input"}`, answered by one line `{"result"}` or `{"error":{"code","message"}}`; then the connection ends.
 * Trust: whoever can open the socket is an administrator; the file's mode is the guard. Requests are bounded in size, number
 * and time all the same. The Windows pipe (any local user may open it there until it has an ACL) is untested so far.
 */

import { createHash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { asMailError, MAIL_ERRORS, MailError, type MailErrorCode } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** Longest request or answer: a list of 100,000 accounts fits. */
const LINE_LIMIT_BYTES = 64 * MIB;
/** A request has to arrive within this time: it is written at once by our own CLI. */
const REQUEST_DEADLINE_MS = 10 * SECOND_MS;
/** How long the CLI waits for an answer: longer than any operation's own deadline. */
const ANSWER_DEADLINE_MS = 2 * MINUTE_MS;
/** CLI calls at one time; each is short. */
const CONNECTION_LIMIT = 32;
/** sun_path holds 108 octets on Linux, 104 elsewhere, with its final NUL. */
const SOCKET_PATH_LIMIT_BYTES = 103;

/** One call by name. */
export interface ControlRequest {
  readonly operation: string;
  readonly input: unknown;
}

type ControlAnswer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: MailErrorCode; readonly message: string } };

/** Where the socket of a data directory is. Errors: `invalid` for a directory whose name leaves no room for a socket's. */
export function controlSocketPath(dataDirectory: string): string {
  if (process.platform === 'win32') {
    const digest = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
    return `\\\\.\\pipe\\hauspost-${digest}`;
  }
  const path = join(dataDirectory, 'control.sock');
  if (Buffer.byteLength(path) <= SOCKET_PATH_LIMIT_BYTES) return path;
  throw new MailError(
    'invalid',
    `the data directory ${dataDirectory} has too long a name for the control socket in it: ${SOCKET_PATH_LIMIT_BYTES} octets at most with /control.sock`,
  );
}

/** A control socket that listens. */
export interface ControlServer {
  close(): Promise<void>;
}

/** Listens; the store's lock is held already, so that a socket left by a killed server can be replaced. */
export async function openControlServer(options: {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  run(request: ControlRequest): Promise<unknown>;
}): Promise<ControlServer> {
  if (process.platform !== 'win32') rmSync(options.path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => options.log.debug('admin.control.broken', { error }));
    serveRequest(socket, options).catch((error: unknown) =>
      options.log.warn('admin.control.failed', { error }),
    );
  });
  server.maxConnections = CONNECTION_LIMIT;
  await listen(server, options.path, options.log);
  if (process.platform !== 'win32') chmodSync(options.path, 0o600);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

/**
 * Calls a running server; undefined when none listens. Rejects with the operation's MailError, or `deadlineExceeded`.
 */
export async function callControlServer(
  path: string,
  clock: Clock,
  request: ControlRequest,
): Promise<{ readonly result: unknown } | undefined> {
  const socket = await tryConnect(path);
  if (socket === undefined) return undefined;
  socket.end(`${JSON.stringify(request)}\n`);
  const answer = JSON.parse(await readLine(socket, clock, ANSWER_DEADLINE_MS)) as ControlAnswer;
  if ('error' in answer) {
    const code = answer.error.code in MAIL_ERRORS ? answer.error.code : 'internal';
    throw new MailError(code, answer.error.message);
  }
  return answer;
}

async function serveRequest(
  socket: Socket,
  options: { readonly clock: Clock; run(request: ControlRequest): Promise<unknown> },
): Promise<void> {
  let answer: ControlAnswer;
  try {
    const request = JSON.parse(await readLine(socket, options.clock, REQUEST_DEADLINE_MS)) as ControlRequest;
    answer = { result: await options.run(request) };
  } catch (error) {
    const { code, message } = asMailError(error);
    answer = { error: { code, message } };
  }
  socket.end(`${JSON.stringify(answer)}\n`);
}

async function listen(server: Server, path: string, log: Log): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new MailError('cannot', `the control socket ${path} can't be opened`, { cause: error })),
    );
    server.listen(path, resolve);
  });
  server.removeAllListeners('error');
  // Out of file descriptors, above all; it goes on accepting when there are some again.
  server.on('error', (error) => log.error('admin.control.failed', { error }));
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else
        reject(
          new MailError('cannot', `the control socket ${path} can't be reached: ${error.message}`, {
            cause: error,
          }),
        );
    });
  });
}

function readLine(socket: Socket, clock: Clock, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (error: MailError | undefined) => {
      timer.clear();
      socket.removeAllListeners('data');
      if (error === undefined) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(error);
    };
    const timer = clock.after(deadlineMs, () =>
      finish(new MailError('deadlineExceeded', 'the control socket did not answer in time')),
    );
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (chunk.includes(0x0a)) finish(undefined);
      else if (length > LINE_LIMIT_BYTES)
        finish(new MailError('limit', 'the line on the control socket is too long'));
    });
    socket.once('end', () =>
      finish(new MailError('cannot', 'the control socket was closed before a whole line')),
    );
    socket.once('error', (error) => finish(new MailError('cannot', error.message, { cause: error })));
  });
}
