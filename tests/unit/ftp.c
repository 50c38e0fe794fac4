/* ftp.c - talks with the FTP machine, each in reads of every size. */
#include "../play_ftp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define GREETING "220 files.example.org FTP Stead\r\n"
#define LOGIN    "USER bob\r\nPASS hungry\r\n"
#define LOGGED   "331 And the password?\r\n230 Welcome.\r\n"
#define ASKED    "login bob\n"
#define PASV     "227 Come to (192,0,2,1,195,81).\r\n"
#define DONE     "226 All is there.\r\n"

static const struct {
	const char *name, *client, *server, *asked;
} talks[] = {
    {"by hand, in lower case", "user bob\r\npass hungry\r\npwd\r\nquit\r\n",
     LOGGED "257 \"/\" is the current folder\r\n221 Good bye.\r\n", ASKED},
    {"nothing before a login",
     "PWD\r\nRETR a\r\nPASS x\r\nSTAT /\r\nSITE x\r\nFOO\r\nSYST\r\nNOOP\r\n",
     "530 Log in first: USER, then PASS.\r\n530 Log in first: USER, then PASS.\r\n"
     "503 USER first.\r\n530 Log in first: USER, then PASS.\r\n"
     "530 Log in first: USER, then PASS.\r\n500 Unknown command.\r\n215 UNIX Type: L8\r\n"
     "200 Yes.\r\n",
     ""},
    {"a wrong password, then the right one", "USER bob\r\nPASS x\r\nPASS hungry\r\n" LOGIN,
     "331 And the password?\r\n530 Wrong name or password.\r\n503 USER first.\r\n" LOGGED,
     ASKED ASKED},
    {"three wrong ones end it",
     "USER a\r\nPASS b\r\nUSER a\r\nPASS b\r\nUSER a\r\nPASS b\r\nNOOP\r\n",
     "331 And the password?\r\n530 Wrong name or password.\r\n331 And the password?\r\n"
     "530 Wrong name or password.\r\n331 And the password?\r\n"
     "421 Wrong name or password, closing.\r\n",
     "login a\nlogin a\nlogin a\n"},
    {"who cannot be checked is sent away", "USER bob\r\nPASS later\r\n",
     "331 And the password?\r\n421 Logins cannot be checked now, try again later.\r\n", ASKED},
    {"folders",
     LOGIN "CWD sub\r\nPWD\r\nCWD /sub/\"q\"\r\nXPWD\r\nCDUP\r\nXCUP\r\nCDUP\r\nPWD\r\n"
           "CWD a.txt\r\nCWD none\r\nCWD\r\nCWD ../../../sub/./\"q\"//..\r\nPWD\r\n",
     LOGGED "250 Here we are.\r\n257 \"/sub\" is the current folder\r\n250 Here we are.\r\n"
            "257 \"/sub/\"\"q\"\"\" is the current folder\r\n250 Here we are.\r\n"
            "250 Here we are.\r\n250 Here we are.\r\n257 \"/\" is the current folder\r\n"
            "550 That is no folder.\r\n550 There is no such file or folder.\r\n"
            "501 A name is missing.\r\n250 Here we are.\r\n257 \"/sub\" is the current folder\r\n",
     ASKED "look /sub\nlook /sub/\"q\"\nlook /sub\nlook /\nlook /\nlook /a.txt\nlook /none\n"
           "look /sub\n"},
    {"changes",
     LOGIN "MKD x\"y\r\nXMKD /z\r\nRMD z\r\nXRMD z\r\nDELE a.txt\r\nRNFR a.txt\r\n"
           "RNTO /sub/c\r\nRNTO d\r\nRNFR a.txt\r\nNOOP\r\nRNTO d\r\nRNFR none\r\n"
           "MKD full\r\nDELE\r\n",
     LOGGED "257 \"/x\"\"y\" is there now\r\n257 \"/z\" is there now\r\n250 Done.\r\n250 Done.\r\n"
            "250 Done.\r\n350 And its new name?\r\n250 Done.\r\n503 RNFR first.\r\n"
            "350 And its new name?\r\n200 Yes.\r\n503 RNFR first.\r\n"
            "550 There is no such file or folder.\r\n452 There is no space left.\r\n"
            "501 A name is missing.\r\n",
     ASKED "mkdir /x\"y\nmkdir /z\nrmdir /z\nrmdir /z\ndelete /a.txt\nlook /a.txt\n"
           "rename /a.txt\nto /sub/c\nlook /a.txt\nlook /none\nmkdir /full\n"},
    {"types, structures and modes",
     LOGIN "TYPE A N\r\nTYPE i\r\nTYPE L 8\r\nTYPE E\r\nTYPE\r\nSTRU F\r\nSTRU R\r\nMODE S\r\n"
           "MODE B\r\nALLO 5 R 3\r\nALLO x\r\nACCT me\r\nREIN\r\nSMNT x\r\n",
     LOGGED "200 Type is A.\r\n200 Type is I.\r\n200 Type is I.\r\n"
            "504 A, I and L 8 are what there is.\r\n501 Which type?\r\n200 As ever.\r\n"
            "504 Not here.\r\n200 As ever.\r\n504 Not here.\r\n202 Not needed here.\r\n"
            "501 How many octets?\r\n202 Not needed here.\r\n502 That command is not offered.\r\n"
            "502 That command is not offered.\r\n",
     ASKED},
    {"facts",
     LOGIN "SIZE a.txt\r\nTYPE I\r\nSIZE a.txt\r\nSIZE sub\r\nMDTM a.txt\r\nMLST sub/b\r\n"
           "OPTS MLST size;bogus;Type;\r\nMLST\r\nOPTS MLST\r\nMLST a.txt\r\n"
           "OPTS UTF8 ON\r\nOPTS utf8 off\r\nOPTS X\r\n",
     LOGGED "550 SIZE is for TYPE I.\r\n200 Type is I.\r\n213 5\r\n550 That is no file.\r\n"
            "213 20231114221320\r\n250-What it is:\r\n"
            " type=file;size=70000;modify=20231114221320;perm=adfrw; /sub/b\r\n250 End\r\n"
            "200 MLST OPTS type;size;\r\n250-What it is:\r\n type=dir; /\r\n250 End\r\n"
            "200 MLST OPTS\r\n250-What it is:\r\n  /a.txt\r\n250 End\r\n"
            "200 Names are UTF-8, always.\r\n504 Names are UTF-8, always.\r\n"
            "501 That has no options.\r\n",
     ASKED "look /a.txt\nlook /sub\nlook /a.txt\nlook /sub/b\nlook /\nlook /a.txt\n"},
    {"what there is", "FEAT\r\nHELP retr\r\nHELP rein\r\n",
     "211-What there is:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n EPRT\r\n EPSV\r\n MDTM\r\n"
     " MLST type*;size*;modify*;perm*;\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End\r\n"
     "214 That is a command here.\r\n502 That is no command here.\r\n",
     ""},
    {"passive transfers",
     LOGIN "TYPE I\r\nRETR a.txt\r\nPASV\r\nRETR a.txt\r\nRETR a.txt\r\nEPSV\r\nSTOR new\r\n"
           "EPSV 1\r\nREST 3\r\nRETR a.txt\r\nEPSV\r\nAPPE a.txt\r\nPASV\r\nRETR none\r\nPASV\r\n"
           "STOR full\r\nEPSV 2\r\nEPSV x\r\n",
     LOGGED "200 Type is I.\r\n425 EPSV, PASV, EPRT or PORT first.\r\n" PASV
            "150 Data comes (5 bytes).\r\n" DONE "425 EPSV, PASV, EPRT or PORT first.\r\n"
            "229 Come to (|||50001|)\r\n150 Send it.\r\n" DONE "229 Come to (|||50001|)\r\n"
            "350 From octet 3 on, with RETR or STOR.\r\n150 Data comes (5 bytes).\r\n" DONE
            "229 Come to (|||50001|)\r\n150 Send it.\r\n" DONE PASV
            "550 There is no such file or folder.\r\n" PASV "452 There is no space left.\r\n"
            "522 Use (1).\r\n501 Which protocol?\r\n",
     ASKED "RETR I@0 at /a.txt\nSTOR I@0 at /new\nRETR I@3 at /a.txt\nAPPE I@0 at /a.txt\n"
           "RETR I@0 at /none\nSTOR I@0 at /full\n"},
    {"active transfers",
     LOGIN "PORT 192,0,2,9,4,1\r\nNLST\r\nEPRT |1|192.0.2.9|1025|\r\nLIST sub\r\n"
           "EPRT |2|2001:db8::1|1025|\r\nEPRT 1192.0.2.911025\r\nPORT 1,2,3\r\n"
           "PORT 192,0,2,9,4,1,7\r\nPORT 256,0,2,9,4,1\r\nEPRT\r\n",
     LOGGED "200 There, then.\r\n150 The listing comes.\r\n" DONE
            "200 There, then.\r\n150 The listing comes.\r\n" DONE "522 Use (1).\r\n"
            "501 EPRT |1|h.h.h.h|port|\r\n501 PORT h,h,h,h,p,p\r\n501 PORT h,h,h,h,p,p\r\n"
            "501 PORT h,h,h,h,p,p\r\n501 EPRT |1|h.h.h.h|port|\r\n",
     ASKED "NLST I active@0 at /\nLIST I active@0 at /sub\n"},
    {"only EPSV",
     LOGIN "EPSV ALL\r\nPASV\r\nPORT 192,0,2,9,4,1\r\nEPRT |1|192.0.2.9|1025|\r\nEPSV\r\n",
     LOGGED "200 Only EPSV from now on.\r\n501 You said EPSV ALL.\r\n501 You said EPSV ALL.\r\n"
            "501 You said EPSV ALL.\r\n229 Come to (|||50001|)\r\n",
     ASKED},
    {"listings",
     LOGIN "PASV\r\nLIST -la\r\nPASV\r\nLIST -a sub\r\nPASV\r\nNLST sub/*.c\r\nPASV\r\n"
           "MLSD /sub\r\nPASV\r\nMLSD -a\r\n",
     LOGGED PASV "150 The listing comes.\r\n" DONE PASV "150 The listing comes.\r\n" DONE PASV
                 "150 The listing comes.\r\n" DONE PASV "150 The listing comes.\r\n" DONE PASV
                 "150 The listing comes.\r\n" DONE,
     ASKED "LIST I@0 at /\nLIST I@0 at /sub\nNLST I@0 at /sub\nof *.c\nMLSD I@0 at /sub\n"
           "MLSD I@0 at /-a\n"},
    {"text",
     LOGIN "PASV\r\nRETR a.txt\r\nREST 5\r\nTYPE I\r\nREST x\r\nREST 9223372036854775807\r\n"
           "REST 9223372036854775808\r\n",
     LOGGED PASV "150 Data comes (5 bytes).\r\n" DONE "501 REST is for TYPE I.\r\n"
                 "200 Type is I.\r\n501 From which octet on?\r\n"
                 "350 From octet 9223372036854775807 on, with RETR or STOR.\r\n"
                 "501 From which octet on?\r\n",
     ASKED "RETR A@0 at /a.txt\n"},
    {"a name of our making", LOGIN "PASV\r\nSTOU\r\nPASV\r\nSTOU\r\n",
     LOGGED PASV "150 FILE: stou-0000000000000abc\r\n" DONE PASV
                 "150 FILE: stou-0000000000000abd\r\n" DONE,
     ASKED "STOR A@0 at /stou-0000000000000abc\nSTOR A@0 at /stou-0000000000000abd\n"},
    {"a transfer is looked at and stopped",
     LOGIN
     "TYPE I\r\nPASV\r\nRETR hold\r\nSTAT\r\nABOR\r\nPASV\r\nSTOR hold\r\nABOR\r\nNOOP\r\nABOR\r\n",
     LOGGED "200 Type is I.\r\n" PASV "150 Data comes (9 bytes).\r\n"
            "213-Stead at files.example.org:\r\n logged in\r\n"
            " control connection in clear, data connections in clear\r\n TYPE I; STRU F; MODE S\r\n"
            " 3 octets have been transferred\r\n213 End\r\n"
            "426 Stopped, as you said.\r\n226 ABOR is done.\r\n" PASV "150 Send it.\r\n"
            "426 Stopped, as you said.\r\n226 ABOR is done.\r\n200 Yes.\r\n"
            "226 There was nothing to stop.\r\n",
     ASKED "RETR I@0 at /hold\nstop /hold\nSTOR I@0 at /hold\nstop /hold\n"},
    {"others wait for its end", LOGIN "TYPE I\r\nPASV\r\nRETR hold\r\nPWD\r\nABOR\r\n",
     LOGGED "200 Type is I.\r\n" PASV "150 Data comes (9 bytes).\r\n", ASKED "RETR I@0 at /hold\n"},
    {"as Telnet has it: IP, Synch, ABOR",
     LOGIN "TYPE I\r\nPASV\r\nRETR hold\r\n\xff\xf4\xff\xf2"
           "ABOR\r\n\xff\xfd\x06NO\xff\xf1OP\r\n"
           "CWD \xff\xff\r\nPWD\r\n",
     LOGGED "200 Type is I.\r\n" PASV "150 Data comes (9 bytes).\r\n"
            "426 Stopped, as you said.\r\n226 ABOR is done.\r\n200 Yes.\r\n250 Here we are.\r\n"
            "257 \"/\xff\xff\" is the current folder\r\n",
     ASKED "RETR I@0 at /hold\nstop /hold\nlook /\xff\n"},
    {"STAT", LOGIN "STAT\r\nSTAT none\r\nSTAT sub\r\n",
     LOGGED "211-Stead at files.example.org:\r\n logged in\r\n"
            " control connection in clear, data connections in clear\r\n"
            " TYPE A; STRU F; MODE S\r\n211 End\r\n550 There is no such file or folder.\r\n"
            "213-What is there:\r\n213 End\r\n",
     ASKED},
    {"no protection without TLS", "PBSZ 0\r\nPROT P\r\nCCC\r\nAUTH KERBEROS\r\nADAT x\r\n",
     "503 AUTH TLS first.\r\n503 AUTH TLS first.\r\n534 The control connection stays protected.\r\n"
     "504 TLS is what there is.\r\n502 That command is not offered.\r\n",
     ""},
    {"no names with control characters", LOGIN "CWD a\tb\r\nMKD a\x1b[2J\r\nSTOR a\x7f\r\n",
     LOGGED "501 There can be no such name.\r\n501 There can be no such name.\r\n"
            "553 There can be no such name.\r\n",
     ASKED},
};

static void
check(struct ftp_play *t, const char *name, size_t cut, const char *said, const char *asked)
{
	struct bytes b = ftp_play_said(t), a = ftp_play_asked(t);
	bool same = bytes_eq(b, bytes_of(said)) && bytes_eq(a, bytes_of(asked));

	if (!same)
		print_message("%s, cut %zu:\n%.*s---\n%s===\n%.*s---\n%s", name, cut, (int)b.n,
		              (const char *)b.p, said, (int)a.n, (const char *)a.p, asked);
	assert_true(same);
}

static void
talks_at_every_cut(void **state)
{
	static struct ftp_play t;
	char said[8192];

	(void)state;
	ftp_play_init(&t);
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 1; cut <= strlen(talks[i].client); cut++) {
			t.room = FTP_REPLY_MAX + cut % 7;
			ftp_play(&t, bytes_of(talks[i].client), cut);
			snprintf(said, sizeof(said), GREETING "%s", talks[i].server);
			check(&t, talks[i].name, cut, said, talks[i].asked);
		}
}

static void
tls(void **state)
{
	static struct ftp_play t;
	const char *client = "AUTH TLS\r\n" LOGIN;

	(void)state;
	ftp_play_init(&t);
	t.peer.plaintext = false;
	t.after_tls = "PROT P\r\nPBSZ 0\r\nPROT P\r\nPROT S\r\nPROT X\r\nAUTH TLS\r\n" LOGIN
		      "PASV\r\nLIST\r\nPROT C\r\nPASV\r\nLIST\r\nCCC\r\n";
	for (size_t cut = 1; cut <= strlen(client); cut++) {
		ftp_play(&t, bytes_of(client), cut);
		/* what came in one read with AUTH came from nobody (attack 84) */
		check(&t, "TLS", cut,
		      GREETING
		      "234 Ready for TLS.\r\n503 PBSZ first.\r\n200 PBSZ=0\r\n"
		      "200 Data is protected.\r\n536 TLS has C and P.\r\n504 C or P?\r\n"
		      "503 TLS is active.\r\n" LOGGED PASV "150 The listing comes.\r\n" DONE
		      "534 Data stays protected.\r\n" PASV "150 The listing comes.\r\n" DONE
		      "534 The control connection stays protected.\r\n",
		      ASKED "LIST I P@0 at /\nLIST I P@0 at /\n");
	}
	t.after_tls = NULL;
	ftp_play(&t, BYTES("USER bob\r\nPASS hungry\r\n"), 99);
	check(&t, "no TLS", 99, GREETING "530 TLS first: AUTH TLS.\r\n503 USER first.\r\n", "");
}

static void
ports_run_out(void **state)
{
	static struct ftp_play t;

	(void)state;
	ftp_play_init(&t);
	t.no_port = true;
	ftp_play(&t, BYTES(LOGIN "PASV\r\nLIST\r\nNOOP\r\n"), 7);
	check(&t, "no port", 7,
	      GREETING LOGGED "425 No port is free for you now, try again later.\r\n"
	                      "425 EPSV, PASV, EPRT or PORT first.\r\n200 Yes.\r\n",
	      ASKED);
}

static void
ipv6(void **state)
{
	static struct ftp_play t;
	const uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	(void)state;
	ftp_play_init(&t);
	memcpy(t.peer.ip, ip, sizeof(ip));
	ftp_play(&t,
	         BYTES(LOGIN "PASV\r\nPORT 192,0,2,9,4,1\r\nEPRT |2|2001:db8::1|2000|\r\nLIST\r\n"
	                     "EPRT |1|192.0.2.9|2000|\r\nEPSV 1\r\nEPSV 2\r\n"),
	         5);
	check(&t, "IPv6", 5,
	      GREETING LOGGED "425 PASV is for IPv4: use EPSV.\r\n"
	                      "500 Data goes to your own address, from port 1024 on.\r\n"
	                      "200 There, then.\r\n150 The listing comes.\r\n" DONE
	                      "522 Use (2).\r\n522 Use (2).\r\n229 Come to (|||50001|)\r\n",
	      ASKED "LIST I active@0 at /\n");
}

static void
bad_lines_end_it(void **state)
{
	static struct ftp_play t;
	static uint8_t line[FTP_LINE_MAX + 2];
	static const char *const bare[] = {"NOOP\nNOOP\r\n", "NO\rOP\r\n", "NOOP\r\r\n"};

	(void)state;
	ftp_play_init(&t);
	for (size_t i = 0; i < COUNT(bare); i++)
		for (size_t cut = 1; cut < 12; cut++) {
			ftp_play(&t, bytes_of(bare[i]), cut);
			check(&t, bare[i], cut, GREETING "500 Lines end with CRLF, closing.\r\n",
			      "");
			assert_true(t.closed);
		}
	/* a CR that is meant is CR NUL (RFC 2640 3.1), and in no name here */
	ftp_play(&t, BYTES(LOGIN "CWD a\r\0b\r\nNOOP\r\n"), 3);
	check(&t, "CR NUL", 3, GREETING LOGGED "501 There can be no such name.\r\n200 Yes.\r\n",
	      ASKED);
	memset(line, 'a', sizeof(line));
	ftp_play(&t, (struct bytes){line, sizeof(line)}, 1000);
	check(&t, "long", 1000, GREETING "500 Line too long, closing.\r\n", "");
	memcpy(line + FTP_LINE_MAX - 2, "\r\n", 2);
	ftp_play(&t, (struct bytes){line, FTP_LINE_MAX}, 1000);
	check(&t, "as long as may be", 1000, GREETING "500 Unknown command.\r\n", "");
}

static void
who_only_errs_is_sent_away(void **state)
{
	static struct ftp_play t;
	static char text[FTP_ERRORS_MAX * 8 + 64];
	size_t n = 0;

	(void)state;
	ftp_play_init(&t);
	n += (size_t)snprintf(text, sizeof(text), LOGIN);
	for (size_t i = 0; i < FTP_ERRORS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "X\r\n");
	ftp_play(&t, (struct bytes){(uint8_t *)text, n}, 9);
	assert_true(t.closed && !t.left);
	ftp_play_init(&t);
	n = 0;
	for (size_t i = 0; i <= FTP_EARLY_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "NOOP\r\n");
	ftp_play(&t, (struct bytes){(uint8_t *)text, n}, 9);
	assert_true(t.closed && !t.left);
}

static void
lines_of_listings(void **state)
{
	const struct {
		struct ftp_transfer what;
		struct ftp_facts facts;
		bool itself;
		const char *line;
	} rows[] = {
	    {{.act = FTP_LIST},
	     {FTP_FILE, 5, 1700000000, BYTES("a b")},
	     false,
	     "-rw-r--r--   1 ftp      ftp                 5 Nov 14 22:13 a b\r\n"},
	    {{.act = FTP_LIST},
	     {FTP_FOLDER, 0, 0, BYTES("d\r\n\x1b")},
	     false,
	     "drwxr-xr-x   1 ftp      ftp              4096 Jan  1  1970 d???\r\n"},
	    {{.act = FTP_NLST}, {FTP_FILE, 5, 0, BYTES("a\nb")}, false, "a?b\r\n"},
	    {{.act = FTP_NLST, .given = BYTES("sub")},
	     {FTP_FILE, 5, 0, BYTES("a")},
	     false,
	     "sub/a\r\n"},
	    {{.act = FTP_NLST, .given = BYTES("sub/")},
	     {FTP_FILE, 5, 0, BYTES("a")},
	     false,
	     "sub/a\r\n"},
	    {{.act = FTP_NLST, .given = BYTES("sub/a")},
	     {FTP_FILE, 5, 0, BYTES("a")},
	     true,
	     "sub/a\r\n"},
	    {{.act = FTP_NLST, .given = BYTES("*.c"), .pattern = BYTES("*.c")},
	     {FTP_FILE, 5, 0, BYTES("a.c")},
	     false,
	     "a.c\r\n"},
	    {{.act = FTP_NLST, .given = BYTES("x/*"), .pattern = BYTES("*")},
	     {FTP_FILE, 5, 0, BYTES("a.c")},
	     false,
	     "x/a.c\r\n"},
	    {{.act = FTP_MLSD, .facts = FTP_FACTS_ALL},
	     {FTP_FILE, UINT64_MAX, UINT64_MAX, BYTES("a")},
	     false,
	     "type=file;size=18446744073709551615;modify=99991231235959;perm=adfrw; a\r\n"},
	    {{.act = FTP_MLSD, .facts = FTP_FACT_TYPE},
	     {FTP_FOLDER, 0, 0, BYTES("d")},
	     false,
	     "type=dir; d\r\n"},
	};
	uint8_t room[FTP_ROW_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct wr w = wr_of(room, sizeof(room));

		ftp_row(&w, &rows[i].what, &rows[i].facts, rows[i].itself, 1700000060);
		assert_int_equal(wr_since(&w, room).n, strlen(rows[i].line));
		assert_memory_equal(room, rows[i].line, strlen(rows[i].line));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_at_every_cut), cmocka_unit_test(tls),
	    cmocka_unit_test(ports_run_out),      cmocka_unit_test(ipv6),
	    cmocka_unit_test(bad_lines_end_it),   cmocka_unit_test(who_only_errs_is_sent_away),
	    cmocka_unit_test(lines_of_listings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
