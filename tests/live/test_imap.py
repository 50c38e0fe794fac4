"""IMAP with the programs that people use: Python's imaplib, curl, isync, mutt; and with a line by hand."""
import email.policy
import imaplib
import os
import pty
import re
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from email.message import EmailMessage

from stead import LONG, OneServer, SANITIZED, fds, kill, mail_in, pop3_all, pop3_login, signal, until

MESSAGES = 2000 if not SANITIZED or LONG else 200   # for isync


def letter(subject, body="some text\n"):
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = "Alice <alice@example.org>", "bob@example.net", subject
    m["Date"], m["Message-ID"] = "Sun, 22 Nov 2026 10:00:00 +0000", f"<{ascii(subject)[1:-1]}@example.org>"
    m.set_content(body)
    return m


class Imap(OneServer):
    users = {"alice": "secret", "bob": "hungry"}

    def login(self, user="alice", password="secret", service="imap"):
        if service == "imaps":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            m = imaplib.IMAP4_SSL("127.0.0.1", self.s.port(service), ssl_context=context, timeout=30)
        else:
            m = imaplib.IMAP4("127.0.0.1", self.s.port(service), timeout=30)
        self.ok(m.login(user, password))
        self.addCleanup(lambda: m.state != "LOGOUT" and m.logout())
        return m

    def ok(self, answer):
        self.assertEqual(answer[0], "OK", answer)
        return answer[1]

    def fresh(self, name):
        """A mailbox without messages, selected."""
        m = self.login()
        m.delete(name)
        self.ok(m.create(name))
        self.ok(m.select(name))
        return m

    def status(self, m, box, what):
        return self.ok(m.status(box, what))[0].partition(b" ")[2]

    def add(self, m, box, *letters, flags=None):
        for text in letters:
            self.ok(m.append(box, flags, None, text.as_bytes()))


class Imaplib(Imap):
    def test_capabilities(self):
        m = self.login()
        for c in ("IMAP4REV1", "IDLE", "UIDPLUS", "MOVE", "NAMESPACE", "ID", "LITERAL+", "UNSELECT",
                  "SPECIAL-USE", "CHILDREN"):
            self.assertIn(c, m.capabilities)

    def test_folders_from_the_start(self):
        rows = self.ok(self.login("bob", "hungry").list())
        text = b"\n".join(rows)
        for name, use in (("Sent", "Sent"), ("Drafts", "Drafts"), ("Trash", "Trash"), ("Junk", "Junk")):
            self.assertRegex(text, rb'(?m)^\(.*\\%s.*\) "/" "?%s"?$' % (use.encode(), name.encode()))
        self.assertRegex(text, rb'(?m) "/" "?INBOX"?$')

    def test_append_fetch_store_expunge(self):
        m = self.fresh("Work")
        self.add(m, "Work", letter("one"), letter("two"), letter("three"))
        self.assertEqual(self.ok(m.select("Work")), [b"3"])
        self.assertEqual(self.ok(m.fetch("2", "(BODY.PEEK[])"))[0][1], letter("two").as_bytes())
        self.assertEqual(self.ok(m.fetch("2", "(FLAGS)")), [b"2 (FLAGS ())"])
        self.ok(m.fetch("2", "(RFC822)"))
        self.assertRegex(self.ok(m.fetch("2", "(FLAGS)"))[0], rb"\\Seen")
        self.ok(m.store("1,3", "+FLAGS", "(\\Flagged $Forwarded)"))
        self.assertEqual(self.ok(m.search(None, "KEYWORD", "$Forwarded")), [b"1 3"])
        self.assertEqual(self.ok(m.search(None, "UNSEEN")), [b"1 3"])
        self.ok(m.store("1", "+FLAGS", "\\Deleted"))
        self.assertEqual(self.ok(m.expunge()), [b"1"])
        self.assertEqual(self.ok(m.search(None, "SUBJECT", "three")), [b"2"])
        self.assertEqual(self.status(m, "Work", "(MESSAGES UNSEEN)"), b"(MESSAGES 2 UNSEEN 1)")

    def test_parts_and_structure(self):
        m = self.fresh("Parts")
        sent = letter("parts", "the text\n")
        sent.add_attachment(bytes(range(256)) * 10, "image", "jpeg", filename="duck.jpg")
        self.add(m, "Parts", sent)
        self.ok(m.select("Parts"))
        got = self.ok(m.fetch("1", "(BODYSTRUCTURE ENVELOPE BODY)"))[0]
        self.assertRegex(got, rb'(?i)"image" "jpeg".*"base64" \d+.*"attachment" \("filename" "duck.jpg"\)')
        self.assertIn(b'"parts" (("Alice" NIL "alice" "example.org"))', got)
        self.assertEqual(self.ok(m.fetch("1", "(BODY.PEEK[1])"))[0][1].strip(), b"the text")
        self.assertIn(b"image/jpeg", self.ok(m.fetch("1", "(BODY.PEEK[2.MIME])"))[0][1])
        self.assertEqual(self.ok(m.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1],
                         b"Subject: parts\r\n\r\n")
        self.assertEqual(self.ok(m.fetch("1", "(BODY.PEEK[]<5.7>)"))[0][1], sent.as_bytes()[5:12])

    def test_search(self):
        m = self.fresh("Search")
        self.add(m, "Search", letter("plain", "needle in the hay\n"), letter("K\xf6nig", "nothing\n"),
                 letter("encoded", "caf\xe9 with n\xe4edle \u2014 " + "x" * 5000 + " end\n"))
        self.ok(m.append("Search", "(\\Answered)", '"01-Feb-2020 10:00:00 +0000"', letter("old").as_bytes()))
        self.ok(m.select("Search"))

        def found(*keys, **how):
            return self.ok(m.search(how.get("charset"), *keys))[0].split()
        self.assertEqual(found("BODY", "needle"), [b"1"])
        self.assertEqual(found("TEXT", '"NEEDLE in"'), [b"1"])
        m.literal = "k\xd6nig".encode()
        self.assertEqual(found("SUBJECT", charset="UTF-8"), [b"2"])
        m.literal = "\u2014".encode()
        self.assertEqual(found("BODY", charset="UTF-8"), [b"3"])
        self.assertEqual(found("BEFORE", "1-Jan-2021"), [b"4"])
        self.assertEqual(found("SENTON", "22-Nov-2026", "NOT", "ANSWERED"), [b"1", b"2", b"3"])
        self.assertEqual(found("OR", "ANSWERED", "LARGER", "4000"), [b"3", b"4"])
        self.assertEqual(found("HEADER", "Message-ID", "plain@"), [b"1"])
        self.assertEqual(found("FROM", "alice", "2:3"), [b"2", b"3"])
        self.assertEqual(found("UID", "900:*"), [b"4"])
        self.assertEqual(m.search("KOI8-R", "ALL")[0], "NO")

    def test_copy_move_and_uidplus(self):
        m = self.fresh("Here")
        m.delete("There")
        self.ok(m.create("There"))
        self.add(m, "Here", letter("a"), letter("b"), letter("c"))
        self.ok(m.select("Here"))
        self.ok(m.copy("1:2", "There"))
        self.assertRegex(m.untagged_responses.get("COPYUID", [m.response("COPYUID")[1][0]])[0],
                         rb"^\d+ 1:2 1:2$")
        self.ok(m._simple_command("MOVE", "3", "There"))
        self.assertEqual(self.status(m, "Here", "(MESSAGES)"), b"(MESSAGES 2)")
        self.assertEqual(self.status(m, "There", "(MESSAGES UIDNEXT)"), b"(MESSAGES 3 UIDNEXT 4)")
        self.assertEqual(m.copy("1", "Nowhere")[0], "NO")

    def test_rename_and_subscribe(self):
        m = self.login()
        for box in ("Old/Inner", "Old", "New/Inner", "New"):
            m.delete(box)
        self.ok(m.create("Old/Inner"))
        self.ok(m.subscribe("Old/Inner"))
        self.ok(m.rename("Old", "New"))
        names = b"\n".join(self.ok(m.list()))
        self.assertIn(b"New/Inner", names)
        self.assertNotIn(b"Old", names)
        self.ok(m.unsubscribe("Old/Inner"))

    def test_starttls_and_imaps(self):
        self.ok(self.login(service="imaps").select("INBOX"))
        m = imaplib.IMAP4("127.0.0.1", self.s.port("imap"), timeout=30)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.ok(m.starttls(context))
        self.ok(m.login("alice", "secret"))
        m.logout()

    def test_wrong_password(self):
        m = imaplib.IMAP4("127.0.0.1", self.s.port("imap"), timeout=30)
        for user in ("alice", "nobody"):
            with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
                m.login(user, "wrong")
        m.logout()

    def test_names_beyond_ascii(self):
        m = self.login()
        m.delete("Entw&APw-rfe")
        self.ok(m.create("Entw&APw-rfe"))
        self.assertIn(b"Entw&APw-rfe", b"\n".join(self.ok(m.list())))
        with self.assertRaises(imaplib.IMAP4.error):
            m.create("Entw&")

    def test_a_large_message(self):
        m = self.fresh("Large")
        sent = letter("large")
        sent.add_attachment(os.urandom(6 << 20), "application", "octet-stream", filename="x")
        self.add(m, "Large", sent)
        self.ok(m.select("Large"))
        self.assertEqual(self.ok(m.fetch("1", "(BODY.PEEK[])"))[0][1], sent.as_bytes())


class Pipelined(Imap):
    """A command has nothing of the one before, which was in the same read."""

    def talk(self, box, lines, last):
        with self.s.talk("imap") as t:
            t.expect(rb"\* OK .*")
            t.send(b"a LOGIN alice secret\r\nb SELECT " + box + b"\r\n")
            t.upto(b"\r\nb OK")
            t.line()
            t.send(lines)
            return t.upto(b"\r\n" + last + b" OK") + t.line()

    def test_searches(self):
        self.add(self.fresh("Two"), "Two", letter("a"), letter("b"))
        got = self.talk(b"Two", b"c SEARCH ALL\r\nd SEARCH ALL\r\ne SEARCH SUBJECT b\r\n", b"e")
        self.assertEqual(re.findall(rb"\* SEARCH([ \d]*)\r\n", got), [b" 1 2", b" 1 2", b" 2"])

    def test_lists(self):
        self.login().delete("Later")
        got = self.talk(b"INBOX", b'c LIST "" INBOX\r\nd LIST "" INBOX\r\ne STATUS INBOX (MESSAGES)\r\n'
                        b"f CREATE Later\r\ng STATUS Later (MESSAGES)\r\n", b"g")
        self.assertEqual(got.count(b"* LIST"), 2)
        self.assertIn(b'* STATUS "Later" (MESSAGES 0)', got)

    def test_copies(self):
        m = self.fresh("From")
        m.delete("To")
        self.ok(m.create("To"))
        self.add(m, "From", letter("a"), letter("b"))
        got = self.talk(b"From", b"c COPY 1 To\r\nd COPY 2 To\r\n", b"d")
        self.assertRegex(got, rb"(?s)c OK \[COPYUID \d+ 1 1\].*d OK \[COPYUID \d+ 2 2\]")

    def test_appends(self):
        m = self.fresh("Twice")
        text = b"Subject: x\r\n\r\n" + b"y" * 40000 + b"\r\n"
        one = b" APPEND Twice {%d+}\r\n%s\r\n" % (len(text), text)
        before = fds(self.s.role("mail"))
        for _ in range(10):
            self.talk(b"Twice", b"c" + one + b"d" + one, b"d")
        self.assertEqual(self.status(m, "Twice", "(MESSAGES)"), b"(MESSAGES 20)")
        self.assertTrue(until("their files are closed", lambda: fds(self.s.role("mail")) <= before + 1))


class Together(Imap):
    """What one client does is seen by the others."""

    def hand(self, box=b"INBOX"):
        t = self.s.talk("imap")
        self.addCleanup(t.close)
        t.expect(rb"\* OK .*")
        t.send(b"a LOGIN alice secret\r\nb SELECT " + box + b"\r\n")
        t.upto(b"\r\nb OK")
        t.line()
        return t

    def test_delivery_wakes_idle(self):
        t = self.hand()
        t.send(b"c IDLE\r\n")
        t.expect(rb"\+ .*")
        mail_in(self.s, b"alice@example.org", b"Subject: new\r\n\r\nx")
        self.assertRegex(t.upto(b" EXISTS\r\n"), rb"\* \d+ EXISTS\r\n$")
        t.send(b"DONE\r\n")
        t.upto(b"c OK")

    def test_flags_and_expunge_are_told(self):
        m = self.fresh("Shared")
        self.add(m, "Shared", *(letter(f"m{n}") for n in range(5)))
        t = self.hand(b"Shared")
        t.send(b"c IDLE\r\n")
        t.expect(rb"\+ .*")
        self.ok(m.select("Shared"))
        self.ok(m.store("2", "+FLAGS", "\\Flagged"))
        self.assertRegex(t.upto(b"\\Flagged"), rb"\* 2 FETCH \(.*FLAGS \(")
        t.line()
        self.ok(m.store("1,4", "+FLAGS", "\\Deleted"))
        t.upto(b"* 4 FETCH")
        self.ok(m.expunge())
        got = t.upto(b"* 1 EXPUNGE\r\n")
        self.assertIn(b"* 4 EXPUNGE\r\n", got)
        t.send(b"DONE\r\nd FETCH 1:* (UID)\r\n")
        got = t.upto(b"\r\nd OK")
        self.assertEqual(re.findall(rb"\* (\d+) FETCH \(UID (\d+)\)", got),
                         [(b"1", b"2"), (b"2", b"3"), (b"3", b"5")])

    def test_no_expunge_within_a_fetch(self):
        m = self.fresh("Quiet")
        self.add(m, "Quiet", *(letter(f"m{n}") for n in range(3)))
        t = self.hand(b"Quiet")
        self.ok(m.select("Quiet"))
        self.ok(m.store("1", "+FLAGS", "\\Deleted"))
        self.ok(m.expunge())
        t.send(b"c FETCH 3 (UID)\r\n")
        self.assertNotIn(b"EXPUNGE", t.upto(b"\r\nc OK"))
        t.send(b"d NOOP\r\n")
        self.assertIn(b"* 1 EXPUNGE\r\n", t.upto(b"\r\nd OK"))

    def test_flags_of_others_after_reading_what_was_read(self):
        """A FETCH that changes nothing takes no change of another client for its own."""
        m = self.fresh("Read")
        self.add(m, "Read", letter("a"), letter("b"))
        self.ok(m.select("Read"))
        self.ok(m.store("1", "+FLAGS", "\\Seen"))
        t = self.hand(b"Read")
        self.ok(m.store("2", "+FLAGS", "\\Flagged"))
        t.send(b"c FETCH 1 (BODY[])\r\nd NOOP\r\n")
        self.assertRegex(t.upto(b"\r\nd OK"), rb"\* 2 FETCH \(.*\\Flagged")

    def test_a_new_keyword_is_told(self):
        m = self.fresh("Words")
        self.add(m, "Words", letter("a"))
        t = self.hand(b"Words")
        t.send(b"c STORE 1 +FLAGS (fresh)\r\n")
        got = t.upto(b"\r\nc OK")
        t.line()
        self.assertRegex(got, rb"(?s)\* FLAGS \([^)]*fresh\).*\* 1 FETCH \(.*FLAGS \(fresh\)")
        words = [b"w%02d" % n + b"x" * 60 for n in range(63)]   # as many and as long as there may be
        t.send(b"d STORE 1 FLAGS.SILENT (" + b" ".join(words) + b")\r\n")
        t.upto(b"d OK")
        t.line()
        t.send(b"e FETCH 1 (FLAGS)\r\n")
        self.assertIn(b" ".join(words), t.upto(b"\r\ne OK"))

    def test_an_expunged_message_in_a_pop3_session(self):
        """Attack 103: its number stays, and it is answered -ERR."""
        m = self.login("bob", "hungry")
        for n in range(2):
            mail_in(self.s, b"bob@example.org", b"Subject: %d\r\n\r\nx" % n)
        with pop3_login(self.s, b"bob", b"hungry") as t:
            t.send(b"STAT\r\n")
            self.assertRegex(t.line(), rb"\+OK 2 ")
            self.ok(m.select("INBOX"))
            self.ok(m.store("1", "+FLAGS", "\\Deleted"))
            self.ok(m.expunge())
            t.send(b"RETR 1\r\n")
            self.assertRegex(t.line(), rb"-ERR")
            t.send(b"RETR 2\r\nDELE 2\r\nQUIT\r\n")
            t.multi()
        self.assertTrue(until("bob's session is over", lambda: self.s.alive()))

    def test_box_dies(self):
        """Sessions end with BYE, nothing is lost, and the next one works."""
        m = self.fresh("Kept")
        self.add(m, "Kept", letter("kept"))
        t = self.hand(b"Kept")
        t.send(b"c IDLE\r\n")
        t.expect(rb"\+ .*")
        self.s.kill_role("box")
        self.assertRegex(t.closed(), rb"(?s)\* BYE ")

        def again():
            try:
                return self.login().select("Kept")
            except (imaplib.IMAP4.error, OSError):
                return None
        self.assertEqual(until("a login works again", again)[1], [b"1"])


class Programs(Imap):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="stead-home-")
        self.addCleanup(shutil.rmtree, self.home)

    def run_it(self, *words, code=0, **how):
        r = subprocess.run(words, env={**os.environ, "HOME": self.home, "TERM": "xterm"},
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240, **how)
        self.assertEqual(r.returncode, code, r.stderr.decode() + r.stdout.decode()[-2000:])
        return r.stdout

    def test_curl(self):
        m = self.fresh("Curl")
        url = f"imap://127.0.0.1:{self.s.port('imap')}/Curl"
        path = os.path.join(self.home, "m")
        with open(path, "wb") as f:
            f.write(letter("by curl").as_bytes())
        who = ("curl", "-sS", "-u", "alice:secret")
        self.run_it(*who, "-T", path, url)
        self.assertEqual(self.run_it(*who, url + ";UID=1"), letter("by curl").as_bytes())
        self.assertEqual(self.run_it(*who, url + "?SUBJECT%20curl"), b"* SEARCH 1\r\n")
        self.assertIn(b"Subject: by curl", self.run_it(*who, url + ";UID=1;SECTION=HEADER"))
        self.assertEqual(self.run_it(*who, "--login-options", "AUTH=PLAIN", "-k", "--ssl-reqd",
                                     url + ";MAILINDEX=1"), letter("by curl").as_bytes())
        self.ok(m.select("Curl"))

    def maildir(self):
        return os.path.join(self.home, "mail")

    def local(self, box="INBOX"):
        """Flags of each message on our side, by its subject."""
        found = {}
        for part in ("new", "cur"):
            folder = os.path.join(self.maildir(), box, part)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as f:
                    subject = re.search(rb"(?m)^Subject: (\S+)", f.read())[1]
                self.assertNotIn(subject, found)
                found[subject] = name.rpartition(":2,")[2] if ":2," in name else ""
        return found

    def test_isync(self):
        """Two-way: half of the messages begin here, half there; flags and deletions go both ways."""
        m = self.login("bob", "hungry")
        m.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        half = MESSAGES // 2
        for n in range(half):
            self.ok(m.append("INBOX", None, None, letter(f"far{n}").as_bytes()))
        for part in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(self.maildir(), "INBOX", part))
        for n in range(half):
            with open(os.path.join(self.maildir(), "INBOX", "new", f"{n}.near.host"), "wb") as f:
                f.write(letter(f"near{n}").as_bytes().replace(b"\r\n", b"\n"))
        config = os.path.join(self.home, "mbsyncrc")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"""IMAPAccount stead
Host 127.0.0.1
Port {self.s.port("imap")}
User bob
Pass hungry
SSLType None
AuthMechs LOGIN

IMAPStore far
Account stead

MaildirStore near
Path {self.maildir()}/
Inbox {self.maildir()}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
        sync = ("mbsync", "-c", config, "-a")
        self.run_it(*sync)
        wanted = {b"%s%d" % (side, n) for side in (b"far", b"near") for n in range(half)}
        self.assertEqual(set(self.local()), wanted)
        self.assertEqual(self.ok(m.select("INBOX")), [b"%d" % (2 * half)])
        for name in ("Sent", "Drafts", "Trash", "Junk"):
            self.assertTrue(os.path.isdir(os.path.join(self.maildir(), name)))
        # there: flags and a deletion; here: the same the other way round
        self.ok(m.store("1:10", "+FLAGS", "\\Flagged"))
        self.ok(m.store("11", "+FLAGS", "\\Deleted"))
        self.ok(m.expunge())
        gone = [s for s in self.local() if s.startswith(b"near")][0]
        for part in ("new", "cur"):
            folder = os.path.join(self.maildir(), "INBOX", part)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as f:
                    if re.search(rb"(?m)^Subject: %s$" % gone, f.read()):
                        os.unlink(os.path.join(folder, name))
        self.run_it(*sync)
        self.assertEqual(len(self.local()), 2 * half - 2)
        self.assertEqual(sum("F" in flags for flags in self.local().values()), 10)
        self.assertEqual(self.ok(m.select("INBOX")), [b"%d" % (2 * half - 2)])
        self.run_it(*sync)                      # nothing is left to be done
        self.assertEqual(len(self.local()), 2 * half - 2)

    def test_mutt(self):
        """A message is read and saved to another folder, as with keys."""
        m = self.fresh("Mutt")
        m.delete("Saved")
        self.ok(m.create("Saved"))
        self.add(m, "Mutt", letter("to be saved"))
        rc = os.path.join(self.home, "muttrc")
        with open(rc, "w", encoding="ascii") as f:
            f.write(f"""set imap_user=alice imap_pass=secret ssl_starttls=no ssl_force_tls=no
set folder=imap://127.0.0.1:{self.s.port("imap")}/ header_cache="" confirmappend=no delete=yes
set mark_old=no wait_key=no quit=yes abort_nosubject=no
push "<display-message><exit><save-message><kill-line>=Saved<enter><sync-mailbox><quit>"
""")
        pid, fd = pty.fork()
        if not pid:
            os.environ.update(HOME=self.home, TERM="xterm")
            os.execvp("mutt", ["mutt", "-F", rc, "-f", f"imap://127.0.0.1:{self.s.port('imap')}/Mutt"])
        screen, end = b"", time.monotonic() + 60
        try:
            while time.monotonic() < end:
                if select.select([fd], [], [], 0.1)[0]:
                    try:
                        more = os.read(fd, 65536)
                    except OSError:
                        break
                    if not more:
                        break
                    screen += more
        finally:
            os.close(fd)
            kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.assertEqual(self.status(m, "Saved", "(MESSAGES)"), b"(MESSAGES 1)", screen)
        self.assertEqual(self.status(m, "Mutt", "(MESSAGES)"), b"(MESSAGES 0)", screen)


class OldMail(OneServer):
    """POP3 and IMAP on one mailbox."""

    users = {"alice": "secret"}

    def test_pop3_sees_what_imap_appends(self):
        m = imaplib.IMAP4("127.0.0.1", self.s.port("imap"), timeout=30)
        m.login("alice", "secret")
        m.append("INBOX", None, None, letter("both").as_bytes())
        self.assertEqual(pop3_all(self.s, b"alice", b"secret", delete=True), [letter("both").as_bytes()])
        self.assertEqual(m.select("INBOX")[1], [b"0"])
        m.logout()
