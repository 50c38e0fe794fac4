"""kill -9 with remote delivery in the path: two servers on loopback, one of which sends the other its
mail, as the names tell it that the other one serves.

What came to the first one with a 250 comes to every recipient, whoever is killed on both sides.  A copy
more than the one that is due is explained: by a try of the client that ended behind the dot without
its 250, which is seen from an id of its own in the first server's Received field; or by a hop that was
cut between the second one's commit and what the first one keeps of it.  Only a kill of who speaks, of
who listens or of who plans can cut it, and each of them once for each recipient.
"""
import base64
import collections
import hashlib
import json
import os
import random
import re
import signal
import time
import unittest

import test_kill as kills
from stead import LONG, SANITIZED, Timeout, kill, pop3_login, until

MESSAGES = 2000 if LONG else 60 if SANITIZED else 150
NEAR = {"alice@a.test": "one", "bob@a.test": "two"}
FAR = {"carol@b.test": "three", "dave@b.test": "four"}
NOBODY = "nobody@b.test"
WRONG = 20 / MESSAGES               # of the letters are for nobody: fewer reports than a minute has
# A kill of these may cut a hop after the far server's commit and before the near one's settle.
HOP = ({"queue", "out", "master", "all"}, {"smtp", "master", "all"})
# Killed without a hop cut: box is asked again under the same id.
HELPERS = ("auth", "box", "dial", "keys", "log", "resolve", "zone")
BY_ITSELF = 45.0                    # a queue that nobody hurries is empty within
ZONE = """$TTL 60
@ SOA ns hostmaster 1 3600 900 86400 60
@ NS ns
ns A 127.0.0.1
"""

# Received fields, name, digest and what the digest is of.
TEXT = (rb"Return-Path: <alice@a\.test>\r\n((?:Received: (?:[^\r]|\r\n[ \t])*\r\n){1,2})"
        rb"From: <alice@a\.test>\r\nDate: [^\r]*\r\nMessage-ID: [^\r]*\r\n"
        rb"X-Ledger: (\w+) (\w+)\r\n(.*?)(?:\r\n)?")


class Far(kills.Phoenix):
    """Has the root of all names, and its own domain."""

    def __init__(self):
        super().__init__(domain="b.test", users=FAR)
        root = os.path.join(self.base, "root")
        with open(root, "w", encoding="ascii") as f:
            f.write(ZONE + "b.test. NS ns\n")
        os.chmod(root, 0o644)
        self.put_zone("b.test", ZONE + "@ MX 10 mx\nmx A 127.0.0.1\n")
        self.add_conf(f'dns {{ rate_limit 0; zones {{ "." {{ file "{root}"; }} }} }}\n'
                      "resolver { listen []; }\nauth { hash_cost 1; }")


class Near(kills.Phoenix):
    """Where the mail comes in."""

    def __init__(self, far):
        super().__init__(domain="a.test", users=NEAR, conf="auth { hash_cost 1; }")
        hints = os.path.join(self.base, "hints")
        with open(hints, "w", encoding="ascii") as f:
            f.write(". 3600 NS ns.\nns. 3600 A 127.0.0.1\n")
        os.chmod(hints, 0o644)
        self.add_conf("smtp { relay [127.0.0.0/8]; }\n"
                      f"out {{ port {far.port('smtp')}; loopback on; }}\n"
                      f'resolver {{ root_hints "{hints}"; upstream_port {far.port("dns")}; }}')

    def queue(self):
        """What is in the queue; None when there is no answer now."""
        out = self.run("queue", "list", "--json", code=None)
        return None if self.code else json.loads(out)


class Letter(kills.Letter):
    sender, logged_in = b"alice@a.test", False

    def __init__(self, rng, number):
        super().__init__(rng, number)
        self.text = (b"From: <%s>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                     b"Message-ID: <%s@a.test>\r\n%s") % (self.sender, self.name, self.text)

    def choose(self, rng):
        to = rng.sample(sorted(FAR), rng.choice((1, 1, 2)))
        if rng.random() < 0.3:
            to += rng.sample(sorted(NEAR), 1)
        if rng.random() < WRONG:
            to.append(NOBODY)
        return sorted(to)

    def addresses(self):
        return [a.encode() for a in self.to]


class User(kills.Client):
    """Hands in with a log-in, where users do."""

    def session(self):
        if not self.talk:
            self.talk = self.server.talk("submission", deadline=120)
            self.talk.expect(rb"220 .*", self.talk.reply)
            self.talk.do(b"EHLO client.example.net", rb"250.*")
            secret = base64.b64encode(b"\0alice@a.test\0" + NEAR["alice@a.test"].encode())
            self.talk.do(b"AUTH PLAIN " + secret, rb"235 .*")
        return self.talk

    def once(self, letter):
        letter.logged_in = True
        return super().once(letter)


def read_drop(server, address, password):
    """[text] of a maildrop, by POP3."""
    with pop3_login(server, address.encode(), password.encode()) as t:
        t.send(b"STAT\r\n")
        n = int(t.expect(rb"\+OK \d+ \d+.*\r\n").split()[1])
        out = []
        for i in range(n):
            t.send(b"RETR %d\r\n" % (i + 1))
            whole = t.multi()
            out.append(re.sub(rb"(?m)^\.\.", b".", whole[whole.index(b"\r\n") + 2:-3]))
        t.send(b"QUIT\r\n")
        t.expect(rb"\+OK.*\r\n")
        return out


class Audit:
    """The maildrops of both against the ledger.

    came[letter, address]: the ids under which the near server took what lies there, each copy one.
    told[letter]: how many reports lie with its sender.
    """

    def __init__(self, near, far, letters, cuts):
        self.came, self.told = collections.defaultdict(collections.Counter), collections.Counter()
        self.problems, self.extras, self.hop_extras, self.reports = [], 0, 0, 0
        for server, users in ((near, NEAR), (far, FAR)):
            for address, password in users.items():
                for text in read_drop(server, address, password):
                    self.take(address, text)
        for letter in letters:
            for address in letter.to:
                self.judge(letter, address, cuts)
        strange = {name for name, _ in self.came} - {m.name for m in letters}
        assert not strange, strange

    def take(self, address, text):
        if b"multipart/report" in text.split(b"\r\n\r\n")[0]:
            name = re.search(rb"(?m)^X-Ledger: (\w+) ", text)[1]
            assert re.search(rb"(?mi)^Final-Recipient: rfc822; ?" + NOBODY.encode(), text), text
            assert re.search(rb"(?m)^Status: 5\.1\.1", text), text
            self.told[name] += 1
            return
        m = re.fullmatch(TEXT, text, re.S)
        assert m, f"{address}: not a whole message: {text[:300]!r}"
        assert hashlib.sha256(m[4]).hexdigest().encode() == m[3], f"{address}: {m[2]} is damaged"
        self.came[m[2], address][re.findall(rb" id (\S+);", m[1])[-1]] += 1

    def judge(self, letter, address, cuts):
        tries = letter.unheard + letter.put_off
        due = 1 if letter.acked else 0
        if address == NOBODY:
            n = self.told[letter.name]
            self.reports += n
            entries, copies, hops = n, n, 0
        else:
            ids = self.came[letter.name, address]
            entries, copies = len(ids), ids.total()
            hops = max(ids.values(), default=0) - 1
        self.extras += max(0, copies - due)
        self.hop_extras += max(0, copies - entries)
        cut = cuts(letter) if address in FAR else 0
        if letter.acked > 1 or not due <= entries <= due + tries or hops > cut:
            self.problems.append(
                f"{letter.name} for {address}: {copies} copies of {entries} ids, {letter.acked} 250s, "
                f"{letter.unheard} unheard, {letter.put_off} put off, {cut} hops cut")


class Relay(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(kills.SEED)
        self.far = Far()
        self.addCleanup(self.away, self.far)
        self.near = Near(self.far)
        self.addCleanup(self.away, self.near)
        self.far.start()
        self.near.start()
        self.letters = [Letter(self.rng, i) for i in range(MESSAGES)]
        self.cuts = []              # when a kill may have cut a hop

    def away(self, server):
        if server.process and server.alive():
            server.stop(check=False)
            server.assert_clean()
        server.remove()

    def play(self, killers):
        """Mail comes in, and for every few messages somebody is killed."""
        crowd = kills.Crowd(self.near, self.letters, (kills.Client, User))
        while crowd.done < MESSAGES - kills.CLIENTS:
            crowd.let_go(8 if LONG else 5)
            time.sleep(self.rng.random() * 0.05)
            killer, hop = self.rng.choice(killers)
            before = killer.kills.copy()
            killer.strike()
            self.cuts += [time.monotonic()] * sum(n for r, n in (killer.kills - before).items()
                                                  if r in hop)
        crowd.finish()

    def emptied(self, hurry, deadline):
        """Until the queue is empty; how long it took.  hurry: have what is deferred tried now."""
        def look():
            left = self.near.queue()
            if left and hurry:
                self.near.run("queue", "retry", code=None)
            time.sleep(0.2)
            return left == []
        began = time.monotonic()
        try:
            until("an empty queue", look, deadline)
        except Timeout as e:
            raise Timeout(f"{e}\n{self.near.run('queue', code=None)}") from None
        return time.monotonic() - began

    def told(self, audit, seconds, killers):
        figures = {
            "seed": kills.SEED, "messages": len(self.letters),
            "recipients": sum(len(m.to) for m in self.letters),
            "kills": sum(sum(k.kills.values()) for k, _ in killers), "that may cut a hop": len(self.cuts),
            "extras": audit.extras, "of a hop": audit.hop_extras, "reports": audit.reports,
            "unheard": sum(m.unheard for m in self.letters),
            "put off": sum(m.put_off for m in self.letters),
            "longest wait for 250": f"{max(m.seconds for m in self.letters):.2f} s",
            "queue empty after": f"{seconds:.2f} s"}
        print("    " + ", ".join(f"{k} {v}" for k, v in figures.items()), flush=True)
        for name, (killer, _) in zip(("near", "far"), killers):
            print(f"    {name}: " + ", ".join(f"{r} {n}" for r, n in sorted(killer.kills.items())),
                  flush=True)
        self.assertFalse(audit.problems, "\n".join(audit.problems[:20]))
        self.assertTrue(all(m.acked == 1 for m in self.letters))

    def test_kill_of_any_role_on_both_sides(self):
        killers = [(kills.Killer(self.near, self.rng), HOP[0]), (kills.Killer(self.far, self.rng), HOP[1])]
        self.play(killers)
        seconds = self.emptied(True, 90 if SANITIZED else 60)
        audit = Audit(self.near, self.far, self.letters, lambda letter: len(self.cuts))
        self.told(audit, seconds, killers)

    def test_kill_of_who_only_helps(self):
        """No hop is cut by them, so it makes no extras; and nobody has to hurry the queue: what one of
        our own could not do for a moment is done within seconds.  A log-in is lost with box: who is
        told 451 for that tries again, also when box had written the message before it died."""
        killers = [(kills.Killer(self.near, self.rng, HELPERS), HOP[0])]
        self.play(killers)
        seconds = self.emptied(False, BY_ITSELF)
        audit = Audit(self.near, self.far, self.letters, lambda letter: 0)
        self.told(audit, seconds, killers)
        self.assertEqual((audit.hop_extras, sum(m.unheard for m in self.letters)), (0, 0))
        self.assertTrue(all(m.tries == 1 for m in self.letters if not m.logged_in))

    def counter(self, role, name):
        return (self.near.rows() or {}).get(role, {}).get("counters", {}).get(name)

    def test_who_was_asked_dies(self):
        """Of our own, in the midst of a question: the message is tried again within seconds, not when
        a place that is at fault would be; and goes once."""
        for role in ("resolve", "dial"):
            before = sum(map(len, self.drops()))
            self.near.kill_role("out")          # nothing is kept from the time before
            kill(self.near.role(role), signal.SIGSTOP)
            letter = self.letters.pop()
            letter.to = ["carol@b.test"]
            kills.Client(self.near).deliver(letter)
            until(f"{role} is asked", lambda: self.counter("out", "messages"))
            began = time.monotonic()
            self.near.kill_role(role)
            until("it comes", lambda: sum(map(len, self.drops())) > before)
            print(f"    {role}: {time.monotonic() - began:.1f} s", flush=True)
            until("an empty queue", lambda: self.near.queue() == [])
            self.assertEqual(sum(map(len, self.drops())), before + 1)

    def drops(self):
        return [read_drop(self.far, address, password) for address, password in FAR.items()]

    def test_kill_of_queue_and_out(self):
        """What was under way goes on within seconds, too."""
        killers = [(kills.Killer(self.near, self.rng, ("out", "queue")), HOP[0])]
        self.play(killers)
        seconds = self.emptied(False, BY_ITSELF)
        audit = Audit(self.near, self.far, self.letters, lambda letter: len(self.cuts))
        self.told(audit, seconds, killers)
        self.assertEqual(audit.extras, audit.hop_extras)


if __name__ == "__main__":
    unittest.main()
