"""Every command: what it does, what it says of a mistake, and its exit code."""
import os
import re
import shutil
import signal
import ssl
import stat
import subprocess
import unittest

from stead import (OneServer, SANITIZED, STEAD, Server, Talk, mail_in, needs_root, needs_tool, pop3_all,
                   pop3_login, until)

NOBODY = 65534
ZONE = "@ SOA mail hostmaster %d 7200 3600 1209600 3600\n@ NS mail\n@ MX 10 mail\nmail A 127.0.0.1\n"


class Commands(OneServer):
    """The same commands on a running server and, in Offline, on a folder that nobody serves."""

    users = {"alice": "secret"}

    def fails(self, code, said, *words, input=""):
        """Nothing on stdout, one clear sentence on stderr, without a place in our source."""
        out = self.s.run(*words, input=input, code=code)
        self.assertEqual(out, "")
        self.assertRegex(self.s.said, said)
        self.assertNotRegex(self.s.said, r"\.c:\d+")

    def done(self, *words, input=""):
        out = self.s.run(*words, input=input)
        self.assertEqual(self.s.said, "", words)
        return out

    # ---- users ----

    def test_user_add_passwd_list_del(self):
        self.done("user", "add", "Carol@Example.ORG", "--password-stdin", input="one\n")
        self.assertIn("carol@example.org\n", self.done("user", "list"))
        self.fails(1, "there is an account with this address", "user", "add", "carol@example.org",
                   "--password-stdin", input="other\n")
        self.logs_in("carol", "one", True)
        self.done("user", "passwd", "carol@example.org", "--password-stdin", input="two words\n")
        self.logs_in("carol", "two words", True)
        self.logs_in("carol", "one", False)
        self.done("user", "del", "CAROL@example.org")
        self.logs_in("carol", "two words", False)
        self.assertNotIn("carol", self.done("user", "list"))
        self.fails(1, "there is no account with this address", "user", "del", "carol@example.org")

    def logs_in(self, user, password, well):
        with self.s.talk("pop3") as t:
            t.line()
            t.send(b"USER %s\r\nPASS %s\r\n" % (user.encode(), password.encode()))
            t.expect(rb"\+OK.*\r\n")
            t.expect(rb"\+OK.*\r\n" if well else rb"-ERR \[AUTH\].*\r\n")

    def test_user_refusals(self):
        self.fails(1, "add the domain first", "user", "add", "x@other.example", "--password-stdin",
                   input="p\n")
        for address in ("alice", "a b@example.org", "@example.org", "a@", "a@b@example.org",
                        "x\n@example.org", "a@exa_mple.org"):
            self.fails(1, "this is not an address|add the domain first", "user", "add", address,
                       "--password-stdin", input="p\n")
        self.fails(1, "there is no account", "user", "passwd", "x@example.org", "--password-stdin",
                   input="p\n")
        self.fails(1, "too long", "user", "add", "x" * 400 + "@example.org", "--password-stdin",
                   input="p\n")

    def test_passwords_that_are_none(self):
        for input in ("", "\n", "x" * 1025 + "\n", "a\0b\n"):
            self.fails(1, "password", "user", "add", "dora@example.org", "--password-stdin",
                       input=input)
        self.assertNotIn("dora", self.done("user", "list"))
        for password in ("x" * 1024, " ", "pä ß'\"\\"):
            self.done("user", "add", "dora@example.org", "--password-stdin", input=password + "\n")
            self.logs_in("dora", password, True)
            self.done("user", "del", "dora@example.org")

    def test_user_import(self):
        path = os.path.join(self.s.base, "people")
        with open(path, "w", encoding="utf-8") as f:
            f.write("# people\n\ni1@example.org:pw: with colons\r\nnothing\ni2@example.org:\n"
                    "i3@example.org: pw3\nalice@example.org:other\n")
        self.s.run("user", "import", path, code=1)
        self.assertRegex(self.s.said, r"people:4: ")
        self.assertRegex(self.s.said, r"people:5: ")
        self.assertRegex(self.s.said, r"people:7: ")
        self.assertRegex(self.s.said, r"2 added, 3 not\n$")
        self.assertNotIn("colons", self.s.said)
        self.assertEqual(re.findall(r"i\d", self.s.run("user", "list")), ["i1", "i3"])
        self.logs_in("i1", "pw: with colons", True)
        self.logs_in("i3", " pw3", True)
        self.logs_in("alice", "secret", True)
        for user in ("i1", "i3"):
            self.done("user", "del", user + "@example.org")
        self.s.run("user", "import", "-", input="i4@example.org:x\n")
        self.assertRegex(self.s.said, r"1 added, 0 not")
        self.done("user", "del", "i4@example.org")
        self.fails(1, "No such file", "user", "import", path + ".none")

    # ---- domains and aliases ----

    def test_domain(self):
        self.done("domain", "add", "Second.Example")
        self.assertEqual(self.done("domain", "list"), "example.org\nsecond.example\n")
        self.assertIn("@\tMX\t10 mail.example.org.\n",
                      self.done("zone", "export", "second.example"))
        self.fails(1, "served already", "domain", "add", "second.example")
        self.done("user", "add", "x@second.example", "--password-stdin", input="p\n")
        self.fails(1, "remove them first", "domain", "del", "second.example")
        self.done("user", "del", "x@second.example")
        self.done("domain", "del", "second.example")
        self.fails(1, "not served here", "domain", "del", "second.example")
        for name in ("", "exa mple", "a..b", ".example", "-x.example", "x" * 64 + ".example", "ä.example"):
            self.fails(1, "not a domain's name", "domain", "add", name)

    def test_alias(self):
        self.done("alias", "add", "team@example.org", "alice@example.org")
        self.done("alias", "add", "Boss@example.org", "team@example.org", "alice@example.org")
        self.assertEqual(self.done("alias", "list"),
                         "boss@example.org team@example.org alice@example.org\n"
                         "team@example.org alice@example.org\n")
        self.fails(1, "there is an alias", "alias", "add", "team@example.org", "alice@example.org")
        self.fails(1, "there is an account", "alias", "add", "alice@example.org", "team@example.org")
        self.fails(1, "there is an alias", "user", "add", "team@example.org", "--password-stdin",
                   input="p\n")
        self.done("alias", "add", "out@example.org", "x@elsewhere.example")
        self.done("alias", "del", "out@example.org")
        self.fails(1, "not an address", "alias", "add", "out@example.org", "nonsense")
        self.fails(1, "add the domain first", "alias", "add", "a@other.example", "alice@example.org")
        self.done("alias", "del", "team@example.org")
        self.done("alias", "del", "boss@example.org")
        self.fails(1, "no such alias", "alias", "del", "boss@example.org")

    def test_alias_loop(self):
        self.fails(1, "circle", "alias", "add", "me@example.org", "me@example.org")
        self.done("alias", "add", "l1@example.org", "l2@example.org")
        self.done("alias", "add", "l2@example.org", "l3@example.org")
        self.fails(1, "circle", "alias", "add", "l3@example.org", "alice@example.org", "L1@example.org")
        for n in (1, 2):
            self.done("alias", "del", f"l{n}@example.org")

    # ---- zones ----

    def test_zone_import_export_list(self):
        self.s.put_zone("example.org", ZONE % 41)
        self.assertEqual(self.done("zone", "export", "example.org"), ZONE % 41)
        before = self.done("zone", "list")
        self.assertIn("example.org serial 41, 4 records\n", before)
        self.assertNotIn("new.example", before)
        self.fails(1, "zone", "zone", "export", "nothing.example")
        self.s.put_zone("new.example", ZONE % 3)
        self.assertEqual(sorted(self.done("zone", "list").splitlines()),
                         sorted(before.splitlines() + ["new.example serial 3, 4 records"]))
        self.fails(1, "No such file", "zone", "import", "example.org", "/nonexistent")

    def test_zone_errors_tell_the_line(self):
        self.s.put_zone("example.org", ZONE % 50)
        for where, text in ((r":5:5: ", ZONE % 51 + "x A 192.0.2.256\n"),
                            (r":5:4: ", ZONE % 51 + "x  NONSENSE 1\n"),
                            (r":6: ", ZONE % 51 + "y CNAME mail\ny A 192.0.2.1\n"),
                            (r":\d:\d+: .*parenthesis", "@ SOA ( mail hostmaster 1 2 3 4 5\n"),
                            (r"has no NS", "@ SOA mail hostmaster 1 7200 3600 1209600 3600\n"),
                            (r"has no SOA", "$TTL 60\n@ NS mail\nmail A 192.0.2.1\n"),
                            (r":1:\d+: ", "$TTL nonsense\n")):
            with self.subTest(text):
                said = self.s.put_zone("example.org", text, code=2)
                self.assertRegex(said, where)
                self.check(text, where, 2)
        self.assertEqual(self.done("zone", "export", "example.org"), ZONE % 50)
        for name in ("a..b", "x" * 64, "\\"):
            self.s.put_zone(name, ZONE % 1, code=2)

    def check(self, text, where, code):
        path = os.path.join(self.s.base, "check.zone")
        with open(path, "w", encoding="latin-1") as f:
            f.write(text)
        self.s.run("zone", "check", path, "--zone", "example.org", code=code)
        self.assertRegex(self.s.said, where)
        return path

    def test_zone_check(self):
        path = self.check(ZONE % 1, "^$", 0)
        self.assertIn("4 records, 0 warnings", self.s.run("zone", "check", path, "--zone", "example.org"))
        self.check(ZONE % 1 + "@ NS away.example.org.\n", "warning: ", 0)
        self.fails(1, "No such file", "zone", "check", "/nonexistent", "--zone", "a.example")
        self.fails(2, "usage", "zone", "check")
        self.fails(2, "usage", "zone", "check", path, "--bogus")

    # ---- words that are not understood ----

    def test_wrong_words(self):
        self.fails(2, "stead --help", "nonsense")
        self.fails(2, "stead --help", "--nonsense")
        for words in (["user"], ["user", "nonsense"], ["init"],
                      ["serve", "x"], ["check", "x"], ["status", "x"], ["status", "--xml"], ["reload", "x"],
                      ["user", "add"], ["user", "add", "a", "b"], ["user", "add", "--bogus", "a@example.org"],
                      ["user", "del"], ["user", "passwd"], ["user", "import"], ["user", "list", "x"],
                      ["domain", "add"], ["domain", "del"], ["domain", "list", "x"], ["alias", "add"],
                      ["alias", "add", "a@example.org"], ["alias", "del"], ["alias", "list", "x"],
                      ["zone", "import"], ["zone", "import", "example.org"], ["zone", "export"],
                      ["zone", "list", "x"]):
            with self.subTest(words):
                self.fails(2, "usage:", *words)

    def test_help(self):
        everything = self.s.run("--help", inside=False)
        self.assertEqual(self.s.run("help", inside=False), everything)
        for line in re.findall(r"(?m)^  (\S.*)", everything):
            words = [w for w in re.split(r" [\[A-Z]", line)[0].split()]
            with self.subTest(line):
                self.assertRegex(self.s.run(*words, "--help"), r"\S")
        for line in everything.splitlines():
            self.assertLessEqual(len(line), 100)
        self.assertRegex(self.s.run("--version", inside=False), r"^stead \d+\.\d+\.\d+\n$")
        self.s.run(code=2, inside=False)


class Offline(Commands):
    """Without a server: the same words, and every file is its role's afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.s = Server(users=cls.users)

    @classmethod
    def tearDownClass(cls):
        cls.s.remove()

    def tearDown(self):
        if os.geteuid() == 0:
            right_owners(self, self.s.dir)
        self.s.run("check")

    def logs_in(self, user, password, well):
        self.s.start()
        try:
            super().logs_in(user, password, well)
        finally:
            self.s.stop()

    def test_commands_that_need_a_server_say_so(self):
        for words in (["status"], ["status", "--json"], ["reload"]):
            self.fails(1, r"no server runs in .*stead -C .* serve", *words)

    def test_no_such_folder(self):
        for words in (["check"], ["serve"], ["user", "list"], ["zone", "export", "example.org"]):
            r = subprocess.run([STEAD, "-C", self.s.base + "/none", *words], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((r.returncode, r.stdout), (1, ""), words)
            self.assertIn("none: No such file or directory", r.stderr)
            self.assertNotRegex(r.stderr, r"\.c:\d+")

    def test_init_twice(self):
        before = tree(self.s.dir)
        self.s.run("init", self.s.dir, "--domain", "example.org", code=1, inside=False)
        self.assertRegex(self.s.said, "is there already")
        self.assertTrue(tree(self.s.dir) == before)

    def test_init_refusals(self):
        new = os.path.join(self.s.base, "new")
        for words in ([], [new], [new, "--domain"], [new, "--domain", ""], [new, "--domain", "a b"],
                      [new, "--domain", "a..b"], [new, "--domain", "x.example", "--offset", "x"],
                      [new, "--domain", "x.example", "--offset", "-1"],
                      [new, "--domain", "x.example", "--offset", "64001"],
                      [new, "--domain", "x.example", "--bogus"], [new, "--domain", "x;.example"],
                      [new, "--domain", "x.example", "--address", "nonsense"]):
            with self.subTest(words):
                self.s.run("init", *words, code=2, inside=False)
                self.assertRegex(self.s.said, "usage: ")
                self.assertFalse(os.path.exists(new))
            shutil.rmtree(new, ignore_errors=True)
        self.s.run("init", "/proc/none", "--domain", "x.example", code=1, inside=False)

    def test_init_publishes_what_it_was_told(self):
        new = os.path.join(self.s.base, "told")
        self.s.run("init", new, "--domain", "x.example", "--host", "mx.y.example", "--address",
                   "192.0.2.7", "--address", "2001:db8::7", inside=False)
        out = subprocess.run([STEAD, "-C", new, "zone", "export", "x.example"], text=True,
                             stdout=subprocess.PIPE, timeout=60).stdout
        for line in (r"192\.0\.2\.7", r"2001:db8::7", r"MX\s+10 "):
            self.assertRegex(out, line)
        with open(os.path.join(new, "stead.conf"), encoding="ascii") as f:
            self.assertIn("host_name mx.y.example;", f.read())


def tree(folder):
    """What lies in a folder: names, owners, modes, and what is in the files."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            st = os.lstat(path)
            data = None
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as f:
                    data = f.read()
            found[os.path.relpath(path, folder)] = (st.st_uid, oct(st.st_mode), data)
    return found


def right_owners(test, folder):
    """All in a role's folder is of one uid, which is nobody else's."""
    owners = {}
    for name in ("auth", "keys", "store", "zones", "log"):
        at = os.path.join(folder, name)
        uid = os.lstat(at).st_uid
        owners[name] = uid
        for f in os.listdir(at):
            test.assertEqual(os.lstat(os.path.join(at, f)).st_uid, uid, f"{name}/{f}")
            if name in ("auth", "keys", "store"):
                test.assertEqual(os.lstat(os.path.join(at, f)).st_mode & 0o77, 0, f"{name}/{f}")
    test.assertEqual(len(set(owners.values())), len(owners), owners)
    test.assertNotIn(0, owners.values())


class ManyAddresses(unittest.TestCase):
    def test_each_list_may_have_64(self):
        def places(port):
            return " ".join(f"127.0.9.{n}:{port}" for n in range(1, 65))
        with Server(conf="") as s:
            s.add_conf(f"smtp {{ listen [{places(s.port('smtp'))}]; }}\n"
                       f"submission {{ listen [{places(s.port('submission'))}];"
                       f" tls_listen [{places(s.port('submissions'))}]; }}")
            s.run("check")
            s.stop()
            s.start()
            for service in ("smtp", "submission"):
                with Talk(s.port(service), host="127.0.9.64") as t:
                    t.expect(rb"220 .*", t.reply)


class Running(OneServer):
    users = {"alice": "secret"}

    def test_status_json(self):
        status = self.s.status()
        self.assertEqual(set(status), {"version", "host_name", "pid", "up_s", "listeners", "roles"})
        self.assertEqual(status["pid"], self.s.process.pid)
        self.assertEqual(status["host_name"], "mail.example.org")
        names = "auth box ctl dial dns ftp keys log mail out queue resolve smtp zone"
        self.assertEqual(" ".join(sorted(r["role"] for r in status["roles"])), names)
        running = self.s.roles()
        for r in status["roles"]:
            self.assertEqual(set(r), {"role", "instance", "state", "pid", "uid", "restarts", "cage",
                                      "counters"})
            self.assertEqual((r["state"], r["restarts"], r["instance"]), ("ready", 0, 0))
            self.assertEqual([r["pid"]], running[r["role"]])
            self.assertIsInstance(r["cage"]["whole"], bool)
        ports = sorted((row["service"], row["address"]) for row in status["listeners"])
        self.assertEqual(ports, sorted(
            (s, f"{host}:{self.s.port(s)}/{how}") for host in ("127.0.0.1", "[::1]")
            for s, how in (*((s, "tcp") for s in self.s.services()), ("dns", "udp"),
                           ("resolver", "udp"))))

    def test_status_counts(self):
        def counter(role, name):
            return next(r for r in self.s.status()["roles"] if r["role"] == role)["counters"][name]
        before = [counter("smtp", "accepted"), counter("mail", "logins"), counter("dns", "answered"),
                  counter("box", "deliveries")]
        mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc")
        pop3_all(self.s, b"alice", b"secret", delete=True)
        self.s.ask("example.org", "MX")
        after = [counter("smtp", "accepted"), counter("mail", "logins"), counter("dns", "answered"),
                 counter("box", "deliveries")]
        self.assertEqual(after, [n + 1 for n in before])

    def test_status_for_people(self):
        said = self.s.run("status")
        self.assertRegex(said, r"^stead \S+ on mail\.example\.org, process %d, up \d+ s\n" % self.s.process.pid)
        self.assertRegex(said, r"(?m)^  listens for smtp on 127\.0\.0\.1:%d/tcp$" % self.s.port("smtp"))
        self.assertEqual(len(re.findall(r"(?m)^  \w+ +\d  ready ", said)), 14)

    def test_queue(self):
        self.assertEqual(self.s.run("queue"), "the queue is empty\n")
        self.assertEqual(self.s.run("queue", "list"), "the queue is empty\n")

    def test_a_second_server_in_the_same_folder_refuses(self):
        self.s.run("serve", code=1)
        self.assertRegex(self.s.said, "a server is running in this folder")
        self.assertEqual(len(self.s.status()["roles"]), 14)

    def test_a_taken_port_is_told(self):
        other = Server()
        try:
            with open(other.conf_path(), encoding="ascii") as f:
                text = f.read()
            with open(other.conf_path(), "w", encoding="ascii") as f:
                f.write(re.sub(r"port_offset \d+", "port_offset %d" % self.s.offset, text))
            other.run("serve", code=1)
            self.assertRegex(other.said, r"cannot listen on 127\.0\.0\.1:%d for smtp: Address already in use"
                             % self.s.port("smtp"))
        finally:
            other.remove()

    @needs_root
    def test_others_may_not_command(self):
        self.s.run("user", "list", code=1, uid=NOBODY)
        self.s.run("status", code=1, uid=NOBODY)
        self.s.wait_line(r"warn ctl\.0 control\.refused uid=65534")
        self.s.run("user", "list")


class Reload(OneServer):
    users = {"alice": "secret"}

    def rewrite(self, text):
        with open(self.s.conf_path(), "w", encoding="utf-8") as f:
            f.write(text)

    def setUp(self):
        with open(self.s.conf_path(), encoding="utf-8") as f:
            self.conf_text = f.read()

    def tearDown(self):
        self.rewrite(self.conf_text)
        self.s.run("reload")
        super().tearDown()

    def works(self):
        self.assertRegex(mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc"), rb"^250 ")
        self.assertEqual(len(pop3_all(self.s, b"alice", b"secret", delete=True)), 1)
        self.assertEqual(self.s.ask("example.org", "MX").rcode, 0)

    def test_a_broken_configuration_changes_nothing(self):
        roles = self.s.roles()
        for text, where in (("bogus 1;", r"stead\.conf:\d+:1: .*unknown key"),
                            ("smtp { message_size 1; }", r"stead\.conf:\d+:\d+: "),
                            ("smtp { message_size", r"stead\.conf:\d+:\d+: "),
                            ("port_offset 1;", r"stead\.conf:\d+:\d+: .*(twice|doubled|again)"),
                            ("addresses [nonsense];", r"stead\.conf:\d+:\d+: "),
                            ("dns { zones { \"z.example\" { } } }", r"stead\.conf:\d+:\d+: "),
                            ("tls { certificate \"none.pem\"; }", r"tls\.certificate: none\.pem: No such file")):
            with self.subTest(text):
                self.rewrite(self.conf_text + text + "\n")
                self.s.run("reload", code=1)
                self.assertRegex(self.s.said, where)
                self.assertIn("what ran before goes on", self.s.said)
                self.assertEqual(self.s.roles(), roles)
                self.works()
        os.truncate(self.s.conf_path(), 0)
        os.remove(self.s.conf_path())
        self.s.run("reload", code=1)
        self.works()

    def test_a_broken_certificate_changes_nothing(self):
        cert = os.path.join(self.s.dir, "tls/cert.pem")
        with open(cert, "rb") as f:
            good = f.read()
        for bad in (b"nonsense\n", good[:200], good.replace(b"M", b"N", 3)):
            with open(cert, "wb") as f:
                f.write(bad)
            self.s.run("reload", code=1)
            self.assertIn("what ran before goes on", self.s.said)
            with self.s.talk("pop3s", tls=True) as t:
                t.expect(rb"\+OK.*\r\n")
        with open(cert, "wb") as f:
            f.write(good)
        self.s.run("reload")
        self.works()

    def test_a_good_one_counts(self):
        self.rewrite(self.conf_text + "log { level warn; }\ndns { rate_limit 0; }\n")
        self.s.run("reload")
        for _ in range(200):
            self.assertFalse(self.s.ask("example.org", "MX").tc)
        self.works()
        self.rewrite(self.conf_text + "smtp { message_size 1m; }\nauth { plaintext_login []; }\n")
        self.s.run("reload")
        with self.s.talk("smtp") as t:
            t.expect(rb"220 .*", t.reply)
            t.do(b"EHLO c", rb"250.*\r\n250-SIZE 1048576\r\n.*")
        with self.s.talk("pop3") as t:
            t.line()
            t.send(b"USER alice\r\n")
            t.expect(rb"-ERR.*\r\n")

    def test_a_new_certificate_is_used_at_once(self):
        def served():
            return ssl.get_server_certificate(("127.0.0.1", self.s.port("pop3s"))).split()
        before = served()
        key, cert = (os.path.join(self.s.dir, f) for f in ("keys/tls.pem", "tls/cert.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", cert, "-days", "30", "-subj", "/CN=new.example"], check=True,
                       stderr=subprocess.DEVNULL, timeout=60)
        self.s.run("reload")
        self.assertNotEqual(served(), before)
        self.works()

    def test_hangup_reloads(self):
        seen = len(self.s.lines)
        self.s.process.send_signal(signal.SIGHUP)
        self.s.wait_line(r"master\.reload", after=seen)
        self.works()

    def test_zones_of_the_configuration(self):
        path = os.path.join(self.s.dir, "mine.zone")
        with open(path, "w", encoding="ascii") as f:
            f.write(ZONE % 5)
        self.rewrite(self.conf_text + "dns { zones { \"mine.example\" { file mine.zone; } } }\n")
        self.s.run("reload")
        until("the zone is served", lambda: self.s.ask("mine.example", "SOA").answer)
        with open(path, "w", encoding="ascii") as f:
            f.write(ZONE % 6 + "x A 192.0.2.1\n")
        self.s.run("reload")
        until("the change is served", lambda: self.s.ask("x.mine.example", "A").answer)
        with open(path, "w", encoding="ascii") as f:
            f.write("nonsense\n")
        self.s.run("reload", code=1)
        self.assertRegex(self.s.said, r"mine.*:1:\d+: ")
        self.assertEqual(len(self.s.ask("x.mine.example", "A").answer), 1)


class Check(unittest.TestCase):
    def setUp(self):
        self.s = Server()
        self.addCleanup(self.s.remove)

    def says(self, code, *patterns):
        self.s.run("check", code=code)
        for p in patterns:
            self.assertRegex(self.s.said, p)

    def test_nothing_is_wrong(self):
        self.assertIn("nothing is wrong", self.s.run("check"))

    @needs_root
    def test_it_changes_nothing(self):
        os.chown(os.path.join(self.s.dir, "zones/example.org.zone"), 0, 0)
        before = tree(self.s.dir)
        self.says(1)
        after = tree(self.s.dir)
        self.assertEqual([k for k in before if after.get(k) != before[k]], [])
        self.assertEqual(len(after), len(before))

    @needs_root
    def test_wrong_owner(self):
        for name in ("store", "auth", "zones", "zones/example.org.zone", "keys/tls.pem"):
            path = os.path.join(self.s.dir, name)
            was = os.lstat(path)
            os.chown(path, 12345, 12345)
            self.says(1, name + r".*uid 12345")
            os.chown(path, was.st_uid, was.st_gid)
        self.says(0)
        os.chown(os.path.join(self.s.dir, "store"), 0, 0)
        with self.s:                            # `serve` mends it
            pass

    @needs_root
    def test_wrong_modes(self):
        for name, mode in (("store", 0o755), ("auth", 0o750), ("keys/tls.pem", 0o640)):
            path = os.path.join(self.s.dir, name)
            was = os.lstat(path).st_mode & 0o777
            os.chmod(path, mode)
            self.says(1, r"%s.*mode 0?%o" % (name, mode))
            os.chmod(path, was)
        self.says(0)

    def test_keys_certificates_zones_configuration(self):
        for name, bad, pattern, code in (
                ("tls/cert.pem", b"nonsense", r"tls\.certificate: ", 1),
                ("keys/tls.pem", b"nonsense", r"tls\.key: ", 1),
                ("stead.conf", b"x y;\n", r"stead\.conf:1:1: ", 2),
                ("zones/example.org.zone", b"@ A nonsense\n", r"example\.org\.zone:1:\d+: ", 1)):
            path = os.path.join(self.s.dir, name)
            with open(path, "rb") as f:
                good = f.read()
            with open(path, "r+b") as f:
                f.truncate()
                f.write(bad)
            with self.subTest(name):
                self.says(code, pattern)
            with open(path, "r+b") as f:
                f.truncate()
                f.write(good)
        self.says(0)

    @needs_tool("openssl")
    def test_a_key_of_another_certificate(self):
        path = os.path.join(self.s.dir, "keys/tls.pem")
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                              "ec_paramgen_curve:P-256"], stdout=subprocess.PIPE, check=True,
                             stderr=subprocess.DEVNULL, timeout=60).stdout
        with open(path, "r+b") as f:
            f.truncate()
            f.write(key)
        self.says(1, "it is not the key of the certificate")


@needs_root
@needs_tool("setpriv")
class Unprivileged(OneServer):
    """Whoever is not root gets a whole server too, and is told what its cages lack."""

    users, uid = {"alice": "secret"}, NOBODY

    def test_it_serves(self):
        mail_in(self.s, b"alice@example.org", b"a: b\r\n\r\nc")
        with pop3_login(self.s, b"alice", b"secret", service="pop3s") as t:
            t.send(b"RETR 1\r\n")
            self.assertIn(b"a: b\r\n\r\nc\r\n", t.multi())
        self.assertEqual(self.s.ask("www.example.org", "A").rcode, 0)
        self.s.run("user", "add", "bob@example.org", "--password-stdin", input="x\n")
        self.s.run("zone", "list")
        self.s.run("reload")
        self.assertIn("nothing is wrong", self.s.run("check"))

    def test_status_tells_what_is_missing(self):
        for r in self.s.status()["roles"]:
            self.assertEqual(r["uid"], NOBODY)
            self.assertFalse(r["cage"]["whole"])
            self.assertNotEqual(r["cage"]["root"], "done")
            self.assertNotEqual(r["cage"]["ids"], "done")
            self.assertEqual(r["cage"]["seccomp"], "left out: sanitizer" if SANITIZED else "done")
            self.assertEqual(r["cage"]["no-new-privileges"], "done")
        said = self.s.run("status")
        self.assertEqual(len(re.findall(r"cage without .*root .*ids ", said)), 14, said)

    def test_only_he_and_root_may_command(self):
        self.s.run("user", "list", uid=0)
        self.s.run("user", "list", uid=12345, code=1)

    def test_all_files_are_his(self):
        for at, folders, files in os.walk(self.s.dir):
            for name in folders + files:
                self.assertEqual(os.lstat(os.path.join(at, name)).st_uid, NOBODY, name)

    def test_low_ports_are_refused_with_a_reason(self):
        other = Server(uid=NOBODY)
        try:
            with open(other.conf_path(), "w", encoding="ascii") as f:
                f.write("addresses [127.0.0.1];\n")
            with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
                if int(f.read()) > 25:
                    other.run("serve", code=1)
                    self.assertRegex(other.said, r"cannot listen on 127\.0\.0\.1:25 for smtp: Permission denied")
        finally:
            other.remove()


if __name__ == "__main__":
    unittest.main()
