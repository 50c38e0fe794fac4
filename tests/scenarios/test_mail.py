"""Scenarios 1 to 4 and 8: mail from Alice to Bob, by hand, with a picture, and in folders."""
import email
import email.policy
import hashlib
import imaplib
import poplib
import random
import smtplib
import ssl
from email.message import EmailMessage

import stead
from internet import Scenario

ALICE, BOB = "alice@ycp.edu", "bob@fakeplace.edu"
# The first octets of a JPEG file, and what no text could stand for.
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + random.Random(4).randbytes(40000) + b"\xff\xd9"


def any_certificate():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def letter(subject, text="Do you like ketchup?\nHow about pickles?\n", to=BOB):
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = ALICE, to, subject
    m["Date"], m["Message-ID"] = "Sun, 22 Nov 2026 10:00:00 +0000", f"<{subject.replace(' ', '-')}@ycp.edu>"
    m.set_content(text)
    return m


class Mail(Scenario):
    def send(self, message, to=BOB):
        """Alice's user agent: submission, TLS, a login."""
        with self.net.alice.inside():
            s = smtplib.SMTP("10.0.1.1", 587, local_hostname="alice.ycp.edu", timeout=60)
        with s:
            s.starttls(context=any_certificate())
            s.login(ALICE, "in wonderland")
            s.sendmail(ALICE, [to], message.as_bytes())

    def imap(self, host, server, user, password):
        with host.inside():
            m = imaplib.IMAP4(server, timeout=60)
        self.assertEqual(m.login(user, password)[0], "OK")
        return m

    def bob(self, user=BOB, password="hungry"):
        return self.imap(self.net.bob, "10.0.2.1", user, password)

    def arrived(self, subject, imap=None):
        """The UID of a letter in an INBOX, once it is there."""
        m = imap or self.bob()

        def look():
            m.select("INBOX")
            return m.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0].split()
        uid = stead.until(f"{subject!r} arrives", look, every=0.05)[0]
        return m, uid

    def whole(self, m, uid):
        return m.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1]

    def test_1_alice_to_bob(self):
        """Scenario 1: Alice's server queues it, looks the MX up from the root down, and transfers it."""
        sent = letter("pickles and ketchup")
        self.send(sent)
        m, uid = self.arrived("pickles and ketchup")
        got = self.whole(m, uid)
        self.assertTrue(got.endswith(sent.as_bytes()), got)
        self.assertRegex(got, rb"(?s)^Return-Path: <alice@ycp\.edu>\r\n"
                         rb"Received: from mail\.ycp\.edu [^:]*by mail\.fakeplace\.edu [^:]*with ESMTPS .*"
                         rb"Received: from [^:]*by mail\.ycp\.edu [^:]*with ESMTPSA ")
        self.assertEqual(got.count(b"Return-Path:"), 1)
        m.logout()
        asked = [s.target for s in self.on_wire(r"^\?.*fakeplace\.edu", source="10.0.1.1")]
        if asked:                               # the first one of this internet: nothing is cached
            self.assertEqual(asked[-1], "10.0.2.1")
        hop = self.on_wire(source="10.0.1.1", target="10.0.2.1", tport=25)
        plain = [s.text for s in hop if "octets in TLS" not in s.text]
        self.assertEqual(plain, ["EHLO mail.ycp.edu", "STARTTLS"])
        self.assertFalse(self.on_wire("ketchup", tport=25))
        with self.net.bob.inside():
            p = poplib.POP3("10.0.2.1", timeout=20)
        p.user(BOB)
        p.pass_("hungry")
        texts = [b"\r\n".join(p.retr(n + 1)[1]) + b"\r\n" for n in range(p.stat()[0])]
        p.quit()
        self.assertIn(got, texts)

    def test_1_twenty_megabytes_bit_for_bit(self):
        """A message of 20 MB with a binary attachment, over two hops."""
        data = random.Random(20).randbytes(15 * 1000 * 1000)
        sent = letter("a large one")
        sent.add_attachment(data, "application", "octet-stream", filename="large.bin")
        text = sent.as_bytes()
        self.assertGreater(len(text), 20 * 1000 * 1000)
        self.send(sent)
        m, uid = self.arrived("a large one")
        got = self.whole(m, uid)
        self.assertEqual(hashlib.sha256(got[-len(text):]).digest(), hashlib.sha256(text).digest())
        parts = list(email.message_from_bytes(got, policy=email.policy.SMTP).iter_attachments())
        self.assertEqual(hashlib.sha256(parts[0].get_content()).digest(),
                         hashlib.sha256(data).digest())
        m.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
        m.expunge()
        m.logout()

    def test_1_nobody_of_this_name(self):
        """What Bob's server refuses comes back to Alice as one delivery status notification."""
        self.send(letter("to nobody", to="nobody@fakeplace.edu"), "nobody@fakeplace.edu")
        m = self.imap(self.net.alice, "10.0.1.1", ALICE, "in wonderland")

        def look():
            m.select("INBOX")
            return m.search(None, "HEADER", "Content-Type", "multipart/report")[1][0].split()
        n = stead.until("a bounce arrives", look, every=0.05)
        self.assertEqual(len(n), 1)
        report = email.message_from_bytes(m.fetch(n[0], "(BODY.PEEK[])")[1][0][1],
                                          policy=email.policy.default)
        m.logout()
        self.assertEqual(report["Return-Path"], "<>")
        human, status, headers = report.iter_parts()
        self.assertIn("nobody@fakeplace.edu", human.get_content())
        _, rcpt = status.get_payload()
        self.assertEqual(rcpt["Action"], "failed")
        self.assertEqual(rcpt["Final-Recipient"], "rfc822; nobody@fakeplace.edu")
        self.assertEqual(rcpt["Status"], "5.1.1")
        self.assertIn("550", rcpt["Diagnostic-Code"])
        self.assertIn("to nobody", headers.get_payload()[0]["Subject"]
                      if headers.is_multipart() else headers.get_content())

    def test_2_smtp_by_hand(self):
        """Scenario 2: a person types."""
        with self.net.alice.talk("10.0.2.1", 25) as t:
            t.expect(rb"220 .*", t.reply)
            t.do(b"HELO ycp.edu", rb"250 .*Hello ycp\.edu, pleased to meet you\r\n")
            t.do(b"MAIL FROM: alice@ycp.edu", rb"250 [^\r]*\r\n")
            t.do(b"RCPT TO: bob@fakeplace.edu", rb"250 [^\r]*\r\n")
            t.do(b"DATA", rb"354 [^\r]*\r\n")
            t.send(b"Do you like ketchup?\r\nHow about pickles?\r\n")
            t.do(b".", rb"250 [^\r]*Message accepted for delivery\r\n")
            t.do(b"QUIT", rb"221 [^\r]*\r\n")
        self.assertEqual([s.text[:3] for s in self.on_wire(source="10.0.2.1", kind="SMTP")],
                         "220 250 250 250 354 250 221".split())

    def test_3_pop3_by_hand(self):
        """Scenario 3: user, pass, list, retr, dele, quit, in small letters."""
        with self.net.alice.inside():
            smtplib.SMTP("10.0.2.1", timeout=20).sendmail("a@ycp.edu", ["carol@fakeplace.edu"],
                                                          "Subject: one\r\n\r\nfor carol\r\n")
        with self.net.bob.talk("10.0.2.1", 110) as t:
            t.expect(rb"\+OK.*")
            for command, reply in ((b"user carol", rb"\+OK.*"), (b"pass singing", rb"\+OK.*")):
                t.send(command + b"\r\n")
                t.expect(reply)
            t.send(b"list\r\n")
            self.assertRegex(t.multi(), rb"(?s)^\+OK.*\r\n1 \d+\r\n\.\r\n$")
            t.send(b"retr 1\r\n")
            self.assertIn(b"\r\nfor carol\r\n", t.multi())
            t.send(b"dele 1\r\nquit\r\n")
            t.expect(rb"\+OK.*")
            t.expect(rb"\+OK.*")

    def test_4_a_picture(self):
        """Scenario 4: a picture by mail, its part alone taken out of the message by IMAP."""
        sent = letter("a picture of a duck")
        sent.add_attachment(PICTURE, "image", "jpeg", filename="duck.jpg")
        self.send(sent)
        m, uid = self.arrived("a picture of a duck")
        said = m.uid("FETCH", uid, "(BODYSTRUCTURE)")[1][0].decode()
        self.assertRegex(said, r'(?i)\("image" "jpeg" \(?.*"base64" \d+')
        part = m.uid("FETCH", uid, "(BODY.PEEK[2])")[1][0][1]
        self.assertEqual(email.message_from_bytes(
            b"Content-Transfer-Encoding: base64\r\n\r\n" + part).get_payload(decode=True), PICTURE)
        whole = email.message_from_bytes(self.whole(m, uid), policy=email.policy.SMTP)
        self.assertEqual(whole["MIME-Version"], "1.0")
        duck = next(whole.iter_attachments())
        self.assertEqual((duck.get_content_type(), duck.get_content()), ("image/jpeg", PICTURE))
        m.logout()

    def test_8_folders(self):
        """Scenario 8: one client moves a message to a folder; another, connected, sees it at once."""
        self.send(letter("to be moved"))
        first, uid = self.arrived("to be moved")
        first.create("Ducks")
        second = self.net.bob.talk("10.0.2.1", 143)
        third = self.net.bob.talk("10.0.2.1", 143)
        for t, box in ((second, b"INBOX"), (third, b"Ducks")):
            t.line()
            t.send(b"a LOGIN bob@fakeplace.edu hungry\r\n")
            t.upto(b"a OK")
            t.line()
            t.send(b"b SELECT " + box + b"\r\n")
            t.upto(b"b OK")
            t.line()
            t.send(b"c IDLE\r\n")
            t.expect(rb"\+ .*")
        number = int(first.uid("SEARCH", "ALL")[1][0].split().index(uid)) + 1
        self.assertEqual(first.uid("MOVE", uid, "Ducks")[0], "OK")
        self.assertRegex(second.upto(b"EXPUNGE\r\n"), rb"(?s)\* %d EXPUNGE\r\n$" % number)
        self.assertRegex(third.upto(b"EXISTS\r\n"), rb"(?s)\* 1 EXISTS\r\n$")
        for t in (second, third):
            t.send(b"DONE\r\n")
            t.upto(b"c OK")
            t.close()
        first.select("Ducks")
        self.assertEqual(len(first.search(None, "SUBJECT", '"to be moved"')[1][0].split()), 1)
        first.logout()
