/**
 * The checklist of POP3: the 30 points at which servers of one's own making fail, each with a test that is named after it.
 *
 * Point 3 asks for the same id after an IMAP MOVE away and back: here it is a new UID and so a new id, which is what lets a
 * restored message be fetched again. Point 16 is of XOAUTH2, which is not offered. Point 24 has a CR alone pass unchanged: here it
 * is a line end (docs/ARCHITECTURE.md, both). Point 30's mapping of folders is not offered.
 */

import { type ChecklistRow, testChecklist } from '../support/checklist.ts';

const POINTS = 30;

/** Point, file below test/, name of the test. */
const CHECKLIST: readonly ChecklistRow[] = [
  [
    1,
    'pop3d/pop3d.test.ts',
    'odd octets come out in CRLF form, stuffed, in the size that LIST says, and end only where they end',
  ],
  [1, 'wire/pop3.test.ts', 'dots are stuffed the same at every split'],
  [
    2,
    'pop3d/sessionRules.test.ts',
    'STAT, LIST and RETR agree on the octets, and TOP with all lines is RETR',
  ],
  [3, 'pop3d/sessionRules.test.ts', 'a unique id is never given again: not after DELE, nor after a restart'],
  [
    3,
    'pop3d/sessionRules.test.ts',
    'a message that IMAP moves away and back is a new one with a new id; the others keep theirs',
  ],
  [4, 'pop3d/sessionRules.test.ts', 'LIST n and UIDL n answer one line with number, one space and value'],
  [5, 'pop3d/extensions.test.ts', 'CAPA tells the same before and after login, but for STLS'],
  [
    6,
    'pop3d/sessionRules.test.ts',
    'a number of a deleted message, 0, negative, huge or no number at all is -ERR',
  ],
  [
    7,
    'pop3d/sessionRules.test.ts',
    'DELE marks once, STAT counts what is left, and RSET takes every mark away',
  ],
  [8, 'pop3d/pop3d.test.ts', 'a drop, a reset and a time-out delete nothing'],
  [8, 'pop3d/sessionRules.test.ts', 'QUIT before login updates nothing'],
  [
    9,
    'pop3d/sessionRules.test.ts',
    'QUIT answers -ERR when the store cannot delete, and the messages are there at the next login',
  ],
  [
    10,
    'pop3d/pop3d.test.ts',
    'two sessions share a maildrop: each keeps its snapshot, and both deletes count',
  ],
  [
    10,
    'pop3d/sessionRules.test.ts',
    'what IMAP expunges meanwhile can still be read, and deleting it does no harm',
  ],
  [
    11,
    'pop3d/extensions.test.ts',
    'an exclusive maildrop is [IN-USE] for a second session, and free at once when the first ends',
  ],
  [
    11,
    'pop3d/extensions.test.ts',
    'a holder that has been silent for two minutes loses its maildrop to a newer login, and deletes nothing',
  ],
  [11, 'pop3d/extensions.test.ts', 'a holder that only downloads slowly keeps its maildrop'],
  [
    12,
    'pop3d/sessionRules.test.ts',
    'TOP sends the header and so many lines; without a count the header alone',
  ],
  [
    12,
    'pop3d/extensions.test.ts',
    'RETR sets \\Seen only where it is set so, and only after the whole message; TOP never',
  ],
  [12, 'pop3d/extensions.test.ts', 'a message that was cut off is not \\Seen'],
  [
    13,
    'pop3d/sessionRules.test.ts',
    'USER is +OK for everybody, and a password is all that follows, blanks and umlauts included',
  ],
  [
    14,
    'pop3d/sessionRules.test.ts',
    'PASS comes right after USER, or is refused without a look at the password',
  ],
  [
    14,
    'pop3d/sessionRules.test.ts',
    'the greeting has no angle bracket, so that no client tries APOP; APOP is no command',
  ],
  [
    15,
    'pop3d/pop3d.test.ts',
    'AUTH takes PLAIN and LOGIN with and without initial response, lists mechanisms, and is cancelled',
  ],
  [15, 'pop3d/sessionRules.test.ts', 'a challenge is a plus and a blank, never +OK, and * cancels'],
  [
    16,
    'pop3d/sessionRules.test.ts',
    'a mechanism that is not offered is refused at once, and is no failed login',
  ],
  [
    17,
    'pop3d/extensions.test.ts',
    'a response code says whose fault it is: [SYS/...] the server`s alone, [AUTH] the login`s',
  ],
  [
    17,
    'pop3d/extensions.test.ts',
    'a login too soon after the last is [LOGIN-DELAY], by account and address, and tells no stranger',
  ],
  [18, 'pop3d/pop3d.test.ts', 'a session cut at every octet of its input answers the same'],
  [18, 'pop3d/pop3d.test.ts', 'a client that pipelines thousands of commands lets others have their turn'],
  [18, 'pop3d/sessionRules.test.ts', 'login, STAT, LIST, UIDL and QUIT in one packet are answered in order'],
  [
    18,
    'pop3d/sessionRules.test.ts',
    'commands that queue behind a large message wait for a slow reader, and are answered in order',
  ],
  [
    19,
    'pop3d/extensions.test.ts',
    'CAPA hides USER and SASL where a password is refused, and STLS once TLS is on',
  ],
  [
    19,
    'pop3d/sessionRules.test.ts',
    'an unknown command is -ERR; twenty refused ones in a row end the session, and a right one counts anew',
  ],
  [
    20,
    'pop3d/pop3d.test.ts',
    'a listener that demands TLS takes no password before it, and nothing sent in plain text survives STLS',
  ],
  [20, 'pop3d/sessionRules.test.ts', 'STLS is refused after login, and where TLS is on or not to be had'],
  [
    21,
    'pop3d/sessionRules.test.ts',
    'lines may have 255 octets, 512 after UTF8, with passwords up to 1,024; a longer one is -ERR and does nothing else',
  ],
  [21, 'pop3d/sessionRules.test.ts', 'commands are in any case, and a line may end with LF alone'],
  [
    22,
    'pop3d/sessionRules.test.ts',
    'ten silent minutes end a session, which a slow download of eleven is not',
  ],
  [23, 'pop3d/sessionRules.test.ts', 'an empty maildrop is +OK 0 0, and its LIST and UIDL are just the dot'],
  [
    23,
    'pop3d/largeMaildrop.test.ts',
    '100,000 messages: login under a second, LIST and UIDL streamed, no step over 10 ms',
  ],
  [
    24,
    'pop3d/sessionRules.test.ts',
    'long lines, 8-bit octets and NUL pass unchanged; a CR alone becomes a line end',
  ],
  [
    25,
    'pop3d/sessionRules.test.ts',
    'LAST, XTND XLST and other old commands are refused cleanly, and NOOP does nothing',
  ],
  [
    26,
    'pop3d/sessionRules.test.ts',
    'a message that breaks in the middle ends the connection, and no dot makes it look whole',
  ],
  [
    26,
    'pop3d/sessionRules.test.ts',
    'a message whose first octets are damaged is -ERR [SYS/PERM], and the session goes on',
  ],
  [27, 'pop3d/extensions.test.ts', 'the end of a session is logged with what was fetched and deleted'],
  [
    27,
    'accounts/loginThrottle.test.ts',
    'the first three failures are free, then each attempt waits twice as long, then there is a ban',
  ],
  [
    27,
    'accounts/loginThrottle.test.ts',
    'whatever fails behind one address, who logs in well there is neither refused nor delayed',
  ],
  [
    27,
    'accounts/loginBans.test.ts',
    'a ban refuses one name from one address by every protocol, and nothing else',
  ],
  [28, 'pop3d/extensions.test.ts', 'UTF8 is a command before login alone, and takes no argument'],
  [28, 'pop3d/extensions.test.ts', 'LANG lists the languages, changes the texts and says which was chosen'],
  [29, 'pop3d/sessionRules.test.ts', 'messages come in order of arrival, which is the order of UIDs'],
  [30, 'pop3d/sessionRules.test.ts', 'POP3 sees the INBOX and no other mailbox'],
];

testChecklist(POINTS, CHECKLIST);
