/*
 * attack_131_ftp.c - what a stranger says to the control connection: other hosts and low ports as
 * the place for data (131), passwords in clear (92), commands before TLS (84), an HTTP request
 * (46), SITE commands, line ends and Telnet in names (136), patterns that explode (134).
 */
#include "../play_ftp.h"
#include "proto/ftp_glob.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define LOGIN "USER bob\r\nPASS hungry\r\n"

static struct ftp_play t;

static bool
said(const char *text)
{
	struct bytes b = ftp_play_said(&t);

	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static size_t
count(const char *text)
{
	struct bytes b = ftp_play_said(&t);
	size_t n = 0;

	for (const uint8_t *p = b.p; (p = memmem(p, (size_t)(b.p + b.n - p), text, strlen(text)));
	     p++)
		n++;
	return n;
}

static void
play(const char *client)
{
	ftp_play_init(&t);
	ftp_play(&t, bytes_of(client), 11);
}

static void
attack_131_third_hosts_and_low_ports(void **state)
{
	static const char *const bad[] = {
	    "PORT 192,0,2,10,4,1", /* another host */
	    "PORT 127,0,0,1,4,1",
	    "PORT 192,0,2,9,3,255", /* 1023 */
	    "PORT 192,0,2,9,0,25",
	    "PORT 192,0,2,9,0,0",
	    "PORT 0,0,0,0,4,1",
	    "EPRT |1|192.0.2.10|2000|",
	    "EPRT |1|192.0.2.9|25|",
	    "EPRT |1|192.0.2.9|1023|",
	    "EPRT |1|::ffff:192.0.2.10|2000|",
	};
	char client[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(client, sizeof(client), LOGIN "%s\r\nRETR a.txt\r\nLIST\r\n", bad[i]);
		play(client);
		assert_int_equal(count("\r\n500 Data goes to your own address"), 1);
		assert_int_equal(count("\r\n425 "), 2); /* and no data goes anywhere */
	}
	/* a good one is used once */
	play(LOGIN "PORT 192,0,2,9,4,1\r\nLIST\r\nLIST\r\n");
	assert_int_equal(count("\r\n226 "), 1);
	assert_int_equal(count("\r\n425 "), 1);
	/* and one that was refused does not leave an older one in its place for long */
	play(LOGIN "PORT 192,0,2,9,4,1\r\nABOR\r\nLIST\r\n");
	assert_int_equal(count("\r\n425 "), 1);
}

static void
attack_092_no_password_in_clear(void **state)
{
	(void)state;
	ftp_play_init(&t);
	t.peer.plaintext = false;
	ftp_play(&t, BYTES(LOGIN "LIST\r\n"), 5);
	assert_true(said("\r\n530 TLS first"));
	assert_int_equal(ftp_play_asked(&t).n, 0);
	t.conf.tls = false;
	ftp_play(&t, BYTES("AUTH TLS\r\n" LOGIN), 5);
	assert_true(said("\r\n534 ") && said("\r\n530 No login from there"));
	assert_int_equal(ftp_play_asked(&t).n, 0);
}

static void
attack_084_nothing_of_before_tls(void **state)
{
	const char *client = LOGIN "CWD sub\r\nTYPE I\r\nPASV\r\nAUTH TLS\r\nDELE a.txt\r\n";

	(void)state;
	for (size_t cut = 1; cut <= strlen(client); cut++) {
		ftp_play_init(&t);
		t.after_tls = "PWD\r\nLIST\r\n" LOGIN "PWD\r\nLIST\r\n";
		ftp_play(&t, bytes_of(client), cut);
		assert_int_equal(t.handshakes, 1);
		assert_false(said("250 Done"));
		assert_int_equal(count("\r\n530 Log in first"), 2);
		assert_true(said("257 \"/\" is"));
		assert_int_equal(count("\r\n425 "), 1);
	}
}

static void
attack_046_aliens(void **state)
{
	static const char *const aliens[] = {
	    "GET / HTTP/1.1\r\nUSER bob\r\n",
	    "POST / HTTP/1.1\r\n",
	    "\x16\x03\x01\x02",
	    "SSH-2.0-x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(aliens); i++) {
		play(aliens[i]);
		assert_true(t.closed);
		assert_int_equal(ftp_play_said(&t).n,
		                 strlen("220 files.example.org FTP Stead\r\n"));
	}
}

static void
attack_136_site_and_odd_names(void **state)
{
	static const char *const sites[] = {"EXEC /bin/sh",    "CPFR a.txt",  "CPTO b",
	                                    "CHMOD 777 a.txt", "UTIME a.txt", "",
	                                    "SYMLINK / x"};
	static char line[FTP_LINE_MAX + 64];
	char client[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(sites); i++) {
		snprintf(client, sizeof(client), LOGIN "SITE %s\r\nNOOP\r\n", sites[i]);
		play(client);
		assert_true(said("\r\n504 ") && said("\r\n200 Yes."));
		assert_true(bytes_eq(ftp_play_asked(&t), BYTES("login bob\n")));
	}
	/* what would be another line in a log or a reply is in no name */
	ftp_play_init(&t);
	ftp_play(&t, BYTES(LOGIN "MKD a\r\0\nb\r\n"), 4);
	assert_true(t.closed && !said("257"));
	ftp_play(&t, BYTES(LOGIN "MKD a\r\0b\r\nRNFR \x1b[2J\r\n"), 4);
	assert_int_equal(count("\r\n501 "), 2);
	/* Telnet's octets within a command vanish; IAC twice is one octet of a name */
	ftp_play(&t, BYTES(LOGIN "M\xff\xf1KD \xff\xff\xff\xfb\x01x\r\n"), 4);
	assert_true(said("257 \"/\xff\xffx\" is there now\r\n"));
	assert_true(bytes_eq(ftp_play_asked(&t), BYTES("login bob\nmkdir /\xffx\n")));
	/* a line that is too long ends it, once, at any cut */
	n = (size_t)snprintf(line, sizeof(line), LOGIN "CWD ");
	memset(line + n, 'a', sizeof(line) - n);
	for (size_t cut = 1; cut < 5000; cut += 977) {
		ftp_play(&t, (struct bytes){(uint8_t *)line, sizeof(line)}, cut);
		assert_true(t.closed);
		assert_int_equal(count("\r\n500 "), 1);
	}
}

static void
attack_134_patterns(void **state)
{
	static const char *const bad[] = {
	    "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
	    "*******************************a", "*?*?*?*?*?*?*?*?b"};
	static uint8_t name[255];
	struct ftp_glob g;
	char client[256];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < COUNT(bad); i++) { /* a name is passed once: 255 steps */
		assert_true(ftp_glob_make(&g, bytes_of(bad[i])));
		for (size_t j = 0; j < 200 * 1000; j++)
			assert_int_equal(ftp_glob_match(&g, (struct bytes){name, sizeof(name)}),
			                 bad[i][strlen(bad[i]) - 1] == 'a');
	}
	/* folders are not searched by pattern, and ".." leads nowhere */
	snprintf(client, sizeof(client), LOGIN "PASV\r\nLIST */../*/../*/../*\r\n");
	play(client);
	assert_true(bytes_eq(ftp_play_asked(&t), BYTES("login bob\nLIST I@0 at /\nof *\n")));
	/* braces mean nothing */
	play(LOGIN "PASV\r\nLIST {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}\r\n"
	           "PASV\r\nLIST -lR\r\n");
	assert_int_equal(count("\r\n226 "), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_131_third_hosts_and_low_ports),
	    cmocka_unit_test(attack_092_no_password_in_clear),
	    cmocka_unit_test(attack_084_nothing_of_before_tls),
	    cmocka_unit_test(attack_046_aliens),
	    cmocka_unit_test(attack_136_site_and_odd_names),
	    cmocka_unit_test(attack_134_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
