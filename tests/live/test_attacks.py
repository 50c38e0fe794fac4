"""Attacks whose live form matters; the number is the row of the attack list."""
import array
import base64
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

from stead import (OneServer, PASSIVE, PORTS, Server, TLS_FIRST, Talk, disk_bytes, kill, mail_in,
                   needs_tool, pop3_all, pop3_login, until)

ENDS = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\r\n.\r\r\n"]
SECOND = b"MAIL FROM:<root@example.org>\r\nRCPT TO:<carol@example.org>\r\nDATA\r\nforged: y\r\n\r\n\r\n.\r\nQUIT\r\n"


class Mail(OneServer):
    users = {"alice": "secret", "carol": "other"}
    conf = "smtp { message_size 1m; }"

    def got(self, user="alice"):
        return pop3_all(self.s, user.encode(), self.users[user].encode(), delete=True)

    def tearDown(self):
        for u in self.users:
            self.got(u)
        super().tearDown()

    def begin(self, hello=b"EHLO client.example.net"):
        t = self.s.talk("smtp")
        self.addCleanup(t.close)
        t.expect(rb"220 .*", t.reply)
        if hello:
            t.do(hello, rb"250.*")
        return t

    def begin_data(self):
        t = self.begin()
        t.do(b"MAIL FROM:<a@example.net>", rb"250 .*")
        t.do(b"RCPT TO:<alice@example.org>", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        return t

    def test_attack_036_smuggling(self):
        for pieces in (0, 1, 7):
            for end in ENDS:
                for after in (b"", b"\r\n.\r\n"):
                    with self.subTest((end, pieces, after)):
                        t = self.begin_data()
                        try:
                            t.send(b"a: b\r\n\r\ntext" + end + SECOND + after, pieces)
                        except (BrokenPipeError, ConnectionResetError):
                            pass                # closed at the first octet that is wrong
                        said = t.closed()
                        self.assertRegex(said, rb"^(5\d\d [^\n]*\n)?$")
                        self.assertEqual(self.got("alice") + self.got("carol"), [])

    def test_attack_036_a_stuffed_dot_is_text(self):
        t = self.begin_data()
        t.send(b"a: b\r\n\r\n..\r\n" + SECOND)
        t.expect(rb"250 .*accepted.*")
        t.expect(rb"221 .*")
        self.assertRegex(self.got()[0], rb"(?s)\r\n\.\r\nMAIL FROM:.*forged: y")
        self.assertEqual(self.got("carol"), [])

    def test_attack_037_bare_octets_in_a_message(self):
        for bad in (b"\r", b"\n", b"\0"):
            for before, after in ((b"a: b", b"c\r\n\r\nx\r\n.\r\n"), (b"a: b\r\n\r\nx", b"y\r\n.\r\n"),
                                  (b"a: b\r\n\r\nx\r\n", b"\r\n.\r\n"), (b"", b"a: b\r\n\r\n.\r\n")):
                if bad == b"\r" and after[:1] == b"\r":
                    after = b"x" + after
                t = self.begin_data()
                t.send(before + bad + after)
                self.assertRegex(t.closed(), rb"^554 [^\n]*\n$", (before, bad, after))
        self.assertEqual(self.got(), [])

    def test_attack_037_bare_octets_in_a_command(self):
        for line in (b"NOOP\n", b"NO\rOP\r\n", b"NOOP\0\r\n", b"\n", b"\0", b"MAIL FROM:<a\n@b>\r\n", b"\r\r\n"):
            t = self.begin()
            t.send(line + b"QUIT\r\n")
            self.assertRegex(t.closed(), rb"^5\d\d [^\n]*\n$", line)
        for line in (b"stat\n", b"st\rat\r\n", b"stat\0\r\n", b"user a\0\r\n"):
            with self.s.talk("pop3") as t:
                t.line()
                t.send(line + b"quit\r\n")
                self.assertRegex(t.closed(), rb"^-ERR [^\n]*\n$", line)

    def test_attack_039_state_abuse(self):
        t = self.begin(hello=None)
        for command, code in ((b"MAIL FROM:<a@b.example>", b"503"), (b"RCPT TO:<alice@example.org>", b"503"),
                              (b"DATA", b"503"), (b"EHLO c", b"250"), (b"RCPT TO:<alice@example.org>", b"503"),
                              (b"DATA", b"503"), (b"MAIL FROM:<a@b.example>", b"250"), (b"DATA", b"503"),
                              (b"MAIL FROM:<x@b.example>", b"503"), (b"VRFY alice", b"252"),
                              (b"RCPT TO:<nobody@example.org>", b"550"), (b"DATA", b"503"),
                              (b"RCPT TO:<alice@example.org>", b"250"), (b"NOOP", b"250"),
                              (b"MAIL FROM:<x@b.example>", b"503"), (b"RSET", b"250"), (b"DATA", b"503"),
                              (b"MAIL FROM:<a@b.example>", b"250"), (b"RCPT TO:<alice@example.org>", b"250"),
                              (b"EHLO d", b"250"), (b"DATA", b"503"), (b"QUIT", b"221")):
            self.assertEqual(t.do(command, rb".*")[:3], code, command)
        self.assertEqual(t.closed(), b"")

    def test_attack_039_after_a_refused_message(self):
        t = self.begin_data()
        t.send(b"a: b\r\n\r\n" + b"x" * 998 + b"\r\n" + (b"x" * 998 + b"\r\n") * 1060 + b".\r\n")
        self.assertRegex(t.reply(), rb"^552 ")
        t.do(b"RCPT TO:<alice@example.org>", rb"503 .*")
        t.do(b"DATA", rb"503 .*")
        t.do(b"MAIL FROM:<a@example.net>", rb"250 .*")
        t.do(b"RCPT TO:<elsewhere@example.com>", rb"550 5\.7\.1 .*")
        t.do(b"DATA", rb"503 .*")
        self.assertEqual(self.got(), [])

    def test_attack_039_chunks_that_nobody_offered(self):
        for tail in (b"RSET\r\nQUIT\r\n", SECOND, b"DATA\r\nx\r\n.\r\n"):
            t = self.begin()
            t.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nBDAT 10\r\n" + tail)
            self.assertRegex(t.closed(), rb"^250 [^\n]*\n250 [^\n]*\n5\d\d [^\n]*\n$")
        self.assertEqual(self.got() + self.got("carol"), [])

    def test_attack_041_declared_small_and_sent_large(self):
        mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc")
        disk, block = disk_bytes(self.s.dir), b"x" * 62 + b"\r\n"
        with self.s.unharmed():
            t = self.begin()
            t.do(b"MAIL FROM:<a@example.net> SIZE=1", rb"250 .*")
            t.do(b"RCPT TO:<alice@example.org>", rb"250 .*")
            t.do(b"DATA", rb"354 .*")
            sent = 0
            try:
                while sent < 1 << 30:
                    t.send(block * 1024)
                    sent += len(block) * 1024
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.assertLess(sent, 64 << 20)     # it did not go on reading
            t.close()
        self.assertEqual(disk_bytes(self.s.dir), disk)
        self.assertEqual(len(self.got()), 1)

    def test_attack_041_the_reply(self):
        t = self.begin()
        t.do(b"MAIL FROM:<a@example.net> SIZE=1", rb"250 .*")
        t.do(b"RCPT TO:<alice@example.org>", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send((b"x" * 998 + b"\r\n") * 1200 + b".\r\n")
        self.assertRegex(t.reply(), rb"^552 5\.3\.4 ")
        for size in (b"1048577", b"99999999999999999999"):
            t.do(b"MAIL FROM:<a@example.net> SIZE=" + size, rb"552 5\.3\.4 .*")
        for size in (b"", b"x", b"-1", b"100000000000000000000", b"1 SIZE=1"):
            t.do(b"MAIL FROM:<a@example.net> SIZE=" + size, rb"(501|552) .*")
        t.do(b"MAIL FROM:<a@example.net> SIZE=1048576", rb"250 .*")
        self.assertEqual(self.got(), [])

    def test_attack_043_addresses(self):
        mark = len(self.s.lines)
        before = {f for _, _, files in os.walk(self.s.dir) for f in files}
        table = ((b'<""@example.org>', b"501"), (b"<@a.example,@b.example:alice@example.org>", b"250"),
                 (b'<"a b"@example.org>', b"550 5.1.1"), (b'<"alice"@EXAMPLE.org>', b"250"),
                 (b"<" + b"x" * 900 + b"@example.org>", b"501"), (b"<" + b"x" * 64 + b"@example.org>", b"550 5.1.1"),
                 (b"<a@[IPv6:2001:db8::1]>", b"550 5.7.1"), (b"<a@[192.0.2.1]>", b"550 5.7.1"),
                 (b"<a@[nonsense]>", b"501"), ("<älice@example.org>".encode(), b"553"),
                 ("<alice@exämple.org>".encode(), b"553"), (b"<;cmd@example.org>", b"501"),
                 (b'<";touch x"@example.org>', b"550 5.1.1"), (b"<|cmd@example.org>", b"550 5.1.1"),
                 (b"<../x@example.org>", b"550 5.1.1"), (b"<../../../../tmp/x@example.org>", b"550 5.1.1"),
                 (b"<${run{x}}@example.org>", b"550 5.1.1"), (b"<$(x)@example.org>", b"501"),
                 (b"<`x`@example.org>", b"550 5.1.1"), (b"<alice@../x>", b"501"), (b"<alice@example.org;x>", b"501"),
                 (b"<(alice)@example.org>", b"501"), (b"<alice@example.org> <carol@example.org>", b"555"),
                 (b"<alice@example.org", b"501"), (b"<alice@>", b"501"), (b"<>", b"501"), (b"", b"501"),
                 (b"<\"x\\\"y\"@example.org>", b"550 5.1.1"), (b"<%s%n@example.org>", b"550 5.1.1"))
        for path, code in table:
            t = self.begin()
            t.do(b"MAIL FROM:<>", rb"250 .*")
            t.send(b"RCPT TO:" + path + b"\r\n")
            self.assertEqual(t.reply()[:len(code)], code, path)
            t.close()
        self.assertEqual({f for _, _, files in os.walk(self.s.dir) for f in files}, before)
        refused = sum(code.startswith(b"550") for _, code in table)
        until("they are logged", lambda: sum("smtp.rcpt_refused" in x for x in self.s.lines[mark:]) == refused)
        for line in self.s.lines[mark:]:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z \w+ \w+\.\d+ [\w.]+( \w+=(\"([^\"\\]|\\.)*\"|\S+))*$")

    # others than ours, in words that are understood; and in words that may not be
    FOREIGN = ("<victim@elsewhere.example>", "victim@elsewhere.example",
               "<VICTIM@ELSEWHERE.EXAMPLE>", "<@example.org:victim@elsewhere.example>",
               "<@example.org,@mail.example.org:victim@elsewhere.example>", "<victim@[192.0.2.1]>",
               "<victim@[127.0.0.1]>", "<victim@[IPv6:::1]>", "<victim@[IPv6:2001:db8::1]>",
               "<\"victim\"@elsewhere.example>", "<\"a b\"@elsewhere.example>",
               "<victim@example.org.elsewhere.example>", "<victim@sub.example.org>", "<victim@org>",
               "<victim@mail.example.org>", "<victim@elsewhere-example.org>", "<victim@xexample.org>",
               "<victim%x@elsewhere.example>", "<x!victim@elsewhere.example>",
               "<alice+x@elsewhere.example>", "<postmaster@elsewhere.example>", "<alice@localhost>",
               "<\"alice@example.org\"@elsewhere.example>", "<@[192.0.2.1]:victim@elsewhere.example>")
    QUOTED = ("<victim%elsewhere.example@example.org>", "<\"victim%elsewhere.example\"@example.org>",
              "<\"victim@elsewhere.example\"@example.org>", "<elsewhere.example!victim@example.org>",
              "<\"victim\\@elsewhere.example\"@example.org>", "<victim@elsewhere.example@example.org>",
              "<elsewhere.example!victim>", "<victim%elsewhere.example>", "<\"victim@elsewhere.example\">",
              "<victim@elsewhere.example%example.org>", "<<victim@elsewhere.example>@example.org>",
              "<smtp:victim@elsewhere.example>", "<victim@example.org@>", "<victim@@elsewhere.example>",
              "<victim@elsewhere.example.>")

    def test_attack_045_relay(self):
        for sender in (b"<a@example.net>", b"<alice@example.org>", b"<>", b"<postmaster@example.org>"):
            for form in self.FOREIGN + self.QUOTED:
                t = self.begin()
                t.do(b"MAIL FROM:" + sender, rb"250 .*")
                t.send(b"RCPT TO:" + form.encode() + b"\r\nDATA\r\n")
                self.assertRegex(t.reply(), rb"^550 5\.7\.1 " if form in self.FOREIGN
                                 else rb"^(550 5\.(7|1)\.1|501 5\.1\.3) ", form)
                self.assertRegex(t.reply(), rb"^503 ")
                t.close()

    HELLO = bytes.fromhex("1603010200010001fc0303") + b"\x41" * 500
    ALIENS = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n",
              b"OPTIONS * HTTP/1.1\r\n\r\n", b"CONNECT x:25 HTTP/1.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
              b"SSH-2.0-x\r\n", HELLO)

    def test_attack_046_alien_verbs_on_smtp(self):
        tail = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\na: b\r\n\r\n.\r\nQUIT\r\n"
        for early in (False, True):             # before or behind the greeting
            for alien in self.ALIENS:
                t = self.s.talk("smtp")
                self.addCleanup(t.close)
                if not early:
                    t.expect(rb"220 .*", t.reply)
                t.send(alien + tail)
                said = t.closed()
                self.assertRegex(said, rb"^(220 [^\n]*\n)?(5\d\d [^\n]*\n)?$", alien[:20])
        self.assertEqual(self.got(), [])

    def test_attack_046_alien_verbs_on_pop3(self):
        for alien in self.ALIENS:
            t = self.s.talk("pop3")
            self.addCleanup(t.close)
            t.line()
            t.send(alien + b"USER alice\r\nPASS secret\r\nQUIT\r\n")
            self.assertRegex(t.closed(), rb"^(-ERR [^\n]*\n)?$", alien[:20])

    def test_attack_046_plain_speech_where_tls_is_wanted(self):
        for alien in self.ALIENS[:-1] + (b"USER alice\r\nPASS secret\r\n",):
            t = self.s.talk("pop3s")
            self.addCleanup(t.close)
            t.send(alien)
            self.assertNotIn(b"+OK", t.closed())

    def test_attack_084_commands_behind_starttls_are_dropped(self):
        t = self.begin()
        t.send(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx: ")
        t.expect(rb"220 .*")
        t.start_tls()
        t.do(b"RCPT TO:<alice@example.org>", rb"503 .*")
        t.do(b"MAIL FROM:<a@example.net>", rb"503 .*HELO.*")      # the EHLO of before counts no more
        self.assertNotIn(b"STARTTLS", t.do(b"EHLO c", rb"250.*"))
        t.do(b"STARTTLS", rb"503 .*")
        t.do(b"QUIT", rb"221 .*")

    def test_attack_084_what_was_said_before_starttls_is_forgotten(self):
        t = self.begin()
        t.do(b"MAIL FROM:<a@example.net>", rb"250 .*")
        t.do(b"STARTTLS", rb"503 .*")
        t.do(b"RSET", rb"250 .*")
        t.do(b"STARTTLS", rb"220 .*")
        t.start_tls()
        t.do(b"RCPT TO:<alice@example.org>", rb"503 .*")

    def test_attack_084_commands_behind_stls_are_dropped(self):
        t = self.s.talk("pop3")
        self.addCleanup(t.close)
        t.line()
        t.send(b"USER carol\r\n")
        t.expect(rb"\+OK.*\r\n")
        t.send(b"STLS\r\nUSER alice\r\nPASS secret\r\n")
        t.expect(rb"\+OK.*\r\n")
        t.start_tls()
        t.send(b"PASS other\r\nSTAT\r\nUSER alice\r\nPASS secret\r\nQUIT\r\n")
        t.expect(rb"-ERR.*\r\n")
        t.expect(rb"-ERR.*\r\n")
        for _ in range(3):
            t.expect(rb"\+OK.*\r\n")
        t.closed()

    def test_attack_102_deletions_happen_at_quit_only(self):
        def end_by_kill(t):
            self.s.kill_role("mail")
            t.closed()
        for n in range(3):
            mail_in(self.s, b"alice@example.org", b"n: %d\r\n\r\n" % n)
        for end in (Talk.close, Talk.reset, lambda t: t.sock.shutdown(socket.SHUT_RDWR),
                    lambda t: t.send(b"QUIT now\r\n"), lambda t: t.send(b"QUI"), lambda t: t.send(b"QUIT"),
                    lambda t: t.send(b"QUIT\r"), lambda t: t.send(b"QUIT\n"), lambda t: t.send(b"GET / HTTP/1.1\r\n"),
                    lambda t: t.send(b"RSET\r\nQUIT\r\n"), lambda t: t.send(b"x" * 9000), end_by_kill):
            t = self.pop3()
            t.send(b"DELE 1\r\nDELE 2\r\nDELE 3\r\n")
            for _ in range(3):
                t.expect(rb"\+OK.*\r\n")
            end(t)
            t.close()
            t = self.pop3()
            t.send(b"STAT\r\nQUIT\r\n")
            t.expect(rb"\+OK 3 \d+\r\n")
            t.closed()
            t.close()

    def pop3(self):
        """A session of alice, as soon as the one before has ended."""
        found = []

        def tried():
            t = self.s.talk("pop3")
            try:
                t.line()
                t.send(b"USER alice\r\nPASS secret\r\n")
                t.line()
                if t.line().startswith(b"+OK"):
                    found.append(t)
                    return True
            except (AssertionError, OSError):   # the role is not back yet
                pass
            t.close()
            return False
        until("alice can log in", tried)
        return found[0]


class Plaintext(OneServer):
    users, conf = {"alice": "secret"}, "auth { plaintext_login [192.0.2.0/24]; }"

    def test_attack_092_no_login_before_tls(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            self.assertNotIn(b"AUTH", t.do(b"EHLO c", rb"250.*"))
            t.do(b"AUTH PLAIN", rb"50[23] .*")
            t.do(b"AUTH LOGIN", rb"50[23] .*")
        with self.s.talk("pop3") as t:
            t.line()
            t.send(b"CAPA\r\n")
            self.assertNotIn(b"USER", t.multi())
            t.send(b"USER alice\r\n")
            t.expect(rb"-ERR .*STLS.*\r\n")     # said before a secret is sent
            t.send(b"PASS secret\r\n")
            t.expect(rb"-ERR.*\r\n")
            t.send(b"STLS\r\n")
            t.expect(rb"\+OK.*\r\n")
            t.start_tls()
            t.send(b"CAPA\r\n")
            self.assertIn(b"\r\nUSER\r\n", t.multi())
            t.send(b"USER alice\r\nPASS secret\r\nQUIT\r\n")
            for _ in range(3):
                t.expect(rb"\+OK.*\r\n")
        with pop3_login(self.s, b"alice", b"secret", service="pop3s"):
            pass


class Control(OneServer):
    def connect(self):
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(c.close)
        c.connect(os.path.join(self.s.dir, "run/control.sock"))
        c.settimeout(20)
        return c

    @staticmethod
    def swallow(c):
        """Until the peer closes; it must, since what it got was no word."""
        try:
            while c.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def test_attack_155_garbage_on_the_control_socket(self):
        r = random.Random(155)
        with self.s.unharmed():
            for n in range(300):
                c = self.connect()
                size = r.choice((1, 2, 4, 7, 8, 12, 16, 40, 1000, 60000))
                data = bytearray(r.randbytes(size))
                if n % 3 == 0:                  # something that begins as a word of ours may
                    data[:8] = struct.pack(r.choice(("<HHI", ">HHI")), r.randrange(90), r.randrange(3), n)[:size]
                try:
                    c.send(data)
                    c.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                self.swallow(c)
                c.close()
            self.s.run("user", "list")

    def test_attack_155_descriptors_that_nobody_asked_for(self):
        with tempfile.TemporaryFile() as f, self.s.unharmed():
            for n in (1, 2, 100):
                c = self.connect()
                try:
                    c.sendmsg([b"\0" * 16], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                              array.array("i", [f.fileno()] * n))])
                except OSError:
                    pass
                self.swallow(c)
                c.close()
            self.s.run("user", "list")

    def test_attack_155_many_at_once(self):
        with self.s.unharmed():
            many = [self.connect() for _ in range(100)]
            for c in many:
                c.close()
            until("it answers again", lambda: self.s.run("user", "list", code=None) == "" and not self.s.code)

    def test_attack_155_half_a_question_and_away(self):
        """A tool that is killed while its question is open."""
        with self.s.unharmed():
            for _ in range(20):
                p = subprocess.Popen(self.s.command("status"), stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
                kill(p.pid, signal.SIGKILL)
                p.wait()
            self.s.run("status")


class Configuration(unittest.TestCase):
    def setUp(self):
        self.s = Server(users={"alice": "secret"})
        self.addCleanup(self.s.remove)
        with open(self.s.conf_path(), encoding="ascii") as f:
            self.text = f.read()

    def write(self, text):
        with open(self.s.conf_path(), "w", encoding="utf-8") as f:
            f.write(text)

    def test_attack_156_unknown_and_doubled_keys(self):
        for text, where in (("a 1;\n", "1:1"), ("\n  dns { bogus 1; }\n", "2:9"), ("log { level info; }\nlog { to file; }\n", "2:1"),
                            ("host_name a.example;\nhost_name b.example;\n", "2:1"), ("dns { rate_limit x; }\n", "1:18"),
                            ("smtp { instances 17; }\n", "1:18"), ("x", r"1:\d"), ("smtp {\n", r"\d:\d"), ("}", "1:1"),
                            ("host_name \"a", r"1:\d+"), ("a\0b 1;", r"1:\d"), ("smtp { listen [1.2.3.4:99999]; }", r"1:\d+")):
            self.write(text)
            for command in ("check", "serve"):
                with self.subTest((text, command)):
                    self.s.run(command, code=2)
                    self.assertRegex(self.s.said, r"(?m)^(\S*/)?stead\.conf:%s: \S" % where)

    def test_attack_156_broken_reload_under_load(self):
        with self.s:
            stop, problems, sent = threading.Event(), [], []

            def load():
                while not stop.is_set():
                    try:
                        if not mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc").startswith(b"250 "):
                            problems.append("not 250")
                        sent.append(1)
                        self.s.ask("example.org", "MX")
                    except Exception as e:      # pylint: disable=broad-except
                        problems.append(repr(e))
            threads = [threading.Thread(target=load) for _ in range(4)]
            for t in threads:
                t.start()
            try:
                roles = self.s.roles()
                for n in range(10):
                    self.write(self.text + ("bogus;\n" if n % 2 else "dns { rate_limit 0; }\n"))
                    self.s.run("reload", code=n % 2)
                    self.assertEqual(self.s.roles(), roles)
                until("mail came meanwhile", lambda: len(sent) > 20 or problems)
            finally:
                stop.set()
                for t in threads:
                    t.join()
            self.assertEqual(problems, [])
            self.assertEqual(len(pop3_all(self.s, b"alice", b"secret", delete=True)), len(sent))

    def test_attack_156_a_key_that_others_can_read(self):
        key = os.path.join(self.s.dir, "keys/tls.pem")
        for mode in (0o644, 0o640, 0o604, 0o666, 0o660):
            os.chmod(key, mode)
            for command, code in (("serve", 1), ("check", 1)):
                self.s.run(command, code=code)
                self.assertRegex(self.s.said, r"keys/tls\.pem.* can be read by others.*chmod 600")
                self.assertNotRegex(self.s.said, r"\.c:\d|PRIVATE")
        os.chmod(key, 0o600)
        with self.s:
            pass


class Fresh(OneServer):
    """As `init` made it, and nothing else."""

    @needs_tool("ss")
    def test_attack_157_ports(self):
        pids = {str(p) for p in self.s.all_pids()}
        found = set()
        for line in subprocess.run(["ss", "-Hltnup"], stdout=subprocess.PIPE, text=True, check=True,
                                   timeout=60).stdout.splitlines():
            if pids & set(re.findall(r"pid=(\d+)", line)):
                column = line.split()
                found.add((column[0], column[4]))
        want = {("tcp", port + self.s.offset) for port in (*PORTS.values(), *PASSIVE)}
        want |= {("udp", self.s.port(service)) for service in ("dns", "resolver")}
        self.assertEqual(found, {(how, f"{host}:{port}") for host in ("127.0.0.1", "[::1]")
                                 for how, port in want})

    def test_attack_157_no_accounts_and_no_login(self):
        self.assertEqual(self.s.run("user", "list"), "")
        self.assertEqual(self.s.run("alias", "list"), "")
        for user in (b"root", b"admin", b"postmaster", b"alice", b"anonymous", b"stead", b"test"):
            for password in (b"", b" ", b"root", b"admin", b"password", b"stead", user):
                with self.s.talk("pop3") as t:
                    t.line()
                    t.send(b"USER %s\r\nPASS %s\r\n" % (user, password))
                    t.line()
                    t.expect(rb"-ERR.*\r\n")
                with self.s.talk("ftp") as t:
                    t.line()
                    t.send(b"USER %s\r\n" % user)
                    if t.reply()[:3] == b"331":
                        t.send(b"PASS %s\r\n" % password)
                        t.expect(rb"(530|421) .*\r\n", t.reply)
                with self.s.talk("imap") as t:
                    t.line()
                    t.send(b'a LOGIN "%s" "%s"\r\n' % (user, password))
                    t.expect(rb"a NO .*\r\n")
                with self.s.talk("submission") as t:
                    t.expect(rb"220 .*", t.reply)
                    t.do(b"EHLO c", rb"250.*")
                    t.do(b"AUTH PLAIN " + base64.b64encode(b"\0%s\0%s" % (user, password)), rb"5(35|01) .*")
                    t.do(b"MAIL FROM:<postmaster@example.org>", rb"530 .*")

    def test_attack_157_no_relay_and_no_recursion(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.do(b"EHLO c", rb"250.*")
            t.do(b"MAIL FROM:<postmaster@example.org>", rb"250 .*")
            t.do(b"RCPT TO:<a@example.com>", rb"550 5\.7\.1 .*")
        for name, kind in ((".", "NS"), ("example.com", "A"), ("org", "SOA"), ("localhost", "A"),
                           ("1.0.0.127.in-addr.arpa", "PTR"), ("version.bind", "TXT")):
            for tcp in (False, True):
                m = self.s.ask(name, kind, rd=True, tcp=tcp)
                self.assertEqual((m.rcode, m.ra, m.answer, m.authority, m.additional), (5, False, [], [], []))
        self.assertEqual(self.s.ask("version.bind", "TXT", klass=3).rcode, 5)
        self.assertEqual(self.s.ask("example.org", 252, tcp=True).rcode, 5)     # AXFR

    @needs_tool("openssl")
    def test_attack_157_tls_versions(self):
        for service, how in (*((s, ()) for s in sorted(TLS_FIRST)), ("pop3", ("-starttls", "pop3")),
                             ("smtp", ("-starttls", "smtp")), ("submission", ("-starttls", "smtp")),
                             ("imap", ("-starttls", "imap")), ("ftp", ("-starttls", "ftp"))):
            for version, well in (("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
                r = subprocess.run(["openssl", "s_client", "-brief", "-connect",
                                    "127.0.0.1:%d" % self.s.port(service), *how, version, "-cipher",
                                    "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
                self.assertEqual(b"CONNECTION ESTABLISHED" in r.stdout, well, (service, version, r.stdout))

    def test_attack_157_weak_suites(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for suite in ("ECDHE-ECDSA-AES128-SHA", "AES128-SHA", "ECDHE-ECDSA-NULL-SHA", "ADH-AES128-SHA"):
            context.set_ciphers(suite + ":@SECLEVEL=0")
            with socket.create_connection(("127.0.0.1", self.s.port("pop3s")), 20) as c:
                with self.assertRaises(ssl.SSLError, msg=suite):
                    context.wrap_socket(c)

    def test_attack_157_files_are_closed(self):
        for at, folders, files in os.walk(self.s.dir):
            for name in folders + files:
                path = os.path.join(at, name)
                mode = os.lstat(path).st_mode & 0o777
                if not name == "control.sock":
                    self.assertEqual(mode & 0o022, 0, path)
                if os.path.basename(at) in ("keys", "auth", "store") or name in ("keys", "auth", "store"):
                    self.assertEqual(mode & 0o077, 0, path)
        self.assertTrue(json.loads(self.s.run("status", "--json"))["roles"])


if __name__ == "__main__":
    unittest.main()
