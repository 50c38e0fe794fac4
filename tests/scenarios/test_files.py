"""Scenario 5: files, one data connection each, active and passive, and the firewall between."""
import ftplib
import io
import random
import re
import socket

from internet import Scenario

DATA = random.Random(5).randbytes(300000)


class Control:
    """The control connection by hand, and what data connections bring."""

    def __init__(self, host, server, user, password):
        self.host, self.server = host, server
        self.t = host.talk(server, 21)
        self.t.expect(rb"220.*", self.t.reply)
        self.user, self.password = user, password

    def __enter__(self):
        self.t.do(b"USER " + self.user, rb"331 .*")
        self.t.do(b"PASS " + self.password, rb"230.*")
        self.t.do(b"TYPE I", rb"200 .*")
        return self

    def __exit__(self, *_):
        self.t.do(b"QUIT", rb"221.*")
        self.t.close()

    def passive(self):
        m = re.search(rb"\(([\d,]+)\)", self.t.do(b"PASV", rb"227 .*"))
        n = [int(x) for x in m[1].split(b",")]
        return self.host.talk(".".join(map(str, n[:4])), n[4] * 256 + n[5])

    def retrieve(self, name):
        with self.passive() as d:
            self.t.do(b"RETR " + name, rb"1(25|50) .*")
            got = d.closed()
        self.t.expect(rb"226 .*", self.t.reply)
        return got

    def store(self, name, data, last=rb"226 .*"):
        with self.passive() as d:
            self.t.do(b"STOR " + name, rb"1(25|50) .*")
            try:
                d.send(data)
            except OSError:                     # it was refused before all was sent
                pass
        self.t.expect(last, self.t.reply)


class Files(Scenario):
    def bob(self, host=None):
        return Control(host or self.net.bob, "10.0.2.1", b"bob@fakeplace.edu", b"hungry")

    def alice(self, host):
        return Control(host, "10.0.1.1", b"alice@ycp.edu", b"in wonderland")

    def test_5_files_up_and_down(self):
        """Scenario 5: 331, 230, 150, 226; a second file over a second data connection."""
        with self.bob() as c:
            c.store(b"one.bin", DATA)
            c.store(b"two.bin", DATA[::-1])
            self.assertEqual(c.retrieve(b"one.bin"), DATA)
            self.assertEqual(c.retrieve(b"two.bin"), DATA[::-1])
        codes = [s.text[:3] for s in self.on_wire(source="10.0.2.1", kind="FTP")]
        self.assertEqual(codes[:3], ["220", "331", "230"])
        self.assertEqual(codes[-1], "221")
        opened = self.on_wire("connects from", source="10.0.2.2", target="10.0.2.1")
        self.assertEqual(len(opened), 4, "a data connection for each file")
        self.assertEqual(len({s.sport for s in opened}), 4)

    def test_5_425_when_the_data_connection_fails(self):
        """Scenario 5: nobody listens at the port that PORT tells."""
        with self.bob() as c:
            c.t.do(b"PORT 10,0,2,2,200,1", rb"200 .*")
            c.t.send(b"LIST\r\n")
            reply = c.t.reply()
            if reply.startswith(b"1"):
                reply = c.t.reply()
            self.assertRegex(reply, rb"425 .*")
            c.t.do(b"NOOP", rb"200 .*")

    def test_5_452_when_the_disk_is_full(self):
        """Scenario 5: 4 MiB of room; the file that was there is there still."""
        with self.bob() as c:
            c.store(b"kept.bin", DATA)
            c.store(b"kept.bin", b"x" * (8 << 20), rb"452 .*")
            self.assertEqual(c.retrieve(b"kept.bin"), DATA)
            c.t.do(b"DELE kept.bin", rb"250 .*")

    def test_5_a_firewall(self):
        """Scenario 5: active mode is refused by the firewall, the same transfer is made in passive."""
        with self.alice(self.net.alice) as c:
            c.store(b"report.bin", DATA)
        with self.alice(self.net.home) as c:
            with self.net.home.inside():
                listener = socket.create_server(("192.168.7.2", 50001))
            with listener:
                c.t.do(b"PORT 192,168,7,2,195,81", rb"200 .*")
                c.t.send(b"RETR report.bin\r\n")
                reply = c.t.reply()
                if reply.startswith(b"1"):
                    reply = c.t.reply()
                self.assertRegex(reply, rb"425 .*")
            tried = self.on_wire("to port 50001", source="10.0.1.1", target="192.168.7.2")
            self.assertTrue(tried, "the server has tried to connect")
            self.assertEqual(c.retrieve(b"report.bin"), DATA)
        stopped = self.net.wall.run("nft", "list", "chain", "ip", "wall", "forward")
        self.assertRegex(stopped, r"counter packets [1-9]")

    def test_5_active_without_a_firewall(self):
        """The server connects out from its data port, 20."""
        with self.bob() as c:
            c.store(b"active.bin", DATA)
        with self.net.bob.inside():
            f = ftplib.FTP("10.0.2.1", timeout=20)
            f.login("bob@fakeplace.edu", "hungry")
            f.set_pasv(False)
            got = io.BytesIO()
            f.retrbinary("RETR active.bin", got.write)
            f.quit()
        self.assertEqual(got.getvalue(), DATA)
        self.assertTrue(self.on_wire("connects from port 20 ", source="10.0.2.1", target="10.0.2.2"))
