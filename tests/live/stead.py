"""stead.py - a real stead for live tests: started in a folder of its own, spoken to byte by byte.

A test waits for what it wants to see, with a deadline, and never just sleeps.  Everything stays on
loopback; every process that is started here is ended by its own id.

    with Server(domain="example.org", users={"alice": "secret"}) as s:
        t = s.talk("smtp")
        t.expect(rb"220 .*\r\n")
        t.send(b"QUIT\r\n")

Environment: STEAD_BIN the program (default build/stead), STEAD_ACTS a test build of it that tries
forbidden acts, STEAD_LONG=1 for the long forms, STEAD_KEEP=1 leaves the folders of the tests.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STEAD = os.path.abspath(os.environ.get("STEAD_BIN", os.path.join(ROOT, "build", "stead")))
ACTS = os.environ.get("STEAD_ACTS") and os.path.abspath(os.environ["STEAD_ACTS"])
LONG = os.environ.get("STEAD_LONG") == "1"
DEADLINE = 20.0                     # what takes longer than this has failed

PORTS = {"ftp": 21, "smtp": 25, "dns": 53, "resolver": 54, "pop3": 110, "imap": 143,
         "submissions": 465, "submission": 587, "imaps": 993, "pop3s": 995}
TLS_FIRST = {"submissions", "imaps", "pop3s"}
PASSIVE = range(1024, 1088)         # ports of FTP data, shifted as the others
with open(STEAD, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
SANITIZER = re.compile(r"ERROR: (Address|Leak|Memory|Thread)Sanitizer|: runtime error: ")


class Timeout(AssertionError):
    pass


def until(what, test, deadline=DEADLINE, every=0.02):
    """Ask test() until it answers with something true, which is given back."""
    end = time.monotonic() + deadline
    while True:
        answer = test()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Timeout(f"{what}: not within {deadline:g} s")
        time.sleep(every)


TRIED = iter(range(1000000))


def free_offset():
    """A shift of all ports under which none of them is taken, off the range of outgoing ports."""
    for _ in range(200):
        offset = 11000 + (os.getpid() * 7 + next(TRIED)) % 19 * 1100
        if all(port_free(offset + p) for p in (*PORTS.values(), *PASSIVE)):
            return offset
    raise RuntimeError("no free block of ports on loopback")


def port_free(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((host, port))
                except OSError:
                    return False
    return True


# ---- processes, as /proc tells them ----

def proc(pid, name):
    """/proc/PID/NAME as text, empty when the process has gone."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read().decode("utf-8", "replace")
    except OSError:
        return ""


def proc_status(pid):
    """/proc/PID/status as a dictionary."""
    return dict(line.split(":\t", 1) for line in proc(pid, "status").splitlines() if ":\t" in line)


def fds(pid):
    """The number of its open descriptors; 0 when it has gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def anon_kib(pid):
    """Memory that is its own, and not a file's or shared."""
    return int(proc_status(pid).get("RssAnon", "0").split()[0])


def disk_bytes(folder):
    """What lies in a folder takes on the disk."""
    return sum(os.lstat(os.path.join(at, f)).st_blocks * 512
               for at, _, files in os.walk(folder) for f in files)


def pss_kib(pid):
    m = re.search(r"^Pss:\s+(\d+)", proc(pid, "smaps_rollup"), re.M)
    return int(m[1]) if m else 0


def children(pid):
    return [int(p) for task in os.listdir(f"/proc/{pid}/task")
            for p in proc(pid, f"task/{task}/children").split()]


class Server:
    """One stead in one folder.  start() waits for "stead: ready"; stop() looks at how it ended.

    uid: who runs it, and every command on it; 0 is the one who runs the tests.
    """

    def __init__(self, domain="example.org", users=None, conf="", program=None, folder=None, uid=0):
        self.domain, self.program, self.process = domain, program or STEAD, None
        self.uid = uid
        self.base = folder or tempfile.mkdtemp(prefix="stead-")
        os.chmod(self.base, 0o755)              # roles with uids of their own walk through it
        if uid:
            os.chown(self.base, uid, uid)
            self.program = shutil.copy(self.program, self.base)     # it may not be his to reach
        self.dir = os.path.join(self.base, "d")
        self.offset, self.lines, self.news = free_offset(), [], threading.Condition()
        self.ready_seconds = None
        try:
            self.make(users or {}, conf)
        except BaseException:
            self.remove()
            raise

    def make(self, users, conf):
        if not os.path.exists(self.dir):
            self.run("init", self.dir, "--domain", self.domain, "--offset", str(self.offset),
                     inside=False)
            if conf:
                self.add_conf(conf)
            for user, word in users.items():
                self.add_user(user, word)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process:
                self.stop(check=kind is None)
        finally:
            self.remove()

    # -- the command line --

    def command(self, *words, inside=True, uid=None):
        uid = self.uid if uid is None else uid
        other = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        return [*other, self.program, *(["-C", self.dir] if inside else []), *words]

    def run(self, *words, input="", code=0, inside=True, uid=None):
        """A command of stead; its output; what it said on stderr is in `said`, its exit in `code`.
        code=None takes every exit."""
        r = subprocess.run(self.command(*words, inside=inside, uid=uid), input=input, text=True,
                           errors="surrogateescape", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60)
        self.said, self.code = r.stderr, r.returncode
        if SANITIZER.search(r.stderr) or code is not None and r.returncode != code:
            raise AssertionError(f"stead {' '.join(words)}: exit {r.returncode}\n"
                                 f"{r.stdout}{r.stderr}")
        return r.stdout

    def add_user(self, user, password):
        address = user if "@" in user else f"{user}@{self.domain}"
        self.run("user", "add", address, "--password-stdin", input=password + "\n")

    def conf_path(self):
        return os.path.join(self.dir, "stead.conf")

    def add_conf(self, text):
        with open(self.conf_path(), "a", encoding="utf-8") as f:
            f.write("\n" + text + "\n")

    def put_zone(self, zone, text, code=0):
        """zone import; what it said."""
        path = os.path.join(self.base, "import.zone")
        with open(path, "w", encoding="latin-1") as f:
            f.write(text)
        self.run("zone", "import", zone, path, code=code)
        return self.said

    def status(self):
        return json.loads(self.run("status", "--json"))

    # -- its life --

    def start(self, deadline=DEADLINE):
        began = time.monotonic()
        self.lines, self.closed = [], False
        self.process = subprocess.Popen(self.command("serve"), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.ear = threading.Thread(target=self.listen, args=(self.process.stderr,), daemon=True)
        self.ear.start()
        self.wait_line(r"^stead: ready", deadline)
        self.ready_seconds = time.monotonic() - began
        return self

    def listen(self, stream):
        for line in iter(stream.readline, b""):
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        stream.close()
        with self.news:
            self.closed = True
            self.news.notify_all()

    def wait_line(self, pattern, deadline=DEADLINE, after=0):
        """The first line on stderr, from the number `after` on, that the pattern is found in."""
        end, seen = time.monotonic() + deadline, after
        with self.news:
            while True:
                for seen in range(seen, len(self.lines)):
                    if re.search(pattern, self.lines[seen]):
                        return self.lines[seen]
                seen = len(self.lines)
                if self.closed or not self.news.wait(max(0, end - time.monotonic())):
                    raise Timeout(f"no {pattern!r} on stderr\n" + self.stderr())

    def stderr(self):
        return "\n".join(self.lines)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, how=signal.SIGTERM, check=True, deadline=DEADLINE):
        """End it.  With check: it ended by itself with 0, and no sanitizer complained."""
        pids = self.all_pids()
        self.process.send_signal(how)
        try:
            code = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            for p in pids:
                kill(p, signal.SIGKILL)
            self.process.wait()
            raise Timeout(f"did not end within {deadline:g} s\n" + self.stderr()) from None
        until("roles end with their master", lambda: not any(map(running, pids)), deadline)
        self.ear.join(deadline)                 # all that was said is in lines
        self.process = None
        if check:
            self.assert_clean()
            if how != signal.SIGKILL and code != 0:
                raise AssertionError(f"stead serve: exit {code}\n" + self.stderr())
        return code

    def assert_clean(self):
        if SANITIZER.search(self.stderr()):
            raise AssertionError("a sanitizer complains\n" + self.stderr())

    def remove(self):
        if os.environ.get("STEAD_KEEP") != "1":
            shutil.rmtree(self.base, ignore_errors=True)

    # -- its roles --

    def roles(self):
        """The pids of each role: {"dns": [123], ...}, as /proc has them."""
        found = {}
        for pid in children(self.process.pid) if self.alive() else ():
            words = proc(pid, "cmdline").split("\0")
            if "--role" in words[:-1]:
                found.setdefault(words[words.index("--role") + 1], []).append(pid)
        return found

    def role(self, name):
        pids = self.roles().get(name)
        assert pids, f"no role {name} is running"
        return pids[0]

    @contextlib.contextmanager
    def unharmed(self, grow_kib=4096):
        """What happens inside ends no role, leaves no descriptor open, and little memory."""
        roles = self.roles()
        open_before = {(r, p): fds(p) for r, pids in roles.items() for p in pids if r != "box"}
        anon = {p: anon_kib(p) for pids in roles.values() for p in pids}
        yield
        until("descriptors are closed", lambda: not {
            k for k, n in open_before.items() if fds(k[1]) > n})
        assert self.roles() == roles, f"roles ended: {roles} {self.roles()}\n{self.stderr()}"
        if not SANITIZED:                       # which keeps what was freed
            grown = {p: anon_kib(p) - n for p, n in anon.items()}
            assert max(grown.values()) <= grow_kib, f"{roles}: grown by KiB {grown}"
        self.assert_clean()

    def all_pids(self):
        if not self.alive():
            return []
        return [self.process.pid] + [p for pids in self.roles().values() for p in pids]

    def kill_role(self, name, deadline=DEADLINE):
        """kill -9, and wait for the one that takes its place; its pid."""
        old = self.role(name)
        kill(old, signal.SIGKILL)
        return until(f"{name} comes back", lambda: next(
            (p for p in self.roles().get(name, ()) if p != old), None), deadline)

    # -- its doors --

    def services(self):
        return [*PORTS, "ftp-data"]

    def port(self, service):
        return {**PORTS, "ftp-data": PASSIVE[0]}[service] + self.offset

    def talk(self, service, **how):
        return Talk(self.port(service), **how)

    def dig(self, *words, tool="dig", service="dns"):
        r = subprocess.run([tool, "@127.0.0.1", "-p", str(self.port(service)), *words], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return r.stdout

    def ask(self, name, kind, tcp=False, **how):
        """One question to the authority; the answer taken apart."""
        q = query(name, kind, **how)
        port = self.port("dns")
        return Message(tcp_ask(port, q) if tcp else udp_ask(port, q))


def kill(pid, how):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass


def running(pid):
    """Neither gone nor a zombie that only waits to be told of."""
    return proc_status(pid).get("State", "Z")[0] not in "ZX"


# ---- line protocols ----

class Talk:
    """A TCP conversation; nothing is added to what is sent, nothing taken from what comes."""

    def __init__(self, port, host="127.0.0.1", tls=False, deadline=DEADLINE):
        self.sock, self.got = socket.create_connection((host, port), deadline), b""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deadline = deadline
        if tls:
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Away without a good-bye: the peer sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def start_tls(self, name="localhost"):
        """From here on TLS; the certificate is self-signed and not looked at."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=name)

    def send(self, data, pieces=0):
        """All of it; in pieces of so many bytes, each sent by itself, when asked."""
        for at in range(0, len(data), pieces) if pieces else (0,):
            self.sock.sendall(data[at:at + pieces] if pieces else data)

    def more(self, end):
        self.sock.settimeout(max(0.001, end - time.monotonic()))
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            raise Timeout(f"silence after {self.got[-500:]!r}") from None
        except ConnectionResetError:
            data = b""
        self.got += data
        return bool(data)

    def upto(self, end):
        """All bytes up to and with `end`."""
        limit = time.monotonic() + self.deadline
        while end not in self.got:
            if not self.more(limit):
                raise AssertionError(f"closed before {end!r}: {self.got[-500:]!r}")
        head, self.got = self.got[:self.got.index(end) + len(end)], self.got[
            self.got.index(end) + len(end):]
        return head

    def line(self):
        return self.upto(b"\r\n")

    def lines(self, n):
        return [self.line() for _ in range(n)]

    def reply(self):
        """An SMTP reply of one or more lines, as it came."""
        all = b""
        while True:
            line = self.line()
            all += line
            if line[3:4] != b"-":
                return all

    def multi(self):
        """A POP3 answer of many lines, up to the lone dot."""
        first = self.line()
        if not first.startswith(b"+OK"):
            return first
        return first + (self.upto(b"\r\n.\r\n") if self.peek(3) != b".\r\n" else self.upto(b".\r\n"))

    def peek(self, n):
        limit = time.monotonic() + self.deadline
        while len(self.got) < n and self.more(limit):
            pass
        return self.got[:n]

    def expect(self, pattern, read=None):
        """The next line (or what read() gives) matches from its start to its end."""
        got = (read or self.line)()
        if not re.fullmatch(pattern, got, re.S):
            raise AssertionError(f"expected {pattern!r}, got {got!r}")
        return got

    def do(self, command, pattern):
        """A line is sent (CRLF is added), and the reply, also one of many lines, matches."""
        self.send(command + b"\r\n")
        return self.expect(pattern, self.reply)

    def closed(self):
        """The peer closes; what it still said."""
        limit = time.monotonic() + self.deadline
        while self.more(limit):
            pass
        rest, self.got = self.got, b""
        return rest


class OneServer(unittest.TestCase):
    """Tests that share one server, `s`; each leaves it running and without complaints."""

    domain, users, conf, uid = "example.org", {}, "", 0

    @classmethod
    def setUpClass(cls):
        cls.s = Server(domain=cls.domain, users=cls.users, conf=cls.conf, uid=cls.uid)
        try:
            cls.s.start()
        except BaseException:
            cls.s.remove()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.s.__exit__(None)

    def tearDown(self):
        self.assertTrue(self.s.alive(), self.s.stderr())
        self.s.assert_clean()


def mail_in(server, rcpts, text, sender=b"a@example.net"):
    """One message by SMTP: the last reply.  The text has CRLF lines (the last CRLF may be left out)
    and no final dot."""
    rcpts = [rcpts] if isinstance(rcpts, bytes) else rcpts
    with server.talk("smtp") as t:
        t.expect(rb"220 .*", t.reply)
        t.do(b"EHLO client.example.net", rb"250.*")
        t.do(b"MAIL FROM:<" + sender + b">", rb"250 .*")
        for r in rcpts:
            t.do(b"RCPT TO:<" + r + b">", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send(re.sub(rb"(?m)^\.", b"..", text) + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        last = t.reply()
        t.do(b"QUIT", rb"221 .*")
        return last


def pop3_login(server, user, password, service="pop3"):
    t = server.talk(service, tls=service == "pop3s")
    t.expect(rb"\+OK.*\r\n")
    t.send(b"USER " + user + b"\r\n")
    t.expect(rb"\+OK.*\r\n")
    t.send(b"PASS " + password + b"\r\n")
    t.expect(rb"\+OK.*\r\n")
    return t


def pop3_all(server, user, password, delete=False):
    """Every message of a maildrop, with the dots undone and no final dot."""
    with pop3_login(server, user, password) as t:
        t.send(b"STAT\r\n")
        n = int(t.expect(rb"\+OK \d+ \d+.*\r\n").split()[1])
        out = []
        for i in range(1, n + 1):
            t.send(b"RETR %d\r\n" % i)
            whole = t.multi()
            body = whole[whole.index(b"\r\n") + 2:-3]
            out.append(re.sub(rb"(?m)^\.\.", b".", body))
            if delete:
                t.send(b"DELE %d\r\n" % i)
                t.expect(rb"\+OK.*\r\n")
        t.send(b"QUIT\r\n")
        t.expect(rb"\+OK.*\r\n")
        return out


def text_of(message):
    """What the client sent, without Return-Path and Received in front of it."""
    return re.sub(rb"\AReturn-Path: [^\r]*\r\nReceived: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"", message)


# ---- names ----

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28,
         "OPT": 41, "ANY": 255}
TYPE_NAMES = {n: t for t, n in TYPES.items()}


def wire_name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".") if p) + b"\0"


def query(name, kind, id=0x1234, rd=False, edns=None, klass=1):
    """A question as bytes; edns is the size of answer that is offered."""
    kind = TYPES.get(kind, kind)
    head = struct.pack(">6H", id, 0x100 if rd else 0, 1, 0, 0, 1 if edns else 0)
    opt = b"\0" + struct.pack(">HHIH", TYPES["OPT"], edns, 0, 0) if edns else b""
    return head + wire_name(name) + struct.pack(">HH", kind, klass) + opt


def udp_ask(port, data, host="127.0.0.1", deadline=5.0, silent=False, source=None):
    """What comes back, and from the address that was asked; None when silence is what is wanted.
    source: the address and port that it is asked from."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(deadline)
        if source:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(source)
        s.connect((host, port))                 # so another address's answer never gets here
        s.send(data)
        try:
            return s.recv(65535)
        except TimeoutError:
            if silent:
                return None
            raise Timeout(f"no answer to {data[:80]!r}") from None


def tcp_ask(port, data, deadline=DEADLINE):
    with socket.create_connection(("127.0.0.1", port), deadline) as s:
        s.sendall(struct.pack(">H", len(data)) + data)
        f = s.makefile("rb")
        size = f.read(2)
        assert len(size) == 2, "closed without an answer"
        return f.read(struct.unpack(">H", size)[0])


class Record:
    def __init__(self, name, kind, klass, ttl, data):
        self.name, self.kind, self.klass, self.ttl, self.data = name, kind, klass, ttl, data

    def __repr__(self):
        return f"{self.name} {self.ttl} {self.kind} {self.data}"


class Message:
    """A DNS message taken apart; every offset is looked at, so nonsense raises."""

    def __init__(self, data):
        self.data = data
        self.id, flags, *counts = struct.unpack_from(">6H", data)
        self.qr, self.aa, self.tc = bool(flags >> 15), bool(flags & 0x400), bool(flags & 0x200)
        self.rd, self.ra, self.rcode = bool(flags & 0x100), bool(flags & 0x80), flags & 15
        self.questions, at = [], 12
        for _ in range(counts[0]):
            name, at = self.name(at)
            self.questions.append((name, *struct.unpack_from(">HH", data, at)))
            at += 4
        self.sections = []
        for count in counts[1:]:
            rows = []
            for _ in range(count):
                row, at = self.record(at)
                rows.append(row)
            self.sections.append(rows)
        self.answer, self.authority, self.additional = self.sections
        assert at == len(data), f"{len(data) - at} bytes behind the message"

    def name(self, at):
        labels, end, hops = [], None, 0
        while True:
            n = self.data[at]
            if n >= 0xc0:
                end = end or at + 2
                to = struct.unpack_from(">H", self.data, at)[0] & 0x3fff
                hops += 1
                assert to < at and hops < 128, "a pointer points forward"
                at = to
            elif n == 0:
                return ".".join(labels) + ".", end or at + 1
            else:
                labels.append(self.data[at + 1:at + 1 + n].decode("latin-1"))
                at += 1 + n

    def record(self, at):
        name, at = self.name(at)
        kind, klass, ttl, size = struct.unpack_from(">HHIH", self.data, at)
        at += 10
        return Record(name, TYPE_NAMES.get(kind, kind), klass, ttl,
                      self.rdata(kind, at, size)), at + size

    def rdata(self, kind, at, size):
        raw = self.data[at:at + size]
        assert len(raw) == size, "a record is cut"
        kind = TYPE_NAMES.get(kind)
        if kind == "A":
            return socket.inet_ntop(socket.AF_INET, raw)
        if kind == "AAAA":
            return socket.inet_ntop(socket.AF_INET6, raw)
        if kind in ("NS", "CNAME", "PTR"):
            return self.name(at)[0]
        if kind == "MX":
            return struct.unpack(">H", raw[:2])[0], self.name(at + 2)[0]
        if kind == "SOA":
            mname, p = self.name(at)
            rname, p = self.name(p)
            return mname, rname, *struct.unpack_from(">5I", self.data, p)
        if kind == "TXT":
            out, p = [], 0
            while p < size:
                out.append(raw[p + 1:p + 1 + raw[p]])
                p += 1 + raw[p]
            return tuple(out)
        return raw

    def texts(self, section="answer"):
        return [f"{r.name} {r.kind} {r.data}" for r in getattr(self, section)]


# ---- what decides whether a test runs here ----

def plain_only(thing):
    """A test class or method that says nothing new under sanitizers (or cannot run under them):
    run.py --sanitized leaves it out."""
    thing.plain_only = True
    return thing


needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")
needs_acts = unittest.skipUnless(ACTS, "needs a test build in STEAD_ACTS")
long_only = unittest.skipUnless(LONG, "a long form: STEAD_LONG=1")


def needs_tool(*names):
    missing = [n for n in names if not shutil.which(n)]
    return unittest.skipIf(missing, "not installed: " + " ".join(missing))
