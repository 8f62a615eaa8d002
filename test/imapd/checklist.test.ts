/**
 * The checklist of IMAP: the 81 points at which servers of one's own making fail, each with a test that is named after it.
 *
 * Points 1 to 15 are parsing and framing, 16 to 28 mailbox names and lists, 29 to 42 SELECT, STATUS and sessions, 43 to 55 sets
 * and STORE, 56 to 59 APPEND, 60 to 72 FETCH, 73 to 81 SEARCH, SORT and THREAD. Every parent is a mailbox here, so that point 20
 * says that \Noselect is LSUB's alone and point 22 that DELETE of a parent is NO [HASCHILDREN]. Transcripts are named by one of
 * their comments.
 */

import { type ChecklistRow, testChecklist } from '../support/checklist.ts';

const POINTS = 81;

/** Point, file below test/, name of the test. */
const CHECKLIST: readonly ChecklistRow[] = [
  [
    1,
    'imapd/framing.test.ts',
    'a continuation has a space and a text, and only a literal that is waited with has one',
  ],
  [
    1,
    'imapd/framing.test.ts',
    'LITERAL-: up to 4096 octets come unasked, more is TOOBIG and never a command',
  ],
  [
    2,
    'imapd/framing.test.ts',
    'a literal stands wherever a string may, several in a command, cut at every octet',
  ],
  [
    3,
    'imapd/robustness.test.ts',
    'lines and literals beyond the limits are BAD, and what follows is read aright',
  ],
  [
    3,
    'imapd/limits.test.ts',
    'a message over the limit of APPEND is NO [TOOBIG] before it is sent, an equal one is taken',
  ],
  [4, 'imapd/framing.test.ts', 'an empty literal is an empty string, and NUL is in none'],
  [4, 'imapd/robustness.test.ts', 'a session cut at every octet of its input answers the same'],
  [5, 'imapd/framing.test.ts', 'a quoted string has two escapes, no line end, and 8-bit on the way in alone'],
  [6, 'imapd/framing.test.ts', 'numbers, NIL and brackets are names of mailboxes like others'],
  [
    6,
    'imapd/mailboxCommands.test.ts',
    'names like NIL, 123 and those with brackets, quotes and backslashes come back as they went',
  ],
  [
    7,
    'imapd/framing.test.ts',
    'words of the protocol have no case, names of keywords and mailboxes keep theirs, tags come back',
  ],
  [
    8,
    'scripts/imap/states.txt',
    'States, tags, unknown and malformed commands: every wrong one is BAD and changes nothing (RFC 3501 sections 3, 7.1.3).',
  ],
  [
    8,
    'imapd/limits.test.ts',
    'as many commands as are set may be wrong in a row, then BYE; a right one counts from the start',
  ],
  [9, 'scripts/imap/states.txt', 'A syntax error does not deselect, a SELECT that fails does.'],
  [10, 'wire/imapFraming.test.ts', 'a set of 50 KB passes with the limits of the house'],
  [
    10,
    'imapd/limits.test.ts',
    'a line is as long as is set, before login never longer than usual, and the next command is read',
  ],
  [
    11,
    'imapd/framing.test.ts',
    'a space too many, an argument too few or a word too many is BAD for every command',
  ],
  [
    12,
    'imapd/framing.test.ts',
    'nothing that stands behind STARTTLS in the clear is read, whatever ends its lines',
  ],
  [
    12,
    'imapd/robustness.test.ts',
    'STARTTLS forgets what came before it, and a listener that wants TLS takes no password in the clear',
  ],
  [
    13,
    'scripts/imap/login.txt',
    'LOGIN with every kind of string, AUTHENTICATE with and without initial response, refusals (RFC 3501 section 6.2).',
  ],
  [
    13,
    'imapd/framing.test.ts',
    'a login that the server cannot decide is NO [UNAVAILABLE], by either command',
  ],
  [
    14,
    'imapd/framing.test.ts',
    'greeting and login tell the capabilities that CAPABILITY tells, and no response is without text',
  ],
  [
    15,
    'imapd/framing.test.ts',
    'pipelined commands run in their order, each under its tag, and numbers are those of their turn',
  ],
  [15, 'fuzz/imapCommands.test.ts', 'each of 2000 commands has one reply, however it is cut (seed 1)'],
  [
    16,
    'imapd/mailboxCommands.test.ts',
    'a name has one form in modified UTF-7, and every other form is refused',
  ],
  [
    16,
    'imapd/mailboxCommands.test.ts',
    'one name is one mailbox, however its umlaut is composed, and for every session',
  ],
  [17, 'imapd/mailboxCommands.test.ts', 'INBOX is one mailbox in any case, and so is what is below it'],
  [
    18,
    'imapd/mailboxCommands.test.ts',
    'LIST with an empty pattern tells the delimiter and the root, whatever the reference',
  ],
  [
    19,
    'imapd/mailboxCommands.test.ts',
    '% stops at the delimiter, * does not, and the reference stands before the pattern as it is',
  ],
  [
    20,
    'imapd/mailboxCommands.test.ts',
    'every parent is a real mailbox, and \\HasChildren is right after CREATE, DELETE and RENAME',
  ],
  [
    21,
    'imapd/mailboxCommands.test.ts',
    'CREATE takes a delimiter at the end, makes missing parents, and refuses what exists or cannot be',
  ],
  [
    22,
    'imapd/mailboxCommands.test.ts',
    'DELETE of a parent is NO [HASCHILDREN] and harms nothing; of INBOX and of what is missing NO',
  ],
  [
    23,
    'imapd/mailboxCommands.test.ts',
    'a session whose mailbox is deleted and made anew elsewhere never sees the new one’s messages',
  ],
  [
    24,
    'imapd/mailboxCommands.test.ts',
    'RENAME takes the children along, makes missing parents, and refuses a target that exists',
  ],
  [
    24,
    'imapd/mailboxCommands.test.ts',
    'RENAME of INBOX moves its messages and leaves it empty, with what is below it',
  ],
  [
    25,
    'imapd/mailboxCommands.test.ts',
    'UIDs and UIDVALIDITY stay with a renamed mailbox, and no name has a UIDVALIDITY twice',
  ],
  [
    26,
    'imapd/mailboxCommands.test.ts',
    'SUBSCRIBE wants a mailbox, a subscription outlives it, and LSUB tells \\Noselect where there is none',
  ],
  [
    27,
    'imapd/mailboxCommands.test.ts',
    'LIST selects by subscription and special use, with several patterns, and returns what is asked for',
  ],
  [
    28,
    'imapd/mailboxCommands.test.ts',
    'NAMESPACE has one personal namespace, with the delimiter that LIST tells',
  ],
  [
    29,
    'imapd/sessionRules.test.ts',
    'SELECT tells the whole set of responses, UNSEEN only where a message is',
  ],
  [
    30,
    'imapd/sessionRules.test.ts',
    'CLOSED parts what is told of the old mailbox from what is told of the new one',
  ],
  [
    31,
    'imapd/sessionRules.test.ts',
    'EXAMINE changes nothing: no STORE, EXPUNGE or MOVE, no \\Seen by BODY[], no expunge by CLOSE',
  ],
  [
    32,
    'imapd/sessionRules.test.ts',
    'STATUS tells items as asked, of the selected mailbox too, and what was just appended elsewhere',
  ],
  [33, 'imapd/concurrency.test.ts', 'exactly one session sees a message as recent'],
  [
    34,
    'imapd/sessionRules.test.ts',
    'EXISTS comes before any FETCH of a new number, and shrinks by EXPUNGE alone',
  ],
  [
    35,
    'imapd/sessionRules.test.ts',
    'no EXPUNGE during FETCH, STORE and SEARCH by number, and none while no command runs',
  ],
  [36, 'imapd/sessionRules.test.ts', 'each EXPUNGE counts after those before it'],
  [
    36,
    'imapd/view.test.ts',
    'a client that follows what it is told has the numbers of the server, whatever happens',
  ],
  [
    37,
    'imapd/sessionRules.test.ts',
    'FETCH of a message that another session expunged is never another message',
  ],
  [
    37,
    'imapd/robustness.test.ts',
    'a message that is expunged and swept while it is sent is sent to its end',
  ],
  [
    38,
    'imapd/sessionRules.test.ts',
    'flags that others change are told with UID and MODSEQ once CONDSTORE is on',
  ],
  [39, 'imapd/sessionRules.test.ts', 'NOOP, CHECK and IDLE all tell everything that waits'],
  [40, 'imapd/concurrency.test.ts', 'IDLE tells as it happens, and takes nothing but DONE'],
  [41, 'imapd/robustness.test.ts', 'silence ends a session, before login soon, and IDLE shows that it lives'],
  [41, 'imapd/sessionRules.test.ts', 'LOGOUT says BYE before OK, before login as well'],
  [
    42,
    'imapd/sessionRules.test.ts',
    'CLOSE expunges without a word, UNSELECT does not expunge, neither tells HIGHESTMODSEQ',
  ],
  [43, 'imapd/sessionRules.test.ts', 'sets: `*` anywhere, reversed ranges, doubles once, 0 never'],
  [
    44,
    'imapd/sessionRules.test.ts',
    'UIDs that are not there are no error, numbers that are not there are BAD',
  ],
  [45, 'imapd/sessionRules.test.ts', 'UID FETCH tells UID once, asked for or not, behind the message number'],
  [46, 'imapd/sessionRules.test.ts', 'STORE takes one flag or a list, in any case, and no flag that is none'],
  [
    46,
    'imapd/limits.test.ts',
    'a mailbox takes a hundred keywords, says when it is full, and still takes those that it knows',
  ],
  [
    47,
    'imapd/sessionRules.test.ts',
    '.SILENT tells what others have changed, and the mod-sequence once CONDSTORE is on',
  ],
  [
    48,
    'imapd/sessionRules.test.ts',
    'sessions that add different keywords at the same moment all keep theirs',
  ],
  [
    49,
    'imapd/sessionRules.test.ts',
    'UNCHANGEDSINCE names what it left alone by number or UID, does the rest, and rounds no number',
  ],
  [50, 'imapd/sessionRules.test.ts', 'CHANGEDSINCE with VANISHED is for UID FETCH under QRESYNC alone'],
  [
    50,
    'imapd/qresync.test.ts',
    'expunges too old to be remembered: all that is gone of the UIDs asked for is told, in lines of bounded length',
  ],
  [
    51,
    'imapd/sessionRules.test.ts',
    'each CONDSTORE enabling command turns it on, and the first tells HIGHESTMODSEQ',
  ],
  [
    52,
    'imapd/sessionRules.test.ts',
    'COPY and MOVE to a mailbox that is not there are TRYCREATE and copy nothing; copies keep flags and date',
  ],
  [
    53,
    'imapd/sessionRules.test.ts',
    'COPYUID and APPENDUID pair UIDs in order; MOVE tells COPYUID before the expunges, and none where nothing moved',
  ],
  [
    54,
    'imapd/sessionRules.test.ts',
    'COPY into the selected mailbox makes it grow, MOVE into it gives new UIDs',
  ],
  [
    55,
    'imapd/sessionRules.test.ts',
    'EXPUNGE takes what is \\Deleted and nothing else, UID EXPUNGE of that only what it names',
  ],
  [
    56,
    'imapd/appendFetch.test.ts',
    'APPEND takes flags and a date, both, one or none, in this order and no other',
  ],
  [
    57,
    'imapd/appendFetch.test.ts',
    'APPEND to the selected mailbox tells EXISTS before its OK; to a missing one TRYCREATE before the literal',
  ],
  [
    58,
    'imapd/appendFetch.test.ts',
    'a stored message has the very octets that were sent, and RFC822.SIZE counts what FETCH returns',
  ],
  [59, 'imapd/appendFetch.test.ts', 'several messages of one APPEND are stored together or not at all'],
  [
    60,
    'imapd/appendFetch.test.ts',
    'a partial beyond the end is empty under its origin, a count beyond it stops there',
  ],
  [
    61,
    'imapd/appendFetch.test.ts',
    'part numbers lead into multiparts and embedded messages, two levels deep',
  ],
  [
    62,
    'imapd/appendFetch.test.ts',
    'a part that is not there is NIL, and HEADER and TEXT of what is no message as well',
  ],
  [
    63,
    'imapd/appendFetch.test.ts',
    'HEADER.FIELDS has all fields of the names in the message’s order, whole, and the blank line',
  ],
  [
    64,
    'imapd/appendFetch.test.ts',
    'BODY[...], RFC822 and RFC822.TEXT set \\Seen and tell it in the same response; nothing else does',
  ],
  [
    65,
    'imapd/appendFetch.test.ts',
    'macros stand alone, items in parentheses in any order, and a message has one FETCH line',
  ],
  [
    66,
    'imapd/appendFetch.test.ts',
    'BODYSTRUCTURE counts encoded octets and lines, and has a part whatever the boundaries are',
  ],
  [
    67,
    'imapd/appendFetch.test.ts',
    'BODYSTRUCTURE leaves parameters as they are, puts extension data in its place, and BODY leaves it out',
  ],
  [
    68,
    'imapd/appendFetch.test.ts',
    'BODYSTRUCTURE tells embedded messages, partial ones, delivery reports and digests',
  ],
  [
    69,
    'imapd/appendFetch.test.ts',
    'ENVELOPE tells groups, empty and broken addresses and raw octets so that clients can read them',
  ],
  [
    70,
    'imapd/appendFetch.test.ts',
    'what a quoted string cannot hold is a literal that counts octets, whole',
  ],
  [71, 'imapd/appendFetch.test.ts', 'INTERNALDATE is the same for ever, through COPY and in every session'],
  [71, 'journeys/largeMessage.test.ts', 'the server grows by at most 40 MB over what 10 MB made of it'],
  [
    72,
    'imapd/appendFetch.test.ts',
    'a thousand parts and a hundred levels are told whole and in bounded time',
  ],
  [
    73,
    'imapd/searchKeys.test.ts',
    'a SEARCH that finds nothing says so, a UID SEARCH tells UIDs, and ESEARCH names its tag',
  ],
  [
    74,
    'imapd/searchKeys.test.ts',
    'UTF-8, US-ASCII and ISO-8859-1 are charsets of SEARCH, another is NO [BADCHARSET] with those named',
  ],
  [
    75,
    'imapd/searchKeys.test.ts',
    'texts are found in headers and bodies as a reader sees them, in any case, across folds',
  ],
  [75, 'search/text.test.ts', 'texts are found decoded, wherever a reader would see them'],
  [
    76,
    'imapd/searchKeys.test.ts',
    'ON, BEFORE and SINCE go by the internal date in its own zone, SENT* by the Date field, if it is one',
  ],
  [
    77,
    'imapd/searchKeys.test.ts',
    'keys join with AND, OR, NOT and parentheses, sets and sizes count exactly, MODSEQ adds its own',
  ],
  [
    78,
    'imapd/searchKeys.test.ts',
    'any SEARCH of an empty mailbox is OK, and a number that is not there is BAD, a UID is not',
  ],
  [79, 'wire/sorting.test.ts', 'a base subject is what RFC 5256 section 2.1 leaves of a subject'],
  [79, 'scripts/imap/sort.txt', 'INTERNALDATE in UTC; what is alike stays in its order, in reverse as well.'],
  [79, 'imapd/threading.test.ts', 'sorting in slices is sorting, and what is alike keeps its order'],
  [80, 'scripts/imap/searchres.txt', 'Example 5: NO to a SEARCH with SAVE empties it.'],
  [80, 'scripts/imap/searchres.txt', 'SELECT and EXAMINE begin with nothing saved.'],
  [
    80,
    'scripts/imap/searchres.txt',
    'A saved message that is expunged drops out, whoever expunges it, once the client knows.',
  ],
  [
    81,
    'imapd/searching.test.ts',
    'deep nesting, long texts and thousands of keys do not keep another session waiting',
  ],
  [81, 'imapd/limits.test.ts', 'nested and many search keys, and many texts to look for, are refused'],
];

testChecklist(POINTS, CHECKLIST);
