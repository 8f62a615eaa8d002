/**
 * A name server on 127.0.0.1 that knows TXT records and nothing else, or is out of order.
 *
 * RFC 1035 sections 4.1 and 3.3.14, over UDP: one question, answers of up to some KB.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import type { Teardown } from './sockets.ts';

const TXT = 16;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/** The server. */
export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Texts by name in lower case. */
  readonly records: Map<string, string>;
  /** Names that were asked for. */
  readonly asked: string[];
  /** Answers everything with a failure of the server while it is set. */
  isBroken: boolean;
}

/** Opens a server that closes with the test. */
export async function openDnsServer(t: Teardown): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const records = new Map<string, string>();
  const server: { -readonly [Key in keyof DnsServer]: DnsServer[Key] } = {
    address: '',
    records,
    asked: [],
    isBroken: false,
  };
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    server.asked.push(name);
    const text = records.get(name.toLowerCase());
    const code = server.isBroken ? SERVER_FAILURE : text === undefined ? NAME_ERROR : 0;
    const isAnswer = code === 0 && query.readUInt16BE(end) === TXT;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(isAnswer ? 1 : 0, 6);
    const parts: Buffer[] = [head, query.subarray(12, end + 4)];
    if (isAnswer) parts.push(answer(text ?? ''));
    socket.send(Buffer.concat(parts), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => {
    socket.close();
  });
  server.address = `127.0.0.1:${(socket.address() as AddressInfo).port}`;
  return server;
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

/** A TXT record at the name of the question, its text in strings of 255 octets, for a minute. */
function answer(text: string): Buffer {
  const strings = (text.match(/.{1,255}/gs) ?? []).map((string) =>
    Buffer.concat([Buffer.from([string.length]), Buffer.from(string, 'latin1')]),
  );
  const data = Buffer.concat(strings);
  const head = Buffer.from([0xc0, 0x0c, 0, TXT, 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
