"""internet.py - an internet on one machine: hosts in network namespaces of their own, joined by a wire
that is listened to (wire.py), with a firewall in front of a home network.

    root 10.0.0.1 .          edu 10.0.0.2 edu         ycp 10.0.1.1 ycp.edu       fake 10.0.2.1 fakeplace.edu
    umass 10.0.3.1 umass.edu  cs 10.0.3.2 cs.umass.edu  uga 10.0.4.1 (a resolver)
    atlas 10.0.4.2, alice 10.0.1.2, bob 10.0.2.2, mallory 10.0.6.6: people's machines
    wall 10.0.9.1 in front of home 192.168.7.2

Every server is the stead under test, with its standard ports.  A namespace lives as long as the process
that holds it, and that one dies with the tests, so nothing is left behind.
"""
import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import stead                                    # noqa: E402  (after its path)
from wire import Wire                           # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

# A person at a terminal of this internet types a password without TLS.
BY_HAND = "auth { hash_cost 1; plaintext_login [127.0.0.0/8 10.0.0.0/16 192.168.7.0/24]; }"
HINTS = ". 3600000 NS a.root.test.\na.root.test. 3600000 A 10.0.0.1\n"
SOA = "@ SOA {ns} hostmaster 1 7200 3600 1209600 {negative}\n"


def sh(*words, **how):
    r = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    if r.returncode:
        raise RuntimeError(f"{' '.join(words)}: {r.stdout}")
    return r.stdout


def refused():
    """Why there can be no namespaces here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft", "nsenter", "unshare"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    r = subprocess.run(["unshare", "-n", "-m", "sh", "-c", "ip link add br0 type bridge && "
                        "mount --bind /etc/hosts /etc/resolv.conf && nft list ruleset"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f"no network namespaces here: {r.stderr.strip()}" if r.returncode else None


class Host:
    """A namespace with an address; its own resolv.conf where a name server is told."""

    def __init__(self, name, address=None, nameserver=None):
        self.name, self.address = name, address
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "-m", "sh", "-c",
             "echo; exec sleep infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.holder.stdout.readline()           # it is in its namespaces now
        self.pid = self.holder.pid
        self.run("ip", "link", "set", "lo", "up")
        if nameserver:
            self.resolv = tempfile.NamedTemporaryFile("w", prefix="resolv-")
            self.resolv.write(f"nameserver {nameserver}\n")
            self.resolv.flush()
            os.chmod(self.resolv.name, 0o644)
            self.run("mount", "--bind", self.resolv.name, "/etc/resolv.conf")

    def enter(self, *words):
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-r", "--", *words]

    def run(self, *words, **how):
        return sh(*self.enter(*words), **how)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread opens meanwhile are this host's."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/proc/{self.pid}/ns/net", "rb") as there:
            if LIBC.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                LIBC.setns(home.fileno(), CLONE_NEWNET)

    def talk(self, to, port, **how):
        with self.inside():
            return stead.Talk(port, host=to, **how)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Site(stead.Server):
    """A stead on a host, with its standard ports."""

    def __init__(self, host, domain, users=None, zones=None, resolver="", conf=""):
        self.host, self.domain, self.program, self.process, self.uid = host, domain, stead.STEAD, None, 0
        self.base = tempfile.mkdtemp(prefix="stead-")
        os.chmod(self.base, 0o755)
        self.dir, self.offset = os.path.join(self.base, "d"), 0
        self.lines, self.news = [], stead.threading.Condition()
        self.run("init", self.dir, "--domain", domain, inside=False)
        os.makedirs(os.path.join(self.dir, "files"), 0o700, exist_ok=True)
        named = "".join(f'"{z}" {{ file "{self.file(z + ".zone", text)}"; }}\n'
                        for z, text in (zones or {}).items())
        names = f"dns {{ zones {{ {named} }} }}\n" if zones else "dns { listen []; }\n"
        with open(self.conf_path(), "w", encoding="utf-8") as f:
            f.write(f"host_name mail.{domain};\ndomain {domain};\naddresses [{host.address}];\n"
                    f"{names}"
                    f'resolver {{ root_hints "{self.file("hints", HINTS)}"; hosts "'
                    f'{self.file("hosts", "127.0.0.1 localhost")}"; {resolver} }}\n{conf}\n')
        for user, word in (users or {}).items():
            self.add_user(user, word)

    def file(self, name, text):
        path = os.path.join(self.base, name.strip("."))
        with open(path, "w", encoding="latin-1") as f:
            f.write(text)
        return path

    def command(self, *words, inside=True, uid=None):
        return self.host.enter(*super().command(*words, inside=inside, uid=uid))

    def port(self, service):
        return {**stead.PORTS, "resolver": 53}[service]

    def talk(self, service, **how):
        return self.host.talk(self.host.address, self.port(service), **how)


class Internet:
    """All of it; started by `with`."""

    def __init__(self):
        self.hosts, self.sites, self.settled = {}, {}, 0
        self.wire_host = Host("wire")
        self.wire = None

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            for s in self.sites.values():
                if s.process:
                    s.stop(check=kind is None)
        finally:
            for s in self.sites.values():
                s.remove()
            if self.wire:
                self.wire.close()
            for h in (*self.hosts.values(), self.wire_host):
                h.close()

    def __getattr__(self, name):
        hosts = self.__dict__["hosts"]
        if name not in hosts:
            raise AttributeError(name)
        return hosts[name]

    def host(self, name, address, bridge="br0", bits=16, **how):
        h = self.hosts[name] = Host(name, address, **how)
        self.plug(h, "eth0", address, bridge, bits)
        if bridge == "br0" and name != "wall":
            h.run("ip", "route", "add", "192.168.7.0/24", "via", "10.0.9.1")
        return h

    def plug(self, host, link, address, bridge, bits):
        peer = f"h-{host.name}" + ("" if link == "eth0" else "-in")
        sh("ip", "link", "add", link, "netns", str(host.pid), "type", "veth", "peer", "name", peer,
           "netns", str(self.wire_host.pid))
        self.wire_host.run("ip", "link", "set", peer, "master", bridge, "up")
        host.run("ip", "addr", "add", f"{address}/{bits}", "dev", link)
        host.run("ip", "link", "set", link, "up")

    def site(self, name, domain, **how):
        self.sites[name] = Site(self.hosts[name], domain, **how)

    def build(self):
        for bridge in ("br0", "br1"):
            self.wire_host.run("ip", "link", "add", bridge, "type", "bridge")
            self.wire_host.run("ip", "link", "set", bridge, "up")
        for name, address in (("root", "10.0.0.1"), ("edu", "10.0.0.2"), ("umass", "10.0.3.1"),
                              ("cs", "10.0.3.2"), ("mallory", "10.0.6.6"), ("victim", "10.0.7.7")):
            self.host(name, address)
        self.host("ycp", "10.0.1.1", nameserver="127.0.0.1")
        self.host("fake", "10.0.2.1", nameserver="127.0.0.1")
        self.host("uga", "10.0.4.1", nameserver="127.0.0.1")
        self.host("atlas", "10.0.4.2", nameserver="10.0.4.1")
        self.host("alice", "10.0.1.2", nameserver="10.0.4.1")
        self.host("bob", "10.0.2.2", nameserver="10.0.4.1")
        self.firewall()
        self.wire = Wire(self.wire_host)
        self.make_sites()
        # Bob's domain has room for 4 MiB of files
        self.fake.run("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none",
                      os.path.join(self.sites["fake"].dir, "files"))
        for s in self.sites.values():
            s.start()

    def settle(self):
        """All that has passed on the wire so far was seen."""
        self.settled += 1
        name = f"settled-{self.settled}.test"
        mark = self.wire.mark()
        with self.mallory.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(stead.query(name, "A"), ("10.0.7.7", 53))
        self.wire.wait(mark, name)

    def firewall(self):
        """What home begins may be answered; what others begin may not come in."""
        wall = self.host("wall", "10.0.9.1")
        self.plug(wall, "eth1", "192.168.7.1", "br1", 24)
        wall.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        home = self.host("home", "192.168.7.2", bridge="br1", bits=24, nameserver="10.0.4.1")
        home.run("ip", "route", "add", "default", "via", "192.168.7.1")
        wall.run("nft", "-f", "-", input="""
            table ip wall {
                chain forward {
                    type filter hook forward priority 0; policy accept;
                    ct state established,related accept
                    iifname "eth0" counter reject with icmp type admin-prohibited
                }
            }""")

    def make_sites(self):
        self.site("root", "root.test", zones={".": "$TTL 86400\n$ORIGIN .\n" + SOA.format(
            ns="a.root.test.", negative=60) + """@ NS a.root.test.
a.root.test. A 10.0.0.1
edu. NS a.edu-servers.edu.
a.edu-servers.edu. A 10.0.0.2
"""})
        self.site("edu", "edu-servers.test", zones={"edu": "$TTL 3600\n" + SOA.format(
            ns="a.edu-servers", negative=60) + """@ NS a.edu-servers
a.edu-servers A 10.0.0.2
ycp NS mail.ycp
mail.ycp A 10.0.1.1
fakeplace NS mail.fakeplace
mail.fakeplace A 10.0.2.1
umass NS dns.umass
dns.umass A 10.0.3.1
evil NS ns.evil
ns.evil A 10.0.6.6
"""})
        self.site("umass", "umass.test", zones={"umass.edu": "$TTL 3600\n" + SOA.format(
            ns="dns", negative=60) + "@ NS dns\ndns A 10.0.3.1\ncs NS dns.cs\ndns.cs A 10.0.3.2\n"})
        self.site("cs", "cs.test", zones={"cs.umass.edu": self.gaia("10.0.3.77")})
        self.site("ycp", "ycp.edu", users={"alice": "in wonderland"}, conf=BY_HAND, zones={"ycp.edu": "$TTL 300\n"
                  + SOA.format(ns="mail", negative=60) + """@ NS mail
@ MX 10 mail
mail A 10.0.1.1
www CNAME web
web A 10.0.1.80
""" + "".join(f"six A 10.0.1.{n}\n" for n in range(91, 97))})
        self.site("fake", "fakeplace.edu", users={"bob": "hungry", "carol": "singing"}, conf=BY_HAND, zones={
            "fakeplace.edu": "$TTL 300\n" + SOA.format(ns="mail", negative=60) + """@ NS mail
@ MX 10 mail
mail A 10.0.2.1
"""})
        self.site("uga", "uga.test", resolver="listen [127.0.0.1 10.0.4.1]; "
                  "clients [127.0.0.0/8 10.0.0.0/16 192.168.7.0/24];")

    @staticmethod
    def gaia(address, serial=1, ttl=3):
        return ("$TTL 3600\n" + SOA.format(ns="dns", negative=2).replace(" 1 7200", f" {serial} 7200") +
                f"@ NS dns\ndns A 10.0.3.2\ngaia {ttl} A {address}\n")


class Scenario(unittest.TestCase):
    """Tests on one internet; what passed on its wire is kept in .run/scenarios/TEST.txt."""

    @classmethod
    def setUpClass(cls):
        why = refused()
        if why:
            raise unittest.SkipTest(why)
        cls.net = Internet().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.net.__exit__(None)

    def setUp(self):
        self.mark = self.net.wire.mark()

    def tearDown(self):
        for s in self.net.sites.values():
            self.assertTrue(s.alive(), s.stderr())
            s.assert_clean()
        folder = os.path.join(ROOT, ".run", "scenarios")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, self.id().split(".")[-1] + ".txt"), "w", encoding="utf-8") as f:
            f.write(f"{self._testMethodDoc or self.id()}\n\n" + self.net.wire.transcript(self.mark))

    def on_wire(self, pattern="", **where):
        self.net.settle()
        return self.net.wire.since(self.mark, pattern, **where)
