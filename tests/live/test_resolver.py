"""The resolver against a small Internet of steads: root, top-level domain and two leaves, each at an
address of loopback; asked by the tools that people use, and by our own."""
import os
import re
import socket
import subprocess
import unittest

from stead import DEADLINE, Message, Server, needs_tool, plain_only, pss_kib, query, until

ROOT, EDU, YCP, NET = "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14"
SOA = "$TTL 300\n@ SOA ns hostmaster 1 7200 3600 1209600 60\n"
ZONES = {
    ROOT: {".": SOA + f"@ NS ns.root.\nns.root. A {ROOT}\nedu NS ns.edu\nns.edu A {EDU}\n"
                      f"net NS ns.net\nns.net A {NET}\n"},
    EDU: {"edu": SOA + f"@ NS ns\nns A {EDU}\nycp NS ns.ycp\nns.ycp A {YCP}\n"
                       "far NS ns.far.net.\ndead NS ns.dead\nns.dead A 127.0.0.99\n"},
    YCP: {"ycp.edu": SOA + f"@ NS ns\nns A {YCP}\n@ MX 10 mail\nmail A 192.0.2.25\n"
                           "www CNAME web\nweb A 192.0.2.80\naway CNAME www.far.net.\n"
                           "soon 1 A 192.0.2.1\n" +
                           "".join(f'big TXT "{n:03} {"x" * 200}"\n' for n in range(20))},
    NET: {"net": SOA + f"@ NS ns\nns A {NET}\nfar NS ns.far\nns.far A {NET}\n",
          "far.net": SOA + f"@ NS ns\nns A {NET}\nwww A 192.0.2.99\n",
          "far.edu": SOA + "@ NS ns.far.net.\nwww A 192.0.2.98\n"},
}
OFF = ("smtp", "pop3", "imap", "submission", "ftp")


class Authority(Server):
    """A stead that serves zones at one address, at the port where all of them are asked."""

    def __init__(self, address, port, zones):
        super().__init__()
        self.texts = {}
        rows = []
        for number, (zone, text) in enumerate(zones.items()):
            path = os.path.join(self.base, f"zone{number}")
            self.write(path, text)
            self.texts[zone] = path
            rows.append(f'"{zone}" {{ file "{path}"; }}')
        self.add_conf(f'dns {{ listen ["{address}:{port}"]; zones {{ {" ".join(rows)} }} }}\n'
                      "resolver { listen []; }")

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o644)


class Internet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = {}
        cls.s = Server()
        port = cls.upstream = cls.s.port("dns")
        try:
            for address, zones in ZONES.items():
                cls.servers[address] = Authority(address, port, zones)
            cls.hints = os.path.join(cls.s.base, "hints")
            cls.hosts = os.path.join(cls.s.base, "hosts")
            Authority.write(cls.hints, f". 3600 NS ns.root.\nns.root. 3600 A {ROOT}\n")
            Authority.write(cls.hosts, "192.0.2.7 printer.home printer\n")
            cls.s.add_conf(f'dns {{ listen []; }}\nresolver {{ root_hints "{cls.hints}"; '
                           f'hosts "{cls.hosts}"; upstream_port {port}; '
                           "clients [127.0.0.1]; }")
            for server in (*cls.servers.values(), cls.s):
                server.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        for server in (cls.s, *cls.servers.values()):
            try:
                if server.process:
                    server.stop()
            finally:
                server.remove()

    def dig(self, *words, tool="dig"):
        return self.s.dig(*words, tool=tool, service="resolver")

    def lookup(self, *words, code=0):
        return self.s.run("lookup", *words, inside=False, code=code)

    def counters(self, role="resolve"):
        for process in self.s.status()["roles"]:
            if process["role"] == role:
                return process["counters"]
        raise AssertionError("no such role")

    def test_answers(self):
        for tool in ("dig", "kdig"):
            out = self.dig("www.ycp.edu", tool=tool)
            self.assertRegex(out, r"www\.ycp\.edu\.\s+\d+\s+IN\s+CNAME\s+web\.ycp\.edu\.")
            self.assertRegex(out, r"web\.ycp\.edu\.\s+\d+\s+IN\s+A\s+192\.0\.2\.80")
            self.assertRegex(out, r"(?i)flags: qr rd ra")
            self.assertEqual(self.dig("+short", "away.ycp.edu", tool=tool).split(),
                             ["www.far.net.", "192.0.2.99"])
            self.assertEqual(self.dig("+short", "www.far.edu", tool=tool).split(), ["192.0.2.98"])
            self.assertEqual(self.dig("+short", "ycp.edu", "MX", tool=tool).strip(),
                             "10 mail.ycp.edu.")
            self.assertRegex(self.dig("none.ycp.edu", tool=tool), "(?s)NXDOMAIN.*SOA")
            self.assertRegex(self.dig("mail.ycp.edu", "AAAA", tool=tool), "(?s)NOERROR.*SOA")
            self.assertIn("SERVFAIL", self.dig("www.dead.edu", "+timeout=7", tool=tool))
            big = self.dig("+short", "big.ycp.edu", "TXT", tool=tool)   # over TCP, since truncated
            self.assertEqual(len(re.findall(r'(?m)^"\d{3} x{200}"$', big)), 20)
            self.assertEqual(self.dig("+short", "printer.home", tool=tool).strip(), "192.0.2.7")
            self.assertEqual(self.dig("+short", "-x", "192.0.2.7", tool=tool).strip(),
                             "printer.home.")
            self.assertEqual(self.dig("+short", "localhost", tool=tool).strip(), "127.0.0.1")

    @needs_tool("nslookup")
    def test_nslookup(self):
        port = self.s.port("resolver")
        ours = self.lookup("--help")                        # the program is there under its names
        self.assertIn("--trace", ours)
        link = os.path.join(self.s.base, "nslookup")
        if not os.path.exists(link):
            os.symlink(self.s.program, link)
        for program in ("nslookup", link):
            r = subprocess.run([program, f"-port={port}", "www.ycp.edu", "127.0.0.1"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
            self.assertRegex(r.stdout, rf"(?s)^Server:\s+127\.0\.0\.1\nAddress:\s+127\.0\.0\.1#{port}\n"
                             r"\nNon-authoritative answer:\n"
                             r"www\.ycp\.edu\s+canonical name = web\.ycp\.edu\.\n"
                             r"Name:\s+web\.ycp\.edu\nAddress: 192\.0\.2\.80\n", r.stdout)
            self.assertEqual(r.returncode, 0)

    def test_trace(self):
        for words in (("--trace",), ("+trace",)):
            out = self.lookup(*words, "--hints", self.hints, "-p", str(self.upstream),
                              "www.ycp.edu")
            for server, what in ((ROOT, r"a referral to edu\."), (EDU, r"a referral to ycp\.edu\."),
                                 (YCP, "an alias"), (YCP, "an answer")):
                self.assertRegex(out, rf"(?s)from {re.escape(server)}#{self.upstream}\(ns\.[a-z.]+\) "
                                 rf"in \d+ ms over UDP\n;; {what}")
            self.assertIn("glue: 1 in bailiwick of the parent, 0 out of it and dropped", out)
            self.assertRegex(out, r"NOERROR; \d+ questions were sent\n"
                             r"www\.ycp\.edu\.\s+300\s+IN\s+CNAME\s+web\.ycp\.edu\.\n"
                             r"web\.ycp\.edu\.\s+300\s+IN\s+A\s+192\.0\.2\.80\n")
        out = self.lookup("--trace", "--hints", self.hints, "--port", str(self.upstream),
                          "www.far.edu")
        self.assertIn(";; to find a server:", out)
        self.assertIn("192.0.2.98", out)
        out = self.lookup("--trace", "--hints", self.hints, "-p", str(self.upstream),
                          "big.ycp.edu", "TXT")
        self.assertIn("truncated: asked again over TCP", out)
        self.assertIn("over TCP\n;; an answer", out)
        self.lookup("--trace", "--hints", self.hints, "-p", str(self.upstream), "www.dead.edu",
                    code=9)
        self.lookup("--trace", "--hints", "/nowhere", "a", code=8)
        self.lookup("--trace", "--hints", self.hosts, "a", code=8)
        self.assertRegex(self.s.said, r"hosts:1:1?\d: ")

    def test_ttl_is_over(self):
        """A changed address is seen when the old one's time is over, and not before (scenario 12)."""
        server = self.servers[YCP]
        path = server.texts["ycp.edu"]
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.assertEqual(self.dig("+short", "soon.ycp.edu").strip(), "192.0.2.1")
        self.assertEqual(self.dig("+short", "web.ycp.edu").strip(), "192.0.2.80")
        Authority.write(path, text.replace("192.0.2.1\n", "192.0.2.2\n").replace(
            "192.0.2.80", "192.0.2.81").replace("hostmaster 1 ", "hostmaster 2 "))
        try:
            server.run("reload")
            until("the new address", lambda: self.dig("+short", "soon.ycp.edu").strip() ==
                  "192.0.2.2")
            self.assertEqual(self.dig("+short", "web.ycp.edu").strip(), "192.0.2.80")
        finally:
            Authority.write(path, text.replace("hostmaster 1 ", "hostmaster 3 "))
            server.run("reload")

    def test_attack_034_stranger(self):
        """Whoever is not of the networks is refused, over UDP and TCP, and nothing is asked."""
        port = self.s.port("resolver")
        before = self.counters()["asked"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as k:
            k.settimeout(DEADLINE)
            k.bind(("127.0.0.2", 0))
            k.sendto(query("stranger.ycp.edu", "A", rd=True), ("127.0.0.1", port))
            answer = Message(k.recv(4096))
        self.assertEqual(answer.rcode, 5)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as k:
            k.settimeout(DEADLINE)
            k.bind(("127.0.0.2", 0))
            k.connect(("127.0.0.1", port))
            q = query("stranger.ycp.edu", "A", rd=True)
            k.sendall(len(q).to_bytes(2, "big") + q)
            data = b""
            while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                more = k.recv(4096)
                self.assertTrue(more)
                data += more
        self.assertEqual(Message(data[2:]).rcode, 5)
        self.assertEqual(self.counters()["asked"], before)

    def test_attack_027_one_in_flight(self):
        """The same question many times at once is one question at the servers."""
        port = self.s.port("resolver")
        before = self.counters()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as k:
            k.settimeout(DEADLINE)
            for number in range(200):
                q = query("many.ycp.edu", "TXT", rd=True)
                k.sendto(number.to_bytes(2, "big") + q[2:], ("127.0.0.1", port))
            seen = {k.recv(4096)[:2] for _ in range(200)}
        self.assertEqual(len(seen), 200)
        self.assertLessEqual(self.counters()["asked"] - before["asked"], 6)

    def test_reload_of_hints_and_hosts(self):
        """Complaints have their places; what was good stays."""
        Authority.write(self.hosts, "192.0.2.8 scanner.home\nbad line\n")
        self.s.run("reload", code=None)
        self.assertNotEqual(self.s.code, 0)
        self.assertIn("hosts:2:1: not an address", self.s.said)
        self.assertEqual(self.dig("+short", "printer.home").strip(), "192.0.2.7")
        Authority.write(self.hosts, "192.0.2.7 printer.home printer\n192.0.2.8 scanner.home\n")
        self.s.run("reload")
        self.assertEqual(self.dig("+short", "scanner.home").strip(), "192.0.2.8")

    def test_beneath_the_authority(self):
        """The resolver at 127.0.0.1 and the authority at all addresses, both at one port."""
        both = Server()
        port = both.port("dns")
        both.add_conf(f'dns {{ listen ["*:{port}"]; }}\n'
                      f'resolver {{ listen ["127.0.0.1:{port}"]; root_hints "{self.hints}"; '
                      f"upstream_port {self.upstream}; }}")
        with both:
            for tcp in ("+notcp", "+tcp"):
                def ask(address, *words):
                    return subprocess.run(["dig", f"@{address}", "-p", str(port), tcp, *words],
                                          text=True, stdout=subprocess.PIPE, timeout=30).stdout
                for _ in range(4):
                    self.assertRegex(ask("127.0.0.1", "www.ycp.edu"),
                                     r"(?s)flags: qr rd ra;.*192\.0\.2\.80")
                    self.assertRegex(ask("127.0.0.5", "example.org", "SOA"),
                                     r"(?s)flags: qr aa rd;.*SOA")
                    self.assertRegex(ask("::1", "example.org", "SOA"), r"flags: qr aa rd;")

    @plain_only
    def test_rests_small(self):
        with Server() as idle:
            self.assertLess(pss_kib(idle.role("resolve")), 3000)


if __name__ == "__main__":
    unittest.main()
