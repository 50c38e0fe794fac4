"""Mail that goes to other servers: a sink that keeps what it gets, or does what it is told instead."""
import os
import socket
import ssl
import threading
import unittest

from stead import Server, mail_in, pop3_all, until

TEXT = b"From: alice@example.org\r\nSubject: out\r\n\r\nHello\r\n.dot\r\nend\r\n"
EHLO = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 ENHANCEDSTATUSCODES\r\n"
GOOD = {b"": b"220 sink.test ESMTP\r\n", b"EHLO": EHLO, b"MAIL": b"250 2.1.0 ok\r\n",
        b"RCPT": b"250 2.1.5 ok\r\n", b"DATA": b"354 go on\r\n", b".": b"250 2.0.0 kept\r\n",
        b"RSET": b"250 2.0.0 ok\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}


class Sink:
    """An SMTP server on loopback.  rules: what begins a command, and its reply; None closes.
    messages: (envelope, body, in TLS?) of each that was kept."""

    def __init__(self):
        self.rules, self.context, self.messages, self.commands = {}, None, [], []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.guarded, args=(sock,), daemon=True).start()

    def guarded(self, sock):
        try:
            self.serve(sock, self.rules)
        except (OSError, ValueError):
            pass                                # the client has had enough of it
        finally:
            sock.close()

    def reply(self, sock, rules, line):
        for table in (rules, GOOD):
            for command, reply in table.items():
                if line.upper().startswith(command) if command else not line:
                    if reply is None:
                        raise ValueError
                    sock.sendall(reply)
                    return reply
        sock.sendall(b"500 5.5.2 what?\r\n")
        return b""

    def serve(self, sock, rules):
        self.reply(sock, rules, b"")
        f, envelope, tls = sock.makefile("rb"), [], False
        while True:
            line = f.readline().rstrip(b"\r\n")
            if not line:
                return
            self.commands.append(line)
            if line == b"STARTTLS" and self.context:
                sock.sendall(b"220 2.0.0 go on\r\n")
                sock = self.context.wrap_socket(sock, server_side=True)
                f, envelope, tls = sock.makefile("rb"), [], True
                continue
            reply = self.reply(sock, rules, line)
            if line[:4] in (b"MAIL", b"RSET"):
                envelope = []
            if line[:4] in (b"MAIL", b"RCPT") and reply[:1] == b"2":
                envelope.append(line)
            if line == b"DATA" and reply[:3] == b"354":
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    more = f.readline()
                    if not more:
                        return
                    body += more
                if self.reply(sock, rules, b".")[:1] == b"2":
                    self.messages.append((envelope, body, tls))


class Out(unittest.TestCase):
    def setUp(self):
        self.sink, self.waits = Sink(), False
        self.addCleanup(self.sink.close)
        self.s = Server(users={"alice": "pw"}, conf="smtp { relay [127.0.0.0/8]; } "
                        f'out {{ relay "127.0.0.1:{self.sink.port}"; }}')
        self.s.start()
        self.addCleanup(self.s.__exit__, None)

    def send(self, *users, text=TEXT):
        reply = mail_in(self.s, [u + b"@far.test" for u in users], text, b"alice@example.org")
        self.assertTrue(reply.startswith(b"250 "), reply)

    def kept(self, n=1):
        until(f"{n} messages at the sink", lambda: len(self.sink.messages) >= n)
        return self.sink.messages[n - 1]

    def bounce(self):
        return until("a bounce", lambda: pop3_all(self.s, b"alice", b"pw", True))[0]

    def test_goes_out(self):
        self.send(b"x", b"y")
        envelope, body, tls = self.kept()
        self.assertTrue(envelope[0].startswith(b"MAIL FROM:<alice@example.org>"))
        self.assertEqual(envelope[1:], [b"RCPT TO:<x@far.test>", b"RCPT TO:<y@far.test>"])
        self.assertTrue(body.startswith(b"Received: "), body)
        self.assertTrue(body.endswith(b"\r\n\r\nHello\r\n..dot\r\nend\r\n.\r\n"), body)
        self.assertFalse(tls)
        self.s.wait_line(r"out\.delivered .*domain=.?far\.test")

    def test_large(self):
        text = TEXT + b"".join(b"%06d xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" % i for i in range(15000))
        self.send(b"x", text=text)
        self.assertTrue(self.kept()[1].endswith(text[len(TEXT):] + b".\r\n"))

    def test_tls(self):
        self.sink.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.sink.context.load_cert_chain(os.path.join(self.s.dir, "tls/cert.pem"),
                                          os.path.join(self.s.dir, "keys/tls.pem"))
        self.sink.rules = {b"EHLO": b"250-sink.test\r\n250 STARTTLS\r\n"}
        self.send(b"x")
        self.assertTrue(self.kept()[2])

    def test_broken_tls_goes_in_plain(self):
        self.sink.rules = {b"EHLO": b"250-sink.test\r\n250 STARTTLS\r\n",
                           b"STARTTLS": b"220 go on\r\nthis is no handshake\r\n"}
        self.send(b"x")
        self.assertFalse(self.kept()[2])
        self.assertEqual(self.sink.connections, 2)
        self.s.wait_line(r"out\.tls_failed")

    def test_a_refused_recipient_bounces(self):
        self.sink.rules = {b"RCPT TO:<X@": b"550 5.1.1 nobody of this name\r\n"}
        self.send(b"x", b"y")
        self.assertEqual(self.kept()[0][1:], [b"RCPT TO:<y@far.test>"])
        text = self.bounce()
        self.assertRegex(text, rb"(?i)final-recipient: rfc822; ?x@far\.test")
        self.assertRegex(text, rb"(?i)status: 5\.1\.1")
        self.assertRegex(text, rb"nobody of this name")
        self.assertNotRegex(text, rb"(?i)final-recipient: rfc822; ?y@far\.test")
        self.s.wait_line(r"out\.failed .*delivered=1 .*failed=1")

    def test_it_is_ourselves(self):
        with self.s.talk("smtp") as t:
            greeting = t.line()
        self.sink.rules = {b"": greeting}
        self.send(b"x")
        self.s.wait_line(r"out\.failed .*circle")

    def misbehaves(self, **rules):
        """Sends a message, or has the one that waits tried again: it still waits."""
        self.sink.rules = {k.encode(): v for k, v in rules.items()}
        before = len(self.s.lines)
        if self.waits:
            self.s.run("queue", "retry")
        else:
            self.send(b"x")
        self.waits = True
        self.s.wait_line(r"out\.deferred .*deferred=1", after=before)
        self.s.wait_line(r"queue\.deferred ", after=before)
        self.assertEqual(self.sink.messages, [])

    def test_attack_056_replies_that_are_none(self):
        for reply in (b"999 what\r\n", b"250 o\0k\r\n", b"250 ok\n", b"250-ok\r\n550 no\r\n", b"\r\n",
                      b"250-" + b"x" * 100000 + b"\r\n", b"250-x\r\n" * 1000, None):
            with self.subTest(reply=reply and reply[:20]), self.s.unharmed():
                self.misbehaves(MAIL=reply)
        self.sink.rules = {}
        self.s.run("queue", "retry")
        self.kept()                             # no loss, and not twice
        self.assertEqual(len(self.sink.messages), 1)

    def test_attack_056_early_and_stale(self):
        self.misbehaves(DATA=b"354 go on\r\n250 2.0.0 kept\r\n")

    def test_attack_055_end_behind_the_dot(self):
        self.misbehaves(**{".": None})

    def test_out_dies(self):
        self.sink.rules = {b"RCPT": b""}            # no reply: it waits
        self.send(b"x")
        until("it is under way", lambda: any(c[:4] == b"RCPT" for c in self.sink.commands))
        self.sink.rules = {}
        self.s.kill_role("out")
        self.send(b"y")
        self.kept()


if __name__ == "__main__":
    unittest.main()
