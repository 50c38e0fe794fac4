"""Attacks that were found by attacking this program; the number is the row of the attack list."""
import os
import resource
import smtplib
import socket
import struct
import unittest

from stead import OneServer, Server, pop3_login, query, until


def said(sock):
    """All that comes until the server closes."""
    got = b""
    while True:
        try:
            more = sock.recv(4096)
        except ConnectionResetError:
            return got
        if not more:
            return got
        got += more


class Sessions(OneServer):
    users = {"bob": "pw"}

    def at(self, service, address="127.0.0.1"):
        sock = socket.create_connection(("127.0.0.1", self.s.port(service)), 20, (address, 0))
        self.addCleanup(sock.close)
        return sock

    def roles(self):
        return {name: self.s.roles()[name] for name in ("mail", "smtp")}

    def test_attack_161_starttls_and_gone(self):
        """The client ends its direction while the answer before its STARTTLS is awaited."""
        before = self.roles()
        for _ in range(5):
            pop3 = self.at("pop3")
            pop3.sendall(b"USER x\r\nPASS y\r\nSTLS\r\n")
            pop3.shutdown(socket.SHUT_WR)
            self.assertIn(b"+OK", said(pop3))
            smtp = self.at("smtp")
            smtp.sendall(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\n"
                         b"DATA\r\n\r\n.\r\nSTARTTLS\r\n")
            smtp.shutdown(socket.SHUT_WR)
            self.assertIn(b"Message accepted", said(smtp))
        self.assertEqual(self.roles(), before)

    def test_attack_164_login_flood(self):
        """Three addresses with wrong passwords do not keep the owner of another out."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        flood = []
        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
            for _ in range(400):
                sock = self.at("pop3", address)
                sock.sendall(b"USER bob\r\nPASS wrong\r\n")
                flood.append(sock)
        talk = pop3_login(self.s, b"bob", b"pw")
        talk.do(b"QUIT", rb"\+OK.*")
        talk.close()
        for sock in flood:
            sock.close()

    def test_attack_164_who_waits_is_served(self):
        """Behind the logins that a network has under way, everybody of it gets an answer."""
        socks = [self.at("pop3", "127.0.0.2") for _ in range(60)]
        for number, sock in enumerate(socks):
            sock.sendall(b"USER bob\r\nPASS wrong\r\nQUIT\r\n" if number < 20 else
                         b"CAPA\r\nQUIT\r\n")
        for number, sock in enumerate(socks):
            sock.settimeout(20)
            self.assertIn(b"-ERR [AUTH]" if number < 20 else b"UIDL", said(sock), number)


    def test_attack_172_an_address_as_name_in_from(self):
        """What stands unquoted before "<", or names a group, is the address for some readers."""
        with smtplib.SMTP("127.0.0.1", self.s.port("submission")) as c:
            c.starttls()
            c.login("bob", "pw")
            for bad in ("boss@example.org <bob@example.org>", "boss@example.org: bob@example.org;",
                        "The boss@example.org <bob@example.org>", "boss@far.test\r\n <bob@example.org>"):
                with self.assertRaises(smtplib.SMTPDataError, msg=bad) as raised:
                    c.sendmail("bob@example.org", "bob@example.org", f"From: {bad}\r\n\r\n")
                self.assertEqual(raised.exception.smtp_code, 550)
            for good in ("bob@example.org <bob@example.org>", '"boss@example.org" <bob@example.org>'):
                c.sendmail("bob@example.org", "bob@example.org", f"From: {good}\r\n\r\n")


class Resolver(unittest.TestCase):
    def test_attack_173_questions_of_who_has_gone(self):
        """Clients that ask and go away leave no question behind, which others would have to wait for."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.50", 0))
            server = Server()
            self.addCleanup(server.remove)
            hints = os.path.join(server.base, "hints")
            with open(hints, "w", encoding="ascii") as f:
                f.write(". 3600 NS ns.root.\nns.root. 3600 A 127.0.0.50\n")
            os.chmod(hints, 0o644)
            server.add_conf(f'resolver {{ root_hints "{hints}"; clients [127.0.0.1]; '
                            f'upstream_port {silent.getsockname()[1]}; }}')
            with server:
                self.ask_and_go(server)

    def ask_and_go(self, server):
        def counters():
            return next(r["counters"] for r in server.status()["roles"] if r["role"] == "resolve")

        for number in range(100):
            with socket.create_connection(("127.0.0.1", server.port("resolver")), 20) as c:
                for q in (query(f"{n}.{number}.test", "A", rd=True) for n in range(16)):
                    c.sendall(struct.pack(">H", len(q)) + q)
        last = until("all have gone", lambda: (now := counters())["all_sessions"] == 100 and
                     not now["sessions"] and now)
        self.assertGreater(last["all_jobs"], 0)
        self.assertEqual(last["jobs"], 0)


class Zones(unittest.TestCase):
    ZONE = "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n"

    def setUp(self):
        self.s = Server()
        self.addCleanup(self.s.remove)
        self.path = os.path.join(self.s.dir, "kept.zone")
        with open(self.path, "w", encoding="ascii") as f:
            f.write(self.ZONE)
        self.s.add_conf('dns { zones { "kept.example" { file kept.zone; } } }')
        self.s.start()

    def tearDown(self):
        self.assertIn("192.0.2.1", self.s.dig("ns.kept.example", "A", "+short"))
        self.s.stop()

    def refused(self):
        self.s.run("reload", code=1)
        self.assertIn("kept.zone", self.s.said)

    def test_attack_165_zone_file_gone(self):
        os.unlink(self.path)
        self.refused()

    def test_attack_166_fifo_as_zone_file(self):
        os.unlink(self.path)
        os.mkfifo(self.path)
        self.refused()
