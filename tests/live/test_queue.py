"""Outgoing mail: deferred and taken, refused and told, seen and changed by `stead queue`."""
import email
import json
import smtplib
import socket
import threading
import time

from stead import OneServer, pop3_all, text_of, until


class Sink:
    """A mail server elsewhere.  what(address) is its reply to a RCPT; mails are what it took."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.what, self.mails, self.seen = lambda address: "250 ok", [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.meet, args=(c,), daemon=True).start()

    def meet(self, c):
        try:
            with c:
                self.talk(c)
        except OSError:                                 # it went away in the midst
            pass

    def talk(self, c):
        with c.makefile("rb") as f:
            def say(text):
                c.sendall(text.encode() + b"\r\n")

            say("220 sink")
            sender, to = None, []
            while line := f.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    say("250-sink\r\n250 PIPELINING")
                elif verb == b"MAIL":
                    sender, to = line.split(b"<")[1].split(b">")[0].decode(), []
                    say("250 ok")
                elif verb == b"RCPT":
                    address = line.split(b"<")[1].split(b">")[0].decode()
                    reply = self.what(address)
                    self.seen.append(address)
                    if reply.startswith("250"):
                        to.append(address)
                    say(reply)
                elif verb == b"DATA":
                    if not to:
                        say("554 no recipients")
                        continue
                    say("354 go on")
                    text = b""
                    while not text.endswith(b"\r\n.\r\n") and (more := f.readline()):
                        text += more
                    self.mails.append((sender, to, text[:-3]))
                    say("250 taken")
                elif verb == b"QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    def close(self):
        self.listener.close()


class Queue(OneServer):
    users = {"alice": "al pass"}

    @classmethod
    def setUpClass(cls):
        cls.sink = Sink()
        cls.conf = ('smtp { relay [127.0.0.0/8 ::1]; }\n'
                    f'out {{ relay "127.0.0.1:{cls.sink.port}"; loopback on; }}')
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.sink.close()

    def setUp(self):
        self.sink.what = lambda address: "250 ok"
        self.sink.mails.clear()
        self.sink.seen.clear()

    def tearDown(self):
        self.sink.what = lambda address: "250 ok"
        self.s.run("queue", "remove", "all")
        until("an empty queue", lambda: not self.queue())
        pop3_all(self.s, b"alice", b"al pass", True)
        super().tearDown()

    def send(self, *rcpts, sender="alice@example.org", text=b"Subject: out\r\n\r\nHello.\r\n"):
        with smtplib.SMTP("127.0.0.1", self.s.port("smtp")) as c:
            c.sendmail(sender, rcpts, text)

    def queue(self):
        return json.loads(self.s.run("queue", "list", "--json"))

    def tried(self, n=1):
        """The only message in the queue, when all its recipients were tried n times."""
        def look():
            q = self.queue()
            return len(q) == 1 and all(r["tries"] >= n for r in q[0]["recipients"]) and q[0]
        return until("a try", look)

    def mails(self):
        return [text_of(m) for m in pop3_all(self.s, b"alice", b"al pass")]

    def test_taken(self):
        self.send("bob@far.example", "eve@other.example", "alice@example.org")
        until("two mails", lambda: len(self.sink.mails) == 2)
        self.assertEqual(sorted(to for _, to, _ in self.sink.mails),
                         [["bob@far.example"], ["eve@other.example"]])
        for sender, _, text in self.sink.mails:
            self.assertEqual(sender, "alice@example.org")
            self.assertNotIn(b"Return-Path", text)
            self.assertTrue(text.startswith(b"Received: "))
            self.assertTrue(text.endswith(b"\r\nSubject: out\r\n\r\nHello.\r\n"))
        until("an empty queue", lambda: not self.queue())
        self.assertEqual(len(self.mails()), 1)

    def test_large(self):
        text = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n"
        text += b"0123456789" * 7 + b"\r\n" * 1
        text += (b"y" * 70 + b"\r\n") * 4000
        self.send("bob@far.example", text=text)
        until("a mail", lambda: self.sink.mails)
        self.assertTrue(self.sink.mails[0][2].endswith(text))

    def test_deferred_then_taken(self):
        self.sink.what = lambda address: "451 4.3.0 not now"
        self.send("bob@far.example")
        m = self.tried()
        r = m["recipients"][0]
        self.assertEqual((m["sender"], r["address"], r["state"], r["status"]),
                         ("alice@example.org", "bob@far.example", "deferred", "4.3.0"))
        self.assertIn("451 4.3.0 not now", r["reply"])
        self.assertTrue(200 < r["next_s"] - time.time() < 400)
        said = self.s.run("queue")
        self.assertRegex(said, r"(?m)^%s  from <alice@example\.org>, \d+ B, \d+ s old$" % m["id"])
        self.assertRegex(said, r"(?m)^    to <bob@far\.example>: deferred, 1 try, next in [45] min$")
        self.sink.what = lambda address: "250 ok"
        self.assertEqual(self.s.run("queue", "retry", m["id"]), "1 message to be tried now\n")
        until("the mail", lambda: self.sink.mails)
        until("an empty queue", lambda: not self.queue())
        self.assertEqual(self.mails(), [])

    def test_refused(self):
        self.sink.what = lambda a: "250 ok" if a[0] == "b" else "550 5.1.1 <%s> who is that" % a
        self.send("bob@far.example", "eve@far.example", "dan@far.example")
        until("a report", lambda: len(self.mails()) == 1)
        report = email.message_from_bytes(self.mails()[0])
        self.assertEqual(report["Return-Path"], "<>")
        self.assertEqual(report["To"], "<alice@example.org>")
        self.assertEqual(report["Auto-Submitted"], "auto-replied")
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        self.assertEqual(report.defects, [])
        text, status, header = report.get_payload()
        self.assertIn("dan@far.example", text.get_payload())
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        head, *rcpts = status.get_payload()
        self.assertTrue(head["Reporting-MTA"].startswith("dns; "))
        self.assertEqual(sorted(r["Final-Recipient"] for r in rcpts),
                         ["rfc822; dan@far.example", "rfc822; eve@far.example"])
        for r in rcpts:
            self.assertEqual((r["Action"], r["Status"]), ("failed", "5.1.1"))
            self.assertRegex(r["Diagnostic-Code"], r"^smtp; 550 5\.1\.1 <\w+@far\.example> who")
        self.assertEqual(header.get_content_type(), "text/rfc822-headers")
        self.assertIn("Subject: out", header.get_payload())
        self.assertNotIn("Hello.", report.as_string())
        until("an empty queue", lambda: not self.queue())
        self.assertEqual([to for _, to, _ in self.sink.mails], [["bob@far.example"]])

    def test_no_bounce_of_a_bounce(self):
        self.sink.what = lambda address: "550 5.1.1 no"
        self.send("bob@far.example", sender="")
        until("a try", lambda: self.sink.seen)
        until("an empty queue", lambda: not self.queue())
        self.assertEqual(self.mails(), [])

    def test_forwarding(self):
        self.s.run("alias", "add", "away@example.org", "bob@far.example", "alice@example.org")
        self.send("away@example.org", sender="a@example.net")
        until("the mail", lambda: self.sink.mails)
        self.assertEqual(self.sink.mails[0][:2], ("a@example.net", ["bob@far.example"]))
        until("her mail", lambda: len(self.mails()) == 1)
        self.s.run("alias", "del", "away@example.org")

    def test_held(self):
        self.sink.what = lambda address: "451 4.3.0 not now"
        self.send("bob@far.example")
        m = self.tried()
        self.assertEqual(self.s.run("queue", "hold", m["id"]), "1 message held\n")
        self.sink.what = lambda address: "250 ok"
        self.s.run("queue", "retry")
        self.s.kill_role("queue")                       # it is held in the next life, too
        until("the queue", lambda: self.queue() and self.queue()[0]["held"])
        self.assertEqual(self.sink.mails, [])
        self.assertIn("held", self.s.run("queue", "show", m["id"]))
        self.assertEqual(self.s.run("queue", "release", m["id"]), "1 message released\n")
        until("the mail", lambda: self.sink.mails)

    def test_removed(self):
        self.sink.what = lambda address: "451 4.3.0 not now"
        self.send("bob@far.example")
        m = self.tried()
        self.assertEqual(self.s.run("queue", "remove", m["id"]), "1 message removed\n")
        until("an empty queue", lambda: not self.queue())
        self.assertEqual(self.s.run("queue"), "the queue is empty\n")
        self.assertEqual(self.mails(), [])

    def test_wrong_words(self):
        for words, code, why in ((("show", "1234"), 1, "no message of this id"),
                                 (("hold", "1234"), 1, "no message of this id"),
                                 (("hold",), 2, "which message"),
                                 (("show", "all"), 2, "not an id"),
                                 (("show", "xyz"), 2, "not an id"),
                                 (("burn", "1"), 2, "not known"),
                                 (("retry", "1", "2"), 2, "too many words"),
                                 (("hold", "1", "--json"), 2, "--json is for"),
                                 (("list", "--colour"), 2, "unknown option")):
            self.s.run("queue", *words, code=code)
            self.assertIn(why, self.s.said)

    def test_roles_die(self):
        """What was accepted goes out, whoever dies meanwhile."""
        for n, role in enumerate(("queue", "out", "dial", "box", "queue")):
            self.send(*(f"r{n}{i}@far{i % 3}.example" for i in range(9)))
            self.s.kill_role(role)
        want = {f"r{n}{i}@far{i % 3}.example" for n in range(5) for i in range(9)}

        def all_there():
            if want <= {a for _, to, _ in self.sink.mails for a in to}:
                return True
            self.s.run("queue", "retry", code=None)
            time.sleep(0.2)
            return False
        until("all mails", all_there, deadline=60)
        until("an empty queue", lambda: not self.queue())
        self.assertEqual(self.mails(), [])
