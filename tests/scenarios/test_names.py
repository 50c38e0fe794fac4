"""Scenarios 6, 7 and 9: names looked up through a resolver, step by step, and under attack."""
import os
import socket
import struct
import subprocess
import threading
import time

import stead
from internet import Internet, Scenario
from stead import STEAD

SIX = [f"10.0.1.{n}" for n in range(91, 97)]


def address(host, name, *words, server="10.0.4.1"):
    """What dig prints of it, line by line."""
    return host.run("dig", f"@{server}", "+short", *words, name).split()


class Names(Scenario):
    def test_6_nslookup(self):
        """Scenario 6: nslookup www.ycp.edu, by the system's own name server."""
        link = os.path.join(self.net.sites["uga"].base, "nslookup")
        if not os.path.lexists(link):
            os.symlink(STEAD, link)
        for tool in ("nslookup", link):
            said = self.net.atlas.run(tool, "www.ycp.edu")
            self.assertRegex(said, r"(?s)Server:\s+10\.0\.4\.1\s+Address:\s+10\.0\.4\.1#53\s+"
                             r"Non-authoritative answer:\s+"
                             r"www\.ycp\.edu\s+canonical name = web\.ycp\.edu\.\s+"
                             r"Name:\s+web\.ycp\.edu\s+Address: 10\.0\.1\.80")
        self.assertTrue(self.on_wire(r"^\? www\.ycp\.edu\. A", source="10.0.4.2", target="10.0.4.1"))

    def test_6_six_addresses_in_turning_order(self):
        """Scenario 6: a name with six addresses answers them all, in turning order."""
        orders = [address(self.net.atlas, "six.ycp.edu") for _ in range(12)]
        for o in orders:
            self.assertEqual(sorted(o), SIX)
        self.assertEqual({o[0] for o in orders}, set(SIX))

    def test_7_iterated_against_recursive(self):
        """Scenario 7: root, edu, umass.edu, cs.umass.edu; then the cache; then, its TTL over, anew."""
        self.net.sites["uga"].kill_role("resolve")      # and with it what it knew
        self.mark = self.net.wire.mark()
        stead.until("the resolver is back", lambda: address(
            self.net.atlas, "gaia.cs.umass.edu", "+timeout=1") == ["10.0.3.77"])
        asked = [s.target for s in self.on_wire(r"^\?", source="10.0.4.1")]
        self.assertEqual(list(dict.fromkeys(asked)), ["10.0.0.1", "10.0.0.2", "10.0.3.1", "10.0.3.2"])
        self.assertEqual([s.source for s in self.on_wire(r"^! .* see ", target="10.0.4.1")],
                         ["10.0.0.1", "10.0.0.2", "10.0.3.1"])
        for s in self.on_wire(r"^! gaia.*10\.0\.3\.77", target="10.0.4.2"):
            self.assertTrue(s.dns.ra and not s.dns.aa)
        first = time.monotonic()
        mark = self.net.wire.mark()
        self.assertEqual(address(self.net.atlas, "gaia.cs.umass.edu"), ["10.0.3.77"])
        cached = self.net.wire.since(mark, r"^\?", source="10.0.4.1")
        if time.monotonic() - first < 2:        # else the machine slept longer than the TTL
            self.assertEqual(cached, [])
        self.change("10.0.3.99")
        mark = self.net.wire.mark()
        stead.until("the new address is seen when the TTL is over",
                    lambda: address(self.net.atlas, "gaia.cs.umass.edu") == ["10.0.3.99"], every=0.1)
        self.assertEqual({s.target for s in self.net.wire.since(mark, r"^\?", source="10.0.4.1")},
                         {"10.0.3.2"})          # the servers of the zone are still known
        self.change("10.0.3.77", 3)

    def change(self, gaia, serial=2):
        site = self.net.sites["cs"]
        site.file("cs.umass.edu.zone", Internet.gaia(gaia, serial))
        site.run("reload")
        self.assertEqual(address(self.net.cs, "gaia.cs.umass.edu", server="10.0.3.2"), [gaia])

    def test_7_the_iteration_told_by_our_own_tool(self):
        """Scenario 7: each step of an iterated resolution, as stead lookup --trace shows it."""
        hints = os.path.join(self.net.sites["uga"].base, "hints")
        said = self.net.atlas.run(STEAD, "lookup", "--trace", "--hints", hints, "gaia.cs.umass.edu")
        for step in ("10.0.0.1", "10.0.0.2", "10.0.3.1", "10.0.3.2"):
            self.assertIn(step, said)
        self.assertRegex(said, r"gaia\.cs\.umass\.edu\.?\s.*A\s+10\.0\.3\.77")
        self.assertEqual([s.target for s in self.on_wire(r"^\?", source="10.0.4.2")][-1], "10.0.3.2")

    def test_no_such_name_is_remembered(self):
        """A denial comes from the cache the second time (RFC 2308)."""
        for _ in range(2):
            self.assertIn("status: NXDOMAIN", self.net.atlas.run("dig", "@10.0.4.1", "nobody.ycp.edu"))
        self.assertEqual(len(self.on_wire(r"^\? nobody", source="10.0.4.1", target="10.0.1.1")), 1)

    def test_strangers_are_refused(self):
        """Recursion is for the networks that were named alone (attack 34)."""
        self.net.mallory.run("ip", "addr", "add", "172.16.0.9/32", "dev", "lo")
        self.net.uga.run("ip", "route", "replace", "172.16.0.9/32", "via", "10.0.6.6")
        said = self.net.mallory.run("dig", "-b", "172.16.0.9", "@10.0.4.1", "www.ycp.edu")
        self.assertIn("status: REFUSED", said)
        self.assertEqual(self.on_wire(r"^\?", source="10.0.4.1"), [])


class Attacked(Scenario):
    def spoofed(self, queries, source, target, sport=4321):
        """UDP to port 53 with a source that is not ours."""
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 17, 0, socket.inet_aton(source),
                           socket.inet_aton(target))
        with self.net.mallory.inside():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        sent = 0
        with raw:
            for q in queries:
                udp = struct.pack(">HHHH", sport, 53, 8 + len(q), 0) + q
                raw.sendto(head + udp, (target, 0))
                sent += len(head) + len(udp)
        return sent

    def test_9_a_flood_is_not_amplified(self):
        """Scenario 9: 20,000 questions in the name of a victim; others are answered meanwhile."""
        query = stead.query("six.ycp.edu", "A", edns=1232)
        before = self.net.wire.bytes_to.get("10.0.7.7", 0)
        sent, answered = [], []

        def flood():
            for _ in range(20):
                sent.append(self.spoofed([query] * 1000, "10.0.7.7", "10.0.1.1"))
        attacker = threading.Thread(target=flood)
        attacker.start()
        while attacker.is_alive() or len(answered) < 5:
            answered.append(sorted(address(self.net.bob, "six.ycp.edu", server="10.0.1.1")))
        attacker.join()
        self.assertEqual(answered, [SIX] * len(answered))
        got = self.net.wire.bytes_to.get("10.0.7.7", 0) - before
        self.assertLess(got, sum(sent) / 2, "the victim gets less than half of what the attacker sent")

    def test_9_forged_answers_are_never_believed(self):
        """Scenario 9: wrong id, wrong port, wrong server, while the right server is silent."""
        site = self.net.sites["cs"]
        address(self.net.atlas, "dns.cs.umass.edu")     # so that only cs is asked below
        mark = self.net.wire.mark()
        stopped = site.role("dns")
        stead.kill(stopped, stead.signal.SIGSTOP)
        try:
            asking = subprocess.Popen(
                self.net.atlas.enter("dig", "@10.0.4.1", "+short", "+timeout=10", "+tries=1",
                                     "gaia.cs.umass.edu"), stdout=subprocess.PIPE, text=True)
            q = self.net.wire.wait(mark, r"^\? gaia", source="10.0.4.1", target="10.0.3.2")[0]
            self.forge(q)
        finally:
            stead.kill(stopped, stead.signal.SIGCONT)
        said = asking.communicate(timeout=20)[0].split()
        self.assertIn(said, (["10.0.3.77"], ["10.0.3.99"]))
        self.assertNotIn("6.6.6.6", address(self.net.atlas, "gaia.cs.umass.edu"))

    def forge(self, q):
        def answer(id):
            return (struct.pack(">6H", id, 0x8400, 1, 1, 0, 0) + q.dns.data[12:][:self.question(q)] +
                    b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 3600, 4, bytes([6] * 4)))

        def send(data, source, port):
            head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 17, 0, socket.inet_aton(source),
                               socket.inet_aton("10.0.4.1"))
            raw.sendto(head + struct.pack(">HHHH", 53, port, 8 + len(data), 0) + data, ("10.0.4.1", 0))
        with self.net.mallory.inside():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            for n in range(1, 200):
                send(answer((q.dns.id + n) & 0xffff), "10.0.3.2", q.sport)      # wrong id
                send(answer(q.dns.id), "10.0.3.2", (q.sport + n) % 64512 + 1024)  # wrong port
                send(answer(q.dns.id), "10.0.3.3", q.sport)                     # wrong server

    @staticmethod
    def question(q):
        data, at = q.dns.data, 12
        while data[at]:
            at += 1 + data[at]
        return at + 5 - 12

    def test_9_what_a_server_may_not_say_is_not_cached(self):
        """Scenario 9: the servers of evil.edu tell of ycp.edu (attack 25)."""
        with self.net.mallory.inside():
            liar = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            liar.bind(("10.0.6.6", 53))

        def lie():
            while True:
                try:
                    data, who = liar.recvfrom(4096)
                except OSError:
                    return
                end = 12
                while data[end]:
                    end += 1 + data[end]
                name, www = data[12:end + 1], stead.wire_name("www.ycp.edu")
                a = struct.pack(">HHIH4s", 1, 1, 3600, 4, bytes([6] * 4))
                ns = stead.wire_name("ns.evil.edu")
                liar.sendto(data[:2] + struct.pack(">5H", 0x8400, 1, 2, 1, 1) + data[12:end + 5] +
                            name + a + www + a + stead.wire_name("ycp.edu") +
                            struct.pack(">HHIH", 2, 1, 3600, len(ns)) + ns +
                            stead.wire_name("mail.ycp.edu") + a, who)
        teller = threading.Thread(target=lie, daemon=True)
        teller.start()
        try:
            self.assertEqual(address(self.net.atlas, "a.evil.edu"), ["6.6.6.6"])
            for name, true in (("www.ycp.edu", "10.0.1.80"), ("mail.ycp.edu", "10.0.1.1")):
                self.assertEqual(address(self.net.atlas, name)[-1], true)
            self.assertFalse([s for s in self.on_wire(r"^\? .*ycp\.edu", target="10.0.6.6")])
        finally:
            liar.close()
