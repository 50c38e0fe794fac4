"""test_ftp.py - files over FTP with the clients that people use, and what attackers do to data
connections."""
import ftplib
import hashlib
import io
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

from stead import LONG, SANITIZED, Server, Talk, until

USER, WORD = "alice@example.org", "secret"
BIG = (1024 if LONG else 192) << 20


def have(tool):
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


def run(*words, code=0, timeout=120, **more):
    r = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                       **more)
    if code is not None and r.returncode != code:
        raise AssertionError(f"{' '.join(words)}: exit {r.returncode}\n{r.stdout[-2000:]!r}")
    return r.stdout


def noise(n, seed=b"x"):
    """n octets that are the same in every run, and compress and repeat badly."""
    block = hashlib.shake_256(seed).digest(min(n, 1 << 20))
    return (block * (n // len(block) + 1))[:n] if n else b""


class Reusing(ftplib.FTP_TLS):
    """As ftplib's, but data connections resume a session: the control connection's, or another."""
    other = None

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host,
                                            session=self.other or self.sock.session)
        return conn, size


def context(version=None, tickets=True):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = version
    if not tickets:
        c.options |= ssl.OP_NO_TICKET
    return c


class Base(unittest.TestCase):
    conf = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(users={"alice": WORD, "bob": WORD}, conf=cls.conf)
        try:
            cls.server.start()
        except BaseException:
            cls.server.remove()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None)

    def ftp(self, kind=ftplib.FTP, user=USER, host="127.0.0.1", source=None, **how):
        f = kind(timeout=30, **how)
        f.connect(host, self.server.port("ftp"), source_address=source)
        self.addCleanup(f.close)
        f.encoding = "utf-8"
        f.login(user, WORD)
        if isinstance(f, ftplib.FTP_TLS):
            f.prot_p()
        return f

    def get(self, f, name, **how):
        b = io.BytesIO()
        f.retrbinary(f"RETR {name}", b.write, **how)
        return b.getvalue()

    def area(self, *names):
        """Where the first account's files lie: for what only an administrator can do."""
        return os.path.join(self.server.dir, "files", "1", *names)

    def refused(self, code, fn, *args):
        with self.assertRaises((ftplib.error_perm, ftplib.error_temp)) as e:
            fn(*args)
        self.assertEqual(str(e.exception)[:3], code, str(e.exception))


class Python(Base):
    def walk(self, f):
        text = noise(300000)
        f.mkd("d\xe4")
        self.assertEqual(f.cwd("d\xe4")[:3], "250")
        self.assertEqual(f.pwd(), "/d\xe4")
        f.storbinary("STOR a", io.BytesIO(text))
        self.assertEqual(f.size("a"), len(text))
        self.assertEqual(self.get(f, "a"), text)
        self.assertEqual(self.get(f, "a", rest=299000), text[299000:])
        f.storbinary("STOR a", io.BytesIO(b"tail"), rest=1000)
        self.assertEqual(self.get(f, "a"), text[:1000] + b"tail")
        f.storbinary("APPE a", io.BytesIO(b"more"))
        self.assertEqual(self.get(f, "a"), text[:1000] + b"tailmore")
        f.storbinary("STOR empty", io.BytesIO(b""))
        self.assertEqual(self.get(f, "empty"), b"")
        f.storlines("STOR lines", io.BytesIO(b"one\r\ntwo\n"))
        self.assertEqual(self.get(f, "lines"), b"one\ntwo\n")
        lines = []
        f.retrlines("RETR lines", lines.append)
        self.assertEqual(lines, ["one", "two"])
        self.assertEqual(sorted(f.nlst()), ["a", "empty", "lines"])
        self.assertEqual(sorted(f.nlst("/d\xe4")), ["/d\xe4/a", "/d\xe4/empty", "/d\xe4/lines"])
        self.assertEqual(f.nlst("l*"), ["lines"])
        facts = {name: fact for name, fact in f.mlsd()}
        self.assertEqual(facts["a"]["size"], "1008")
        rows = []
        f.dir("-la", rows.append)
        self.assertTrue(all(re.match(r"-rw-r--r-- +1 ftp +ftp +\d+ \w{3} +\d+ [\d:]+ \w+$", r)
                            for r in rows), rows)
        self.assertIn("213-", f.sendcmd("STAT a"))
        self.assertTrue(f.voidcmd("MDTM a").startswith("213 20"))
        f.rename("a", "../b")
        f.delete("empty")
        f.delete("lines")
        f.cwd("..")
        f.rmd("d\xe4")
        self.assertEqual(f.nlst(), ["b"])
        f.delete("b")
        self.refused("550", f.delete, "b")
        self.refused("550", f.retrbinary, "RETR b", None)
        self.refused("550", f.cwd, "nowhere")
        f.quit()

    def test_passive(self):
        self.walk(self.ftp())

    def test_active(self):
        f = self.ftp()
        f.set_pasv(False)
        self.walk(f)

    def test_ipv6(self):
        self.walk(self.ftp(host="::1"))
        f = self.ftp(host="::1")
        f.set_pasv(False)
        self.walk(f)

    def test_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for passive in (True, False):
                with self.subTest(version=version, passive=passive):
                    f = self.ftp(Reusing, context=context(version))
                    f.set_pasv(passive)
                    self.walk(f)

    def test_tls_without_tickets(self):
        f = self.ftp(Reusing, context=context(ssl.TLSVersion.TLSv1_2, tickets=False))
        for _ in range(3):                      # the same session, again and again
            f.storbinary("STOR t", io.BytesIO(b"t"))
            self.assertEqual(self.get(f, "t"), b"t")

    def test_accounts_see_their_own(self):
        f, g = self.ftp(), self.ftp(user="bob@example.org")
        f.storbinary("STOR mine", io.BytesIO(b"alice's"))
        self.assertNotIn("mine", g.nlst())
        self.refused("550", g.retrbinary, "RETR /../1/mine", None)
        f.delete("mine")

    def test_ten_thousand(self):
        f = self.ftp()
        f.mkd("many")
        who = os.stat(self.area("many"))
        for i in range(10000):
            fd = os.open(self.area("many", f"file-{i:05}"), os.O_CREAT | os.O_WRONLY, 0o600)
            os.close(fd)
        self.assertEqual(who.st_mode & 0o077, 0)
        names = [name for name, _ in f.mlsd("many")]
        self.assertEqual(sorted(names), [f"file-{i:05}" for i in range(10000)])
        self.assertEqual(len(f.nlst("many/*-0000?")), 10)
        g = self.ftp(Reusing, context=context())
        self.assertEqual(len(g.nlst("many")), 10000)
        shutil.rmtree(self.area("many"))

    def test_a_large_one(self):
        """Mostly a hole, with something at each megabyte; both ways, in clear and in TLS."""
        f = self.ftp()
        f.storbinary("STOR large", io.BytesIO(b""))
        with open(self.area("large"), "r+b") as file:
            file.truncate(BIG)
            for at in range(0, BIG, 1 << 20):
                file.seek(at)
                file.write(b"%d" % at)
        want = hashlib.sha256()
        with open(self.area("large"), "rb") as file:
            while block := file.read(1 << 20):
                want.update(block)
        for g in (f, self.ftp(Reusing, context=context())):
            got = hashlib.sha256()
            g.retrbinary("RETR large", got.update, blocksize=1 << 18)
            self.assertEqual(got.hexdigest(), want.hexdigest())
            with open(self.area("large"), "rb") as file:
                g.storbinary("STOR copy", file, blocksize=1 << 18)
            run("cmp", self.area("large"), self.area("copy"))
            g.delete("copy")
        f.delete("large")

    def test_abort(self):
        f = self.ftp()
        f.storbinary("STOR long", io.BytesIO(noise(8 << 20)))
        for name, cmd in (("out of band", f.abort), ("plain", lambda: f.sendcmd("ABOR"))):
            with self.subTest(name):
                f.voidcmd("TYPE I")
                data = f.transfercmd("RETR long")
                self.assertTrue(data.recv(1000))
                try:
                    self.assertEqual(cmd()[:3], "426")
                except ftplib.error_temp as e:
                    self.assertEqual(str(e)[:3], "426")
                self.assertEqual(f.getresp()[:3], "226")
                data.close()
                data = f.transfercmd("STOR long")       # the old one stays
                data.sendall(b"new")
                f.putcmd("STAT")
                self.assertRegex(f.getmultiline(), r"^213-")
                f.putcmd("ABOR")
                self.assertEqual(f.getmultiline()[:3], "426")
                self.assertEqual(f.getmultiline()[:3], "226")
                data.close()
                self.assertEqual(f.size("long"), 8 << 20)
                self.assertEqual(f.voidcmd("NOOP")[:3], "200")
        f.delete("long")

    def test_pipelined(self):
        with self.server.talk("ftp") as t:
            t.upto(b"220 ")
            t.line()
            t.send(b"USER alice@example.org\r\nPASS secret\r\nMKD p\r\nCWD p\r\nPWD\r\n"
                   b"CDUP\r\nRMD p\r\nQUIT\r\n")
            codes = [t.line()[:3] for _ in range(8)]
            self.assertEqual(codes, [b"331", b"230", b"257", b"250", b"257", b"250", b"250",
                                     b"221"])


class Programs(Base):
    def setUp(self):
        self.here = os.path.join(self.server.base, self.id())
        os.mkdir(self.here)
        self.port = str(self.server.port("ftp"))

    def file(self, name, content):
        path = os.path.join(self.here, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def read(self, *names):
        with open(os.path.join(*names), "rb") as f:
            return f.read()

    def curl(self, path, *words, **how):
        return run("curl", "-sS", "-k", "--user", f"{USER}:{WORD}", "--max-time", "60", *words,
                   f"ftp://127.0.0.1:{self.port}/{path}", **how)

    @have("curl")
    def test_curl(self):
        text = noise(500000)
        # not active in TLS: curl 7.88 accepts the connection, and says nothing on it
        for words in ([], ["--ssl-reqd"], ["-P", "-"], ["--disable-epsv"],
                      ["-P", "-", "--disable-eprt"], ["--ssl-reqd", "--tls-max", "1.2"]):
            with self.subTest(words):
                up = self.file("up", text)
                self.curl("c/up", "-T", up, "--ftp-create-dirs", *words)
                self.assertEqual(self.curl("c/up", *words), text)
                half = self.file("half", text[:200000])
                self.curl("c/up", "-C", "-", "-o", half, *words)
                self.assertEqual(self.read(half), text)
                self.curl("c/part", "-T", self.file("part", text[:1000]), *words)
                self.curl("c/part", "-T", up, "-C", "-", *words)
                self.assertEqual(self.curl("c/part", *words), text)
                self.assertIn(b"part", self.curl("c/", *words))
                self.assertEqual(self.curl("c/", "-l", *words).split(), [b"part", b"up"])
                self.assertIn(b"Content-Length: 500000", self.curl("c/up", "-I", *words))
                self.curl("c/", "-Q", "DELE c/up", "-Q", "DELE c/part", "-Q", "RMD c", *words,
                          code=None)

    @have("curl")
    def test_curl_uses_a_ticket_once(self):
        """Several transfers of one control connection, each in need of another ticket."""
        url = f"ftp://127.0.0.1:{self.port}"
        one = self.file("one", b"1")
        for words in ([], ["--tls-max", "1.2"]):
            words = ["-sSk", "--user", f"{USER}:{WORD}", "--ssl-reqd", *words]
            run("curl", *words, *[w for n in "abcde" for w in ("-T", one, f"{url}/{n}")])
            self.assertEqual(run("curl", *words, *[f"{url}/{n}" for n in "abcde"]), b"11111")

    def lftp(self, script, tls=True, code=0):
        settings = ("set net:timeout 20; set net:max-retries 1; set ssl:verify-certificate no; "
                    f"set ftp:ssl-force {'yes' if tls else 'no'}; "
                    f"set ftp:ssl-allow {'yes' if tls else 'no'}; "
                    "set ftp:ssl-protect-data yes; set cmd:fail-exit yes; ")
        return run("lftp", "-c", f"{settings} open -u {USER},{WORD} -p {self.port} 127.0.0.1; "
                   + script, code=code, cwd=self.here)

    @have("lftp")
    def test_lftp(self):
        text = noise(400000)
        os.makedirs(os.path.join(self.here, "tree", "a", "b"))
        for i in range(30):
            self.file(f"tree/a/f{i}", noise(i * 1000, b"%d" % i))
        self.file("tree/a/b/g", b"g")
        self.file("whole", text)
        for tls in (False, True):
            for passive in ("on", "off"):
                with self.subTest(tls=tls, passive=passive):
                    mode = f"set ftp:passive-mode {passive}; "
                    self.lftp(mode + "mirror -R tree up; mirror up down", tls)
                    run("diff", "-r", os.path.join(self.here, "tree"),
                        os.path.join(self.here, "down"))
                    self.assertIn(b"f29", self.lftp(mode + "ls up/a", tls))
                    self.file("start", text[:150000])
                    self.lftp(mode + "put start -o c; put -c whole -o c", tls)
                    self.file("back", text[:99999])
                    self.lftp(mode + "get -c c -o back; rm c", tls)
                    self.assertEqual(self.read(self.here, "back"), text)
                    self.lftp(mode + "pget -n 3 up/a/f29 -o f29; rm -r up", tls)
                    self.assertEqual(self.read(self.here, "f29"), noise(29000, b"29"))
                    shutil.rmtree(os.path.join(self.here, "down"))
                    os.unlink(os.path.join(self.here, "f29"))

    @have("tnftp")
    def test_tnftp(self):
        text = noise(200000)
        self.file("up", text)
        for mode in ("-p", "-A"):
            with self.subTest(mode):
                script = (f"user {USER} {WORD}\nbinary\nmkdir t\ncd t\nput up\nls\nget up down\n"
                          "rename up ../x\nmlsd\ncd ..\ndelete x\nrmdir t\nquit\n")
                out = run("tnftp", "-n", "-i", mode, "127.0.0.1", self.port,
                          input=script.encode(), cwd=self.here)
                self.assertIn(b" up\r\n", out.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r"))
                self.assertEqual(self.read(self.here, "down"), text)
                os.unlink(os.path.join(self.here, "down"))


class Attacks(Base):
    conf = "ftp { passive_ports 2; }"

    def passive(self, f):
        host, port = ftplib.parse227(f.sendcmd("PASV"))
        return host, port

    def test_attack_131_data_goes_to_the_client_only(self):
        f = self.ftp()
        for cmd in ("PORT 127,0,0,2,40,1", "EPRT |1|127.0.0.2|9999|", "PORT 127,0,0,1,0,25",
                    f"PORT 192,0,2,1,{self.server.port('smtp') >> 8},1"):
            self.refused("500", f.sendcmd, cmd)
        self.refused("425", f.sendcmd, "LIST")
        with socket.create_server(("127.0.0.1", 0)) as listener:        # nobody listens there now
            port = listener.getsockname()[1]
        f.sendcmd(f"EPRT |1|127.0.0.1|{port}|")
        self.assertEqual(f.sendcmd("LIST")[:3], "150")
        self.refused("425", f.getresp)

    def test_attack_132_others_come_first(self):
        f = self.ftp()
        f.storbinary("STOR x", io.BytesIO(b"mine"))
        f.voidcmd("TYPE I")
        for _ in range(5):
            _, port = self.passive(f)
            for other in ("127.0.0.2", "127.0.0.3"):
                with socket.create_connection(("127.0.0.1", port), 5, (other, 0)) as s:
                    s.settimeout(5)
                    self.assertEqual(s.recv(10), b"")
            with socket.create_connection(("127.0.0.1", port), 5) as s:
                f.putcmd("RETR x")
                self.assertEqual(f.getresp()[:3], "150")
                self.assertEqual(s.recv(10), b"mine")
            self.assertEqual(f.getresp()[:3], "226")
            with socket.create_connection(("127.0.0.1", port), 5) as s:  # once
                s.settimeout(5)
                self.assertEqual(s.recv(10), b"")
        f.delete("x")

    def test_attack_133_data_of_another_session(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                c = context(version)
                f, g = self.ftp(Reusing, context=c), self.ftp(Reusing, context=c)
                f.storbinary("STOR x", io.BytesIO(b"mine"))
                g.nlst()
                for other in (g.sock.session, None):
                    f.voidcmd("TYPE I")
                    plain, _ = ftplib.FTP.ntransfercmd(f, "RETR x")
                    try:        # with a ticket of TLS 1.2 it may end before its handshake
                        with c.wrap_socket(plain, session=other,
                                           server_hostname="127.0.0.1") as data:
                            self.assertEqual(data.recv(10), b"")
                    except OSError:
                        pass
                    self.refused("522", f.getresp)
                    plain.close()
                plain, _ = ftplib.FTP.ntransfercmd(f, "STOR x")         # no TLS at all
                plain.sendall(b"in clear\r\n")
                self.refused("522", f.getresp)
                plain.close()
                self.assertEqual(self.get(f, "x"), b"mine")             # and the right one still
                self.refused("534", f.sendcmd, "CCC")
                f.delete("x")

    def test_attack_089_a_cut_upload(self):
        f = self.ftp(Reusing, context=context())
        f.storbinary("STOR x", io.BytesIO(b"old"))
        f.voidcmd("TYPE I")
        data = f.transfercmd("STOR x")
        data.sendall(b"half")
        socket.socket(fileno=data.detach()).close()     # without close_notify
        self.refused("426", f.getresp)
        self.assertEqual(self.get(f, "x"), b"old")
        f.delete("x")

    def test_attack_137_uploads_that_end_early(self):
        f = self.ftp()
        f.storbinary("STOR x", io.BytesIO(b"old"))
        f.voidcmd("TYPE I")
        self.refused("501", f.sendcmd, "REST 9223372036854775808")
        self.refused("554", lambda: f.storbinary("STOR x", io.BytesIO(b"n"), rest=4))
        self.refused("554", lambda: f.storbinary("STOR x", io.BytesIO(b"n"), rest=(1 << 63) - 1))
        self.refused("554", lambda: self.get(f, "x", rest=4))
        hidden = lambda: os.listdir(self.area(".stead-tmp"))
        g = self.ftp()
        g.voidcmd("TYPE I")
        data = g.transfercmd("STOR x")
        data.sendall(b"half")
        until("an upload", hidden)
        g.close()                                       # the client goes away
        until("it is dropped", lambda: not hidden())
        data.close()
        self.assertEqual(self.get(f, "x"), b"old")
        for role in ("ftp", "box"):
            g = self.ftp()
            g.voidcmd("TYPE I")
            data = g.transfercmd("STOR x")
            data.sendall(b"half")
            until("an upload", hidden)
            self.server.kill_role(role)
            until("it is swept", lambda: not hidden())
            data.close()
            g.close()
            until("it serves again", lambda: self.logs_in())
            self.assertEqual(self.get(self.ftp(), "x"), b"old")
        self.ftp().delete("x")

    def logs_in(self):
        try:
            self.ftp().quit()
            return True
        except (ftplib.Error, OSError, EOFError):
            return False

    def test_attack_138_ports_run_out(self):
        sessions = [self.ftp() for _ in range(3)]
        ports = {self.passive(f)[1] for f in sessions[:2]}
        self.assertEqual(len(ports), 2)
        self.refused("425", sessions[2].sendcmd, "PASV")
        self.refused("425", sessions[2].sendcmd, "EPSV")
        other = self.ftp(source=("127.0.0.2", 0))       # has all of them
        host, port = self.passive(other)
        with socket.create_connection((host, port), 5, ("127.0.0.2", 0)):
            self.assertEqual(other.sendcmd("NLST")[:3], "150")
            other.getresp()
        sessions[0].quit()
        self.assertTrue(until("a port is free", lambda: self.try_passive(sessions[2])))
        # logins of nobody in particular
        for name in ("anonymous", "ftp"):
            f = ftplib.FTP(timeout=30)
            f.connect("127.0.0.1", self.server.port("ftp"))
            self.refused("530", f.login, name, "me@")
            f.close()

    def try_passive(self, f):
        try:
            return self.passive(f)
        except ftplib.error_temp:
            return None

    def test_attack_136_names(self):
        f = self.ftp()
        f.voidcmd("TYPE I")
        os.makedirs(self.area("odd"), exist_ok=True)
        for name in (b"a\r\nb", b"\x1b[2J"):
            with open(os.fsencode(self.area("odd")) + b"/" + name, "wb"):
                pass
        rows = []
        f.retrlines("LIST odd", rows.append)
        self.assertEqual(len(rows), 2)
        self.assertNotIn("\x1b", "".join(rows))
        shutil.rmtree(os.fsencode(self.area("odd")))
        self.refused("504", f.sendcmd, "SITE EXEC id")

    def test_attack_046_http(self):
        with self.server.talk("ftp") as t:
            t.line()
            t.send(b"POST / HTTP/1.1\r\nUSER alice\r\n")
            self.assertFalse(t.more(time.monotonic() + 5))


class Full(unittest.TestCase):
    def test_attack_137_no_space(self):
        """The areas lie on a disk of 3 MiB; both what the client sends and what is kept fill it."""
        with Server(users={"alice": WORD}) as s:
            files = os.path.join(s.dir, "files")
            s.stop()
            who = os.stat(files)
            try:
                run("mount", "-t", "tmpfs", "-o", f"size=3m,uid={who.st_uid},gid={who.st_gid},"
                    "mode=700", "tmpfs", files)
            except AssertionError as e:
                self.skipTest(f"cannot mount: {e}")
            try:
                s.start()
                f = ftplib.FTP(timeout=30)
                f.connect("127.0.0.1", s.port("ftp"))
                f.login(USER, WORD)
                f.storbinary("STOR x", io.BytesIO(b"o" * (2 << 20)))
                for cmd in ("STOR x", "STOR y"):
                    with self.assertRaises((ftplib.error_temp, OSError)) as e:
                        f.storbinary(cmd, io.BytesIO(b"n" * (4 << 20)))
                    code = str(e.exception)[:3] if isinstance(e.exception, ftplib.Error) else \
                        self.answer(f)
                    self.assertEqual(code, "452")
                with self.assertRaises(ftplib.error_temp) as e:
                    f.storbinary("APPE x", io.BytesIO(b"n"))
                self.assertEqual(str(e.exception)[:3], "452")
                f.voidcmd("TYPE I")
                self.assertEqual(f.size("x"), 2 << 20)
                self.assertEqual(f.nlst(), ["x"])
                f.storbinary("STOR y", io.BytesIO(b"fits"))
                f.close()
                s.stop()
            finally:
                if s.alive():
                    s.stop(check=False)
                run("umount", files)
                s.start()               # for the end of `with`

    def answer(self, f):
        try:
            return f.getresp()[:3]
        except ftplib.Error as e:
            return str(e)[:3]


class Leaving(unittest.TestCase):
    """An account that is removed takes its files along."""

    def login(self, s, user):
        f = ftplib.FTP(timeout=30)
        f.connect("127.0.0.1", s.port("ftp"))
        self.addCleanup(f.close)
        f.login(user, WORD)
        return f

    def fill(self, s, name, folders):
        root = os.path.join(s.dir, "files", name)
        who = os.stat(root)
        path = os.path.join(root, "d")
        for i in range(folders):
            os.mkdir(path)
            for n in range(50):
                os.close(os.open(os.path.join(path, f"f{n}"), os.O_CREAT | os.O_WRONLY, 0o600))
            path = os.path.join(path, "d")
        os.symlink(os.path.join(s.dir, "files", "2"), os.path.join(root, "out"))
        for at, folders, files in os.walk(root):
            for n in [".", *folders, *files]:
                os.chown(os.path.join(at, n), who.st_uid, who.st_gid, follow_symlinks=False)
        return root

    def test_its_files_go(self):
        with Server(users={"alice": WORD, "bob": WORD}) as s:
            f, g = self.login(s, USER), self.login(s, "bob@example.org")
            g.storbinary("STOR his", io.BytesIO(b"bob's"))
            f.storbinary("STOR hers", io.BytesIO(b"alice's"))
            root = self.fill(s, "1", 30)
            f.voidcmd("TYPE I")
            data = f.transfercmd("STOR half")
            data.sendall(b"half")
            until("an upload", lambda: os.listdir(os.path.join(root, ".stead-tmp")))
            s.run("user", "del", USER)
            until("its files are gone", lambda: not os.path.exists(root))
            data.close()
            with self.assertRaises((ftplib.Error, OSError, EOFError)) as e:
                f.voidresp()
                f.nlst()
            self.assertIn(str(e.exception)[:3], ("421", "450", "530", "550", "553"))
            with self.assertRaises((ftplib.Error, OSError, EOFError)):
                f.storbinary("STOR again", io.BytesIO(b"x"))
            with self.assertRaises(ftplib.error_perm) as e:
                self.login(s, USER)
            self.assertEqual(str(e.exception)[:3], "530")
            b = io.BytesIO()
            g.retrbinary("RETR his", b.write)
            self.assertEqual(b.getvalue(), b"bob's")
            self.assertEqual(sorted(os.listdir(os.path.join(s.dir, "files"))), ["2"])
            s.add_user("alice", WORD)           # somebody else now
            self.assertEqual(self.login(s, USER).nlst(), [])

    def test_box_dies_meanwhile(self):
        with Server(users={"alice": WORD, "bob": WORD}) as s:
            for user in (USER, "bob@example.org"):
                self.login(s, user).storbinary("STOR x", io.BytesIO(b"x"))
            root = self.fill(s, "1", 100)
            s.run("user", "del", USER)
            s.kill_role("box")
            until("its files are gone", lambda: not os.path.exists(root))
            self.assertEqual(os.listdir(os.path.join(s.dir, "files")), ["2"])


class Ending(unittest.TestCase):
    def test_a_transfer_is_finished(self):
        with Server(users={"alice": WORD}) as s:
            f = ftplib.FTP(timeout=30)
            f.connect("127.0.0.1", s.port("ftp"))
            f.login(USER, WORD)
            text = noise(24 << 20)
            f.storbinary("STOR x", io.BytesIO(text))
            f.voidcmd("TYPE I")
            f.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            data = f.transfercmd("RETR x")
            got = data.recv(65536)
            s.process.send_signal(signal.SIGTERM)
            s.wait_line(r"master\.drain")
            while block := data.recv(1 << 20):
                got += block
            self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(text).digest())
            data.close()
            self.assertEqual(f.getresp()[:3], "226")
            with self.assertRaises((ftplib.error_temp, EOFError)):
                f.voidcmd("NOOP")
            s.process.wait(20)
            self.assertEqual(s.process.returncode, 0)
            s.start()


if __name__ == "__main__":
    unittest.main()
