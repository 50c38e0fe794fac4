"""Submission: mail that users send behind a login, by programs of others and byte by byte."""
import base64
import hashlib
import hmac
import os
import re
import smtplib
import ssl
import statistics
import time
import unittest

from stead import LONG, OneServer, Server, needs_tool, pop3_all, text_of, until
from test_mail_clients import no_look, ran

TEXT = (b"From: Alice <alice@example.org>\r\nTo: bob@example.org\r\nSubject: t\r\n"
        b"Date: Sun, 22 Nov 2026 14:05:16 +0000\r\nMessage-ID: <x@y>\r\n\r\nHello.\r\n")


def b64(data):
    return base64.b64encode(data)


def plain(user, password):
    return b64(b"\0" + user + b"\0" + password)


class Scram:
    """The client of SCRAM-SHA-256 (RFC 5802, 7677); each part may be tampered with."""

    def __init__(self, user, password, gs2=b"n,,"):
        self.password, self.gs2 = password, gs2
        self.nonce = b64(os.urandom(18))
        self.bare = b"n=" + user + b",r=" + self.nonce

    def first(self):
        return b64(self.gs2 + self.bare)

    def final(self, challenge, nonce=None, gs2=None):
        server = base64.b64decode(challenge, validate=True)
        f = dict(a.split(b"=", 1) for a in server.split(b","))
        assert f[b"r"].startswith(self.nonce) and len(f[b"r"]) > len(self.nonce)
        self.salt, self.iterations = f[b"s"], int(f[b"i"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(self.salt), self.iterations)
        without = b"c=" + b64(gs2 or self.gs2) + b",r=" + (nonce or f[b"r"])
        message = b",".join((self.bare, server, without))
        client = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client).digest(), message, "sha256")
        self.server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return b64(without + b",p=" + b64(bytes(a ^ b for a, b in zip(client, signature))))

    def is_server(self, challenge):
        return base64.b64decode(challenge) == b"v=" + b64(self.server)


class Submission(OneServer):
    users = {"alice": "al pass", "bob": "bo pass"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s.run("alias", "add", "info@example.org", "alice@example.org", "bob@example.org")

    def got(self, user="bob"):
        return [text_of(m) for m in pop3_all(self.s, user.encode(), self.users[user].encode(), True)]

    def tearDown(self):
        for u in self.users:
            self.got(u)
        super().tearDown()

    def begin(self, service="submission", tls=True, hello=b"EHLO client.example.net"):
        t = self.s.talk(service, tls=service == "submissions")
        self.addCleanup(t.close)
        t.expect(rb"220 .*", t.reply)
        t.do(hello, rb"250.*")
        if tls and service == "submission":
            t.do(b"STARTTLS", rb"220 .*")
            t.start_tls()
            t.do(hello, rb"250.*")
        return t

    def login(self, user=b"alice", password=b"al pass", **how):
        t = self.begin(**how)
        t.do(b"AUTH PLAIN " + plain(user, password), rb"235 .*")
        return t

    def message(self, t, text, code, sender=b"alice@example.org", rcpt=b"bob@example.org"):
        t.do(b"MAIL FROM:<" + sender + b">", rb"250 .*")
        t.do(b"RCPT TO:<" + rcpt + b">", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send(text + b".\r\n")
        return t.expect(code + rb" .*", t.reply)


class Logins(Submission):
    def test_each_mechanism_in_tls(self):
        for service in ("submission", "submissions"):
            for user in (b"alice", b"alice@example.org", b"ALICE@Example.ORG"):
                self.login(user, service=service).do(b"MAIL FROM:<alice@example.org>", rb"250 .*")
            t = self.begin(service)
            t.do(b"AUTH LOGIN", rb"334 VXNlcm5hbWU6\r\n")
            t.do(b64(b"alice"), rb"334 UGFzc3dvcmQ6\r\n")
            t.do(b64(b"al pass"), rb"235 .*")
            t = self.begin(service)
            t.do(b"AUTH PLAIN", rb"334 \r\n")
            t.do(plain(b"alice", b"al pass"), rb"235 .*")
            t = self.begin(service)
            self.scram(t, Scram(b"alice@example.org", b"al pass"))
            t.do(b"MAIL FROM:<alice@example.org>", rb"250 .*")

    def scram(self, t, c):
        challenge = t.do(b"AUTH SCRAM-SHA-256 " + c.first(), rb"334 .*")[4:-2]
        proof = t.do(c.final(challenge), rb"334 .*")[4:-2]
        self.assertTrue(c.is_server(proof))
        t.do(b"", rb"235 .*")

    def test_scram_without_an_initial_response(self):
        t, c = self.begin(), Scram(b"alice", b"al pass", gs2=b"y,,")
        t.do(b"AUTH SCRAM-SHA-256", rb"334 \r\n")
        challenge = t.do(c.first(), rb"334 .*")[4:-2]
        proof = t.do(c.final(challenge), rb"334 .*")[4:-2]
        self.assertTrue(c.is_server(proof))
        t.do(b"", rb"235 .*")

    def test_python(self):
        for kind, words in ((smtplib.SMTP, {}), (smtplib.SMTP_SSL, {"context": no_look()})):
            service = "submissions" if words else "submission"
            with kind("127.0.0.1", self.s.port(service), timeout=60, **words) as c:
                if not words:
                    c.starttls(context=no_look())
                c.login("alice@example.org", "al pass")
                c.sendmail("alice@example.org", ["bob@example.org"], TEXT)
        self.assertEqual(self.got(), [TEXT, TEXT])

    def test_python_wrong_password(self):
        with smtplib.SMTP("127.0.0.1", self.s.port("submission"), timeout=60) as c:
            c.starttls(context=no_look())
            with self.assertRaisesRegex(smtplib.SMTPAuthenticationError, "535"):
                c.login("alice@example.org", "wrong")

    @needs_tool("swaks")
    def test_swaks(self):
        for mechanism in ("PLAIN", "LOGIN"):
            for how in (("submission", "--tls"), ("submissions", "--tlsc")):
                said = ran("swaks", "--server", "127.0.0.1", "--port", str(self.s.port(how[0])), how[1],
                           "--auth", mechanism, "--auth-user", "alice@example.org", "--auth-password",
                           "al pass", "--from", "alice@example.org", "--to", "bob@example.org")
                self.assertRegex(said, rb"235 2\.7\.0 ")
        self.assertEqual(len(self.got()), 4)

    @needs_tool("curl")
    def test_curl(self):
        for service, scheme, words in (("submission", "smtp", ("--ssl-reqd", "-k")),
                                       ("submissions", "smtps", ("-k",)), ("submission", "smtp", ())):
            ran("curl", "-sS", "--max-time", "60", f"{scheme}://127.0.0.1:{self.s.port(service)}/c", *words,
                "-u", "alice@example.org:al pass", "--mail-from", "alice@example.org", "--mail-rcpt",
                "bob@example.org", "-T", "-", input=TEXT)
        self.assertEqual(self.got(), [TEXT] * 3)

    @needs_tool("curl")
    def test_curl_wrong_password(self):
        with self.assertRaisesRegex(AssertionError, "exit 67"):
            ran("curl", "-sS", "--max-time", "60", f"smtp://127.0.0.1:{self.s.port('submission')}/c", "-u",
                "alice@example.org:wrong", "--mail-from", "alice@example.org", "--mail-rcpt",
                "bob@example.org", "-T", "-", input=TEXT)

    def test_what_is_needed_first(self):
        t = self.begin()
        t.do(b"MAIL FROM:<alice@example.org>", rb"530 5\.7\.0 .*")
        t.do(b"RCPT TO:<bob@example.org>", rb"503 .*")
        t.do(b"AUTH CRAM-MD5", rb"504 .*")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"wrong"), rb"535 5\.7\.8 .*")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"235 .*")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"503 .*")
        t.do(b"MAIL FROM:<alice@example.org> AUTH=<>", rb"250 .*")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"503 .*")

    def test_port_25_offers_no_login(self):
        t = self.s.talk("smtp")
        self.addCleanup(t.close)
        t.expect(rb"220 .*", t.reply)
        self.assertNotIn(b"AUTH", t.do(b"EHLO a", rb"250.*"))
        t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"502 .*")

    def test_auth_away(self):
        t = self.begin()
        self.s.kill_role("auth")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"(235|454) .*")
        until("logins work again", lambda: self.try_login(b"alice", b"al pass"))

    def try_login(self, user, password):
        t = self.begin()
        t.send(b"AUTH PLAIN " + plain(user, password) + b"\r\n")
        return t.reply().startswith(b"235")

    def test_box_begins_anew(self):
        """A handle of before is void: the client is told to come back, and then it works."""
        t = self.login()
        self.s.kill_role("box")
        t.do(b"MAIL FROM:<alice@example.org>", rb"250 .*")
        t.do(b"RCPT TO:<you@elsewhere.example>", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send(TEXT + b".\r\n")
        t.expect(rb"451 .*", t.reply)
        t.expect(rb"421 4\.7\.0 .*", t.reply)
        t = self.login()
        self.message(t, TEXT, rb"250")
        self.assertEqual(self.got(), [TEXT])


class Messages(Submission):
    def test_received(self):
        for hello, tls, kind in ((b"EHLO a", True, b"ESMTPSA"), (b"EHLO a", False, b"ESMTPA")):
            self.message(self.login(tls=tls, hello=hello), TEXT, rb"250")
            whole = pop3_all(self.s, b"bob", b"bo pass", True)[0]
            self.assertRegex(whole, rb"\AReturn-Path: <alice@example\.org>\r\nReceived: from a [^;]* with "
                             + kind + rb" id ")

    def test_date_and_message_id_are_added(self):
        full = b"From: alice@example.org\r\nTo: x@y\r\n"
        for body in (b"\r\nHello.\r\n", b"\r\n", b""):
            self.message(self.login(), full + body, rb"250")
            got, = self.got()
            self.assertRegex(got, rb"\A" + re.escape(full) + rb"Date: \w\w\w, \d+ \w\w\w 20\d\d [\d:]+ \+0000\r\n"
                             rb"Message-ID: <[\w.-]+@mail\.example\.org>\r\n" + re.escape(body) + rb"\Z")
        self.message(self.login(), TEXT, rb"250")
        self.assertEqual(self.got(), [TEXT])
        self.message(self.login(), full + b"message-id : <a@b>\r\n\r\nx\r\n", rb"250")
        got, = self.got()
        self.assertEqual((got.count(b"\r\nDate: "), got.count(b"Message-ID: ")), (1, 0))

    def test_a_large_message(self):
        text = TEXT + b"x" * 70 + b"\r\n" + b"line\r\n" * 400000
        self.message(self.login(), text, rb"250")
        self.assertEqual(self.got(), [text])

    def test_a_report_has_no_sender(self):
        self.message(self.login(), TEXT, rb"250", sender=b"")
        self.assertEqual(self.got(), [TEXT])

    def test_elsewhere_is_for_who_logged_in(self):
        t = self.login()
        t.do(b"MAIL FROM:<alice@example.org>", rb"250 .*")
        t.do(b"RCPT TO:<you@elsewhere.example>", rb"250 .*")
        t.do(b"RCPT TO:<nobody@example.org>", rb"550 5\.1\.1 .*")


class Senders(Submission):
    def test_attack_052_envelope(self):
        t = self.login()
        for sender in (b"alice@example.org", b"ALICE@example.org", b"alice+tag@example.org",
                       b"info@example.org"):
            t.do(b"MAIL FROM:<" + sender + b">", rb"250 .*")
            t.do(b"RSET", rb"250 .*")
        for sender in (b"bob@example.org", b"nobody@example.org", b"alice@elsewhere.example",
                       b"postmaster@elsewhere.example"):
            t.do(b"MAIL FROM:<" + sender + b">", rb"553 5\.7\.1 .*")
        self.assertEqual(self.got(), [])

    def test_attack_052_from(self):
        t = self.login()
        rest = b"Subject: t\r\nDate: x\r\nMessage-ID: <x@y>\r\n\r\nFrom: bob@example.org\r\n"
        for good in (b"From: alice@example.org\r\n", b"From: \"bob@example.org\" <alice+x@example.org>\r\n",
                     b"FROM : Info\r\n <info@example.org> (bob@example.org)\r\n"):
            self.message(t, good + rest, rb"250")
            self.assertEqual(self.got(), [good + rest])
        for bad in (b"From: bob@example.org\r\n", b"From: Boss <boss@elsewhere.example>\r\n",
                    b"From: alice@example.org, bob@example.org\r\n",
                    b"From: alice@example.org\r\nFrom: bob@example.org\r\n",
                    b"From: alice@example.org <bob@example.org>\r\n",
                    b"From: alice@example.org\r\nX: y\r\nfrom\t:\r\n bob@example.org\r\n"):
            self.message(t, bad + rest, rb"550 5\.7\.1")
        for none in (b"", b"From:\r\n", b"From: Alice\r\n", b"From: <alice@example.org> <bob@example.org>\r\n"):
            self.message(t, none + rest, rb"550 5\.6\.0")
        for text in (b"From: bob@example.org\r\n", b""):        # no body at all
            self.message(t, text, rb"550")
        self.assertEqual(self.got(), [])

    def test_a_refused_message_is_read_to_its_end(self):
        t = self.login()
        self.message(t, b"From: bob@example.org\r\n\r\n" + b"line\r\n" * 50000 + b"..\r\n", rb"550 5\.7\.1")
        self.message(t, TEXT, rb"250")
        self.assertEqual(self.got(), [TEXT])


class Attacks(Submission):
    def test_attack_045_no_relay_without_a_login(self):
        t = self.begin()
        t.do(b"MAIL FROM:<alice@example.org>", rb"530 .*")
        t.do(b"RCPT TO:<you@elsewhere.example>", rb"503 .*")
        t = self.s.talk("smtp")
        self.addCleanup(t.close)
        t.expect(rb"220 .*", t.reply)
        t.do(b"EHLO a", rb"250.*")
        t.do(b"MAIL FROM:<alice@example.org>", rb"250 .*")
        for rcpt in (b"you@elsewhere.example", b"you%elsewhere.example@example.org",
                     b"\"you@elsewhere.example\"@example.org", b"@example.org:you@elsewhere.example"):
            t.do(b"RCPT TO:<" + rcpt + b">", rb"550 .*")

    def test_attack_050_received(self):
        t = self.login()
        loop = b"Received: from a by b;\r\n\tSun, 22 Nov 2026 14:05:16 +0000\r\n" * 100
        self.message(t, loop + TEXT, rb"554 5\.4\.6")
        self.message(t, TEXT + loop, rb"250")           # in the body they are text
        self.assertEqual(self.got(), [TEXT + loop])

    def test_attack_084_nothing_of_before_tls(self):
        t = self.begin(tls=False)
        t.send(b"STARTTLS\r\nAUTH PLAIN " + plain(b"alice", b"al pass") + b"\r\n")
        t.expect(rb"220 .*", t.reply)
        t.start_tls()
        t.do(b"MAIL FROM:<alice@example.org>", rb"503 .*")
        t.do(b"EHLO a", rb"250.*AUTH SCRAM-SHA-256 PLAIN LOGIN.*")
        t.do(b"MAIL FROM:<alice@example.org>", rb"530 .*")

    def test_attack_093_the_same_answers(self):
        said = set()
        for user in (b"alice", b"nobody", b"alice@elsewhere.example", b"x" * 300):
            t = self.begin()
            said.add(t.do(b"AUTH PLAIN " + plain(user, b"wrong"), rb"535 .*"))
            t, c = self.begin(), Scram(user, b"wrong")
            challenge = t.do(b"AUTH SCRAM-SHA-256 " + c.first(), rb"334 .*")[4:-2]
            said.add(t.do(c.final(challenge), rb"535 .*"))
        self.assertEqual(len(said), 1)

    def test_attack_093_salts_stay(self):
        def salts():
            out = []
            for user in (b"alice", b"ALICE@example.org", b"nobody", b"Nobody@example.org", b"other"):
                t, c = self.begin(), Scram(user, b"x")
                c.final(t.do(b"AUTH SCRAM-SHA-256 " + c.first(), rb"334 .*")[4:-2])
                out.append((c.salt, c.iterations))
            return out
        before = salts()
        self.assertEqual((before[0], before[2]), (before[1], before[3]))
        self.assertEqual(len({s for s, _ in before}), 3)
        self.assertEqual(len({(len(s), i) for s, i in before}), 1)
        self.s.kill_role("auth")
        until("auth answers", lambda: Logins.try_login(self, b"alice", b"al pass"))
        self.assertEqual(salts(), before)

    @unittest.skipUnless(LONG, "only in the long form")
    def test_attack_093_the_same_time(self):
        """Medians of many tries differ by less than what they scatter."""
        took = {b"alice": [], b"nobody": []}
        for _ in range(150):
            for user, times in took.items():
                t = self.begin()
                began = time.monotonic()
                t.do(b"AUTH PLAIN " + plain(user, b"wrong"), rb"535 .*")
                times.append(time.monotonic() - began)
                t.close()
        known, unknown = (sorted(x) for x in took.values())
        scatter = known[len(known) * 3 // 4] - known[len(known) // 4]
        self.assertLess(abs(statistics.median(known) - statistics.median(unknown)), max(scatter, 0.001))

    def test_attack_096_broken_lines(self):
        for line in (b"AUTH PLAIN !", b"AUTH PLAIN AGFsaWNlAGFsIHBhc3M", b"AUTH PLAIN =", b"AUTH PLAIN *",
                     b"AUTH PLAIN AGFs aWNl"):
            t = self.begin()
            t.do(line, rb"501 .*")
            t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"235 .*")
        t = self.begin()
        t.do(b"AUTH LOGIN", rb"334 .*")
        t.do(b"*", rb"501 .*")
        t.do(b"AUTH PLAIN", rb"334 .*")
        t.send(b"A" * 5000)
        self.assertRegex(t.closed(), rb"^500 5\.5\.6 ")

    def test_attack_097_scram_tampered(self):
        other = b64(os.urandom(18))
        for gs2, words in ((b"n,a=bob,", {}), (b"p=tls-unique,,", {}), (b"n,,", {"gs2": b"y,,"}),
                           (b"n,,", {"nonce": other}), (b"y,,", {"gs2": b"n,,"})):
            t, c = self.begin(), Scram(b"alice", b"al pass", gs2)
            t.send(b"AUTH SCRAM-SHA-256 " + c.first() + b"\r\n")
            said = t.reply()
            if said.startswith(b"334"):
                said = t.do(c.final(said[4:-2], **words), rb"5.*")
            self.assertRegex(said, rb"^5(01|35) ")
            t.do(b"MAIL FROM:<alice@example.org>", rb"530 .*")

    def test_three_wrong_logins_are_enough(self):
        t = self.begin()
        for _ in range(2):
            t.do(b"AUTH PLAIN " + plain(b"alice", b"wrong"), rb"535 .*")
        t.do(b"AUTH PLAIN " + plain(b"alice", b"wrong"), rb"421 .*")
        self.assertEqual(t.closed(), b"")


class Networks(unittest.TestCase):
    def test_attack_092_no_login_outside_tls(self):
        with Server(users={"alice": "al pass"}, conf="auth { plaintext_login []; }") as s:
            with s.talk("submission") as t:
                t.expect(rb"220 .*", t.reply)
                self.assertNotIn(b"AUTH", t.do(b"EHLO a", rb"250.*STARTTLS.*"))
                t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"538 5\.7\.11 .*")
                t.do(b"AUTH LOGIN", rb"538 5\.7\.11 .*")
                t.do(b"MAIL FROM:<alice@example.org>", rb"530 5\.7\.0 .*")
                t.do(b"STARTTLS", rb"220 .*")
                t.start_tls()
                t.do(b"EHLO a", rb"250.*AUTH SCRAM-SHA-256 PLAIN LOGIN.*")
                t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"235 .*")

    def test_mail_for_elsewhere_is_taken(self):
        """It is durable with the 250, and waits: nobody listens where it is to go."""
        with Server(users={"alice": "al pass"},
                    conf='smtp { relay [127.0.0.2]; } out { relay "127.0.0.1:1"; loopback on; }') as s:
            with s.talk("submission", tls=False) as t:
                t.expect(rb"220 .*", t.reply)
                t.do(b"EHLO a", rb"250.*")
                t.do(b"AUTH PLAIN " + plain(b"alice", b"al pass"), rb"235 .*")
                for sender in (b"alice@example.org", b""):
                    t.do(b"MAIL FROM:<" + sender + b">", rb"250 .*")
                    t.do(b"RCPT TO:<you@elsewhere.example>", rb"250 .*")
                    t.do(b"RCPT TO:<alice@example.org>", rb"250 .*")
                    t.do(b"DATA", rb"354 .*")
                    t.send(TEXT + b".\r\n")
                    t.expect(rb"250 .*", t.reply)
            self.assertEqual([text_of(m) for m in pop3_all(s, b"alice", b"al pass")], [TEXT] * 2)

    def test_a_network_that_may_relay(self):
        with Server(users={"alice": "al pass"}, conf="smtp { relay [127.0.0.0/8]; }") as s:
            with s.talk("smtp") as t:
                t.expect(rb"220 .*", t.reply)
                t.do(b"EHLO a", rb"250.*")
                t.do(b"MAIL FROM:<me@elsewhere.example>", rb"250 .*")
                t.do(b"RCPT TO:<you@elsewhere.example>", rb"250 .*")
                t.do(b"RCPT TO:<nobody@example.org>", rb"550 5\.1\.1 .*")
            with s.talk("submission") as t:     # a network is no login
                t.expect(rb"220 .*", t.reply)
                t.do(b"EHLO a", rb"250.*")
                t.do(b"MAIL FROM:<alice@example.org>", rb"530 .*")


if __name__ == "__main__":
    unittest.main()
