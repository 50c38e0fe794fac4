"""How to start each server, tuned for this benchmark.

One function per server, registered with @auth or @resolver. It writes its
configuration into its own directory `d` and returns the command line, which
must stay in the foreground. bench.py pins it (and its children) to CPU 0,
waits until it answers, and stops it.

To add a server: write one function, as `stead`. It is benchmarked when its
program is found, or skipped.

Common rules, for every peer: one worker thread, no query log, no chroot or
user change, no rate limit, minimal responses, no DNSSEC validation, caches and
buffers large enough for the run. The rest stays at the packaged default.
"""
import os, shutil, subprocess

AUTH, RESOLVER, VERSION, PROGRAM = {}, {}, {}, {}
HERE = os.path.dirname(os.path.abspath(__file__))


def _reg(table, name, program, version):
    def deco(f):
        table[name] = f; PROGRAM[table is AUTH, name] = program; VERSION[name] = version
        return f
    return deco
def auth(name, program, version): return _reg(AUTH, name, program, version)
def resolver(name, program, version): return _reg(RESOLVER, name, program, version)


def path_of(program):
    """Servers live in sbin, which may not be in $PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def put(d, name, text):
    with open(os.path.join(d, name), "w") as f: f.write(text)
    return os.path.join(d, name)


# ---- authoritative: f(d, port, zones) with zones = [(name, file)], on 127.0.0.1 ----

@auth("echo", "cc", None)
def echo(d, port, zones):                       # the physical limit: echo.c, built by bench.py
    return [f"{d}/../bin/echo", "-p", str(port), "-m", "mmsg", "-b", "64", "-r", "120"]


@auth("echo-1", "cc", None)
def echo1(d, port, zones):                      # the same with one system call per packet each way
    return [f"{d}/../bin/echo", "-p", str(port), "-m", "single", "-r", "120"]


def nsd_conf(d, port, zones, addrs=("127.0.0.1",)):
    return put(d, "nsd.conf", "server:\n" + "".join(f"  ip-address: {a}@{port}\n" for a in addrs) + f"""\
  server-count: 1
  database: ""
  username: ""
  chroot: ""
  zonesdir: "{d}"
  logfile: "{d}/nsd.log"
  pidfile: ""
  xfrdfile: "{d}/xfrd.state"
  xfrdir: "{d}"
  zonelistfile: "{d}/zone.list"
  zonefiles-check: no
  verbosity: 0
  hide-version: yes
  minimal-responses: yes
  rrl-ratelimit: 0
  tcp-count: 1000
  round-robin: no
remote-control:
  control-enable: no
""" + "".join(f'zone:\n  name: "{n}"\n  zonefile: "{f}"\n' for n, f in zones))


@auth("nsd", "nsd", "nsd -v")
def nsd(d, port, zones, **kw):
    return ["nsd", "-d", "-c", nsd_conf(d, port, zones, **kw)]


@auth("nsd-new", "nsd-new", "nsd-new -v")
def nsd_new(d, port, zones):
    """A current nsd, built with --enable-recvmmsg and found in $PATH as nsd-new. (Debian's 4.6.1 is built
    with --disable-recvmmsg --enable-checking and has the old zone parser: not the program to beat.)"""
    c = nsd_conf(d, port, zones)
    return ["nsd-new", "-d", "-c", put(d, "nsd.conf", open(c).read().replace('  database: ""\n', ""))]


@auth("knot", "knotd", "knotd -V")
def knot(d, port, zones):
    return ["knotd", "-c", put(d, "knot.conf", f"""
server:
  rundir: "{d}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  tcp-max-clients: 1000
log:
  - target: stderr
    any: error
database:
  storage: "{d}"
template:
  - id: default
    storage: "{d}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
""" + "".join(f'  - domain: "{n}"\n    file: "{f}"\n' for n, f in zones))]


def named_base(d, port):
    return f"""
  directory "{d}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; lock-file none;
  managed-keys-directory "{d}";
  allow-query {{ any; }};
  minimal-responses yes;
  dnssec-validation no;
  notify no;
  querylog no;
  empty-zones-enable no;
  version none;
  tcp-clients 1000;
"""
NAMED_TAIL = 'controls { };\nlogging { channel n { null; }; category default { n; }; category queries { n; }; };\n'


@auth("bind9", "named", "named -v")
def bind9(d, port, zones):
    return ["named", "-f", "-4", "-n", "1", "-c", put(d, "named.conf",
        "options {" + named_base(d, port) + "  recursion no;\n};\n" + NAMED_TAIL +
        "".join(f'zone "{n}" {{ type primary; file "{f}"; }};\n' for n, f in zones))]


@auth("pdns", "pdns_server", "pdns_server --version")
def pdns(d, port, zones):
    put(d, "named.conf", f'options {{ directory "{d}"; }};\n' +
        "".join(f'zone "{n.rstrip(".") or "."}" {{ type master; file "{f}"; }};\n' for n, f in zones))
    put(d, "pdns.conf", f"""
launch=bind
bind-config={d}/named.conf
bind-check-interval=0
local-address=127.0.0.1
local-port={port}
socket-dir={d}
daemon=no
guardian=no
write-pid=no
receiver-threads=1
distributor-threads=1
signing-threads=1
max-tcp-connections=1000
cache-ttl=60
negquery-cache-ttl=60
query-cache-ttl=60
max-cache-entries=1000000
max-packet-cache-entries=1000000
zone-cache-refresh-interval=0
loglevel=0
log-dns-queries=no
disable-syslog=yes
security-poll-suffix=
xfr-cycle-interval=3600
""")
    return ["pdns_server", f"--config-dir={d}"]


@auth("stead", "stead", "stead --version")
def stead(d, port, zones):
    """One dns instance; mail off. Zones are named in the configuration, their files only read."""
    subprocess.run(["stead", "init", f"{d}/d", "--domain", "bench.invalid"], check=True, stdout=subprocess.DEVNULL)
    put(f"{d}/d", "stead.conf", f"""
dns {{
	listen [127.0.0.1:{port}];
	instances 1;
	rate_limit 0;
	zones {{
""" + "".join(f'\t\t"{n.rstrip(".")}" {{ file "{f}"; }}\n' for n, f in zones) + """\
	}
}
smtp { listen []; }
pop3 { listen []; tls_listen []; }
""")
    return ["stead", "-C", f"{d}/d", "serve"]


# ---- resolvers: f(d, port, hier, entries); hier = directory of gen.py hier; root at 127.0.10.1 ----

@resolver("echo", "cc", None)
def echo_r(d, port, hier, entries): return echo(d, port, None)


@resolver("unbound", "unbound", "unbound -V")
def unbound(d, port, hier, entries):
    mb = max(64, entries * 1000 // 2**20)
    return ["unbound", "-d", "-c", put(d, "unbound.conf", f"""
server:
  interface: 127.0.0.1@{port}
  port: {port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{d}"
  pidfile: ""
  logfile: "{d}/unbound.log"
  use-syslog: no
  verbosity: 0
  statistics-interval: 0
  module-config: "iterator"
  root-hints: "{hier}/root.hints"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  minimal-responses: yes
  msg-cache-size: {mb}m
  rrset-cache-size: {2 * mb}m
  msg-cache-slabs: 1
  rrset-cache-slabs: 1
  infra-cache-slabs: 1
  key-cache-slabs: 1
  outgoing-range: 8192
  num-queries-per-thread: 4096
  so-rcvbuf: 4m
  so-sndbuf: 4m
  incoming-num-tcp: 100
remote-control:
  control-enable: no
""")]


@resolver("kresd", "kresd", "kresd -V")
def kresd(d, port, hier, entries):
    return ["kresd", "-n", "-c", put(d, "kresd.conf", f"""
log_level('crit')
net.ipv6 = false
net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
modules = {{ 'hints' }}
for _, m in ipairs({{'ta_update', 'ta_signal_query', 'ta_sentinel', 'priming', 'detect_time_skew', 'detect_time_jump'}}) do
  pcall(modules.unload, m)
end
pcall(trust_anchors.remove, '.')
hints.root_file('{hier}/root.hints')
option('ALLOW_LOCAL', true)
cache.size = {max(256, entries * 1000 // 2**20)} * MB
"""), d]


@resolver("bind9", "named", "named -v")
def bind9r(d, port, hier, entries):
    return ["named", "-f", "-4", "-n", "1", "-c", put(d, "named.conf", "options {" + named_base(d, port) + f"""
  recursion yes;
  allow-recursion {{ any; }};
  max-cache-size {max(256, entries * 3000 // 2**20)}m;
  recursive-clients 10000;
  fetches-per-server 0;
  fetches-per-zone 0;
  clients-per-query 0;
  stale-answer-enable no;
}};
""" + NAMED_TAIL + f'zone "." {{ type hint; file "{hier}/root.hints"; }};\n')]


@resolver("pdnsrec", "pdns_recursor", "pdns_recursor --version")
def pdnsrec(d, port, hier, entries):
    put(d, "recursor.conf", f"""
local-address=127.0.0.1
local-port={port}
allow-from=127.0.0.0/8
dont-query=
hint-file={hier}/root.hints
socket-dir={d}
daemon=no
write-pid=no
threads=1
pdns-distributes-queries=no
max-mthreads=4096
dnssec=off
quiet=yes
loglevel=0
disable-syslog=yes
statistics-interval=0
security-poll-suffix=
max-cache-entries={entries * 2}
max-packetcache-entries={entries * 2}
refresh-on-ttl-perc=0
""")
    return ["pdns_recursor", f"--config-dir={d}"]


@resolver("dnsmasq", "dnsmasq", "dnsmasq -v")
def dnsmasq(d, port, hier, entries):            # a forwarder: straight to the leaf servers
    return ["dnsmasq", "-k", "-C", put(d, "dnsmasq.conf", f"""
port={port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-poll
server=127.0.10.3
cache-size={entries * 2}
dns-forward-max=4096
user=root
group=
pid-file=
log-facility={d}/dnsmasq.log
""")]


@resolver("stead", "stead", "stead --version")
def stead_r(d, port, hier, entries):
    subprocess.run(["stead", "init", f"{d}/d", "--domain", "bench.invalid"], check=True, stdout=subprocess.DEVNULL)
    put(f"{d}/d", "stead.conf", f"""
resolver {{
	listen [127.0.0.1:{port}];
	root_hints "{hier}/root.hints";
}}
dns {{ listen []; }}
smtp {{ listen []; }}
submission {{ listen []; tls_listen []; }}
pop3 {{ listen []; tls_listen []; }}
imap {{ listen []; tls_listen []; }}
ftp {{ listen []; }}
""")
    return ["stead", "-C", f"{d}/d", "serve"]
