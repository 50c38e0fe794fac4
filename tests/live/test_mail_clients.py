"""Mail in and out by programs of others: swaks, curl, openssl, Python's library."""
import hashlib
import os
import poplib
import random
import re
import smtplib
import ssl
import subprocess
import unittest

from stead import OneServer, Server, mail_in, needs_tool, pop3_all, pop3_login, text_of, until

TEXT = b"From: a@example.net\r\nTo: you\r\nSubject: t\r\n\r\nHello.\r\n"
SIZE = 65536                                    # message_size of the server with the small limit


def no_look():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ran(*words, input=None):
    r = subprocess.run(words, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if r.returncode:
        raise AssertionError(f"{words}: exit {r.returncode}\n{r.stdout!r}\n{r.stderr!r}")
    return r.stdout


class Mail(OneServer):
    users = {"alice": "al pass", "bob": "bo pass", "carol": "ca pass"}

    def got(self, user="alice"):
        """What lies in a mailbox, which is empty then."""
        return [text_of(m) for m in pop3_all(self.s, user.encode(), self.users[user].encode(), True)]

    def tearDown(self):
        for u in self.users:
            self.got(u)
        super().tearDown()


class Swaks(Mail):
    def send(self, *words):
        return ran("swaks", "--server", "127.0.0.1", "--port", str(self.s.port("smtp")), "--from",
                   "a@example.net", "--to", "alice@example.org", "--header", "Subject: swaks", *words)

    @needs_tool("swaks")
    def test_plain(self):
        self.send("--body", "hello from swaks")
        self.assertRegex(self.got()[0], rb"(?s)Subject: swaks\r\n.*hello from swaks\r\n")

    @needs_tool("swaks")
    def test_starttls(self):
        said = self.send("--tls", "--body", "over TLS")
        self.assertRegex(said, rb"TLS started with cipher TLSv1\.3")
        self.assertEqual(len(self.got()), 1)

    @needs_tool("swaks")
    def test_pipelining_and_two_recipients(self):
        self.send("--pipeline", "--to", "alice@example.org,bob@example.org")
        self.assertEqual([len(self.got("alice")), len(self.got("bob"))], [1, 1])

    @needs_tool("swaks")
    def test_unknown_recipient(self):
        with self.assertRaisesRegex(AssertionError, r"exit 24(.|\n)*550 5\.1\.1"):
            self.send("--to", "nobody@example.org")


class Curl(Mail):
    def curl(self, url, *words, input=None):
        return ran("curl", "-sS", "--max-time", "60", url, *words, input=input)

    def smtp(self, *words, text=TEXT):
        self.curl("smtp://127.0.0.1:%d/client.example.net" % self.s.port("smtp"), "--mail-from",
                  "a@example.net", "--mail-rcpt", "alice@example.org", "-T", "-", *words, input=text)

    def pop3(self, path, *words, service="pop3"):
        return self.curl("%s://127.0.0.1:%d/%s" % (service, self.s.port(service), path), "-u",
                         "alice@example.org:al pass", *words)

    @needs_tool("curl")
    def test_smtp(self):
        self.smtp()
        self.smtp("--mail-rcpt", "bob@example.org", text=b"Subject: u\r\n\r\n.\r\n..\r\nx\r\n")
        self.assertEqual(self.got("alice"), [TEXT, b"Subject: u\r\n\r\n.\r\n..\r\nx\r\n"])
        self.assertEqual(self.got("bob"), [b"Subject: u\r\n\r\n.\r\n..\r\nx\r\n"])

    @needs_tool("curl")
    def test_smtp_with_tls_required(self):
        self.smtp("--ssl-reqd", "-k")
        self.assertEqual(self.got(), [TEXT])

    @needs_tool("curl")
    def test_the_certificate_is_for_our_name(self):
        port = self.s.port("smtp")
        self.curl(f"smtp://mail.example.org:{port}/c", "--resolve", f"mail.example.org:{port}:127.0.0.1",
                  "--cacert", os.path.join(self.s.dir, "tls/cert.pem"), "--ssl-reqd", "--mail-from",
                  "a@example.net", "--mail-rcpt", "alice@example.org", "-T", "-", input=TEXT)
        self.assertEqual(self.got(), [TEXT])

    @needs_tool("curl")
    def test_pop3(self):
        self.smtp()
        self.smtp(text=TEXT + b".\r\n.x\r\n")
        for service, words in (("pop3", ()), ("pop3", ("--ssl-reqd", "-k")), ("pop3s", ("-k",))):
            listed = self.pop3("", *words, service=service)
            self.assertRegex(listed, rb"^1 \d+\r\n2 \d+\r\n$")
            self.assertEqual(text_of(self.pop3("1", *words, service=service)), TEXT)
            self.assertEqual(text_of(self.pop3("2", *words, service=service)), TEXT + b".\r\n.x\r\n")
        uids = self.pop3("", "-X", "UIDL").split()
        self.assertEqual(len({*uids[1::2]}), 2)
        self.pop3("1", "-X", "DELE", "-I")
        self.assertEqual(self.got(), [TEXT + b".\r\n.x\r\n"])

    @needs_tool("curl")
    def test_pop3_wrong_password(self):
        with self.assertRaisesRegex(AssertionError, "exit 67"):
            self.curl("pop3://127.0.0.1:%d/" % self.s.port("pop3"), "-u", "alice@example.org:wrong")


class Python(Mail):
    def smtp(self):
        return smtplib.SMTP("127.0.0.1", self.s.port("smtp"), "client.example.net", timeout=60)

    def pop3(self, user="alice", tls=False):
        make = poplib.POP3_SSL if tls else poplib.POP3
        p = make("127.0.0.1", self.s.port("pop3s" if tls else "pop3"), timeout=60,
                 **({"context": no_look()} if tls else {}))
        p.user(user + "@example.org")
        p.pass_(self.users[user])
        return p

    def test_smtplib(self):
        with self.smtp() as c:
            self.assertEqual(c.sendmail("a@example.net", ["alice@example.org"], TEXT), {})
            for feature in ("pipelining", "8bitmime", "size", "starttls", "enhancedstatuscodes"):
                self.assertTrue(c.has_extn(feature), feature)
            self.assertFalse(c.has_extn("auth"))
            c.starttls(context=no_look())
            c.ehlo()
            self.assertFalse(c.has_extn("starttls"))
            for _ in range(3):
                c.sendmail("", ["alice@example.org", "bob@example.org"], TEXT)
            self.assertEqual(c.vrfy("alice")[0], 252)
        self.assertEqual(self.got("alice"), [TEXT] * 4)
        self.assertEqual(self.got("bob"), [TEXT] * 3)

    def test_smtplib_some_recipients_unknown(self):
        with self.smtp() as c:
            refused = c.sendmail("a@example.net", ["x@example.org", "bob@example.org"], TEXT)
        self.assertEqual([(a, code) for a, (code, _) in refused.items()], [("x@example.org", 550)])
        self.assertEqual(self.got("bob"), [TEXT])

    def test_poplib(self):
        for n in range(3):
            mail_in(self.s, b"alice@example.org", b"Subject: %d\r\n\r\nl1\r\nl2\r\n.l3\r\n" % n)
        p = self.pop3()
        self.assertEqual(p.stat()[0], 3)
        self.assertEqual(p.top(2, 2)[1][-4:], [b"Subject: 1", b"", b"l1", b"l2"])
        self.assertEqual(p.top(1, 0)[1][-2:], [b"Subject: 0", b""])
        self.assertEqual(p.top(1, 99)[1], p.retr(1)[1])
        self.assertIn("TOP", p.capa())
        p.dele(1)
        p.dele(2)
        self.assertEqual(p.stat()[0], 1)
        for wrong in (lambda: p.dele(1), lambda: p.retr(2), lambda: p.list(4), lambda: p.uidl(1)):
            with self.assertRaises(poplib.error_proto):
                wrong()
        p.rset()
        self.assertEqual(p.stat()[0], 3)
        p.dele(3)
        p.quit()
        p = self.pop3()
        self.assertEqual([r[-1] for r in (p.retr(1)[1], p.retr(2)[1])], [b".l3"] * 2)
        self.assertEqual(p.stat()[0], 2)
        p.quit()

    def test_poplib_with_tls(self):
        mail_in(self.s, b"alice@example.org", TEXT)
        p = self.pop3(tls=True)
        self.assertEqual(p.sock.version(), "TLSv1.3")
        self.assertEqual(text_of(b"\r\n".join(p.retr(1)[1]) + b"\r\n"), TEXT)
        p.quit()
        p = poplib.POP3("127.0.0.1", self.s.port("pop3"), timeout=60)
        self.assertIn("STLS", p.capa())
        p.stls(context=no_look())
        self.assertNotIn("STLS", p.capa())
        p.user("alice")
        p.pass_("al pass")
        self.assertEqual(p.stat()[0], 1)
        p.quit()

    def test_tls_1_2_too(self):
        context = no_look()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.smtp() as c:
            c.starttls(context=context)
            self.assertEqual(c.sock.version(), "TLSv1.2")
            c.sendmail("a@example.net", ["alice@example.org"], TEXT)
        self.assertEqual(self.got(), [TEXT])

    def test_a_large_message_octet_for_octet(self):
        r, lines, n = random.Random(20), [b"Subject: large\r\n", b"\r\n"], 0
        while n < 20 << 20:
            line = r.randbytes(r.randrange(0, 900)).translate(None, b"\0\r\n")
            lines.append((b"." * r.randrange(3) if r.random() < .2 else b"") + line + b"\r\n")
            n += len(lines[-1])
        text = b"".join(lines)
        with self.smtp() as c:
            c.sendmail("a@example.net", ["alice@example.org"], text, ["BODY=8BITMIME"])
        p = self.pop3()
        size = p.stat()[1]
        got = b"".join(line + b"\r\n" for line in p.retr(1)[1])
        p.dele(1)
        p.quit()
        self.assertEqual(len(got), size)
        self.assertEqual(hashlib.sha256(text_of(got)).digest(), hashlib.sha256(text).digest())

    def test_8_bit_and_dots(self):
        text = b"Subject: \xc3\xa4\r\n\r\n" + bytes(set(range(1, 256)) - {10, 13}) + \
            b"\r\n.\r\n..\r\n...\r\n.a\r\n\r\n.\r\n"
        for sender in (self.by_hand, self.by_smtplib):
            sender(text)
            with self.subTest(sender.__name__):
                self.assertEqual(self.got(), [text])

    def by_hand(self, text):
        mail_in(self.s, b"alice@example.org", text[:-2])

    def by_smtplib(self, text):
        with self.smtp() as c:
            c.sendmail("a@example.net", ["alice@example.org"], text, ["BODY=8BITMIME"])

    def test_a_maildrop_has_one_session(self):
        mail_in(self.s, b"alice@example.org", TEXT)
        first = self.pop3()
        with self.assertRaisesRegex(poplib.error_proto, r"\[IN-USE\]"):
            self.pop3()
        self.pop3("bob").quit()
        self.assertEqual(first.stat()[0], 1)
        first.quit()
        self.pop3().quit()
        first = self.pop3()
        first.close()                           # and also without a good-bye
        self.free_again()

    def test_quit_gives_the_maildrop_back_before_the_connection_ends(self):
        for service in ("pop3", "pop3s"):
            for _ in range(5):
                t = pop3_login(self.s, b"alice", b"al pass", service=service)
                self.addCleanup(t.close)
                t.send(b"QUIT\r\n")
                t.expect(rb"\+OK.*\r\n")

    def free_again(self):
        def tried():
            try:
                self.pop3().quit()
                return True
            except poplib.error_proto as e:
                self.assertIn("[IN-USE]", str(e))
                return False
        until("the maildrop is free", tried)

    def test_what_comes_meanwhile_is_seen_by_the_next_session(self):
        mail_in(self.s, b"alice@example.org", TEXT)
        p = self.pop3()
        mail_in(self.s, b"alice@example.org", TEXT)
        self.assertEqual(p.stat()[0], 1)
        p.dele(1)
        p.quit()
        p = self.pop3()
        self.assertEqual(p.stat()[0], 1)
        p.quit()


class OpenSSL(Mail):
    def talk(self, service, protocol, lines):
        how = ("-starttls", protocol) if protocol else ()
        return ran("openssl", "s_client", "-quiet", "-crlf", "-connect",
                   "127.0.0.1:%d" % self.s.port(service), *how,
                   input=b"".join(line + b"\n" for line in lines))

    @needs_tool("openssl")
    def test_starttls_smtp(self):
        said = self.talk("smtp", "smtp", [
            b"EHLO c", b"MAIL FROM:<a@example.net>", b"RCPT TO:<alice@example.org>", b"DATA",
            b"Subject: s", b"", b"text", b".", b"QUIT"])
        self.assertRegex(said, rb"(?s)250 .*354 .*250 .*accepted.*221 ")
        whole = pop3_all(self.s, b"alice", b"al pass")[0]
        self.assertIn(b"with ESMTPS id", whole)
        self.assertEqual(text_of(whole), b"Subject: s\r\n\r\ntext\r\n")

    @needs_tool("openssl")
    def test_starttls_pop3_and_pop3s(self):
        mail_in(self.s, b"alice@example.org", TEXT)
        for service, protocol in (("pop3", "pop3"), ("pop3s", None)):
            said = self.talk(service, protocol, [b"USER alice", b"PASS al pass", b"RETR 1", b"QUIT"])
            self.assertIn(TEXT, said)


class Recipients(Mail):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.s
        s.run("domain", "add", "second.example")
        s.run("alias", "add", "team@example.org", "alice@example.org", "bob@example.org")
        s.run("alias", "add", "all@example.org", "team@example.org", "carol@example.org",
              "alice@example.org")
        s.run("alias", "add", "@second.example", "carol@example.org")

    def counts(self):
        return [len(self.got(u)) for u in ("alice", "bob", "carol")]

    def test_alias(self):
        mail_in(self.s, b"team@example.org", TEXT)
        self.assertEqual(self.counts(), [1, 1, 0])

    def test_one_copy_however_often_it_is_named(self):
        mail_in(self.s, [b"alice@example.org", b"all@example.org", b"ALICE@Example.Org", b"team@example.org",
                         b"alice+x@example.org", b"alice@example.org"], TEXT)
        self.assertEqual(self.counts(), [1, 1, 1])

    def test_catch_all_of_a_domain(self):
        mail_in(self.s, b"who.ever@second.example", TEXT)
        self.assertEqual(self.counts(), [0, 0, 1])

    def test_subaddress(self):
        mail_in(self.s, b"bob+lists.c@example.org", TEXT)
        self.assertEqual(self.counts(), [0, 1, 0])

    def test_postmaster(self):
        mail_in(self.s, b"postmaster@example.org", TEXT)
        mail_in(self.s, b"Postmaster", TEXT)
        self.assertEqual(sum(self.counts()), 2)

    def test_a_thousand_recipients(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.do(b"EHLO c", rb"250.*")
            t.send(b"MAIL FROM:<>\r\n" + b"".join(
                b"RCPT TO:<bob+%d@example.org>\r\n" % n for n in range(1003)))
            self.assertTrue(t.reply().startswith(b"250 "))
            replies = [t.reply()[:10] for _ in range(1003)]
            self.assertEqual(replies[:1000], [b"250 2.1.5 "] * 1000)
            self.assertEqual(replies[1000:], [b"452 4.5.3 "] * 3)
            t.do(b"DATA", rb"354 .*")
            t.do(b"x: y\r\n\r\nz\r\n.", rb"250 .*accepted.*")
        self.assertEqual(self.counts(), [0, 1, 0])


class Streams(Mail):
    def test_everything_in_one_segment(self):
        one = b"MAIL FROM:<a@example.net> SIZE=20\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.send(b"EHLO c\r\n" + one + b"a: 1\r\n\r\n1\r\n.\r\n" + one + b"a: 2\r\n\r\n2\r\n.\r\nNOOP\r\nQUIT\r\n")
            said = t.closed()
        codes = [line[:3] for line in said.split(b"\r\n") if line[3:4] == b" "]
        self.assertEqual(b" ".join(codes), b"250 250 250 354 250 250 250 354 250 250 221")
        self.assertEqual(self.got(), [b"a: 1\r\n\r\n1\r\n", b"a: 2\r\n\r\n2\r\n"])

    def test_every_octet_by_itself(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.send(b"EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"
                   b"a: 1\r\n\r\n..\r\n.\r\nQUIT\r\n", pieces=1)
            said = t.closed()
        self.assertRegex(said, rb"250 [^\n]*accepted[^\n]*\n221 [^\n]*\n$")
        self.assertEqual(self.got(), [b"a: 1\r\n\r\n.\r\n"])

    def test_pop3_pipelined(self):
        for n in range(20):
            mail_in(self.s, b"alice@example.org", b"n: %d\r\n\r\nx" % n)
        with pop3_login(self.s, b"alice", b"al pass") as t:
            t.send(b"".join(b"RETR %d\r\nDELE %d\r\n" % (n, n) for n in range(1, 21)) + b"QUIT\r\n")
            said = t.closed()
        self.assertEqual(re.findall(rb"\r\nn: (\d+)\r\n", said), [b"%d" % n for n in range(20)])
        self.assertTrue(said.endswith(b"+OK deleted, good bye\r\n"))
        self.assertEqual(self.got(), [])


class Sizes(Mail):
    conf = "smtp { message_size %d; }" % SIZE

    def send(self, text, declared=None):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            self.assertIn(b"\r\n250-SIZE %d\r\n" % SIZE, t.do(b"EHLO c", rb"250.*"))
            t.send(b"MAIL FROM:<a@example.net>%s\r\n" % (b" SIZE=%d" % declared if declared else b""))
            first = t.reply()
            if not first.startswith(b"250"):
                return first
            t.do(b"RCPT TO:<alice@example.org>", rb"250.*")
            t.do(b"DATA", rb"354 .*")
            t.send(re.sub(rb"(?m)^\.", b"..", text) + b".\r\n")
            last = t.reply()
            t.do(b"NOOP", rb"250 .*")           # the session goes on
            return last

    @staticmethod
    def text(n):
        line = b"." * 64 + b"\r\n"              # stuffed dots do not count (RFC 1870 5)
        head = b"a: b\r\n\r\n"
        return head + line * ((n - len(head)) // len(line) - 1) + \
            b"x" * ((n - len(head)) % len(line) + len(line) - 2) + b"\r\n"

    def test_of_exactly_the_limit(self):
        text = self.text(SIZE)
        self.assertEqual(len(text), SIZE)
        for declared in (None, SIZE):
            self.assertRegex(self.send(text, declared), rb"^250 .*accepted")
        self.assertEqual(self.got(), [text] * 2)

    def test_above_the_limit(self):
        for extra in (1, 2, 700, SIZE - 1):
            self.assertRegex(self.send(self.text(SIZE + extra)), rb"^552 5\.3\.4 ")
        for declared in (SIZE + 1, 10 ** 18, 10 ** 19 * 9):
            self.assertRegex(self.send(b"", declared), rb"^552 5\.3\.4 ")
        self.assertEqual(self.got(), [])


class Restart(unittest.TestCase):
    def uidl(self, s):
        with pop3_login(s, b"alice", b"secret") as t:
            t.send(b"UIDL\r\n")
            got = t.multi()
            t.send(b"QUIT\r\n")
            t.line()
            return re.findall(rb"(?m)^(\d+) (\S+)\r$", got)

    def test_uidl_and_messages_stay(self):
        with Server(users={"alice": "secret"}) as s:
            for n in range(4):
                mail_in(s, b"alice@example.org", b"n: %d\r\n\r\nx" % n)
            with pop3_login(s, b"alice", b"secret") as t:
                t.send(b"DELE 2\r\nQUIT\r\n")
                t.lines(2)
            before, texts = self.uidl(s), pop3_all(s, b"alice", b"secret")
            self.assertEqual(len({u for _, u in before}), 3)
            s.stop()
            s.start()
            self.assertEqual(self.uidl(s), before)
            self.assertEqual(pop3_all(s, b"alice", b"secret"), texts)
            mail_in(s, b"alice@example.org", b"n: new\r\n\r\nx")
            s.stop()
            s.start()
            after = self.uidl(s)
            self.assertEqual(after[:3], before)
            self.assertNotIn(after[3][1], {u for _, u in before})


if __name__ == "__main__":
    unittest.main()
