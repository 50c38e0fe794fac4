/* imap.c - talks with the IMAP machine, each in reads of every size. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define CAPS                                                                                       \
	"CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN SPECIAL-USE "     \
	"UIDPLUS MOVE UNSELECT"
#define AUTHS  " AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN"
#define HELLO  "* OK [" CAPS " STARTTLS" AUTHS "] fakeplace.edu IMAP4rev1 Stead\r\n"
#define IN     "l LOGIN bob \"hun\\\"gry\"\r\n"
#define LOGGED "l OK [" CAPS "] logged in\r\n"
#define SELECT IN "s select INBOX\r\n"
#define FLAGS  "\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work Later"
#define BOX                                                                                        \
	"* FLAGS (" FLAGS ")\r\n* OK [PERMANENTFLAGS (" FLAGS " \\*)] these stay\r\n"              \
	"* 3 EXISTS\r\n* 1 RECENT\r\n* OK [UNSEEN 2] the first of them\r\n"                        \
	"* OK [UIDVALIDITY 7] UIDs are valid\r\n* OK [UIDNEXT 10] the next one\r\n"
#define OPEN LOGGED BOX "s OK [READ-WRITE] it is open\r\n"
#define BYE  "* BYE good bye\r\nx OK good bye\r\n"

#define HEADER                                                                                     \
	"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"                                          \
	"From: Terry Gray <gray@cac.washington.edu>\r\n"                                           \
	"Subject: IMAP4rev1 WG mtg\r\n summary and minutes\r\n"                                    \
	"To: imap@cac.washington.edu\r\n\r\n"

static const char *const mailbox[] = {HEADER "Hello\r\nWorld\r\n", "Subject: two\r\n\r\nbody2",
                                      "X: y\r\nSubject: 3\r\n\r\n"};

static const struct imap_play_folder folders[] = {
    {"INBOX", IMAP_FOLDER_EXISTS | IMAP_FOLDER_SUBSCRIBED},
    {"Sent", IMAP_FOLDER_EXISTS | IMAP_FOLDER_SENT | IMAP_FOLDER_CHILDREN},
    {"Sent/2026", IMAP_FOLDER_EXISTS},
    {"a/b", IMAP_FOLDER_SUBSCRIBED},
    {"a/c/d", IMAP_FOLDER_EXISTS | IMAP_FOLDER_SUBSCRIBED},
    {"x \"y", IMAP_FOLDER_EXISTS | IMAP_FOLDER_TRASH},
    {"\xc3\xa9t\xc3\xa9", IMAP_FOLDER_EXISTS | IMAP_FOLDER_JUNK},
};

static const struct imap_play_part parts[] = {
    {1, {20, 40, 60, 0}},
    {2, {60, 78, 120, 110}},  /* holds a message, with a header from 78 to 110 */
    {21, {200, 100, 120, 0}}, /* not in order */
};

static const struct {
	const char *name, *client, *server, *did;
} talks[] = {
    {"RFC 3501 8, the example",
     "l login bob {7}\r\nhun\"gry\r\na002 select inbox\r\na003 fetch 1 full\r\n"
     "a004 fetch 1 body[header]\r\na005 store 1 +flags \\deleted\r\nx logout\r\n",
     HELLO "+ go on\r\n" LOGGED BOX "a002 OK [READ-WRITE] it is open\r\n"
           "* 1 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:42:25 +0000\" "
           "RFC822.SIZE 183 ENVELOPE (E) BODY (B))\r\na003 OK done\r\n"
           "* 1 FETCH (BODY[HEADER] {169}\r\n" HEADER ")\r\na004 OK done\r\n"
           "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\na005 OK done\r\n" BYE,
     ""},
    {"before a login",
     "a CAPABILITY\r\nb noop\r\nc SELECT INBOX\r\nd FETCH 1 FLAGS\r\ne ID NIL\r\n"
     "f ID (\"name\" \"x\" \"version\" NIL)\r\ng ENABLE CONDSTORE\r\nx LOGOUT\r\nNOOP\r\n",
     HELLO "* " CAPS " STARTTLS" AUTHS "\r\na OK done\r\nb OK done\r\nc BAD log in first\r\n"
           "d BAD log in first\r\n* ID (\"name\" \"Stead\")\r\ne OK and who are you\r\n"
           "* ID (\"name\" \"Stead\")\r\nf OK and who are you\r\ng BAD log in first\r\n" BYE,
     ""},
    {"what is no command",
     "\r\na\r\na \r\n+ NOOP\r\na NOOP x\r\na NOOP \r\na XYZZY\r\na UID\r\na UID NOOP\r\n"
     "a  NOOP\r\n" IN "a LOGIN bob x\r\na FETCH 1 FLAGS\r\na STARTTLS\r\n",
     HELLO "* BAD no such command\r\na BAD no such command\r\na BAD no such command\r\n"
           "* BAD no such command\r\na BAD what was that\r\na OK done\r\n"
           "a BAD no such command\r\na BAD no such command\r\na BAD no such command\r\n"
           "a BAD no such command\r\n" LOGGED "a BAD you are logged in\r\n"
           "a BAD SELECT first\r\na BAD you are logged in\r\n",
     ""},
    {"logins", "a LOGIN bob x\r\nb LOGIN bob\r\nc LOGIN \"bob\" \"hun\\\"gry\"\r\n",
     HELLO "a NO [AUTHENTICATIONFAILED] wrong name or password\r\nb BAD what was that\r\n"
           "c OK [" CAPS "] logged in\r\n",
     ""},
    {"three wrong ones end it",
     "a LOGIN bob x\r\nb AUTHENTICATE PLAIN AGJvYgB4\r\nc LOGIN bob \"\"\r\nd NOOP\r\n",
     HELLO "a NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
           "b NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
           "c NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
           "* BYE too many logins failed\r\n",
     ""},
    {"AUTHENTICATE PLAIN, with and without an initial response",
     "a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE plain\r\n!!\r\nc AUTHENTICATE X\r\n"
     "d AUTHENTICATE PLAIN\r\nAGJvYgBodW4iZ3J5\r\ne NOOP\r\n",
     HELLO "+ \r\na BAD given up\r\n+ \r\nb BAD not a message of that mechanism\r\n"
           "c NO [CANNOT] no such mechanism\r\n+ \r\nd OK [" CAPS "] logged in\r\ne OK done\r\n",
     ""},
    {"AUTHENTICATE at once", "d AUTHENTICATE PLAIN AGJvYgBodW4iZ3J5\r\n",
     HELLO "d OK [" CAPS "] logged in\r\n", ""},
    {"AUTHENTICATE LOGIN", "d AUTHENTICATE LOGIN\r\nYm9i\r\naHVuImdyeQ==\r\n",
     HELLO "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\nd OK [" CAPS "] logged in\r\n", ""},
    {"LIST and LSUB",
     IN "a LIST \"\" \"\"\r\na LIST \"\" *\r\na LIST \"\" %\r\na LIST Sent/ %\r\n"
        "a LIST \"\" inbox\r\na LIST \"\" \"&AOk-*\"\r\na LSUB \"\" *\r\na LSUB \"\" %\r\n"
        "a LIST (SPECIAL-USE) \"\" \"*\"\r\na LIST (SUBSCRIBED) \"\" \"*\" RETURN (SPECIAL-USE)\r\n"
        "a LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)\r\na LIST (X) \"\" *\r\n",
     HELLO LOGGED
     "* LIST (\\Noselect) \"/\" \"\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
     "* LIST (\\HasChildren \\Sent) \"/\" \"Sent\"\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"Sent/2026\"\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"a/c/d\"\r\n"
     "* LIST (\\HasNoChildren \\Trash) \"/\" \"x \\\"y\"\r\n"
     "* LIST (\\HasNoChildren \\Junk) \"/\" \"&AOk-t&AOk-\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
     "* LIST (\\HasChildren \\Sent) \"/\" \"Sent\"\r\n"
     "* LIST (\\Noselect \\HasChildren) \"/\" \"a\"\r\n"
     "* LIST (\\HasNoChildren \\Trash) \"/\" \"x \\\"y\"\r\n"
     "* LIST (\\HasNoChildren \\Junk) \"/\" \"&AOk-t&AOk-\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"Sent/2026\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren \\Junk) \"/\" \"&AOk-t&AOk-\"\r\na OK that is all\r\n"
     "* LSUB (\\HasNoChildren) \"/\" \"INBOX\"\r\n* LSUB (\\HasNoChildren) \"/\" \"a/b\"\r\n"
     "* LSUB (\\HasNoChildren) \"/\" \"a/c/d\"\r\na OK that is all\r\n"
     "* LSUB (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
     "* LSUB (\\Noselect \\HasChildren) \"/\" \"a\"\r\na OK that is all\r\n"
     "* LIST (\\HasChildren \\Sent) \"/\" \"Sent\"\r\n"
     "* LIST (\\HasNoChildren \\Trash) \"/\" \"x \\\"y\"\r\n"
     "* LIST (\\HasNoChildren \\Junk) \"/\" \"&AOk-t&AOk-\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren \\Subscribed) \"/\" \"INBOX\"\r\n"
     "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" \"a/b\"\r\n"
     "* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/c/d\"\r\na OK that is all\r\n"
     "* LIST (\\HasNoChildren \\Subscribed) \"/\" \"INBOX\"\r\n"
     "* LIST (\\HasChildren \\Sent) \"/\" \"Sent\"\r\n"
     "* LIST (\\HasNoChildren) \"/\" \"Sent/2026\"\r\n"
     "* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/c/d\"\r\n"
     "* LIST (\\HasNoChildren \\Trash) \"/\" \"x \\\"y\"\r\n"
     "* LIST (\\HasNoChildren \\Junk) \"/\" \"&AOk-t&AOk-\"\r\na OK that is all\r\n"
     "a BAD what was that\r\n",
     ""},
    {"mailboxes",
     IN "a CREATE foo/\r\na CREATE &AOk-\r\na RENAME foo \"bar baz\"\r\na DELETE nowhere\r\n"
        "a SUBSCRIBE inbox/x\r\na UNSUBSCRIBE {3}\r\nfoo\r\na CREATE \"\"\r\na CREATE /\r\n"
        "a STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)\r\n"
        "a STATUS \"x y\" (unseen messages)\r\na STATUS x ()\r\na STATUS x (FOO)\r\n"
        "a NAMESPACE\r\na ENABLE CONDSTORE\r\na SELECT nowhere\r\n",
     HELLO LOGGED "a OK done\r\na OK done\r\na OK done\r\n"
                  "a NO [NONEXISTENT] no such mailbox\r\na OK done\r\n+ go on\r\na OK done\r\n"
                  "a NO [CANNOT] that is no name for a mailbox\r\n"
                  "a NO [CANNOT] that is no name for a mailbox\r\n"
                  "* STATUS \"INBOX\" (MESSAGES 3 RECENT 1 UIDNEXT 10 UIDVALIDITY 7 UNSEEN 2)\r\n"
                  "a OK done\r\n* STATUS \"x y\" (MESSAGES 3 UNSEEN 2)\r\na OK done\r\n"
                  "a BAD what was that\r\na BAD what was that\r\n"
                  "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na OK done\r\n* ENABLED\r\na OK done\r\n"
                  "a NO [NONEXISTENT] no such mailbox\r\n",
     "create foo\ncreate \xc3\xa9\nrename foo\nto bar baz\ndelete nowhere\n"
     "subscribe INBOX/x\nunsubscribe foo\n"},
    {"another mailbox, one that is not there, and none",
     SELECT "a SELECT INBOX\r\na SELECT nowhere\r\na FETCH 1 FLAGS\r\na EXAMINE INBOX\r\n"
            "a STORE 1 FLAGS ()\r\na EXPUNGE\r\na MOVE 1 Sent\r\na FETCH 2 BODY[TEXT]\r\n"
            "a CLOSE\r\na CLOSE\r\n",
     HELLO OPEN
     "* OK [CLOSED] the other mailbox is closed\r\n" BOX "a OK [READ-WRITE] it is open\r\n"
     "* OK [CLOSED] the other mailbox is closed\r\na NO [NONEXISTENT] no such mailbox\r\n"
     "a BAD SELECT first\r\n* FLAGS (" FLAGS ")\r\n* OK [PERMANENTFLAGS ()] these stay\r\n"
     "* 3 EXISTS\r\n* 1 RECENT\r\n* OK [UNSEEN 2] the first of them\r\n"
     "* OK [UIDVALIDITY 7] UIDs are valid\r\n* OK [UIDNEXT 10] the next one\r\n"
     "a OK [READ-ONLY] it is open to be looked at\r\n"
     "a NO [READ-ONLY] the mailbox is open to be looked at only\r\n"
     "a NO [READ-ONLY] the mailbox is open to be looked at only\r\n"
     "a NO [READ-ONLY] the mailbox is open to be looked at only\r\n"
     "* 2 FETCH (BODY[TEXT] {5}\r\nbody2)\r\na OK done\r\na OK closed\r\na BAD SELECT first\r\n",
     "leave\n"},
    {"APPEND",
     IN
     "a APPEND Sent {5}\r\nhello\r\n"
     "b APPEND Sent (\\Seen \\Recent Foo foo) \" 7-Feb-1994 21:52:25 -0800\" {5+}\r\na\nb c\r\n"
     "c APPEND {4}\r\nSent {2+}\r\nhi\r\nd APPEND nowhere {5}\r\ne APPEND nowhere {5+}\r\nhello\r\n"
     "f APPEND Sent {0}\r\ng APPEND Sent {0+}\r\n\r\nh APPEND Sent {100001}\r\n"
     "i APPEND Sent {2+}\r\nhi {3+}\r\nj APPEND Sent\r\nk APPEND Sent (\\Foo) {2}\r\nhi\r\n"
     "m APPEND \"\" {2+}\r\nhi\r\nn NOOP\r\n",
     HELLO LOGGED
     "+ go on\r\na OK [APPENDUID 7 42] it is there\r\nb OK [APPENDUID 7 42] it is there\r\n"
     "+ go on\r\nc OK [APPENDUID 7 42] it is there\r\nd NO [TRYCREATE] no such mailbox\r\n"
     "e NO [TRYCREATE] no such mailbox\r\nf NO [CANNOT] a message without octets\r\n"
     "g NO [CANNOT] a message without octets\r\nh NO [TOOBIG] the message is too large\r\n"
     "i BAD an APPEND ends with its message\r\nj BAD what was that\r\n+ go on\r\n"
     "k BAD what was that\r\nm NO [CANNOT] that is no name for a mailbox\r\nn OK done\r\n",
     "append to Sent\nflags 0 size 5 date -1\nhellocommit\n"
     "append to Sent\nkeyword Foo\nflags 1 size 5 date 760686745\na\nb ccommit\n"
     "append to Sent\nflags 0 size 2 date -1\nhicommit\n"
     "append to nowhere\nflags 0 size 5 date -1\nappend to nowhere\nflags 0 size 5 date -1\n"
     "append to Sent\nflags 0 size 100001 date -1\nappend to Sent\nflags 0 size 2 date -1\n"
     "hidrop\n"},
    {"sections",
     SELECT "a FETCH 2 BODY[]\r\na FETCH 1 (BODY.PEEK[]<173.100> BODY[]<500.1> RFC822.SIZE)\r\n"
            "a FETCH 2:3 (RFC822.HEADER RFC822.TEXT)\r\na FETCH 2 RFC822\r\n"
            "a FETCH 1 (BODY.PEEK[HEADER.FIELDS (subject \"TO\" \"a b\")] "
            "BODY[HEADER.FIELDS.NOT (Date From To)]<2.7>)\r\n"
            "a FETCH 3 BODY.PEEK[HEADER.FIELDS (None)]\r\n"
            "a FETCH 1 (BODY[1] BODY[1.MIME] BODY[2.HEADER] BODY[2.TEXT] BODY[1.HEADER] BODY[9] "
            "BODY[2.1] BODY[2.HEADER.FIELDS (FROM SUBJECT)])\r\n",
     HELLO OPEN
     "* 2 FETCH (BODY[] {21}\r\nSubject: two\r\n\r\nbody2 FLAGS (\\Seen))\r\na OK done\r\n"
     "* 1 FETCH (BODY[]<173> {10}\r\no\r\nWorld\r\n BODY[]<500> \"\" RFC822.SIZE 183)\r\na OK "
     "done\r\n"
     "* 2 FETCH (RFC822.HEADER {16}\r\nSubject: two\r\n\r\n RFC822.TEXT {5}\r\nbody2)\r\n"
     "* 3 FETCH (RFC822.HEADER {20}\r\nX: y\r\nSubject: 3\r\n\r\n RFC822.TEXT \"\" "
     "FLAGS (\\Flagged \\Seen \\Recent))\r\na OK done\r\n"
     "* 2 FETCH (RFC822 {21}\r\nSubject: two\r\n\r\nbody2)\r\na OK done\r\n"
     "* 1 FETCH (BODY[HEADER.FIELDS (subject TO \"a b\")] {80}\r\n"
     "Subject: IMAP4rev1 WG mtg\r\n summary and minutes\r\nTo: imap@cac.washington.edu\r\n\r\n "
     "BODY[HEADER.FIELDS.NOT (Date From To)]<2> {7}\r\nbject: )\r\na OK done\r\n"
     "* 3 FETCH (BODY[HEADER.FIELDS (None)] {2}\r\n\r\n)\r\na OK done\r\n"
     "* 1 FETCH (BODY[1] {20}\r\nDT)\r\nFrom: Terry Gra BODY[1.MIME] {20}\r\n"
     "96 02:23:25 -0700 (P BODY[2.HEADER] {32}\r\ngton.edu>\r\nSubject: IMAP4rev1 WG "
     "BODY[2.TEXT] {10}\r\n mtg\r\n sum BODY[1.HEADER] NIL BODY[9] NIL BODY[2.1] NIL "
     "BODY[2.HEADER.FIELDS (FROM SUBJECT)] {25}\r\nSubject: IMAP4rev1 WG\r\n\r\n)\r\na OK done\r\n",
     ""},
    {"items that are none",
     SELECT "a FETCH 1 (ALL)\r\na FETCH 1 (FLAGS UID\r\na FETCH 0 FLAGS\r\na FETCH 1 ()\r\n"
            "a FETCH 1 BODY[MIME]\r\na FETCH 1 BODY[1.]\r\na FETCH 1 BODY[0]\r\n"
            "a FETCH 1 BODY[]<0.0>\r\na FETCH 1 BODY[HEADER.FIELDS ()]\r\na FETCH 1\r\n"
            "a FETCH 4 FLAGS\r\na FETCH 1,,2 FLAGS\r\na FETCH *:4 FLAGS\r\n",
     HELLO OPEN "a BAD what was that\r\na BAD what was that\r\na BAD what was that\r\n"
                "a BAD what was that\r\na BAD what was that\r\na BAD what was that\r\n"
                "a BAD what was that\r\na BAD what was that\r\na BAD what was that\r\n"
                "a BAD what was that\r\na BAD no such message\r\na BAD what was that\r\n"
                "a BAD no such message\r\n",
     ""},
    {"UIDs",
     SELECT "a UID FETCH 1:* (FLAGS)\r\na UID FETCH 4:6 (UID RFC822.SIZE)\r\n"
            "a UID FETCH 100:* UID\r\na UID FETCH 100 UID\r\na FETCH *,1 UID\r\n"
            "a UID STORE 5 +FLAGS ($Work)\r\na UID STORE 5 -FLAGS.SILENT (\\Seen)\r\n"
            "a UID SEARCH ALL\r\na UID SEARCH UID 5:9 NOT 2\r\na UID COPY 3:* Sent\r\n",
     HELLO OPEN
     "* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 FETCH (UID 5 FLAGS ())\r\n"
     "* 3 FETCH (UID 9 FLAGS (\\Flagged \\Recent))\r\na OK done\r\n"
     "* 2 FETCH (UID 5 RFC822.SIZE 21)\r\na OK done\r\n* 3 FETCH (UID 9)\r\na OK done\r\n"
     "a OK done\r\n* 1 FETCH (UID 3)\r\n* 3 FETCH (UID 9)\r\na OK done\r\n"
     "* 2 FETCH (UID 5 FLAGS ($Work))\r\na OK done\r\na OK done\r\n* SEARCH 3 5 9\r\na OK done\r\n"
     "* SEARCH 9\r\na OK done\r\na OK [COPYUID 7 3,5,9 100:102] copied\r\n",
     ""},
    {"STORE",
     SELECT "a STORE 2 FLAGS (\\Seen Later)\r\na STORE 1:2 -FLAGS \\Seen\r\n"
            "a STORE 1 +FLAGS.SILENT (\\Draft)\r\na STORE 1 FLAGS \\Foo\r\n"
            "a STORE 1 FLAG ()\r\na STORE 1 FLAGS \\Deleted \\Seen\r\n",
     HELLO OPEN "* 2 FETCH (FLAGS (\\Seen Later))\r\na OK done\r\n* 1 FETCH (FLAGS ())\r\n"
                "* 2 FETCH (FLAGS (Later))\r\na OK done\r\na OK done\r\na BAD what was that\r\n"
                "a BAD what was that\r\n* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\na OK done\r\n",
     ""},
    {"what goes, and when it is told",
     SELECT "a STORE 1,3 +FLAGS.SILENT (\\Deleted)\r\na UID EXPUNGE 9\r\na NOOP\r\na EXPUNGE\r\n"
            "a MOVE 1 nowhere\r\na MOVE 1 Sent\r\na SEARCH ALL\r\na COPY 1 Sent\r\n"
            "a UID COPY 1 Sent\r\na UNSELECT\r\n",
     HELLO OPEN "a OK done\r\n* 3 EXPUNGE\r\na OK done\r\na OK done\r\n* 1 EXPUNGE\r\na OK done\r\n"
                "a NO [TRYCREATE] no such mailbox\r\n* OK [COPYUID 7 5 100] moved\r\n"
                "* 1 EXPUNGE\r\na OK done\r\n* SEARCH\r\na OK done\r\na BAD no such message\r\n"
                "a OK there were none\r\na OK closed\r\n",
     "leave\n"},
    {"SEARCH",
     SELECT "a SEARCH UNSEEN\r\na SEARCH NEW\r\na SEARCH OLD\r\na SEARCH OR SEEN FLAGGED NOT 3\r\n"
            "a SEARCH CHARSET UTF-8 SUBJECT {3+}\r\ntwo\r\na SEARCH CHARSET KOI8-R ALL\r\n"
            "a SEARCH (UNSEEN) (NOT (2))\r\na SEARCH SINCE 18-Jul-1996 BEFORE \"19-jul-1996\"\r\n"
            "a SEARCH HEADER Subject tw LARGER 5 SMALLER 22 TEXT body2\r\na SEARCH 1:*,2 ALL\r\n"
            "a SEARCH\r\na SEARCH ()\r\na SEARCH NOT\r\na SEARCH OR ALL\r\na SEARCH ALL )\r\n"
            "a SEARCH ON 31-Feb-1996\r\na SEARCH (ALL\r\na SEARCH FOO\r\na SEARCH 4\r\n",
     HELLO OPEN
     "* SEARCH 2 3\r\na OK done\r\n* SEARCH 3\r\na OK done\r\n* SEARCH 1 2\r\na OK done\r\n"
     "* SEARCH 1\r\na OK done\r\n* SEARCH 2\r\na OK done\r\n"
     "a NO [BADCHARSET (US-ASCII UTF-8)] no such charset here\r\n* SEARCH 3\r\na OK done\r\n"
     "* SEARCH 2\r\na OK done\r\n* SEARCH 2\r\na OK done\r\n* SEARCH 1 2 3\r\na OK done\r\n"
     "a BAD what was that\r\na BAD what was that\r\na BAD what was that\r\n"
     "a BAD what was that\r\na BAD what was that\r\na BAD what was that\r\n"
     "a BAD what was that\r\na BAD what was that\r\n* SEARCH\r\na OK done\r\n",
     ""},
    {"IDLE", IN "a IDLE\r\nDONE\r\nb IDLE\r\nNOOP\r\ns SELECT INBOX\r\nc IDLE\r\ndone\r\n",
     HELLO LOGGED
     "+ waiting for news, DONE ends it\r\na OK done\r\n"
     "+ waiting for news, DONE ends it\r\nb BAD DONE ends IDLE\r\n" BOX
     "s OK [READ-WRITE] it is open\r\n+ waiting for news, DONE ends it\r\nc OK done\r\n",
     ""},
    {"mbsync: literals without waiting, UIDs only",
     "1 LOGIN {3+}\r\nbob {7+}\r\nhun\"gry\r\n2 SELECT \"INBOX\"\r\n3 UID FETCH 1:* (UID FLAGS)\r\n"
     "4 UID FETCH 5 (BODY.PEEK[])\r\n5 UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\n6 CLOSE\r\n"
     "7 LOGOUT\r\n",
     HELLO "1 OK [" CAPS "] logged in\r\n" BOX "2 OK [READ-WRITE] it is open\r\n"
           "* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 FETCH (UID 5 FLAGS ())\r\n"
           "* 3 FETCH (UID 9 FLAGS (\\Flagged \\Recent))\r\n3 OK done\r\n"
           "* 2 FETCH (UID 5 BODY[] {21}\r\nSubject: two\r\n\r\nbody2)\r\n4 OK done\r\n"
           "5 OK done\r\n6 OK closed\r\n* BYE good bye\r\n7 OK good bye\r\n",
     "leave\n"},
};

static void
fill(struct imap_play *t)
{
	t->n = 0;
	imap_play_message(t, 3, IMAP_SEEN, mailbox[0]);
	imap_play_message(t, 5, 0, mailbox[1]);
	imap_play_message(t, 9, IMAP_FLAGGED, mailbox[2]);
	t->folders = folders;
	t->folders_n = COUNT(folders);
	t->parts = parts;
	t->parts_n = COUNT(parts);
}

static void
check(struct bytes said, const char *name, const char *wanted)
{
	if (!bytes_eq(said, bytes_of(wanted)))
		printf("%s:\n%.*s---\n%s", name, (int)said.n, (const char *)said.p, wanted);
	assert_true(bytes_eq(said, bytes_of(wanted)));
}

static void
talks_at_every_cut(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 1; cut <= strlen(talks[i].client); cut++) {
			t.piece = cut;
			t.room = IMAP_REPLY_MAX + cut % 7;
			fill(&t);
			imap_play(&t, bytes_of(talks[i].client), cut);
			check(imap_play_said(&t), talks[i].name, talks[i].server);
			check(imap_play_did_all(&t), talks[i].name, talks[i].did);
		}
}

/* Each question refused in each way that it may be. */
static const struct {
	enum imap_want question;
	enum imap_answer answer;
	const char *client, *server;
} refusals[] = {
    {IMAP_NONCE, IMAP_TEMP, "a AUTHENTICATE PLAIN\r\n",
     "a NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_FOLDERS, IMAP_TEMP, SELECT "a LIST \"\" *\r\n",
     OPEN "a NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_FOLDER, IMAP_EXISTS, SELECT "a CREATE b\r\n",
     OPEN "a NO [ALREADYEXISTS] there is one of that name\r\n"},
    {IMAP_FOLDER, IMAP_CANNOT, SELECT "a DELETE INBOX\r\n",
     OPEN "a NO [CANNOT] not with a mailbox of that name\r\n"},
    {IMAP_FOLDER, IMAP_FULL, SELECT "a CREATE b\r\n", OPEN "a NO [LIMIT] no more mailboxes\r\n"},
    {IMAP_STATE, IMAP_ABSENT, SELECT "a STATUS b (UNSEEN)\r\n",
     OPEN "a NO [NONEXISTENT] no such mailbox\r\n"},
    {IMAP_OPEN, IMAP_TEMP, IN "a SELECT b\r\na CHECK\r\n",
     LOGGED "a NO [UNAVAILABLE] not now, try again later\r\na BAD SELECT first\r\n"},
    {IMAP_SYNC, IMAP_TEMP, SELECT "a NOOP\r\n", OPEN "a OK done\r\n"},
    {IMAP_SYNC, IMAP_GONE, SELECT "a NOOP\r\na NOOP\r\n", OPEN "* BYE the mailbox was removed\r\n"},
    {IMAP_BEGIN, IMAP_FULL, SELECT "a APPEND b {3+}\r\nabc\r\na APPEND b {3}\r\nb NOOP\r\n",
     OPEN "a NO [OVERQUOTA] no room for it\r\na NO [OVERQUOTA] no room for it\r\nb OK done\r\n"},
    {IMAP_PIECE, IMAP_FULL, SELECT "a APPEND b {3}\r\nabc\r\nb NOOP\r\n",
     OPEN "+ go on\r\na NO [OVERQUOTA] no room for it\r\nb OK done\r\n"},
    {IMAP_COMMIT, IMAP_ABSENT, SELECT "a APPEND b {3}\r\nabc\r\nb NOOP\r\n",
     OPEN "+ go on\r\na NO [TRYCREATE] no such mailbox\r\nb OK done\r\n"},
    {IMAP_RESOLVE, IMAP_TEMP, SELECT "a FETCH 1 FLAGS\r\n",
     OPEN "a NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_RESOLVE, IMAP_FULL, SELECT "a STORE 1 FLAGS x\r\n",
     OPEN "a NO [LIMIT] no more keywords in this mailbox\r\n"},
    {IMAP_ROW, IMAP_TEMP, SELECT "a FETCH 1 FLAGS\r\n",
     OPEN "a NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_STRUCTURE, IMAP_GONE, SELECT "a FETCH 2 (ENVELOPE BODY UID)\r\n",
     OPEN "* 2 FETCH (ENVELOPE NIL BODY NIL UID 5)\r\n"
          "a NO [EXPUNGEISSUED] some of these messages are gone\r\n"},
    {IMAP_PART, IMAP_TEMP, SELECT "a FETCH 1 (BODY[1] UID)\r\n",
     OPEN "* 1 FETCH (BODY[1] NIL UID 3)\r\na NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_OCTETS, IMAP_GONE,
     SELECT "a FETCH 1 (BODY[] UID BODY[HEADER.FIELDS (TO)] BODY[TEXT]<99.9>)\r\n",
     OPEN "* 1 FETCH (BODY[] NIL UID 3 BODY[HEADER.FIELDS (TO)] NIL BODY[TEXT]<99> \"\")\r\n"
          "a NO [EXPUNGEISSUED] some of these messages are gone\r\n"},
    {IMAP_FIND, IMAP_TEMP, SELECT "a SEARCH ALL\r\n",
     OPEN "a NO [UNAVAILABLE] not now, try again later\r\n"},
    {IMAP_FIND, IMAP_NUMBER, SELECT "a SEARCH 9\r\n", OPEN "a BAD no such message\r\n"},
    {IMAP_TAKE, IMAP_FULL, SELECT "a COPY 1 b\r\n", OPEN "a NO [OVERQUOTA] no room for it\r\n"},
    {IMAP_REMOVE, IMAP_TEMP, SELECT "a CLOSE\r\na NOOP\r\na EXPUNGE\r\n",
     OPEN "a NO [UNAVAILABLE] not now, try again later\r\na OK done\r\n"
          "a NO [UNAVAILABLE] not now, try again later\r\n"},
};

static void
refusals_of_the_driver(void **state)
{
	static struct imap_play t;
	char said[4096];

	(void)state;
	imap_play_init(&t);
	t.bare = true;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		fill(&t);
		t.refuse = refusals[i].question;
		t.with = refusals[i].answer;
		imap_play(&t, bytes_of(refusals[i].client), 1000);
		snprintf(said, sizeof(said), HELLO "%s", refusals[i].server);
		check(imap_play_said(&t), refusals[i].client, said);
	}
}

/* What a row does not bring is asked for. */
static void
structure_is_asked_for(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	fill(&t);
	t.bare = true;
	imap_play(&t, BYTES(SELECT "a FETCH 2 (UID ENVELOPE BODY BODYSTRUCTURE)\r\n"), 7);
	check(imap_play_said(&t), "structure",
	      HELLO OPEN
	      "* 2 FETCH (UID 5 ENVELOPE (e) BODY (b) BODYSTRUCTURE (s))\r\na OK done\r\n");
}

/* ---- by hand ---- */

struct hand {
	struct imap_play play;
	struct rd in;
	uint8_t room[64 * 1024];
	struct wr out;
};

static struct hand hand;

/* Logs in and opens the mailbox; what is said from here on is kept. */
static void
take_in_hand(const char *client)
{
	enum imap_want want;

	imap_play_init(&hand.play);
	fill(&hand.play);
	hand.play.said = wr_of(hand.play.said_room, sizeof(hand.play.said_room));
	hand.play.did = wr_of(hand.play.did_room, sizeof(hand.play.did_room));
	hand.play.p = imap_new(&hand.play.conf, true, false);
	imap_play_turn(&hand.play, BYTES(SELECT), &want);
	assert_int_equal(want, IMAP_INPUT);
	hand.in = rd_of(bytes_of(client));
	hand.out = wr_of(hand.room, sizeof(hand.room));
}

static enum imap_want
step(void)
{
	return imap_step(hand.play.p, &hand.in, &hand.out);
}

static void
said(const char *wanted)
{
	check(wr_since(&hand.out, hand.room), "by hand", wanted);
	hand.out = wr_of(hand.room, sizeof(hand.room));
}

static void
let_go(void)
{
	imap_free(hand.play.p);
	hand.play.p = NULL;
}

static void
idle_tells_what_comes(void **state)
{
	const struct bytes more[] = {BYTES("$Work"), BYTES("Later"), BYTES("New")};
	struct imap_row row = {.number = 2, .uid = 5, .flags = IMAP_SEEN, .keywords = 4};
	struct imap_update exists = {.what = IMAP_NEWS_EXISTS, .number = 4, .recent = 2};
	struct imap_update gone = {.what = IMAP_NEWS_EXPUNGE, .number = 1};
	struct imap_update words = {.what = IMAP_NEWS_KEYWORDS, .keywords = more, .keywords_n = 3};
	struct imap_update flags = {.what = IMAP_NEWS_FLAGS, .row = &row};

	(void)state;
	take_in_hand("a IDLE\r\n");
	assert_int_equal(step(), IMAP_SYNC);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_WAIT);
	assert_int_equal(step(), IMAP_WAIT);
	said("+ waiting for news, DONE ends it\r\n");
	imap_changed(hand.play.p);
	assert_int_equal(step(), IMAP_SYNC);
	assert_true(imap_may_expunge(hand.play.p));
	assert_true(imap_update(hand.play.p, &gone, &hand.out));
	assert_true(imap_update(hand.play.p, &exists, &hand.out));
	assert_true(imap_update(hand.play.p, &words, &hand.out));
	assert_true(imap_update(hand.play.p, &flags, &hand.out));
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_WAIT);
	said("* 1 EXPUNGE\r\n* 4 EXISTS\r\n* 2 RECENT\r\n* FLAGS (" FLAGS " New)\r\n"
	     "* OK [PERMANENTFLAGS (" FLAGS " New \\*)] these stay\r\n"
	     "* 2 FETCH (UID 5 FLAGS (\\Seen New))\r\n");
	hand.in = rd_of(BYTES("DONE\r\nb FETCH 2 FLAGS\r\nc UID FETCH 2 FLAGS\r\n"));
	assert_int_equal(step(), IMAP_SYNC);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_RESOLVE);
	assert_false(imap_may_expunge(hand.play.p));
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_ROW);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_SYNC);
	assert_false(imap_may_expunge(hand.play.p));
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_RESOLVE);
	assert_true(imap_may_expunge(hand.play.p));
	let_go();
}

/* A failure behind the first octet of a literal can only close. */
static void
a_literal_that_fails_halfway_closes(void **state)
{
	struct imap_row row;

	(void)state;
	take_in_hand("a FETCH 1 BODY.PEEK[]\r\n");
	assert_int_equal(step(), IMAP_RESOLVE);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_ROW);
	row = imap_play_row(&hand.play, 0);
	imap_row(hand.play.p, &row);
	assert_int_equal(step(), IMAP_OCTETS);
	assert_int_equal(imap_octets(hand.play.p, BYTES("half"), &hand.out), 4);
	assert_int_equal(imap_offset(hand.play.p), 4);
	assert_int_equal(step(), IMAP_OCTETS);
	imap_answer(hand.play.p, IMAP_GONE);
	assert_int_equal(step(), IMAP_CLOSE);
	said("* 1 FETCH (BODY[] {183}\r\nhalf");
	let_go();
}

static void
the_end_is_said_between_replies_only(void **state)
{
	struct imap_row row;

	(void)state;
	take_in_hand("a NOOP");
	assert_int_equal(step(), IMAP_INPUT);
	imap_end(hand.play.p);
	assert_int_equal(step(), IMAP_CLOSE);
	said("* BYE [UNAVAILABLE] going down, come back later\r\n");
	let_go();

	take_in_hand("a APPEND b {2+}\r\nhi\r\n"); /* what was made durable is told first */
	assert_int_equal(step(), IMAP_BEGIN);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_PIECE);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_COMMIT);
	imap_end(hand.play.p);
	assert_int_equal(step(), IMAP_COMMIT);
	imap_appended(hand.play.p, 1, 2);
	assert_int_equal(step(), IMAP_SYNC);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_CLOSE);
	said("a OK [APPENDUID 1 2] it is there\r\n* BYE [UNAVAILABLE] going down, come back "
	     "later\r\n");
	let_go();

	take_in_hand("a FETCH 1:2 (UID BODY.PEEK[])\r\n");
	assert_int_equal(step(), IMAP_RESOLVE);
	imap_answer(hand.play.p, IMAP_OK);
	assert_int_equal(step(), IMAP_ROW);
	row = imap_play_row(&hand.play, 1);
	imap_row(hand.play.p, &row);
	assert_int_equal(step(), IMAP_OCTETS);
	imap_end(hand.play.p);
	assert_int_equal(step(), IMAP_OCTETS); /* the response is finished */
	assert_int_equal(imap_octets(hand.play.p, bytes_of(mailbox[1]), &hand.out), 21);
	assert_int_equal(step(), IMAP_ROW);
	assert_int_equal(step(), IMAP_CLOSE);
	said("* 2 FETCH (UID 5 BODY[] {21}\r\nSubject: two\r\n\r\nbody2)\r\n"
	     "* BYE [UNAVAILABLE] going down, come back later\r\n");
	let_go();
}

/* Between commands a session is its struct alone. */
static void
an_idle_session_is_small(void **state)
{
	enum imap_want want;

	(void)state;
	take_in_hand("");
	assert_true(imap_memory(hand.play.p) < 1024);
	imap_play_turn(&hand.play, BYTES("a SEARCH OR SUBJECT x BODY y\r\nb IDLE"), &want);
	assert_true(hand.play.peak > 1024);
	imap_play_turn(&hand.play, BYTES("\r\nDONE\r\n"), &want);
	assert_int_equal(want, IMAP_INPUT);
	assert_true(imap_memory(hand.play.p) < 1024);
	let_go();
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_at_every_cut),
	    cmocka_unit_test(refusals_of_the_driver),
	    cmocka_unit_test(structure_is_asked_for),
	    cmocka_unit_test(idle_tells_what_comes),
	    cmocka_unit_test(a_literal_that_fails_halfway_closes),
	    cmocka_unit_test(the_end_is_said_between_replies_only),
	    cmocka_unit_test(an_idle_session_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
