#!/usr/bin/env python3
"""rest.py - what Stead costs at rest: seconds to ready, PSS of each role, after the start and when each
service was used: a message in and read by POP3 and IMAP, one out behind a log-in, a name looked up, a
file up and down by FTP.  ROUNDS (default 1) of it; figures are medians.  Exit 1 when a bar is missed.
"""
import ftplib
import imaplib
import io
import os
import smtplib
import socket
import statistics
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
sys.dont_write_bytecode = True
os.environ.setdefault("STEAD_BIN", os.environ.get("STEAD", os.path.join(ROOT, "build", "stead")))
import stead                                    # noqa: E402  (after its path)

BAR_KIB, BAR_S = 25 * 1024, 0.5
USER, WORD = "u1@bench.test", "a password"
ZONE = "$TTL 60\n@ SOA ns hostmaster 1 3600 900 86400 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\n"


def weigh(server):
    """KiB of PSS by role, and what it is in all."""
    kib = {"master": stead.pss_kib(server.process.pid)}
    for role, pids in server.roles().items():
        kib[role] = sum(stead.pss_kib(p) for p in pids)
    return dict(kib, all=sum(kib.values()))


class Sink:
    """A mail server that takes everything; `taken` is set when it has a message."""

    def __init__(self):
        self.listener, self.taken = socket.create_server(("127.0.0.1", 0)), threading.Event()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        sock, _ = self.listener.accept()
        sock.sendall(b"220 sink\r\n")
        body = False
        for line in sock.makefile("rb"):
            if body and line != b".\r\n":
                continue
            if body:
                self.taken.set()
            body = line == b"DATA\r\n"
            sock.sendall(b"354 go on\r\n" if body else b"250 ok\r\n")


def server_of(sink):
    s = stead.Server(domain="bench.test", users={f"u{i}": WORD for i in range(1, 11)})
    for name, text in (("root", ZONE), ("hints", ". 60 NS ns.\nns. 60 A 127.0.0.1\n")):
        with open(os.path.join(s.base, name), "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(f.name, 0o644)
    s.add_conf(f'dns {{ zones {{ "." {{ file "{s.base}/root"; }} }} }}\n'
               f'resolver {{ root_hints "{s.base}/hints"; upstream_port {s.port("dns")}; }}\n'
               f'out {{ relay "127.0.0.1:{sink.port}"; loopback on; }}')
    return s


def use(s, sink):
    stead.mail_in(s, USER.encode(), b"Subject: one\r\n\r\n" + b"x" * 70 + b"\r\n")
    assert len(stead.pop3_all(s, USER.encode(), WORD.encode(), True)) == 1
    with imaplib.IMAP4("127.0.0.1", s.port("imap"), timeout=20) as c:
        c.starttls(stead.ssl._create_unverified_context())
        c.login(USER, WORD)
        c.append("INBOX", None, None, b"Subject: two\r\n\r\ntext\r\n")
        assert c.select()[1] == [b"1"]
        assert b"Subject: two" in c.fetch("1", "(FLAGS ENVELOPE BODY[])")[1][0][1]
    with smtplib.SMTP("127.0.0.1", s.port("submission"), timeout=20) as c:
        c.starttls(context=stead.ssl._create_unverified_context())
        c.login(USER, WORD)
        c.sendmail(USER, "x@far.test", f"From: {USER}\r\nSubject: out\r\n\r\ntext\r\n")
    assert sink.taken.wait(20)
    question = stead.query("www", "A", rd=True)
    assert stead.Message(stead.udp_ask(s.port("resolver"), question)).texts() == ["www. A 192.0.2.1"]
    with ftplib.FTP_TLS(timeout=20, context=stead.ssl._create_unverified_context()) as c:
        c.connect("127.0.0.1", s.port("ftp"))
        c.login(USER, WORD)
        c.storbinary("STOR file", io.BytesIO(b"x" * 100000))
        got = io.BytesIO()
        c.retrbinary("RETR file", got.write)
        assert len(got.getvalue()) == 100000


def one_round():
    sink = Sink()
    with server_of(sink) as s:
        time.sleep(1)                           # let it come to rest: this is what is measured
        started = weigh(s)
        use(s, sink)
        time.sleep(1)
        return s.ready_seconds, started, weigh(s)


def main():
    rounds = [one_round() for _ in range(int(os.environ.get("ROUNDS", "1")))]
    middle = lambda values: statistics.median(list(values))     # noqa: E731
    ready = middle(r[0] for r in rounds)
    print(f"time to ready: {1000 * ready:.0f} ms (at most {1000 * BAR_S:.0f})\n")
    print("| role | KiB PSS, started | KiB PSS, used |\n|---|--:|--:|")
    for role in rounds[0][1]:
        print(f"| {role} | {middle(r[1][role] for r in rounds):.0f} "
              f"| {middle(r[2].get(role, 0) for r in rounds):.0f} |")
    used = middle(r[2]["all"] for r in rounds)
    print(f"\nin all {used / 1024:.1f} MiB (at most {BAR_KIB / 1024:.0f})")
    return 1 if ready > BAR_S or used > BAR_KIB else 0


if __name__ == "__main__":
    sys.exit(main())
