/* dsn.c - reports byte for byte, and with hostile texts in them. */
#include "queue/dsn.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const char failure[] = "Return-Path: <>\r\n"
			      "From: \"Mail delivery\" <mailer-daemon@mx.example.org>\r\n"
			      "To: <alice@example.org>\r\n"
			      "Subject: Your message could not be delivered\r\n"
			      "Date: Sun, 22 Nov 2026 14:05:16 +0000\r\n"
			      "Message-ID: <1f.abc@mx.example.org>\r\n"
			      "Auto-Submitted: auto-replied\r\n"
			      "MIME-Version: 1.0\r\n"
			      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
			      "\tboundary=\"=_stead_0000000000000abc_000000000000001f\"\r\n"
			      "\r\n"
			      "--=_stead_0000000000000abc_000000000000001f\r\n"
			      "Content-Type: text/plain; charset=us-ascii\r\n"
			      "\r\n"
			      "This is the mail server mx.example.org.\r\n"
			      "\r\n"
			      "Your message could not be delivered to these recipients,\r\n"
			      "and nothing more is tried:\r\n"
			      "\r\n"
			      "  bob@far.example\r\n"
			      "      mx.far.example said: 550 5.1.1 who is that? nobody\r\n"
			      "  eve@far.example\r\n"
			      "      there is no such domain\r\n"
			      "\r\n"
			      "The header of your message is attached.\r\n"
			      "\r\n"
			      "--=_stead_0000000000000abc_000000000000001f\r\n"
			      "Content-Type: message/delivery-status\r\n"
			      "\r\n"
			      "Reporting-MTA: dns; mx.example.org\r\n"
			      "X-Stead-Queue-ID: 1f\r\n"
			      "Arrival-Date: Sun, 22 Nov 2026 14:05:00 +0000\r\n"
			      "\r\n"
			      "Final-Recipient: rfc822; bob@far.example\r\n"
			      "Action: failed\r\n"
			      "Status: 5.1.1\r\n"
			      "Remote-MTA: dns; mx.far.example\r\n"
			      "Diagnostic-Code: smtp; 550 5.1.1 who is that? nobody\r\n"
			      "\r\n"
			      "Final-Recipient: rfc822; eve@far.example\r\n"
			      "Action: failed\r\n"
			      "Status: 5.1.2\r\n"
			      "Diagnostic-Code: x-stead; there is no such domain\r\n"
			      "\r\n"
			      "--=_stead_0000000000000abc_000000000000001f\r\n"
			      "Content-Type: text/rfc822-headers\r\n"
			      "\r\n"
			      "Subject: hello\r\n"
			      " there\r\n"
			      "To: bob@far.example\r\n"
			      "\r\n"
			      "--=_stead_0000000000000abc_000000000000001f--\r\n";

static const struct spool_rcpt two[] = {
    {.status = {5, 1, 1},
     .is_reply = true,
     .address = {(const uint8_t *)"bob@far.example", 15},
     .server = {(const uint8_t *)"mx.far.example", 14},
     .reply = {(const uint8_t *)"550 5.1.1 who is that?\r\nnobody", 30}},
    {.status = {5, 1, 2},
     .address = {(const uint8_t *)"eve@far.example", 15},
     .reply = {(const uint8_t *)"there is no such domain", 23}},
};

static struct dsn
example(void)
{
	return (struct dsn){
	    .host = BYTES("mx.example.org"),
	    .id = 0x1f,
	    .sender = BYTES("alice@example.org"),
	    .created_s = 1795356300,
	    .now_s = 1795356316,
	    .until_s = 1795356316 + 3600,
	    .header = BYTES("Subject: hello\r\n there\r\nTo: bob@far.example\r\n\r\nbody"),
	    .chance = 0xabc,
	    .rcpts = two,
	    .n = 2,
	};
}

static void
a_failure(void **state)
{
	struct buf b = buf_init(DSN_MAX);
	struct dsn d = example();
	uint32_t skip;

	(void)state;
	assert_true(is_ok(dsn_write(&b, &d, &skip)));
	assert_int_equal(skip, 17);
	assert_true(buf_add(&b, (struct bytes){(const uint8_t *)"", 1}));
	assert_string_equal((const char *)buf_bytes(&b).p, failure);
	buf_free(&b);
}

static bool
has(const struct buf *b, const char *text)
{
	return memmem(buf_bytes(b).p, b->n, text, strlen(text)) != NULL;
}

static void
a_delay(void **state)
{
	struct buf b = buf_init(DSN_MAX);
	struct dsn d = example();
	uint32_t skip;

	(void)state;
	d.delay = true;
	assert_true(is_ok(dsn_write(&b, &d, &skip)));
	assert_true(has(&b, "\r\nSubject: Your message is delayed\r\n"));
	assert_true(has(&b, "\r\nAction: delayed\r\n"));
	assert_true(has(&b, "\r\nWill-Retry-Until: Sun, 22 Nov 2026 15:05:16 +0000\r\n"));
	assert_true(has(&b, "It is tried for 1 hours more"));
	assert_false(has(&b, "failed"));
	buf_free(&b);
}

/* A part beyond ASCII makes the whole so (RFC 2045 6.4). */
static void
a_header_beyond_ascii(void **state)
{
	static const char field[] = "Content-Transfer-Encoding: 8bit\r\n\r\n";
	struct buf b = buf_init(DSN_MAX);
	struct dsn d = example();
	struct bytes rest;
	const uint8_t *at;
	uint32_t skip;
	size_t n = 0;

	(void)state;
	d.header = BYTES("Subject: gr\xc3\xbc\xc3\x9f\r\n\r\n");
	assert_true(is_ok(dsn_write(&b, &d, &skip)));
	for (rest = buf_bytes(&b); (at = memmem(rest.p, rest.n, field, strlen(field))); n++)
		rest = (struct bytes){at + 1, (size_t)(rest.p + rest.n - at - 1)};
	assert_int_equal(n, 2);
	buf_free(&b);
}

/* Every line ends in CRLF, is not too long, and has no control character. */
static void
check_lines(const struct buf *b)
{
	struct bytes rest = buf_bytes(b);

	while (rest.n) {
		struct bytes line = text_cut(&rest, '\n');

		assert_true(line.n && line.p[line.n - 1] == '\r');
		assert_true(line.n <= DSN_LINE_MAX + 1);
		for (size_t i = 0; i + 1 < line.n; i++)
			assert_true(line.p[i] != '\r' && line.p[i] != 0);
	}
}

static void
hostile_texts_stay_what_they_are(void **state)
{
	static uint8_t header[3 * DSN_HEADER_MAX], reply[SPOOL_REPLY_MAX];
	const struct spool_rcpt bad[] = {
	    {.status = {9, 255, 1},
	     .is_reply = true,
	     .address = BYTES("a\"b\\c d@far.example"),
	     .server = BYTES("x\r\nAction: delivered\r\n\r\n"),
	     .reply = {reply, sizeof(reply)}},
	    {.is_reply = true,
	     .address = BYTES("b@far.example"),
	     .reply =
	         BYTES("5\r\n--=_stead_0000000000000abc_000000000000001f--\r\n\x00\xff\x1b[2J")},
	};
	struct dsn d = example();

	(void)state;
	memset(reply, 'r', sizeof(reply));
	for (size_t cut = 0; cut < sizeof(header); cut += 997) {
		struct buf b = buf_init(DSN_MAX);
		uint32_t skip;

		for (size_t i = 0; i < sizeof(header); i++)
			header[i] = (uint8_t)(i * 7 + i / 300);
		if (cut > 2)
			memcpy(header + cut - 2, "\r\n", 2);
		d.header = (struct bytes){header, sizeof(header)};
		d.rcpts = bad;
		assert_true(is_ok(dsn_write(&b, &d, &skip)));
		check_lines(&b);
		assert_false(has(&b, "\r\nAction: delivered"));
		assert_false(has(&b, "\x1b["));
		assert_true(b.n < DSN_HEADER_MAX + 8192);
		buf_free(&b);
	}
}

static void
as_many_as_there_can_be(void **state)
{
	static struct spool_rcpt rcpts[SPOOL_RCPTS_MAX];
	struct buf b = buf_init(DSN_MAX);
	struct dsn d = example();
	uint32_t skip;

	(void)state;
	for (size_t i = 0; i < COUNT(rcpts); i++)
		rcpts[i] = two[0];
	d.rcpts = rcpts;
	d.n = COUNT(rcpts);
	assert_true(is_ok(dsn_write(&b, &d, &skip)));
	check_lines(&b);
	buf_free(&b);
	b = buf_init(2000);
	assert_int_equal(dsn_write(&b, &d, &skip).code, ERR_RANGE);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_failure),
	    cmocka_unit_test(a_delay),
	    cmocka_unit_test(a_header_beyond_ascii),
	    cmocka_unit_test(hostile_texts_stay_what_they_are),
	    cmocka_unit_test(as_many_as_there_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
