"""The log: one line an event, whatever strangers say; and no secret in it, ever."""
import json
import os
import re
import unittest

from stead import OneServer, Server, mail_in, needs_root, until

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) "
                  r"[a-z]+\.\d+ [a-z0-9_.]+( [a-z0-9_]+=(\"([^\"\\]|\\.)*\"|[^\s\"]+))*")
SECRETS = ["hunter2-added", "hunter2-changed", "hunter2-imported", "hunter2-wrong", "hunter2-as-name",
           "hunter2-over-tls", "hunter2-without-user", "hunter2-cut-off"]


def strangers(s):
    """All kinds of things that are said to a server, some of them secrets."""
    s.add_user("alice", SECRETS[0])
    s.run("user", "passwd", "alice@example.org", "--password-stdin", input=SECRETS[1] + "\n")
    s.run("user", "import", "-", input="bob@example.org:" + SECRETS[2] + "\n")
    for user, password in ((b"alice", SECRETS[1]), (b"bob@example.org", SECRETS[2]), (b"alice", SECRETS[3]),
                           (b"al\"ice\\ x=\xff\xfe", SECRETS[3]), (b"x" * 254, SECRETS[3])):
        with s.talk("pop3") as t:
            t.line()
            t.send(b"USER %s\r\nPASS %s\r\nQUIT\r\n" % (user, password.encode()))
            t.closed()
    with s.talk("pop3s", tls=True) as t:
        t.line()
        t.send(b"USER alice\r\nPASS %s\r\nQUIT\r\n" % SECRETS[5].encode())
        t.closed()
    for said in (b"PASS %s\r\n" % SECRETS[6].encode(), b"USER alice\r\nPASS %s" % SECRETS[7].encode(),
                 b"USER alice\r\nPASS %s\n" % SECRETS[7].encode(), b"AUTH PLAIN %s\r\n" % SECRETS[6].encode(),
                 b"APOP alice %s\r\n" % SECRETS[6].encode()):
        with s.talk("pop3") as t:
            t.line()
            t.send(said)
            if said.endswith(b"\n"):
                t.line()
    mail_in(s, b"alice@example.org", b"a: b\r\n\r\nc")
    with s.talk("smtp") as t:
        t.expect(rb"220 .*", t.reply)
        t.do(b"EHLO c", rb"250.*")
        t.do(b"AUTH PLAIN " + SECRETS[6].encode(), rb"5.*")
        t.do(b"MAIL FROM:<a=b@example.net>", rb"250.*")
        for rcpt in (b"\"a \\\"b\\\" c=d\"@example.org", b"x=y@elsewhere.example", b"\"\\\\\"@example.org",
                     b"{}@example.org", b"%s%n@example.org", b"x" * 64 + b"@example.org"):
            t.do(b"RCPT TO:<" + rcpt + b">", rb"550.*")
    s.put_zone("example.org", "\x1b[31mred \"quoted\" \\ \x7f\n", code=2)
    s.kill_role("mail")
    until("it is served again", lambda: s.talk("pop3").close() is None)


class Text(unittest.TestCase):
    conf = "log { level debug; }"

    def line_is_right(self, line):
        self.assertRegex(line, LINE.pattern + r"\Z")

    def test_one_line_an_event_and_no_secret(self):
        with Server(conf=self.conf) as s:
            strangers(s)
            until("the last event", lambda: any("smtp.accepted" in x for x in s.lines) and
                  sum("smtp.rcpt_refused" in x for x in s.lines) == 6 and
                  sum("auth.refused" in x for x in s.lines) == 4)
            environ = "".join(open(f"/proc/{p}/{f}", encoding="latin-1").read()
                              for p in s.all_pids() for f in ("cmdline", "environ"))
        at = s.lines.index("stead: ready")      # before, there may be no log role to write them
        lines = s.lines[at + 1:]
        self.assertGreater(len(lines), 15)
        for line in lines:
            self.line_is_right(line)
            self.assertTrue(line.isascii() and line.isprintable(), line)
        for secret in SECRETS:
            self.assertNotIn(secret, s.stderr() + environ)
        self.assertNotIn("hunter2", s.stderr())


class Json(Text):
    conf = "log { level debug; format json; }"

    def line_is_right(self, line):
        event = json.loads(line)
        self.assertIsInstance(event, dict)
        self.assertRegex(json.dumps(event), r"smtp|zone|auth|role|mail|log|user|channel|control|dns|master")


class File(OneServer):
    users, conf = {"alice": "secret"}, "log { to file; }"

    @needs_root
    def test_a_file_of_the_log_role_alone(self):
        mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc")
        path = os.path.join(self.s.dir, "log/stead.log")

        def lines():
            with open(path, encoding="ascii") as f:
                return f.read().splitlines()
        until("it is written", lambda: any("smtp.accepted" in x for x in lines()))
        for line in lines():
            self.assertRegex(line, LINE.pattern + r"\Z")
        st = os.lstat(path)
        self.assertEqual(st.st_uid, os.lstat(os.path.dirname(path)).st_uid)
        self.assertEqual(st.st_mode & 0o022, 0)
        before = len(lines())
        self.s.kill_role("log")
        until("it goes on", lambda: mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc").startswith(b"250 ")
              and sum("smtp.accepted" in x for x in lines()) > 1)
        self.assertGreater(len(lines()), before)


if __name__ == "__main__":
    unittest.main()
