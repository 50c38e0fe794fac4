"""Attacks on names, whose live form matters; the number is the row of the attack list."""
import os
import re
import socket
import struct
import time
import unittest

from stead import (Message, OneServer, PORTS, Server, TLS_FIRST, Talk, needs_root, query, udp_ask, until,
                   wire_name)

BIG = "@ SOA mail hostmaster 1 7200 3600 1209600 3600\n@ NS mail\nmail A 192.0.2.1\n" + \
    "".join('big TXT "%03d %s"\n' % (n, "x" * 240) for n in range(8)) + \
    "".join("@ NS ns%d.many.labels.in.this.name\nns%d.many.labels.in.this.name A 192.0.2.%d\n"
            "ns%d.many.labels.in.this.name AAAA 2001:db8::%x\n" % (n, n, n, n, n) for n in range(1, 100))


class Names(OneServer):
    conf = "dns { rate_limit 0; }"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s.put_zone("big.example", BIG)
        cls.port = cls.s.port("dns")

    def counter(self, name):
        return next(r for r in self.s.status()["roles"] if r["role"] == "dns")["counters"][name]

    def volley(self, packets):
        """All are sent from one socket; what came back before the answer to a last, good query."""
        got = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(10)
            u.connect(("127.0.0.1", self.port))
            for at in range(0, len(packets), 40):
                for p in packets[at:at + 40]:
                    u.send(p)
                u.send(query("sentinel.example.org", "TXT", id=0xbeef))
                while True:
                    m = u.recv(65535)
                    if len(m) > 12 and wire_name("sentinel.example.org") in m and m[:2] == b"\xbe\xef":
                        break
                    got.append(m)
        return got

    def test_attack_001_queries_cut_at_every_octet(self):
        whole = query("example.org", "MX", edns=1232)
        for m in map(Message, self.volley([whole[:n] for n in range(len(whole))])):
            self.assertEqual((m.qr, m.rcode, m.answer), (True, 1, []))
            self.assertLessEqual(len(m.data), len(whole))
        for n in range(len(whole)):
            self.over_tcp(whole[:n], {1})

    def test_attack_001_every_bit_flipped(self):
        for whole in (query("example.org", "MX", edns=1232), query("www.example.org", "A")):
            flipped = [whole[:n // 8] + bytes([whole[n // 8] ^ 1 << n % 8]) + whole[n // 8 + 1:]
                       for n in range(len(whole) * 8)]
            with self.s.unharmed():
                for m in map(Message, self.volley(flipped)):
                    self.assertTrue(m.qr)
                    self.assertLessEqual(len(m.data), 1232)
                for q in flipped:
                    self.over_tcp(q, set(range(16)))

    def over_tcp(self, q, codes):
        with socket.create_connection(("127.0.0.1", self.port), 10) as c:
            c.sendall(struct.pack(">H", len(q)) + q)
            c.shutdown(socket.SHUT_WR)
            with c.makefile("rb") as f:
                data = f.read()
        if data:
            self.assertEqual(struct.unpack(">H", data[:2])[0], len(data) - 2)
            self.assertIn(Message(data[2:]).rcode, codes)

    def test_attack_002_answers_are_not_answered(self):
        q = query("example.org", "MX")
        answers = [q[:2] + bytes([q[2] | 0x80]) + q[3:], udp_ask(self.port, q)]
        before = self.counter("dropped")
        self.assertEqual(self.volley(answers * 20), [])
        self.assertEqual(self.counter("dropped"), before + 40)

    @needs_root
    def test_attack_002_ports_of_those_who_would_answer_us(self):
        before, q = self.counter("forged"), query("example.org", "MX")
        sources = []
        for port in (7, 19, 53):
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(u.close)
            u.bind(("127.0.0.77", port))
            u.sendto(q, ("127.0.0.1", self.port))
            sources.append(u)
        self.volley([])
        for u in sources:
            u.setblocking(False)
            with self.assertRaises(BlockingIOError):
                u.recv(4096)
        self.assertEqual(self.counter("forged"), before + 3)

    @staticmethod
    def spoof(source, to, data):
        """A UDP packet whose sender is not us."""
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as r:
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0,
                             socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.1"))
            r.sendto(ip + struct.pack(">HHHH", source, to, 8 + len(data), 0) + data, ("127.0.0.1", 0))

    @needs_root
    def test_attack_002_ourselves(self):
        before, q = self.counter("forged"), query("example.org", "MX")
        self.spoof(self.port, self.port, q)
        self.volley([])
        self.assertEqual(self.counter("forged"), before + 1)

    @needs_root
    def test_attack_002_two_of_us_do_not_play_ping_pong(self):
        with Server() as other:
            self.volley([])
            udp, dropped = self.counter("udp"), self.counter("dropped")
            self.spoof(self.port, other.port("dns"), query("example.org", "MX"))
            until("the answer arrives", lambda: self.counter("dropped") == dropped + 1)
            self.assertEqual(self.counter("udp"), udp + 1)
            there = next(r for r in other.status()["roles"] if r["role"] == "dns")["counters"]
            self.assertEqual((there["udp"], there["answered"]), (1, 1))

    def test_attack_003_pointers(self):
        head, tail = struct.pack(">6H", 7, 0, 1, 0, 0, 0), struct.pack(">HH", 1, 1)
        names = [b"\xc0\x0c", b"\xc0\x0e", b"\xc0\x00", b"\xff\xff", b"\x01a\xc0\x0c", b"\x01a\xc0\x0e",
                 b"\xc0\x12\0\0\xc0\x0c", b"\x40" + b"a" * 64 + b"\0", b"\x80\0", b"\x3f" + b"a" * 63,
                 (b"\x3f" + b"a" * 63) * 4 + b"\0", b"\x01a" * 128 + b"\0", b"\x01a" * 127 + b"\xc0\x0c"]
        with self.s.unharmed():
            for m in map(Message, self.volley([head + n + tail for n in names])):
                self.assertEqual((m.rcode, m.answer), (1, []))
            for n in names:
                self.over_tcp(head + n + tail, {1})
        deep = Message(udp_ask(self.port, query(".".join("a" * 121) + ".example.org", "A")))
        self.assertEqual(deep.rcode, 3)

    def test_attack_003_an_answer_that_asks_for_much_compression(self):
        began = time.monotonic()
        for _ in range(20):
            m = self.s.ask("big.example", "NS", tcp=True)
            self.assertEqual((len(m.answer), m.tc), (100, False))
        self.assertLess(time.monotonic() - began, 5)
        m = self.s.ask("big.example", "NS", edns=1232)
        self.assertLessEqual(len(m.data), 1232)

    def test_attack_004_counts_classes_opcodes(self):
        name = wire_name("example.org")
        packets, known = [], {}
        for opcode in range(16):
            for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (65535, 0, 0, 0), (1, 65535, 65535, 65535),
                           (1, 0, 0, 65535), (1, 1, 0, 0), (0, 1, 0, 0)):
                for body in (b"", name + struct.pack(">HH", 1, 1), (name + struct.pack(">HH", 1, 1)) * 2):
                    packets.append(struct.pack(">6H", len(packets), opcode << 11, *counts) + body)
            for klass in (0, 2, 3, 254, 255, 65535):
                for kind in (1, 6, 249, 250, 251, 252, 253, 254, 255, 65535):
                    known[len(packets)] = opcode
                    packets.append(struct.pack(">6H", len(packets), opcode << 11, 1, 0, 0, 0) + name +
                                   struct.pack(">HH", kind, klass))
        with self.s.unharmed():
            answers = [Message(m) for m in self.volley(packets)]
            self.assertGreater(len(answers), len(known))
            for m in answers:
                codes = {1, 4, 5} if m.id in known and known[m.id] else {0, 1, 4, 5}
                self.assertIn(m.rcode, codes, packets[m.id])
                self.assertLessEqual(len(m.data), 512)

    def test_attack_007_no_more_than_1232_octets_over_udp(self):
        for size in (None, 512, 1232, 1400, 4096, 65535):
            m = self.s.ask("big.big.example", "TXT", edns=size)
            self.assertTrue(m.tc)
            self.assertLessEqual(len(m.data), min(size or 512, 1232))
        m = self.s.ask("big.big.example", "TXT", tcp=True)
        self.assertEqual((m.tc, len(m.answer)), (False, 8))

    @needs_root
    def test_attack_007_never_fragmented(self):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sniffer:
            sniffer.bind(("lo", 0))
            sniffer.settimeout(10)
            self.s.ask("big.example", "NS", edns=1232)
            while True:
                ip = sniffer.recv(65535)[14:]
                if ip[9] == 17 and struct.unpack(">H", ip[20:22])[0] == self.port:
                    self.assertEqual(ip[6] & 0xe0, 0x40)    # "don't fragment", and no more to come
                    break


class Everywhere(OneServer):
    """Bound to the wildcard address."""

    @classmethod
    def setUpClass(cls):
        cls.s = Server()
        with open(cls.s.conf_path(), encoding="ascii") as f:
            text = f.read()
        with open(cls.s.conf_path(), "w", encoding="ascii") as f:
            f.write(re.sub(r"addresses \[.*\]", "addresses [*]", text))
        cls.s.start()

    def test_attack_007_the_answer_comes_from_the_address_that_was_asked(self):
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"):
            for _ in range(3):
                m = Message(udp_ask(self.s.port("dns"), query("example.org", "MX"), host=host))
                self.assertEqual(len(m.answer), 1, host)

    def test_attack_007_every_service_on_both_families(self):
        for host in ("127.0.0.1", "127.0.0.2", "::1"):
            for service in set(PORTS) - {"dns", "resolver"}:
                with Talk(self.s.port(service), host=host, tls=service in TLS_FIRST) as t:
                    t.expect(rb"(220|\+OK|\* OK) .*\r\n")


class Zones(OneServer):
    def test_attack_013_files_that_zone_text_names(self):
        zones = os.path.join(self.s.dir, "zones")
        files = {"loop.inc": "$INCLUDE loop.inc\n", "a.inc": "$INCLUDE b.inc\n", "b.inc": "$INCLUDE a.inc\n",
                 "good.inc": "inc A 192.0.2.9\n"}
        for name, text in files.items():
            with open(os.path.join(zones, name), "w", encoding="ascii") as f:
                f.write(text)
        os.symlink("/etc/passwd", os.path.join(zones, "link.inc"))
        os.symlink("/", os.path.join(zones, "root"))
        os.mkfifo(os.path.join(zones, "pipe.inc"))
        head = "@ SOA mail hostmaster 9 7200 3600 1209600 3600\n@ NS mail\nmail A 192.0.2.1\n"
        for name in ("/etc/shadow", "/etc/passwd", "../keys/tls.pem", "../../../../../../etc/passwd",
                     "../stead.conf", "root/etc/passwd", "link.inc", "loop.inc", "a.inc",
                     "/proc/self/environ", "/dev/zero", "none.inc", ".", "..", "\"\"", "x" * 300):
            with self.subTest(name):
                began = time.monotonic()
                said = self.s.put_zone("example.org", head + "$INCLUDE %s\n" % name, code=2)
                self.assertLess(time.monotonic() - began, 10)
                self.assertRegex(said, r"\.(zone|inc):\d+:\d+: ")
                self.assertNotRegex(said, r"root:|PRIVATE|PATH=")
                self.assertEqual(self.s.ask("example.org", "SOA").answer[0].data[2], 1)
        self.s.put_zone("example.org", head + "$INCLUDE pipe.inc\n", code=None)    # it does not wait there
        self.s.put_zone("example.org", head + "$INCLUDE good.inc\n")
        self.assertEqual(self.s.ask("inc.example.org", "A").answer[0].data, "192.0.2.9")

    def test_attack_013_generate(self):
        head = "@ SOA mail hostmaster 9 7200 3600 1209600 3600\n@ NS mail\nmail A 192.0.2.1\n"
        for text in ("$GENERATE 0-4294967295 h$ A 192.0.2.1", "$GENERATE 0-99999999999999999999 h$ A 192.0.2.1",
                     "$GENERATE 5-1 h$ A 192.0.2.1", "$GENERATE 0-10/0 h$ A 192.0.2.1",
                     "$GENERATE 0-10 h${0,999999999,d} A 192.0.2.1", "$GENERATE 0-65536 h$ A 192.0.2.1"):
            with self.subTest(text):
                said = self.s.put_zone("gen.example", head + text + "\n", code=2)
                self.assertRegex(said, r"\.zone:4:\d+: ")
        self.s.put_zone("gen.example", head + "$GENERATE 1-200 h$ A 192.0.2.$\n")
        self.assertEqual(self.s.ask("h77.gen.example", "A").answer[0].data, "192.0.2.77")


if __name__ == "__main__":
    unittest.main()
