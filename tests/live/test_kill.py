"""kill -9 at random moments: what got its 250 is there, and every role comes back.

A ledger holds what each try of each message came to.  A try that ended behind the dot without its
250 may have been stored (RFC 1047): only such a try may leave one copy more than the one that is
due.  STEAD_SEED=N plays the same choices again; the moments stay the machine's.
"""
import collections
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import unittest

from stead import (LONG, SANITIZED, Message as Answer, Server, Timeout, kill, long_only, mail_in,
                   plain_only, pop3_all, pop3_login, proc, query, running, udp_ask, until)

SEED = int(os.environ.get("STEAD_SEED") or random.SystemRandom().randrange(1 << 32))
USERS = {"alice": "one", "bob": "two", "carol": "three"}
CLIENTS = 8
MESSAGES = 2000 if LONG else 100 if SANITIZED else 300
BATCH = 12                          # messages that are let go for one kill
CHAIN = 4                           # kills of one role in a row: its pause has grown to 0.4 s
STEADY = 10.5                       # children.h: who lived so long begins anew
BACK = 60.0 if SANITIZED else 20.0  # a role comes back within


class Phoenix(Server):
    """One that may be killed and started again while the last of its old processes still end."""

    def listen(self, stream):
        mine, lines = self.process, self.lines
        for line in iter(stream.readline, b""):
            with self.news:
                lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        stream.close()
        with self.news:
            if self.process is mine:
                self.closed = True
                self.news.notify_all()

    def kill_master(self):
        """The pids of the roles that it leaves behind."""
        left = self.all_pids()[1:]
        kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        return left

    def rows(self):
        """{role: its row of the status}, None when there is no answer now (ctl may be dead, too)."""
        out = self.run("status", "--json", code=None)
        if self.code:
            return None
        return {r["role"]: r for r in json.loads(out)["roles"]}


def body(rng, name):
    """A message of any size: in one word, about the size of a word, by descriptor."""
    size = rng.choice((100, 1000, 4000, 4000, 47000, 50000, 66000, 200000))
    lines, left = [], rng.randrange(size // 2, size)
    while left > 0:
        lines.append(b"%0*x" % (rng.randrange(1, 76), rng.getrandbits(64)))
        left -= len(lines[-1]) + 2
    text = b"\r\n".join([b"", *lines])
    return b"X-Ledger: %s %s\r\n%s" % (name, hashlib.sha256(text).hexdigest().encode(), text)


class Letter:
    """One line of the ledger."""

    sender = b"a@example.net"

    def __init__(self, rng, number):
        self.name = b"m%06d" % number
        self.text = body(rng, self.name)
        self.to = self.choose(rng)
        self.acked, self.tries, self.seconds = 0, 0, 0.0
        self.unheard = 0            # tries that ended behind the dot without any reply
        self.put_off = 0            # and with a 4xx

    def choose(self, rng):
        return sorted(rng.sample(sorted(USERS), rng.choice((1, 1, 1, 2, 3))))

    def addresses(self):
        return [b"%s@example.org" % user.encode() for user in self.to]


class Client:
    """Hands in letters, each until its 250; a session is kept as long as it lasts."""

    def __init__(self, server):
        self.server, self.talk = server, None

    def close(self):
        if self.talk:
            self.talk.close()
        self.talk = None

    def session(self):
        if not self.talk:
            self.talk = self.server.talk("smtp", deadline=120)
            self.talk.expect(rb"220 .*", self.talk.reply)
            self.talk.do(b"EHLO client.example.net", rb"250.*")
        return self.talk

    def once(self, letter):
        """One try; whether it got its 250."""
        dot = False
        letter.tries += 1
        try:
            t = self.session()
            t.do(b"MAIL FROM:<" + letter.sender + b">", rb"250 .*")
            for address in letter.addresses():
                t.do(b"RCPT TO:<" + address + b">", rb"250 .*")
            t.do(b"DATA", rb"354 .*")
            t.send(letter.text)
            dot = True
            t.send(b"\r\n.\r\n")
            reply = t.reply()
        except Timeout:
            raise                   # silence is no loss: nobody may hang
        except (OSError, AssertionError) as e:
            told = re.search(r"got b'(\d)", str(e))
            assert not told or told[1] == "4", e
            letter.unheard += dot
            self.close()
            return False
        if reply[:3] == b"250":
            letter.acked += 1
            return True
        assert reply[:1] == b"4", reply
        letter.put_off += 1
        self.close()
        return False

    def deliver(self, letter, deadline=120):
        began = time.monotonic()
        while not self.once(letter):
            if time.monotonic() - began > deadline:
                raise Timeout(f"{letter.name}: no 250 in {deadline} s")
            time.sleep(0.02)
        letter.seconds = time.monotonic() - began


class Crowd:
    """CLIENTS clients at once, that take a letter for each ticket."""

    def __init__(self, server, letters, clients=(Client,)):
        self.letters, self.lock = iter(letters), threading.Lock()
        self.tickets, self.errors, self.done = threading.Semaphore(0), [], 0
        self.threads = [threading.Thread(target=self.work, daemon=True,
                                         args=(clients[i % len(clients)](server),))
                        for i in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def work(self, client):
        try:
            while self.tickets.acquire():
                with self.lock:
                    letter = next(self.letters, None)
                if letter is None:
                    break
                client.deliver(letter)
                with self.lock:
                    self.done += 1
        except BaseException as e:
            self.errors.append(e)
        finally:
            client.close()

    def let_go(self, n):
        self.tickets.release(n)
        if self.errors:
            raise self.errors[0]

    def finish(self, deadline=180):
        self.tickets.release(1 << 20)
        end = time.monotonic() + deadline
        for t in self.threads:
            t.join(max(0, end - time.monotonic()))
        if self.errors:
            raise self.errors[0]
        assert not any(t.is_alive() for t in self.threads), "clients hang"


class Onlooker:
    """Asks for names and mail all the time: it may get no answer, but never a wrong one."""

    def __init__(self, server):
        self.server, self.over, self.wrong = server, threading.Event(), []
        self.names = self.drops = 0
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        seen = 0
        while not self.over.wait(0.02):
            try:
                raw = udp_ask(self.server.port("dns"), query("example.org", "SOA"), deadline=0.5)
                answer = Answer(raw)
                if answer.rcode != 2 and (answer.rcode or not answer.aa or not answer.answer):
                    self.wrong.append(raw)
                self.names += 1
            except (OSError, AssertionError):
                pass
            try:
                with pop3_login(self.server, b"alice", b"one") as t:
                    t.send(b"STAT\r\n")
                    n = int(t.expect(rb"\+OK \d+ \d+.*\r\n").split()[1])
                if n < seen:
                    self.wrong.append(f"{n} messages, after {seen}")
                seen, self.drops = n, self.drops + 1
            except (OSError, AssertionError) as e:
                if re.search(rb"\[AUTH\]", str(e).encode()):
                    self.wrong.append(str(e))

    def finish(self):
        self.over.set()
        self.thread.join(60)
        assert not self.wrong, self.wrong


def read_drop(server, user):
    """[(UID, text)] of a maildrop, by POP3."""
    with pop3_login(server, user.encode(), USERS[user].encode()) as t:
        t.send(b"UIDL\r\n")
        uids = [line.split()[1] for line in t.multi().split(b"\r\n")[1:-2]]
        out = []
        for i, uid in enumerate(uids):
            t.send(b"RETR %d\r\n" % (i + 1))
            whole = t.multi()
            text = whole[whole.index(b"\r\n") + 2:-3]
            out.append((uid, re.sub(rb"(?m)^\.\.", b".", text)))
        t.send(b"QUIT\r\n")
        t.expect(rb"\+OK.*\r\n")
        return out


class Audit:
    """The maildrops against the ledger."""

    def __init__(self, server, letters):
        self.found = collections.Counter()
        self.gaps = 0
        for user in USERS:
            self.read(user, read_drop(server, user))
        self.letters = letters
        self.extras, self.excused, self.problems = 0, 0, []
        for letter in letters:
            for user in letter.to:
                self.judge(letter, user, self.found.pop((letter.name, user), 0))
        self.problems += [f"{name} in the maildrop of {user}, who was not asked for"
                          for name, user in self.found]

    def read(self, user, drop):
        uids = [uid for uid, _ in drop]
        assert len(set(uids)) == len(uids), f"{user}: a UID twice"
        numbers = [int(uid[8:], 16) for uid in uids]
        assert numbers == sorted(numbers)
        assert len({uid[:8] for uid in uids}) <= 1, f"{user}: two UIDVALIDITYs"
        self.gaps += (numbers[-1] if numbers else 0) - len(numbers)
        for uid, text in drop:
            m = re.search(rb"X-Ledger: (\S+) (\S+)\r\n(.*)\r\n\Z", text, re.S)
            assert m, f"{user}: {uid} is no letter of ours: {text[:300]!r}"
            assert hashlib.sha256(m[3]).hexdigest().encode() == m[2], f"{user}: {m[1]} is damaged"
            self.found[m[1], user] += 1

    def judge(self, letter, user, copies):
        due = 1 if letter.acked else 0
        most = due + letter.unheard + letter.put_off
        self.extras += max(0, copies - due)
        self.excused += letter.unheard + letter.put_off
        if letter.acked > 1 or not due <= copies <= most:
            self.problems.append(f"{letter.name} for {user}: {copies} copies, {letter.acked} 250s, "
                                 f"{letter.unheard} unheard, {letter.put_off} put off")


class Killer:
    """Chooses whom to kill, and sees that who was killed is there again.  only: the roles that may
    be chosen; else all, and the master.  most: kills of one of them in a row."""

    def __init__(self, server, rng, only=(), most=CHAIN):
        self.server, self.rng, self.only, self.most = server, rng, only, most
        self.kills, self.back = collections.Counter(), []
        self.born()

    def born(self):
        """A new master: its roles begin without a past."""
        self.chain, self.lived, self.restarts = collections.Counter(), {}, collections.Counter()

    def choose(self):
        now = time.monotonic()
        for role, since in self.lived.items():
            if now - since > STEADY:
                self.chain[role] = 0
        able = [r for r in self.only or sorted(self.server.roles()) if self.chain[r] < self.most]
        what = self.rng.random()
        if not self.only and (not able or what < 0.06):
            return "all"
        if not self.only and what < 0.10:
            return "master"
        return self.rng.sample(able, min(len(able), self.rng.choice((1, 1, 1, 1, 2, 4))))

    def strike(self):
        whom = self.choose()
        began = time.monotonic()
        if whom == "master":
            self.server.kill_master()
            self.again(whom)
        elif whom == "all":
            pids = self.server.all_pids()
            self.rng.shuffle(pids)
            for pid in pids:
                kill(pid, signal.SIGKILL)
            self.server.process.wait()
            self.server.process = None
            self.again(whom)
        else:
            old = {r: self.server.role(r) for r in whom}
            for pid in old.values():
                kill(pid, signal.SIGKILL)
            for role in whom:
                self.kills[role] += 1
                self.chain[role] += 1
                self.restarts[role] += 1
            until(f"{whom} come back", lambda: self.returned(old), BACK)
            for role in whom:
                self.lived[role] = time.monotonic()
        self.back.append(time.monotonic() - began)

    def again(self, whom):
        self.kills[whom] += 1
        self.server.start()
        self.born()

    def returned(self, old):
        rows = self.server.rows()
        return rows and all(
            rows[r]["state"] == "ready" and rows[r]["pid"] != pid and running(rows[r]["pid"]) and
            rows[r]["restarts"] == self.restarts[r] for r, pid in old.items())


class Ledger(unittest.TestCase):
    """kill -9 of any role, and of all, while mail comes in."""

    def tell(self, **figures):
        print("    " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in figures.items()),
              flush=True)

    def check(self, audit):
        self.assertFalse(audit.problems, "\n".join(audit.problems[:20]))

    def test_kill_of_any_role_and_of_all(self):
        rng = random.Random(SEED)
        letters = [Letter(rng, i) for i in range(MESSAGES)]
        with Phoenix(users=USERS) as s:
            killer, crowd, onlooker = Killer(s, rng), Crowd(s, letters), Onlooker(s)
            while crowd.done < MESSAGES - CLIENTS:
                crowd.let_go(BATCH)
                time.sleep(rng.random() * 0.03)
                killer.strike()
            crowd.finish()
            onlooker.finish()
            audit = Audit(s, letters)
            self.tell(seed=SEED, messages=len(letters), recipients=sum(len(m.to) for m in letters),
                      kills=sum(killer.kills.values()), extras=audit.extras,
                      tries_without_reply=sum(m.unheard for m in letters),
                      tries_put_off=sum(m.put_off for m in letters),
                      uid_gaps=audit.gaps,
                      longest_wait_for_250=f"{max(m.seconds for m in letters):.2f} s",
                      longest_until_back=f"{max(killer.back):.2f} s")
            self.tell(**dict(sorted(killer.kills.items())), names_seen=onlooker.names,
                      drops_seen=onlooker.drops)
            self.check(audit)
            self.assertTrue(all(m.acked == 1 for m in letters))

    def test_box_killed_between_commit_and_answer(self):
        """The front tries again by itself, with the same operation id: no client has to, and what
        box had written before it died is found, not stored twice.  Such a one leaves a hole in the
        UIDs: the number was given to the second try, which adds nothing."""
        rng, gaps, kills, retried = random.Random(SEED), 0, 0, 0
        for life in range(4 if LONG else 1):
            letters = [Letter(rng, i) for i in range(200)]
            with Phoenix(users=USERS) as s:
                crowd = Crowd(s, letters)
                for nth in range(6):
                    crowd.let_go(3 * CLIENTS)
                    time.sleep(rng.random() * 0.02)
                    kill(s.role("box"), signal.SIGKILL)
                    kills += 1
                    until("box comes back", lambda: (s.rows() or {}).get("box", {}).get(
                        "restarts") == nth + 1 and s.rows()["box"]["state"] == "ready", BACK)
                crowd.finish()
                audit = Audit(s, letters)
                retried += s.rows()["smtp"]["counters"]["retried"]
            gaps += audit.gaps
            self.assertEqual((audit.excused, audit.extras), (0, 0))
            self.check(audit)
            self.assertTrue(all(m.tries == 1 for m in letters))
        self.tell(seed=SEED, kills_of_box=kills, tried_again_by_the_front=retried,
                  found_already_there=gaps)
        self.assertGreater(retried, 0)
        if LONG:
            self.assertGreater(gaps, 0, "no kill fell between writing and answering")

    def test_attack_048_client_dies_after_the_dot(self):
        """An attempt is stored once, or not at all, and never torn."""
        rng = random.Random(SEED)
        letters = [Letter(rng, i) for i in range(40)]
        with Phoenix(users=USERS) as s:
            for i, letter in enumerate(letters):
                self.half_a_try(s, letter, reset=i % 2, wait=rng.choice((0, 0, 0.001, 0.01)))
            until("sessions end", lambda: s.rows()["smtp"]["counters"]["sessions"] == 0)
            first = Audit(s, letters)
            self.check(first)
            for i, letter in enumerate(letters):
                if not i % 2:       # whoever only went silent has said all that there is to say
                    letter.acked, letter.unheard = 1, 0
            self.check(Audit(s, letters))
            for letter in letters:
                letter.acked, letter.unheard = 0, 1
                Client(s).deliver(letter)
            self.check(Audit(s, letters))
            self.tell(seed=SEED, attempts=len(letters), copies_stored=first.extras)

    def half_a_try(self, s, letter, reset, wait):
        t = s.talk("smtp")
        t.expect(rb"220 .*", t.reply)
        t.do(b"EHLO client.example.net", rb"250.*")
        t.do(b"MAIL FROM:<" + letter.sender + b">", rb"250 .*")
        for address in letter.addresses():
            t.do(b"RCPT TO:<" + address + b">", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send(letter.text + b"\r\n.\r\n")
        letter.unheard += 1
        time.sleep(wait)
        t.reset() if reset else t.close()


class Ends(unittest.TestCase):
    """How a server goes down, and what it needs to come up."""

    def pending(self, s, text):
        """A session whose message is whole but for the dot."""
        t = s.talk("smtp")
        t.expect(rb"220 .*", t.reply)
        t.do(b"EHLO client.example.net", rb"250.*")
        t.do(b"MAIL FROM:<a@example.net>", rb"250 .*")
        t.do(b"RCPT TO:<alice@example.org>", rb"250 .*")
        t.do(b"DATA", rb"354 .*")
        t.send(text)
        return t

    def test_sigterm_drains(self):
        """Who waits is told 421; what box is committing gets its 250 before; all end with exit 0."""
        with Phoenix(users=USERS) as s:
            idle = s.talk("smtp")
            idle.expect(rb"220 .*", idle.reply)
            half = self.pending(s, b"Subject: half\r\n\r\nnot ended")
            whole = self.pending(s, b"Subject: whole\r\n\r\nended")
            box = s.role("box")
            kill(box, signal.SIGSTOP)
            whole.send(b"\r\n.\r\n")
            time.sleep(0.2)         # the word is on its way to box: nobody but smtp can see it
            s.process.terminate()
            idle.expect(rb"421 .*", idle.reply)
            half.expect(rb"421 .*", half.reply)
            self.assertEqual((idle.closed(), half.closed()), (b"", b""))
            kill(box, signal.SIGCONT)
            whole.expect(rb"250 .*Message accepted.*", whole.reply)
            whole.expect(rb"421 .*", whole.reply)
            self.assertEqual(s.process.wait(15), 0, s.stderr())
            s.start()
            drop = pop3_all(s, b"alice", b"one")
            self.assertEqual([b"Subject: whole" in text for text in drop], [True])

    def test_nothing_acknowledged_is_lost_by_sigterm(self):
        rng = random.Random(SEED)
        letters = [Letter(rng, i) for i in range(100)]
        with Phoenix(users=USERS) as s:
            crowd = Crowd(s, letters)
            for _ in range(3):
                crowd.let_go(25)
                time.sleep(rng.random() * 0.05)
                self.assertEqual(s.stop(), 0)
                s.start()
            crowd.finish()
            audit = Audit(s, letters)
            self.assertFalse(audit.problems, "\n".join(audit.problems[:20]))
            self.assertEqual((audit.extras, sum(m.unheard for m in letters)), (0, 0))

    @plain_only
    @long_only
    def test_a_role_that_hangs_is_killed_at_the_drain(self):
        with Phoenix() as s:
            kill(s.role("smtp"), signal.SIGSTOP)
            kill(s.role("keys"), signal.SIGSTOP)
            self.assertEqual(s.stop(deadline=30), 0)

    def test_a_role_that_cannot_start(self):
        """serve tells which role, and why, and ends."""
        for role, path, why in (("box", "store/format", "format"), ("auth", "auth/format", "format"),
                                ("keys", "keys/tls.pem", "key")):
            with self.subTest(role):
                s = Server(users=USERS)
                try:
                    with open(os.path.join(s.dir, path), "r+b") as f:
                        f.write(b"garbage, garbage, garbage\n" * 4)
                    self.assertRaisesRegex(Timeout, f"the role {role} could not start", s.start)
                    self.assertEqual(s.process.wait(15), 1, s.stderr())
                    self.assertRegex(s.stderr(), rf"role\.failed.*{why}")
                    self.assertNotIn("stead: ready", s.stderr())
                    s.process = None
                finally:
                    s.remove()

    def test_back_off_grows(self):
        with Phoenix() as s:
            for nth in range(1, 6):
                pause = 0.05 * 2 ** (nth - 1)
                old, began = s.role("out"), time.monotonic()
                kill(old, signal.SIGKILL)
                s.wait_line(rf"role\.died role=out signal=9 code=0 restarts={nth} "
                            rf"pause_ms={pause * 1000:.0f}$")
                until("out comes back", lambda: s.roles().get("out", [old]) != [old])
                self.assertGreaterEqual(time.monotonic() - began, pause * 0.9)
                until("and is ready", lambda: s.rows()["out"]["state"] == "ready", BACK)
            self.assertEqual({r: row["restarts"] for r, row in s.rows().items() if row["restarts"]},
                             {"out": 5})

    def test_roles_end_with_their_master(self):
        """Also one that does not run; and the next start finds nothing in its way."""
        with Phoenix(users=USERS) as s:
            for nth in range(2):
                mail_in(s, b"alice@example.org", b"Subject: %d\r\n\r\nx" % nth)
                kill(s.role("resolve"), signal.SIGSTOP)
                left = s.kill_master()
                until("the roles end", lambda: not any(map(running, left)), 5)
                self.assertTrue(os.path.exists(os.path.join(s.dir, "run", "control.sock")))
                self.assertIsNone(s.rows())
                self.assertIn("no server runs in", s.said)
                self.assertIn("alice@example.org", s.run("user", "list"))
                s.start()
                self.assertEqual(len(pop3_all(s, b"alice", b"one")), nth + 1)

    def test_start_at_once_behind_a_kill_of_the_master(self):
        """The old roles may not be gone yet: the new ones wait for what those still hold."""
        with Phoenix(users=USERS) as s:
            for nth in range(40 if LONG else 8):
                s.kill_master()
                s.start()
            mail_in(s, b"alice@example.org", b"Subject: x\r\n\r\nx")
            self.assertEqual(len(pop3_all(s, b"alice", b"one")), 1)

    def second(self, s):
        return subprocess.run(s.command("serve"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30)

    def test_a_second_server_in_the_folder(self):
        with Phoenix(users=USERS) as s:
            pids = s.roles()
            r = self.second(s)
            self.assertEqual((r.returncode, r.stderr.splitlines()[-1]),
                             (1, f"stead: {s.dir}: a server is running in this folder"))
            self.assertEqual(s.roles(), pids)
            mail_in(s, b"alice@example.org", b"Subject: x\r\n\r\nx")
            self.assertEqual(len(pop3_all(s, b"alice", b"one")), 1)

    def test_a_store_that_somebody_else_has_open(self):
        s = Server(users=USERS)
        try:
            lock = os.path.join(s.dir, "store", "lock")
            with subprocess.Popen(["flock", lock, "sleep", "60"]) as holder:
                try:
                    until("it is locked", lambda: "sleep" in "".join(
                        proc(int(p), "cmdline") for p in proc(
                            holder.pid, f"task/{holder.pid}/children").split()) or
                        "sleep" in proc(holder.pid, "cmdline"))
                    r = self.second(s)
                finally:
                    for p in proc(holder.pid, f"task/{holder.pid}/children").split():
                        kill(int(p), signal.SIGKILL)
                    kill(holder.pid, signal.SIGKILL)
            self.assertEqual(r.returncode, 1)
            self.assertIn("stead: the role box could not start", r.stderr)
            self.assertRegex(r.stderr, r"role\.failed.*(lock|running|in use)")
        finally:
            s.remove()
