/** Transcripts for the protocol log: what is masked, escaped and counted, for each protocol, whatever pieces it comes in. */

import t from 'tap';

import { createCommandFramer } from '../../src/wire/imap/framing.ts';
import type { AnswerTranscript } from '../../src/wire/transcript/answers.ts';
import { ImapAnswers } from '../../src/wire/transcript/imapAnswers.ts';
import { ImapCommands } from '../../src/wire/transcript/imapCommand.ts';
import { SHOWN_LIMIT_OCTETS } from '../../src/wire/transcript/lineCutter.ts';
import { Pop3Answers } from '../../src/wire/transcript/pop3Answers.ts';
import { transcribePop3Command } from '../../src/wire/transcript/pop3Command.ts';
import { printable, printableText } from '../../src/wire/transcript/printable.ts';
import { SmtpAnswers } from '../../src/wire/transcript/smtpAnswers.ts';
import { transcribeSmtpCommand } from '../../src/wire/transcript/smtpCommand.ts';

/** The lines of a reader that is fed `text` in pieces of `size` octets. */
function answered(reader: AnswerTranscript, text: string, size = text.length): string[] {
  const octets = Buffer.from(text, 'latin1');
  const lines: string[] = [];
  for (let at = 0; at < octets.length; at += size)
    lines.push(...reader.push(octets.subarray(at, at + size)).map((line) => line.text));
  return lines;
}

/** An IMAP client's lines, every literal accepted, in pieces of `size` octets; `raw` makes every line after the first raw. */
function imapLines(text: string, size = 1, raw = false): string[] {
  const framer = createCommandFramer({
    isStreamedLiteral: (segments) => / APPEND /.test(String(segments[0]?.line)),
  });
  const commands = new ImapCommands();
  const lines: string[] = [];
  const octets = Buffer.from(text, 'latin1');
  for (let at = 0; at < octets.length; at += size) {
    framer.push(Buffer.from(octets.subarray(at, at + size)));
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      lines.push(
        ...commands.push(event).map(({ text: line, isCommand }) => `${isCommand ? '' : '+'}${line}`),
      );
      if (event.kind === 'needContinuation' || event.kind === 'literalStart') framer.acceptLiteral();
      if (raw) framer.expectLine();
    }
  }
  return lines;
}

t.test('what a terminal would obey is escaped, and nothing reads like an escape that is none', async (t) => {
  t.equal(printable(Buffer.from('a\x1b[2Jb\x07\x7f\x00\xe9', 'latin1')), 'a\\x1B[2Jb\\x07\\x7F\\x00\\xE9');
  t.equal(printableText('DOMAIN\\user'), 'DOMAIN\\user');
  t.equal(printableText('\\x41 \\xZZ'), '\\\\x41 \\xZZ');
  t.equal(printableText('é\u202e'), '\\xC3\\xA9\\xE2\\x80\\xAE');
});

t.test('POP3: the password, answers and every line that is no command are masked', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['USER tim', 'USER tim'],
    ['user DOMAIN\\tim', 'user DOMAIN\\tim'],
    ['USER tim secret', 'USER tim ***'],
    ['PASS secret', 'PASS ***'],
    ['PASS  two  blanks ', 'PASS ***'],
    ['pass\tsecret', 'pass ***'],
    ['PASS', 'PASS ***'],
    [' PASS secret', 'PASS ***'],
    ['PASSWORD secret', '***'],
    ['PASS:secret', '***'],
    ['AUTH', 'AUTH'],
    ['AUTH PLAIN', 'AUTH PLAIN'],
    ['AUTH PLAIN AHRpbQBzZWNyZXQ=', 'AUTH PLAIN ***'],
    ['AUTH c2VjcmV0', 'AUTH ***'],
    ['APOP tim c4c9334bac560ecc979e58001b3e22fb', 'APOP tim ***'],
    ['AHRpbQBzZWNyZXQ=', '***'],
    ['secret', '***'],
    ['', '***'],
    ['RETR 3', 'RETR 3'],
    ['TOP 1 99999999', 'TOP 1 99999999'],
    ['xtnd XMIT\x1b', 'xtnd XMIT\\x1B'],
  ];
  for (const [line, shown] of table)
    t.equal(transcribePop3Command(Buffer.from(line, 'latin1')), shown, JSON.stringify(line));
});

t.test('SMTP: AUTH and every line that is no command are masked', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['EHLO [192.0.2.1]', 'EHLO [192.0.2.1]'],
    ['MAIL FROM:<a@b.example> SIZE=10', 'MAIL FROM:<a@b.example> SIZE=10'],
    ['AUTH LOGIN', 'AUTH LOGIN'],
    ['auth login dGlt', 'auth login ***'],
    ['AUTH PLAIN AHRpbQBzZWNyZXQ=', 'AUTH PLAIN ***'],
    ['AUTH PLAIN\tx', 'AUTH PLAIN ***'],
    ['AUTH dGlt', 'AUTH ***'],
    ['AUTH', 'AUTH ***'],
    ['AHRpbQBzZWNyZXQ=', '***'],
    ['QUITsecret', '***'],
  ];
  for (const [line, shown] of table)
    t.equal(transcribeSmtpCommand(Buffer.from(line, 'latin1')), shown, JSON.stringify(line));
  t.same(answered(new SmtpAnswers(), '250-a\r\n250 b\r\n', 1), ['250-a', '250 b']);
});

t.test('IMAP: of LOGIN the name is shown and nothing behind it, of AUTHENTICATE the mechanism', async (t) => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['a1 LOGIN tim secret', ['a1 LOGIN tim ***']],
    ['a1 login "t i m" "sec\\"ret"', ['a1 login "t i m" ***']],
    ['a1 LOGIN DOMAIN\\tim secret', ['a1 LOGIN DOMAIN\\tim ***']],
    ['a1 LOGIN tim sec ret', ['a1 LOGIN tim ***']],
    ['a1 LOGIN secret', ['a1 LOGIN ***']],
    ['a1 LOGIN "secret', ['a1 LOGIN ***']],
    ['a1 LOGIN tim"sec ret"', ['a1 LOGIN ***']],
    ['a1 LOGIN tim\tsec ret', ['a1 LOGIN ***']],
    ['a1 LOGIN "tim "sec ret"', ['a1 LOGIN ***']],
    ['a1 LOGIN tim {6}\r\nsecret', ['a1 LOGIN tim {***}', '+***']],
    ['a1 LOGIN {3+}\r\ntim {6+}\r\nsecret', ['a1 LOGIN {***}', '+***', '+*** {***}', '+***']],
    ['a1 LOGIN {3}\r\ntim secret', ['a1 LOGIN {***}', '+***', '+***']],
    ['a1 LOGIN {3}\r\ntim {6}\r\nsecret', ['a1 LOGIN {***}', '+***', '+*** {***}', '+***']],
    ['a1 AUTHENTICATE PLAIN', ['a1 AUTHENTICATE PLAIN']],
    ['a1 AUTHENTICATE PLAIN AHRpbQBzZWNyZXQ=', ['a1 AUTHENTICATE PLAIN ***']],
    ['a1 AUTHENTICATE AHRpbQBzZWNyZXQ=', ['a1 AUTHENTICATE ***']],
    ['a1 AUTHENTICATE c2VjcmV0', ['a1 AUTHENTICATE ***']],
    ['secret', ['***']],
    ['sec ret', ['***']],
    ['AHRpbQBzZWNyZXQ=', ['***']],
    ['a1 LOGON tim secret', ['***']],
    ['a1 SEARCH TEXT {5}\r\nabcde SEEN', ['a1 SEARCH TEXT {5}', '+[5 octets]', '+ SEEN']],
    ['a1 SEARCH TEXT {5+}\r\nabcde', ['a1 SEARCH TEXT {5+}', '+[5 octets]']],
    ['a1 APPEND INBOX {5}\r\nabcde', ['a1 APPEND INBOX {5}', '+[5 octets]']],
    ['a1 UID FETCH 1:* (FLAGS)', ['a1 UID FETCH 1:* (FLAGS)']],
  ];
  for (const [text, shown] of table) {
    for (const size of [1, 3, 1000]) {
      t.same(imapLines(`${text}\r\n`, size), shown, `${JSON.stringify(text)} in pieces of ${size}`);
      t.same(imapLines(`${text}\r\n${text}\r\n`, size), [...shown, ...shown], 'and again');
    }
  }
  t.same(imapLines('a1 AUTHENTICATE LOGIN\r\ndGlt\r\nc2VjcmV0\r\n', 1, true), [
    'a1 AUTHENTICATE LOGIN',
    '+***',
    '+***',
  ]);
  t.same(imapLines('a1 IDLE\r\ndone\r\n', 1, true), ['a1 IDLE', '+DONE']);
  const long = `a1 SEARCH UID ${'1,'.repeat(2000)}1`;
  t.same(imapLines(`${long}\r\n`, 512), [
    `${long.slice(0, SHOWN_LIMIT_OCTETS)} [${long.length - SHOWN_LIMIT_OCTETS} octets]`,
  ]);
  t.same(imapLines(`a1 LOGIN tim ${'x'.repeat(70_000)}\r\n`, 4096), ['*** (a line beyond the limit)']);
});

t.test(
  'POP3 answers: messages are counted, listings shown, and each answer belongs to its command',
  async (t) => {
    const text =
      '+OK ready\r\n+OK\r\n+OK 2 messages\r\n1 10\r\n2 20\r\n.\r\n+OK 1 10\r\n-ERR no\r\n+OK 12 octets\r\nSubject: x\r\n\r\n..\r\n.\r\n+ \r\n+OK in\r\n';
    for (const size of [1, 2, 7, text.length]) {
      const reader = new Pop3Answers();
      for (const command of ['USER tim', 'LIST', 'LIST 1', 'RETR 9', 'RETR 1', 'AUTH PLAIN'])
        reader.expect(command);
      t.same(
        answered(reader, text, size),
        [
          ...['+OK ready', '+OK', '+OK 2 messages', '1 10', '2 20', '.', '+OK 1 10', '-ERR no'],
          ...['+OK 12 octets', '[17 octets]', '.', '+ ', '+OK in'],
        ],
        `in pieces of ${size}`,
      );
    }
  },
);

t.test('IMAP answers: literals are counted, and a tag is shown where its command was', async (t) => {
  const text =
    '* OK [CAPABILITY IMAP4rev1] ready\r\na1 OK in\r\nsecret BAD Syntax error: expected SP at octet 7\r\n* 1 FETCH (UID 1 BODY[] {12}\r\nTo: x\r\n\r\nabc PREVIEW "a \\"secret\\" text" BINARY[1] ~{3}\r\n\r\n\x00)\r\na2 BAD Syntax error: expected CRLF at octet 19\r\n+ idling\r\na3 OK\r\na3 BAD expected SP at octet 4\r\na3 OK\r\n';
  const shown = [
    ...['* OK [CAPABILITY IMAP4rev1] ready', 'a1 OK in', '*** BAD Syntax error: expected SP at octet ***'],
    '* 1 FETCH (UID 1 BODY[] {12}[12 octets] PREVIEW *** BINARY[1] ~{3}[3 octets])',
    ...[
      'a2 BAD Syntax error: expected CRLF at octet ***',
      '+ idling',
      'a3 OK',
      'a3 BAD expected SP at octet 4',
    ],
    '*** OK',
  ];
  for (const size of [1, 2, 7, text.length]) {
    const reader = new ImapAnswers();
    for (const command of ['a1 LOGIN tim ***', '***', 'a2 LOGIN tim ***', 'a3 NOOP', 'a3 FETCH'])
      reader.expect(command);
    t.same(answered(reader, text, size), shown, `in pieces of ${size}`);
  }
  const long = `* SEARCH${' 12345'.repeat(1000)}`;
  t.same(answered(new ImapAnswers(), `${long}\r\n`, 100), [
    `${long.slice(0, SHOWN_LIMIT_OCTETS)} [${long.length - SHOWN_LIMIT_OCTETS} octets]`,
  ]);
});
