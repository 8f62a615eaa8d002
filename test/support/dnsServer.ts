/**
 * A name server on 127.0.0.1 that knows TXT, MX and A records and nothing else, or is out of order.
 *
 * RFC 1035 sections 4.1, 3.3.9, 3.3.14 and 3.4.1, over UDP: one question, answers of up to some KB.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import type { Teardown } from './sockets.ts';

const A = 1;
const MX = 15;
const TXT = 16;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/** The server. */
export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Texts by name in lower case. */
  readonly records: Map<string, string>;
  /** Mail exchangers and addresses by name in lower case; the empty exchange is the root. */
  readonly hosts: Map<string, DnsHost>;
  /** Names that were asked for. */
  readonly asked: string[];
  /** Answers everything with a failure of the server while it is set. */
  isBroken: boolean;
  /** Hears and says nothing while it is set. */
  isSilent: boolean;
}

/** What stands at a name beside a text. */
export interface DnsHost {
  readonly mx?: readonly { readonly exchange: string; readonly priority: number }[];
  readonly a?: readonly string[];
}

/** Opens a server that closes with the test. */
export async function openDnsServer(t: Teardown): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const records = new Map<string, string>();
  const server: { -readonly [Key in keyof DnsServer]: DnsServer[Key] } = {
    address: '',
    records,
    hosts: new Map(),
    asked: [],
    isBroken: false,
    isSilent: false,
  };
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    server.asked.push(name);
    if (server.isSilent) return;
    const text = records.get(name.toLowerCase());
    const host = server.hosts.get(name.toLowerCase());
    const isKnown = text !== undefined || host !== undefined;
    const code = server.isBroken ? SERVER_FAILURE : isKnown ? 0 : NAME_ERROR;
    const answers = code === 0 ? answersOf(query.readUInt16BE(end), text, host) : [];
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...answers]), port, address);
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

function answersOf(type: number, text: string | undefined, host: DnsHost = {}): Buffer[] {
  const { mx = [], a = [] } = host;
  if (type === TXT && text !== undefined) return [answer(TXT, textData(text))];
  if (type === MX) return mx.map(({ exchange, priority }) => answer(MX, mxData(exchange, priority)));
  if (type === A) return a.map((address) => answer(A, Buffer.from(address.split('.').map(Number))));
  return [];
}

/** A text in strings of 255 octets. */
function textData(text: string): Buffer {
  const strings = (text.match(/.{1,255}/gs) ?? []).map((string) =>
    Buffer.concat([Buffer.from([string.length]), Buffer.from(string, 'latin1')]),
  );
  return Buffer.concat(strings);
}

function mxData(exchange: string, priority: number): Buffer {
  const labels = exchange.split('.').filter((label) => label !== '');
  const head = Buffer.alloc(2);
  head.writeUInt16BE(priority, 0);
  return Buffer.concat([
    head,
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

/** A record at the name of the question, for a minute. */
function answer(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
