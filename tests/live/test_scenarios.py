"""Founding scenarios with the words of the people in them, and what dig and its like see."""
import os
import re
import socket
import subprocess
import unittest

from stead import OneServer, STEAD, needs_tool, pop3_login

SIX = ["192.0.2.%d" % n for n in range(1, 7)]
ZONE = """$TTL 300
@       SOA   mail hostmaster 7 7200 3600 1209600 600
        NS    mail
        MX    10 mail
        MX    20 backup
        TXT   "v=spf1 mx -all" "second \\"string\\""
        A     192.0.2.80
        AAAA  2001:db8::80
mail    A     192.0.2.25
        AAAA  2001:db8::25
backup  A     192.0.2.26
www     CNAME web
web     CNAME six
%s
*.wild  A     192.0.2.99
sub     NS    ns.sub
ns.sub  A     192.0.2.53
big     TXT   "%s" "%s" "%s" "%s" "%s" "%s"
""" % ("\n".join("six A " + a for a in SIX), *["x" * 250] * 6)


class ByHand(OneServer):
    """Scenarios 2 and 3: a person types; the texts of the founding document are in the replies."""

    domain, users = "fakeplace.edu", {"bob": "hungry"}

    def test_scenario_2_smtp(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.do(b"HELO ycp.edu", rb"250 .*Hello ycp\.edu, pleased to meet you\r\n")
            t.do(b"MAIL FROM: alice@ycp.edu", rb"250 [^\r]*\r\n")
            t.do(b"RCPT TO: bob@fakeplace.edu", rb"250 [^\r]*\r\n")
            t.do(b"DATA", rb"354 [^\r]*\r\n")
            t.send(b"Do you like ketchup?\r\nHow about pickles?\r\n")
            t.do(b".", rb"250 [^\r]*Message accepted for delivery\r\n")
            t.do(b"QUIT", rb"221 [^\r]*\r\n")
            self.assertEqual(t.closed(), b"")
        with pop3_login(self.s, b"bob", b"hungry") as t:
            t.send(b"RETR 1\r\n")
            got = t.multi()
            self.assertRegex(got, rb"(?s)^\+OK .*\r\nReturn-Path: <alice@ycp\.edu>\r\n"
                             rb"Received: from ycp\.edu \(\[127\.0\.0\.1\]\)\r\n"
                             rb".*\r\nDo you like ketchup\?\r\nHow about pickles\?\r\n\.\r\n$")
            t.send(b"DELE 1\r\nQUIT\r\n")
            t.lines(2)

    def test_scenario_2_typed_letter_by_letter_in_lower_case(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            for line, reply in ((b"helo ycp.edu", rb"250 .*"), (b"mail from:alice@ycp.edu", rb"250 .*"),
                                (b"rcpt to: BOB@FakePlace.EDU", rb"250 .*"), (b"data", rb"354 .*"),
                                (b"x\r\n.", rb"250 .*accepted.*"), (b"quit", rb"221 .*")):
                t.send(line + b"\r\n", pieces=1)
                t.expect(reply, t.reply)
        with pop3_login(self.s, b"bob", b"hungry") as t:
            t.send(b"DELE 1\r\nQUIT\r\n")
            t.expect(rb"\+OK.*\r\n")
            t.expect(rb"\+OK.*\r\n")

    def test_scenario_3_pop3(self):
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            for line in (b"HELO ycp.edu", b"MAIL FROM: alice@ycp.edu", b"RCPT TO: bob@fakeplace.edu"):
                t.do(line, rb"250 .*")
            t.do(b"DATA", rb"354 .*")
            t.do(b"Subject: first\r\n\r\n..dot\r\n.", rb"250 .*")
            for line in (b"MAIL FROM: alice@ycp.edu", b"RCPT TO: bob@fakeplace.edu"):
                t.do(line, rb"250 .*")
            t.do(b"DATA", rb"354 .*")
            t.do(b"Subject: second\r\n\r\ntext\r\n.", rb"250 .*")
        with self.s.talk("pop3") as t:
            t.expect(rb"\+OK.*\r\n")
            for line in (b"user bob", b"pass hungry"):
                t.send(line + b"\r\n")
                t.expect(rb"\+OK.*\r\n")
            t.send(b"list\r\n")
            listed = re.fullmatch(rb"\+OK.*?\r\n1 (\d+)\r\n2 (\d+)\r\n\.\r\n", t.multi())
            t.send(b"retr 1\r\n")
            got = t.multi()
            self.assertIn(b"\r\n\r\n..dot\r\n.\r\n", got)
            body = got[got.index(b"\r\n") + 2:-3].replace(b"\r\n..", b"\r\n.")
            self.assertEqual(len(body), int(listed[1]))
            t.send(b"dele 1\r\n")
            t.expect(rb"\+OK.*\r\n")
            t.send(b"retr 1\r\n")
            t.expect(rb"-ERR.*\r\n")
            # away without a good-bye: nothing was deleted
        with pop3_login(self.s, b"bob", b"hungry") as t:
            t.send(b"stat\r\n")
            t.expect(rb"\+OK 2 \d+\r\n")
            t.send(b"dele 1\r\nquit\r\n")
            t.expect(rb"\+OK.*\r\n")
            t.expect(rb"\+OK.*\r\n")
            self.assertEqual(t.closed(), b"")
        with pop3_login(self.s, b"bob@fakeplace.edu", b"hungry") as t:
            t.send(b"stat\r\nretr 1\r\n")
            t.expect(rb"\+OK 1 %s\r\n" % listed[2])
            self.assertIn(b"Subject: second", t.multi())
            t.send(b"dele 1\r\nquit\r\n")
            t.lines(2)


class Names(OneServer):
    """What dig, kdig, nslookup and our own look-up say of a domain."""

    users = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s.put_zone("example.org", ZONE)

    def short(self, *words, tool="dig"):
        return self.s.dig("+short", *words, tool=tool).splitlines()

    def both(self, *words):
        """The same from dig and kdig, also over TCP."""
        answers = [self.short(*words, *more, tool=tool)
                   for tool in ("dig", "kdig") for more in ((), ("+tcp",))]
        for a in answers[1:]:
            self.assertEqual(sorted(a), sorted(answers[0]), words)
        return answers[0]

    @needs_tool("dig", "kdig")
    def test_records(self):
        self.assertEqual(sorted(self.both("example.org", "MX")),
                         ["10 mail.example.org.", "20 backup.example.org."])
        self.assertEqual(self.both("mail.example.org", "A"), ["192.0.2.25"])
        self.assertEqual(self.both("mail.example.org", "AAAA"), ["2001:db8::25"])
        self.assertEqual(self.both("EXAMPLE.org", "NS"), ["mail.example.org."])
        self.assertEqual(self.both("example.org", "TXT"), [r'"v=spf1 mx -all" "second \"string\""'])
        self.assertEqual(self.both("example.org", "SOA"), [
            "mail.example.org. hostmaster.example.org. 7 7200 3600 1209600 600"])
        self.assertEqual(self.both("any.thing.wild.example.org", "A"), ["192.0.2.99"])

    @needs_tool("dig", "kdig")
    def test_alias_chain(self):
        for tool in ("dig", "kdig"):
            for way in ("+notcp", "+tcp"):
                rows = [r.split() for r in self.s.dig(
                    "+noall", "+answer", way, "www.example.org", "A", tool=tool).splitlines()
                    if r.strip() and not r.startswith(";")]
                self.assertEqual([(r[0], r[3], r[4]) for r in rows[:2]],
                                 [("www.example.org.", "CNAME", "web.example.org."),
                                  ("web.example.org.", "CNAME", "six.example.org.")])
                self.assertEqual(sorted(r[4] for r in rows[2:]), SIX)
                self.assertEqual({r[0] for r in rows[2:]}, {"six.example.org."})

    @needs_tool("dig")
    def test_no_such_name_and_no_such_data_bring_the_soa(self):
        said = self.s.dig("nothing.example.org", "A")
        self.assertRegex(said, r"status: NXDOMAIN")
        self.assertRegex(said, r"flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1,")
        self.assertRegex(said, r"(?m)^example\.org\.\s+300\s+IN\s+SOA\s")
        said = self.s.dig("mail.example.org", "TXT")
        self.assertRegex(said, r"status: NOERROR")
        self.assertRegex(said, r"flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1,")
        self.assertRegex(said, r"(?m)^example\.org\.\s+300\s+IN\s+SOA\s")

    @needs_tool("dig")
    def test_flags(self):
        self.assertRegex(self.s.dig("+norec", "example.org", "MX"), r"flags: qr aa; QUERY: 1, ANSWER: 2")
        said = self.s.dig("+rec", "www.example.com", "A")
        self.assertRegex(said, r"status: REFUSED")
        self.assertRegex(said, r"recursion requested but not available")
        self.assertRegex(self.s.dig("+norec", "host.sub.example.org", "A"),
                         r"(?s)status: NOERROR.*flags: qr; QUERY: 1, ANSWER: 0, AUTHORITY: 1, "
                         r"ADDITIONAL: 2\n.*ns\.sub\.example\.org\.\s+300\s+IN\s+A\s+192\.0\.2\.53")

    def test_delegation_with_glue(self):
        for tcp in (False, True):
            m = self.s.ask("host.sub.example.org", "A", tcp=tcp)
            self.assertEqual((m.rcode, m.aa, m.answer), (0, False, []))
            self.assertEqual(m.texts("authority"), ["sub.example.org. NS ns.sub.example.org."])
            self.assertEqual(m.texts("additional"), ["ns.sub.example.org. A 192.0.2.53"])

    def test_six_addresses_in_turning_order(self):
        for kind, tcp in (("A", False), ("A", True)):
            firsts = []
            for _ in range(6):
                got = [r.data for r in self.s.ask("six.example.org", kind, tcp=tcp).answer]
                at = SIX.index(got[0])
                self.assertEqual(got, SIX[at:] + SIX[:at])
                firsts.append(got[0])
            self.assertEqual(sorted(firsts), SIX)

    @needs_tool("dig", "kdig", "nslookup")
    def test_six_addresses_as_the_tools_show_them(self):
        for tool in ("dig", "kdig"):
            seen = [tuple(self.short("six.example.org", "A", tool=tool)) for _ in range(6)]
            self.assertEqual({tuple(sorted(s)) for s in seen}, {tuple(SIX)})
            self.assertEqual(sorted(s[0] for s in seen), SIX)

    @needs_tool("dig")
    def test_over_tcp_when_it_does_not_fit(self):
        said = self.s.dig("big.example.org", "TXT")
        self.assertIn(";; Truncated, retrying in TCP mode.", said)
        self.assertEqual(said.count("x" * 250), 6)
        self.assertIn("(TCP)", said)

    @needs_tool("dig")
    def test_over_ipv6(self):
        r = subprocess.run(["dig", "@::1", "-p", str(self.s.port("dns")), "+short", "example.org",
                            "AAAA"], stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(r.stdout, "2001:db8::80\n")

    def nslookup(self, *words):
        r = subprocess.run([*words, "-port=%d" % self.s.port("dns"), "www.example.org", "127.0.0.1"],
                           text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(r.returncode, 0, r.stdout)
        self.assertRegex(r.stdout, r"(?m)^Server:\s+127\.0\.0\.1$")
        self.assertRegex(r.stdout, r"(?m)^Address:\s+127\.0\.0\.1#%d$" % self.s.port("dns"))
        self.assertRegex(r.stdout, r"(?m)^www\.example\.org\s+canonical name = web\.example\.org\.$")
        self.assertRegex(r.stdout, r"(?m)^web\.example\.org\s+canonical name = six\.example\.org\.$")
        self.assertEqual(sorted(re.findall(r"(?m)^Address: (\S+)$", r.stdout)), SIX)
        self.assertNotIn("Non-authoritative", r.stdout)

    @needs_tool("nslookup")
    def test_scenario_6_nslookup_at_the_authority(self):
        self.nslookup("nslookup")

    def test_scenario_6_our_own_nslookup(self):
        link = os.path.join(self.s.base, "nslookup")
        os.symlink(STEAD, link)
        self.nslookup(link)


class Lookup(Names):
    """The questions of Names again, asked by `stead lookup`."""

    def setUp(self):
        self.s.dig, self.kept = self.ask_ourselves, self.s.dig

    def tearDown(self):
        self.s.dig = self.kept
        super().tearDown()

    def ask_ourselves(self, *words, tool="dig"):
        r = subprocess.run([STEAD, "lookup", "@127.0.0.1", "-p", str(self.s.port("dns")), *words],
                           text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(r.returncode, 0, r.stdout)
        return r.stdout

    def test_exit_codes(self):
        for code, words in ((1, ["@127.0.0.1", "example.org", "+nonsense"]),
                            (1, ["example.org", "-q"]), (0, ["--help"])):
            r = subprocess.run([STEAD, "lookup", *words], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(r.returncode, code, words)
            self.assertTrue(r.stderr if code else r.stdout)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))            # one that says nothing
            r = subprocess.run([STEAD, "lookup", "@127.0.0.1", "-p", str(s.getsockname()[1]), "+time=1",
                                "+tries=1", "example.org"], stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(r.returncode, 9, r.stdout)


if __name__ == "__main__":
    unittest.main()
