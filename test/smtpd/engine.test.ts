/** What we rely on of smtp-server 3.21.6: a release that changes one of these has to be read before it is taken. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';

import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { SMTPServer } from 'smtp-server';
import t from 'tap';

const VERSION = '3.21.6';

t.test('the version that was read is the one that is pinned and installed', async (t) => {
  const ours = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  t.equal(ours.dependencies['smtp-server'], VERSION);
  const main = createRequire(import.meta.url).resolve('smtp-server');
  const directory = main.slice(0, main.indexOf('smtp-server') + 'smtp-server'.length);
  t.equal(JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')).version, VERSION);
});

t.test('the methods that we override are still there', async (t) => {
  const overridden = [
    [
      SMTPConnection,
      [
        'init',
        'send',
        'close',
        'upgrade',
        '_createParser',
        '_onCommand',
        '_getHandler',
        '_getEnhancedStatusCode',
        '_resetSession',
      ],
    ],
    [
      SMTPConnection,
      ['connectionReady', '_onClose', '_whenWritable', 'handler_RSET', 'handler_STARTTLS', 'handler_QUIT'],
    ],
    [SMTPStream, ['_write', '_feedDataStream', '_flushData']],
    [SMTPServer, ['connect', 'onConnect', 'onSecure', 'updateSecureContext']],
  ] as const;
  for (const [{ prototype, name }, methods] of overridden)
    for (const method of methods)
      t.type((prototype as unknown as Record<string, unknown>)[method], 'function', `${name}.${method}`);
});

/** A connection of the library that notes what is called. */
function openConnection() {
  const called: string[] = [];
  class Watched extends SMTPConnection {
    override _createParser() {
      called.push('_createParser');
      return super._createParser();
    }
    override _getHandler(keyword: string) {
      called.push(`_getHandler ${keyword}`);
      return super._getHandler(keyword);
    }
    override _resetSession() {
      called.push('_resetSession');
      super._resetSession();
    }
    override send(code: number) {
      called.push(`send ${code}`);
    }
    override upgrade(callback: () => void) {
      called.push('upgrade');
      callback();
    }
    override close() {
      called.push('close');
    }
  }
  const server = new SMTPServer({ authOptional: true, disableReverseLookup: true, logger: false });
  const connection = new Watched(server, new PassThrough() as never, { id: 'x' });
  /** The library's own onConnect waits for a turn of the event loop, which EngineServer's does not. */
  const greet = async () => {
    connection.connectionReady();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const say = (line: string) => new Promise<void>((done) => connection._onCommand(Buffer.from(line), done));
  return { called, connection, greet, say };
}

t.test(
  'a connection makes its parser in the constructor, and asks for the handler of each command',
  async (t) => {
    const { called, greet, say } = openConnection();
    t.strictSame(called.splice(0), ['_createParser']);
    await greet();
    t.strictSame(called.splice(0), ['_resetSession', 'send 220'], 'the greeting');
    await say('NOOP');
    t.ok(called.includes('_getHandler NOOP'));
    t.equal(called.splice(0).at(-1), 'send 250');
    await say('RSET');
    t.strictSame(called.splice(0).slice(-2), ['_resetSession', 'send 250']);
    await say('STARTTLS');
    t.strictSame(called.splice(0).slice(-2), ['send 220', 'upgrade'], 'the reply first');
    await say('JUNK');
    t.equal(called.splice(0).at(-1), 'send 500');
    await say('QUIT');
    t.strictSame(called.slice(-2), ['send 221', 'close']);
  },
);

t.test('lines of a session that is upgrading or has a queued handler are no commands', async (t) => {
  const { called, connection, greet, say } = openConnection();
  await greet();
  called.length = 0;
  connection._upgrading = true;
  await say('NOOP');
  t.strictSame(called, []);
});

/** A parser of the library that notes what it is told. */
function openParser(maxCommandLength = 100) {
  const told: string[] = [];
  class Watched extends SMTPStream {
    override _feedDataStream(chunk: Buffer, done: () => void) {
      told.push(`data ${chunk.toString('latin1')}`);
      done();
    }
    override _flushData() {
      told.push('flush');
    }
  }
  const parser = new Watched({ maxCommandLength });
  parser.oncommand = (line, done) => {
    told.push(`command ${line.toString('latin1')}`);
    if (line.toString() === 'DATA') parser._dataMode = true;
    done?.();
  };
  parser.on('error', (error) => told.push(`error ${error.message}`));
  return { parser, told };
}

t.test('the parser splits commands, and hands what follows in data mode to _feedDataStream', async (t) => {
  const { parser, told } = openParser();
  parser.write('NO');
  parser.write('OP\r\nRSET\nDATA\r\nfirst\r\n');
  parser.write('second');
  t.strictSame(told, ['command NOOP', 'command RSET', 'command DATA', 'data first\r\n', 'data second']);
  parser.end();
  await new Promise((resolve) => parser.once('finish', resolve));
  t.equal(told.at(-1), 'flush', 'the end of the input is told');
});

t.test('a closed parser runs nothing, neither what comes nor what it has', async (t) => {
  const { parser, told } = openParser();
  parser.oncommand = (line, done) => {
    told.push(line.toString());
    parser.isClosed = true;
    done?.();
  };
  parser.write('NOOP\r\nRSET\r\n');
  parser.write('QUIT\r\n');
  t.strictSame(told, ['NOOP']);
});

t.test('a line beyond _maxCommandLength is an error, whole or not', async (t) => {
  for (const input of ['x'.repeat(11), `${'x'.repeat(11)}\r\n`]) {
    const { parser, told } = openParser();
    parser._maxCommandLength = 10;
    parser.write(`${'y'.repeat(10)}\r\n`);
    parser.write(input);
    await new Promise((resolve) => parser.once('close', resolve));
    t.strictSame(told, [`command ${'y'.repeat(10)}`, 'error Command line too long']);
  }
});
