/* convert.c - messages made fit for 7 bits. */
#include "mail/convert.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
parse(struct mime *m, struct bytes b)
{
	mime_init(m, MIME_MEMORY);
	mime_feed(m, b);
	mime_done(m);
}

static const struct {
	const char *name, *before, *after;
	enum convert_plan plan;
} cases[] = {
    {"7 bits stay", "a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n", CONVERT_NOTHING},
    {"so does a wrong label", "Content-Transfer-Encoding: 8bit\r\n\r\nc\r\n",
     "Content-Transfer-Encoding: 8bit\r\n\r\nc\r\n", CONVERT_NOTHING},
    {"without MIME", "Subject: x\r\n\r\nh\344llo\r\n",
     "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\nh=E4llo\r\n",
     CONVERT_NEEDED},
    {"without a header", "\344",
     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4",
     CONVERT_NEEDED},
    {"text",
     "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
     "content-transfer-encoding :\r\n\t8bit\r\nX: y\r\n\r\n\303\244=\r\n",
     "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nX: y\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4=3D\r\n",
     CONVERT_NEEDED},
    {"others",
     "MIME-Version: 1.0\r\nContent-Type: image/x\r\n"
     "Content-Transfer-Encoding: binary\r\n\r\n\377\376\375",
     "MIME-Version: 1.0\r\nContent-Type: image/x\r\n"
     "Content-Transfer-Encoding: base64\r\n\r\n//79\r\n",
     CONVERT_NEEDED},
    {"parts",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
     "Content-Type: multipart/mixed; boundary=b\r\n\r\n\344\r\n--b\r\n\r\n\344\r\n"
     "--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n7bit\r\n"
     "--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\344\r\n"
     "--b--\r\n\344",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
     "Content-Transfer-Encoding: 7bit\r\n\r\n?\r\n--b\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4\r\n"
     "--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n7bit\r\n"
     "--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n5A==\r\n"
     "--b--\r\n?",
     CONVERT_NEEDED},
    {"a part without a header",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
     "--b\r\n\344\r\n--b--",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
     "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4\r\n--b--",
     CONVERT_NEEDED},
    {"a message",
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\n\r\n\344\r\n",
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
     "Content-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4\r\n",
     CONVERT_NEEDED},
    {"quoted-printable with 8 bits",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\344=\r\nx\r\n",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nA=E4x\r\n",
     CONVERT_NEEDED},
    {"signed",
     "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\n\r\n\344\r\n--b--\r\n",
     "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\n\r\n\344\r\n--b--\r\n",
     CONVERT_SIGNED},
    {"a header", "MIME-Version: 1.0\r\nSubject: \344\r\n\r\n\344\r\n",
     "MIME-Version: 1.0\r\nSubject: \344\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4\r\n",
     CONVERT_IMPOSSIBLE},
    {"what may not be encoded",
     "MIME-Version: 1.0\r\nContent-Type: message/partial\r\n\r\n\344\r\n",
     "MIME-Version: 1.0\r\nContent-Type: message/partial\r\n\r\n\344\r\n", CONVERT_IMPOSSIBLE},
    {"an unknown encoding", "MIME-Version: 1.0\r\nContent-Transfer-Encoding: x\r\n\r\n\344\r\n",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: x\r\n\r\n\344\r\n", CONVERT_IMPOSSIBLE},
    {"nothing", "", "", CONVERT_NOTHING},
};

static void
messages_are_made_fit(void **state)
{
	uint8_t room[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes before = bytes_of(cases[i].before);
		struct mime m;

		parse(&m, before);
		if (convert_plan(&m) != cases[i].plan)
			print_error("%s\n", cases[i].name);
		assert_int_equal(convert_plan(&m), cases[i].plan);
		for (size_t cut = 1; cut <= before.n + 1; cut++) {
			struct wr all = wr_of(room, sizeof(room) - 1), w;
			struct convert c;
			bool done = false;

			convert_init(&c, &m);
			for (size_t at = 0; !done; at += cut) {
				size_t from = at < before.n ? at : before.n;
				size_t n = before.n - from < cut ? before.n - from : cut;
				struct rd in = rd_of((struct bytes){before.p + from, n});

				do {
					w = wr_of(all.p, CONVERT_ROOM);
					done = convert_step(&c, &in, &w);
					assert_false(w.full);
					all.p = w.p;
				} while (rd_left(&in));
			}
			*all.p = 0;
			if (strcmp((const char *)room, cases[i].after) != 0)
				print_error("%s, cut %zu\n", cases[i].name, cut);
			assert_string_equal((const char *)room, cases[i].after);
		}
		mime_fini(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_are_made_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
