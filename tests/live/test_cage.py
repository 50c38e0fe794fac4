"""What each role gave up, as /proc and forbidden acts tell it; and that a missing step is seen.

The checker is one function, holes(): it is run on a whole cage, where it must find nothing, and on
cages with a step left out (a test build, STEAD_ACTS), where it must find something beside what the
role itself says of it.
"""
import collections
import contextlib
import ctypes
import os
import re
import signal
import unittest

from stead import (ACTS, PASSIVE, ROOT, Server, Timeout, children, kill, needs_acts, needs_root,
                   needs_tool, plain_only, proc, proc_status, running, until)

NOBODY = 65534
FILE_SIZE = 1 << 41                 # role.h: ROLE_FILE_SIZE

# Of each role: its folder beneath DIR, how many descriptors it may have, the services whose sockets
# it holds, the shared memory that it keeps open, and a second folder.
Row = collections.namedtuple("Row", "folder files services memory besides", defaults=((), (), None))
ROLES = {
    "log": Row("log", 128),
    "keys": Row("keys", 128),
    "auth": Row("auth", 128),
    "box": Row("store", 4096, (), ("directory",), "files"),
    "queue": Row(None, 1024),
    "ctl": Row(None, 256),
    "dial": Row(None, 512),
    "smtp": Row(None, 16384, ("smtp", "submission", "submissions")),
    "mail": Row(None, 16384, ("pop3", "pop3s", "imap", "imaps")),
    "out": Row(None, 1024),
    "dns": Row(None, 4096, ("dns",)),
    "zone": Row("zones", 8192, (), ("zones",)),
    "resolve": Row(None, 8192, ("resolver",)),
    "ftp": Row(None, 16384, ("ftp", "ftp-data")),
}
DATAGRAMS = {"dns", "resolver"}     # services that answer by UDP, too

# The acts that are left open on purpose: for whom, and why.
CONNECTS = {"dial", "resolve"}      # dial connects out for others, resolve asks other servers
ALLOWED = {
    "ACT_SOCKET_TCP": CONNECTS,
    "ACT_SOCKET_UDP": {"resolve"},  # it asks by UDP
    "ACT_CONNECT": CONNECTS,
    "ACT_BIND": CONNECTS,           # FTP's active port 20, and a random source port of a question
    "ACT_CREATE": {"box", "auth", "zone", "log"},   # in the folder of their own, where they stand
}

# enum cage_step of src/net/cage.h, as `status` calls them.
STEPS = ["limits", "root", "bounding", "ids", "capabilities", "no-new-privileges", "undumpable",
         "death-with-parent", "working-directory", "landlock-files", "landlock-tcp",
         "landlock-scope", "seccomp"]
ABI_OF = {"landlock-files": 1, "landlock-tcp": 4, "landlock-scope": 6}
NO_ROOT = {"root", "bounding", "ids"}           # what nobody but root can give up
WHOLE = {"done", "not needed by this role"}


def bit(*steps):
    return sum(1 << STEPS.index(s) for s in steps)


def act_numbers():
    """{"ACT_READ_PASSWD": 0, ...} of src/net/acts.h."""
    with open(os.path.join(ROOT, "src", "net", "acts.h"), encoding="utf-8") as f:
        return {name: n for n, name in enumerate(re.findall(r"^\t(ACT_\w+),", f.read(), re.M))}


def landlock_abi():
    """Of this kernel; landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)."""
    return max(0, ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def missing_here():
    """The steps that this kernel does not have."""
    return {s for s, abi in ABI_OF.items() if landlock_abi() < abi}


class Skipping(Server):
    """A test build that leaves out steps.  What it inherits, it has to give up: see burdened()."""

    def __init__(self, *steps, **how):
        self.mask = bit(*steps)
        super().__init__(program=ACTS, **how)

    def command(self, *words, **how):
        return burdened(super().command(*words, **how), self.uid) if words == ("serve",) else \
            super().command(*words, **how)

    def start(self, *a):
        os.environ["STEAD_SKIP_STEPS"] = str(self.mask)
        try:
            return super().start(*a)
        finally:
            del os.environ["STEAD_SKIP_STEPS"]


def burdened(command, uid):
    """Started by root: with groups and inheritable capabilities, which an exec and a change of the
    uid leave as they are, so that only the cage can be what takes them away."""
    if uid or os.geteuid():
        return command
    return ["setpriv", "--groups=4,24,27", "--inh-caps=+net_raw,+sys_ptrace,+dac_override", *command]


class Burdened(Server):
    def command(self, *words, **how):
        command = super().command(*words, **how)
        return burdened(command, self.uid) if words == ("serve",) else command


# ---- the checker ----

def sockets():
    """{inode: what it is} of all sockets here: a local port, "unix", or another kind by its name."""
    found = {}
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in proc("net", kind).splitlines()[1:]:
            f = line.split()
            found[f[9]] = f"{kind[:3]} {int(f[1].rsplit(':')[1], 16)}"
    for line in proc("net", "unix").splitlines()[1:]:
        f = line.split()
        found[f[6]] = "unix"
    for kind in ("raw", "raw6", "packet", "netlink", "icmp", "icmp6"):
        for line in proc("net", kind).splitlines()[1:]:
            found[line.split()[{"packet": 8, "netlink": 9}.get(kind, 9)]] = kind
    return found


def link(pid, name):
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError as e:
        return f"({e.strerror})"


def owner(pid, name):
    """Whose a file of /proc/PID is: root's when the process is not dumpable (proc(5))."""
    try:
        st = os.stat(f"/proc/{pid}/{name}")
        return st.st_uid, st.st_gid
    except OSError as e:
        return e.strerror


def limits(pid):
    """{"Max open files": ("128", "128"), ...}"""
    return {m[1]: (m[2], m[3]) for m in re.finditer(
        r"^(Max [a-z ]+?) {2,}(\S+) +(\S+)", proc(pid, "limits"), re.M)}


def ports(s, service):
    return [p + s.offset for p in PASSIVE] if service == "ftp-data" else [s.port(service)]


def fd_is_right(s, fd, target, role, known, times):
    row = ROLES[role]
    if fd in (0, 1) or fd != 2 and target == "/dev/null":   # the loop keeps one in reserve
        return target == "/dev/null" and times[target] <= 3
    if fd == 2:
        return target == link(s.process.pid, "fd/2")
    if target in ("anon_inode:[eventpoll]", "anon_inode:[eventfd]"):
        return True
    if target.startswith("pipe:"):                          # to itself: its own signals
        return times[target] == 2
    if target.startswith("/memfd:"):
        return target[7:].split(" ")[0] in row.memory
    if target.startswith("socket:"):
        what = known.get(target[8:-1], "unknown")
        return what == "unix" or what in {f"{p} {port}" for v in row.services for port in ports(s, v)
                                          for p in ("tcp", "udp")[:1 + (v in DATAGRAMS)]}
    homes = [os.path.join(s.dir, f) for f in (row.folder, row.besides) if f]
    return any(target == home or target.startswith(home + "/") for home in homes)


def fd_holes(s, pid, role):
    known, mine = sockets(), {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            mine[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    times = collections.Counter(mine.values())
    return [f"descriptor {fd} is {target}, {known.get(target[8:-1], '')}"
            for fd, target in sorted(mine.items())
            if not fd_is_right(s, fd, target, role, known, times)]


def proc_holes(s, role, pid, uid, privileged):
    """What /proc says that it should not, of one role."""
    st, row, out = proc_status(pid), ROLES[role], []

    def want(what, got, *right):
        if got not in right:
            out.append(f"{what} is {got!r}, not {' or '.join(map(repr, right))}")

    zero, own = "0" * 16, "\t".join([str(uid)] * 4)
    want("Uid", st.get("Uid"), own)
    want("Gid", st.get("Gid"), own)
    want("Groups", st.get("Groups", "?").strip(), "")
    for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        want(caps, st.get(caps), zero)
    want("NoNewPrivs", st.get("NoNewPrivs"), "1")
    want("Seccomp", st.get("Seccomp"), "2")
    want("Threads", st.get("Threads"), "1")
    home = os.path.join(s.dir, row.folder or "run/empty")
    if privileged:
        want("CapBnd", st.get("CapBnd"), zero)
        want("root", link(pid, "root"), os.path.join(s.dir, "run/empty"))
        want("cwd", link(pid, "cwd"), home)
    else:
        want("cwd", link(pid, "cwd"), home if row.folder else "/")
    for name in ("environ", "mem", "fd"):
        want(f"owner of {name}", owner(pid, name), (0, 0))
    now = limits(pid)
    for name, n in (("open files", row.files), ("core file size", 0), ("processes", 0),
                    ("file size", FILE_SIZE)):
        want("Max " + name, now.get("Max " + name), (str(n), str(n)))
    out += [f"memory that is written and executed: {line}" for line in proc(pid, "maps").splitlines()
            if re.match(r"\S+ .w.*x", line[:40])]
    out += [f"environment: {e}" for e in proc(pid, "environ").split("\0")
            if e and not re.match(r"(STEAD_SKIP_STEPS|[AUL]+SAN_OPTIONS)=", e)]
    return out + fd_holes(s, pid, role)


def report_holes(row, privileged):
    """What the role itself says."""
    return [f"status: {step}: {row['cage'][step]}" for step in STEPS
            if row["cage"][step] not in WHOLE and
            not (step in missing_here() and "not in this kernel" in row["cage"][step]) and
            not (step in NO_ROOT and not privileged and "not started by root" in row["cage"][step])]


def act_holes(s, role, names):
    """The acts that came through though they should not; and those that should, but did not."""
    out, numbers = [], act_numbers()
    for name in names:
        said = s.run("act", role, str(numbers[name]), code=None)
        done = s.code == 0 and said.strip() == "0"
        if done and role not in ALLOWED.get(name, ()):
            out.append(f"{name} is possible")
        elif not done and role in ALLOWED.get(name, ()):
            out.append(f"{name} is refused: {said.strip()} {s.said.strip()}")
    return out


def outlives(s, role):
    """Does a process that cannot hear of it live on when its master is killed?  Ends the server."""
    pid = s.role(role)
    left = s.all_pids()[1:]
    kill(pid, signal.SIGSTOP)
    kill(s.process.pid, signal.SIGKILL)
    s.process.wait()
    s.process = None
    try:
        until("it ends", lambda: not running(pid), 2)
        return []
    except Timeout:
        return ["it outlives its master"]
    finally:
        for p in left:
            kill(p, signal.SIGKILL)
        until("all are gone", lambda: not any(map(running, left)), 5)


def holes(s, privileged, acts=(), only=tuple(ROLES)):
    """All that is wrong: a set of (role, what); and what the roles say of themselves, apart."""
    rows = {r["role"]: r for r in s.status()["roles"]}
    assert set(rows) == set(ROLES), rows.keys()
    real = {(role, h) for role, row in rows.items()
            for h in proc_holes(s, role, row["pid"], row["uid"], privileged)}
    uids = collections.Counter(row["uid"] for row in rows.values())
    if privileged:
        real |= {(role, f"uid {row['uid']} is not its own") for role, row in rows.items()
                 if uids[row["uid"]] > 1}
    real |= {(role, h) for role in only for h in act_holes(s, role, acts)}
    told = {(role, h) for role, row in rows.items() for h in report_holes(row, privileged)}
    return real, told


def lines(found):
    return "\n".join(f"{role}: {what}" for role, what in sorted(found))


@plain_only
class Whole(unittest.TestCase):
    """Nothing is found."""

    def check(self, s, privileged, acts=()):
        real, told = holes(s, privileged, acts)
        self.assertFalse(real | told, lines(real | told))
        self.assertEqual(sorted(s.roles()), sorted(ROLES))
        self.assertEqual(len(children(s.process.pid)), len(ROLES))

    @needs_root
    @needs_tool("setpriv")
    def test_every_role_as_proc_tells(self):
        """Also when the one who starts it leaves descriptors, groups and capabilities to it."""
        with Leaky() as s:
            self.assertEqual(link(s.process.pid, "fd/9"), "/etc/passwd")
            self.check(s, privileged=True)
            for row in s.status()["roles"]:
                self.assertIs(row["cage"]["whole"], not missing_here(), row)

    @needs_root
    def test_after_a_restart(self):
        with Burdened() as s:
            for role in ROLES:
                s.kill_role(role)
            until("all are ready", lambda: "starting" not in s.run("status", code=None) and
                  s.code == 0 and all(r["state"] == "ready" for r in s.status()["roles"]))
            self.check(s, privileged=True)

    def test_started_by_nobody(self):
        """All that is possible is done, and status tells what is missing."""
        with Server(uid=0 if os.geteuid() else NOBODY) as s:
            self.check(s, privileged=False)
            for row in s.status()["roles"]:
                self.assertIs(row["cage"]["whole"], False)
                for step in NO_ROOT:
                    self.assertEqual(row["cage"][step], "missing: not started by root")
            out = s.run("status")
            self.assertEqual(out.count("cage without root (missing: not started by root), bounding"),
                             len(ROLES), out)

    @needs_root
    def test_roles_end_with_their_master(self):
        s = Burdened()
        try:
            s.start()
            self.assertEqual(outlives(s, "queue"), [])
        finally:
            s.remove()

    @needs_acts
    @needs_root
    def test_every_act_is_refused_in_every_role(self):
        acts = act_numbers()
        self.assertGreater(len(acts), 30)
        self.assertLessEqual(set(ALLOWED), set(acts))
        with Skipping() as s:
            self.check(s, privileged=True, acts=acts)
            self.assertEqual({r["restarts"] for r in s.status()["roles"]}, {0})

    @needs_acts
    def test_every_act_is_refused_when_started_by_nobody(self):
        with Skipping(uid=0 if os.geteuid() else NOBODY) as s:
            self.check(s, privileged=False, acts=act_numbers())
            self.assertEqual({r["restarts"] for r in s.status()["roles"]}, {0})

    def test_acts_are_not_in_the_program(self):
        with Server() as s:
            s.run("act", "smtp", "0", code=2)
            self.assertIn("there is no command", s.said)


class Leaky(Burdened):
    """Its starter forgot to close a descriptor."""

    def command(self, *words, **how):
        command = super().command(*words, **how)
        return ["/bin/sh", "-c", 'exec "$@" 9</etc/passwd', "sh", *command] \
            if words == ("serve",) else command


# Each step, how it is tried, and what is to be seen of it.  besides: steps that are left out in both
# of the cages that are compared, since they would hide this one.  acts, only: what is tried, where.
Drop = collections.namedtuple("Drop", "step seen besides acts only uid death fails", defaults=(
    (), (), (), 0, False, False))
LAND = ("landlock-files", "landlock-tcp", "landlock-scope")
DROPS = [
    Drop("limits", "Max open files"),
    Drop("root", "root is "),
    Drop("bounding", "CapBnd is "),
    # Root without capabilities cannot even enter the folders of the roles: nothing starts.
    Drop("ids", "", fails=True),
    Drop("ids", "Uid is '0", besides=("capabilities",)),
    Drop("capabilities", "CapInh is "),
    # Landlock and seccomp refuse to work without it.
    Drop("no-new-privileges", "", fails=True),
    Drop("no-new-privileges", "NoNewPrivs is ", besides=LAND + ("seccomp",)),
    # A change of the uid does it by the way: it is seen where there is none.
    Drop("undumpable", "owner of environ is ", uid=NOBODY),
    Drop("death-with-parent", "it outlives", death=True),
    Drop("working-directory", "cwd is "),
    Drop("landlock-files", "ACT_CLIMB is possible", acts=("ACT_CLIMB",), only=("box", "auth", "zone")),
    Drop("landlock-files", "ACT_NEIGHBOUR is possible", acts=("ACT_NEIGHBOUR",), only=("box",)),
    Drop("landlock-tcp", "ACT_CONNECT is possible", besides=("seccomp",),
         acts=("ACT_CONNECT", "ACT_BIND"), only=("out", "smtp")),
    Drop("landlock-scope", "ACT_KILL is possible", besides=("seccomp",), acts=("ACT_KILL",),
         only=("out", "smtp"), uid=NOBODY),
    Drop("seccomp", "Seccomp is '0'", acts=("ACT_IO_URING", "ACT_SOCKET_UNIX"), only=("smtp",)),
]


@plain_only
@needs_acts
@needs_root
@needs_tool("setpriv")
class Dropped(unittest.TestCase):
    """A step is left out, and the checker sees it: beside the role's own word for it."""

    def found(self, drop, *steps):
        s = Skipping(*drop.besides, *steps, uid=drop.uid)
        try:
            s.start()
            real, told = holes(s, not drop.uid, drop.acts, drop.only)
            if drop.death:
                real |= {("queue", h) for h in outlives(s, "queue")}
            return real, told
        finally:
            if s.process and s.alive():
                s.stop(check=False)
            s.remove()

    def refuses(self, drop):
        s = Skipping(*drop.besides, drop.step, uid=drop.uid)
        try:
            self.assertRaisesRegex(Timeout, "stead: the role .* could not start", s.start)
            self.assertEqual(s.process.wait(15), 1)
            s.process = None
        finally:
            s.remove()

    def check(self, drop):
        if drop.step in missing_here():
            self.skipTest("this kernel does not have " + drop.step)
        if drop.fails:
            return self.refuses(drop)
        real, told = self.found(drop)
        whole = {w for _, w in told if "left out by a test" not in w}
        self.assertFalse(whole, whole)
        if not drop.besides:
            self.assertFalse(real, lines(real))
        worse, said = self.found(drop, drop.step)
        self.assertTrue(any(drop.seen in what for _, what in worse - real),
                        f"{drop.step} was left out, and not seen\n" + lines(worse - real))
        self.assertTrue(all(f"status: {drop.step}: left out by a test" in {
            w for r, w in said if r == role} for role in ROLES), lines(said))
        return None

    def test_every_step_has_its_test(self):
        self.assertEqual({d.step for d in DROPS}, set(STEPS))
        self.assertTrue(all(d.seen for d in DROPS if not d.fails))
        self.assertEqual({d.step for d in DROPS if not d.fails}, set(STEPS))


def add_tests():
    for drop in DROPS:
        name = "test_without_" + drop.step.replace("-", "_") + ("_nothing_starts" if drop.fails else "")
        if hasattr(Dropped, name):
            name += "_" + drop.acts[0].lower()
        setattr(Dropped, name, lambda self, drop=drop: self.check(drop))


add_tests()
