"""kill -9 while users work: what IMAP and FTP have acknowledged stays, also through the next kills.

Each client has a model of what must be there.  A change that got no answer was made as a whole or not
at all: the client looks, and goes on from what it finds.  Nothing else may ever differ from the model.
"""
import collections
import ftplib
import hashlib
import io
import random
import re
import threading
import time
import unittest

import test_kill as kills
from stead import LONG, SANITIZED, Talk, Timeout, until

USERS = {"alice": "one", "bob": "two", "carol": "three"}
STEPS = 5000 if LONG else 150 if SANITIZED else 400     # of each client
MOST = 6                            # kills of one role in a row: its pause has grown to 1.6 s
FOLDERS = ("INBOX", "Work", "Kept")
FETCHED = rb"\* \d+ FETCH \(UID (\d+) BODY\[HEADER\.FIELDS \(SUBJECT\)\] \{\d+\}\r\nSubject: (\w+)\r\n"


class Cut(Exception):
    """No answer, or one that promises nothing."""


class Worker:
    """One user, who goes on until the steps are done; `error` is what was wrong."""

    def __init__(self, server, user, seed):
        self.server, self.user, self.rng = server, user, random.Random(f"{seed} {user}")
        self.error, self.cuts, self.done, self.number = None, 0, 0, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.enter()
            while self.done < STEPS:
                try:
                    self.step()
                except Cut:
                    self.cuts += 1
                    self.enter()
                self.done += 1
            self.leave()
        except BaseException as e:
            self.error = e

    def token(self):
        self.number += 1
        return f"{self.user}{self.number:05}"

    def enter(self):
        """A new session, as soon as one is to be had; what it sees becomes the model."""
        end = time.monotonic() + 60
        while True:
            self.leave()
            try:
                self.connect()
                self.look()
                return
            except Cut:
                if time.monotonic() > end:
                    raise Timeout(f"{self.user}: no session for a minute") from None
                time.sleep(0.05)


# ---- IMAP ----

class Mailbox(Worker):
    """uids[folder]: what is there, by UID.  ever: what each UID was, for all time.  maybe: the models
    of which one must be true, when it is not known which."""

    def __init__(self, *a):
        self.talk, self.tags = None, 0
        self.uids = {f: {} for f in FOLDERS}
        self.ever, self.validity, self.top = {}, {}, collections.Counter()
        self.maybe, self.made = None, False
        super().__init__(*a)

    def leave(self):
        if self.talk:
            self.talk.close()
        self.talk = None

    def connect(self):
        try:
            self.talk = Talk(self.server.port("imap"), deadline=60)
            self.talk.line()
        except Timeout:
            raise
        except (OSError, AssertionError) as e:
            raise Cut(e) from e
        self.say(f"LOGIN {self.user} {USERS[self.user]}")
        for folder in FOLDERS[1:] if not self.made else ():
            try:
                self.say(f"CREATE {folder}")
            except Cut as e:
                if "ALREADYEXISTS" not in str(e):
                    raise
        self.made = True

    def say(self, command, literal=None):
        """All up to the tagged OK.  Anything else promises nothing."""
        self.tags += 1
        tag = b"t%d" % self.tags
        try:
            if literal is not None:
                command += f" {{{len(literal)}+}}"
            self.talk.send(tag + b" " + command.encode() + b"\r\n" +
                           (literal + b"\r\n" if literal is not None else b""))
            got = b""
            while True:
                line = self.talk.line()
                got += line
                if line.startswith(tag + b" "):
                    break
                if line.startswith(b"* BYE"):
                    raise Cut(line)
        except Timeout:
            raise                               # silence is no loss: nobody may hang
        except (OSError, AssertionError) as e:
            raise Cut(e) from e
        if not line.startswith(tag + b" OK"):
            assert b" BAD " not in line, (command, line)
            raise Cut(line)
        return got

    def look(self):
        """All folders as they are: they are as the model, or one of those that may be."""
        found = {}
        for folder in FOLDERS:
            got = self.say(f"EXAMINE {folder}")
            validity = re.search(rb"\[UIDVALIDITY (\d+)\]", got)[1]
            assert self.validity.setdefault(folder, validity) == validity, f"{folder}: UIDVALIDITY"
            nxt = int(re.search(rb"\[UIDNEXT (\d+)\]", got)[1])
            count = int(re.search(rb"\* (\d+) EXISTS", got)[1])
            got = self.say("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])") if count else b""
            found[folder] = {int(u): t.decode() for u, t in re.findall(FETCHED, got)}
            assert len(found[folder]) == count, (folder, count, got[:300])
            assert nxt > max(found[folder], default=0), f"{folder}: UIDNEXT {nxt}"
            assert nxt > self.top[folder], f"{folder}: UIDNEXT {nxt} fell below {self.top[folder]}"
        self.judge(found)
        self.uids, self.maybe = found, None
        self.learn()

    def judge(self, found):
        """The same tokens in each folder as in one of the models; those known by UID under theirs."""
        def tokens(model):
            return {f: sorted(t for _, t in model[f]) for f in FOLDERS}
        seen = {f: list(found[f].items()) for f in FOLDERS}
        models = self.maybe or [{f: list(self.uids[f].items()) for f in FOLDERS}]
        assert any(tokens(m) == tokens(seen) for m in models), \
            f"{self.user}: {tokens(seen)}\n is none of\n" + "\n".join(str(tokens(m)) for m in models)
        for folder in FOLDERS:
            for uid, token in found[folder].items():
                was = self.ever.get((folder, uid))
                assert was in (None, token), f"{folder}: UID {uid} was {was}, is {token}"
                assert was or uid > self.top[folder], f"{folder}: UID {uid} comes late"

    def learn(self):
        for folder in FOLDERS:
            for uid, token in self.uids[folder].items():
                assert self.ever.setdefault((folder, uid), token) == token, (folder, uid, token)
                self.top[folder] = max(self.top[folder], uid)

    def changed(self, command, literal=None, add=(), drop=()):
        """Says it; with its OK the change is the model, without one it may be.
        add: (folder, token); drop: (folder, uid)."""
        old = {f: list(self.uids[f].items()) for f in FOLDERS}
        new = {f: [(u, t) for u, t in old[f] if (f, u) not in drop] for f in FOLDERS}
        for folder, token in add:
            new[folder].append((None, token))
        try:
            got = self.say(command, literal)
        except Cut:
            self.maybe = [old, new]
            raise
        self.maybe = [new]                      # until the UIDs of what was added are known
        for folder, uid in drop:
            del self.uids[folder][uid]
        return got

    def added(self, folder, uids, tokens):
        for uid, token in zip(uids, tokens, strict=True):
            assert uid > self.top[folder], f"{folder}: UID {uid} comes late"
            self.top[folder] = uid
            self.uids[folder][uid] = token
        self.maybe = None
        self.learn()

    def some(self, folder):
        uids = sorted(self.uids[folder])
        return sorted(self.rng.sample(uids, min(len(uids), self.rng.choice((1, 1, 2, 5)))))

    def step(self):
        folder = self.rng.choice(FOLDERS)
        chosen = self.some(folder)
        what = self.rng.random()
        if what < 0.4 or not chosen:
            self.append(folder)
        elif what < 0.8:
            to = self.rng.choice([f for f in FOLDERS if f != folder])
            self.copy(folder, chosen, to, move=what < 0.6)
        else:
            self.expunge(folder, chosen)

    def append(self, folder):
        token = self.token()
        text = f"Subject: {token}\r\n\r\n".encode() + b"x" * 70 + b"\r\n"
        text += b"y" * self.rng.choice((10, 1000, 100000)) + b"\r\n"
        got = self.changed(f"APPEND {folder}", text, add=[(folder, token)])
        v, uid = re.search(rb"\[APPENDUID (\d+) (\d+)\]", got).groups()
        assert v == self.validity[folder]
        self.added(folder, [int(uid)], [token])

    def copy(self, folder, chosen, to, move):
        self.say(f"SELECT {folder}")
        tokens = [self.uids[folder][u] for u in chosen]
        got = self.changed(f"UID {'MOVE' if move else 'COPY'} {','.join(map(str, chosen))} {to}",
                           add=[(to, t) for t in tokens], drop=[(folder, u) for u in chosen if move])
        v, source, dest = re.search(rb"\[COPYUID (\d+) (\S+) ([^\s\]]+)\]", got).groups()
        assert v == self.validity[to] and expand(source) == chosen, got
        self.added(to, expand(dest), tokens)

    def expunge(self, folder, chosen):
        self.say(f"SELECT {folder}")
        uids = ",".join(map(str, chosen))
        self.say(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
        self.changed(f"UID EXPUNGE {uids}", drop=[(folder, u) for u in chosen])
        self.maybe = None


def expand(uids):
    out = []
    for part in uids.decode().split(","):
        first, _, last = part.partition(":")
        out += range(int(first), int(last or first) + 1)
    return out


# ---- FTP ----

def content(rng, token):
    size = rng.choice((0, 100, 5000, 70000, 400000))
    text = (token + " ").encode() * (size // len(token) + 1)
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


class Files(Worker):
    """files: name and content of each that must be there.  maybe: models, as above."""

    NAMES = [f"f{i}" for i in range(6)]

    def __init__(self, *a):
        self.ftp, self.files, self.maybe = None, {}, None
        super().__init__(*a)

    def leave(self):
        if self.ftp:
            self.ftp.close()
        self.ftp = None

    def ask(self, call, *args):
        try:
            return call(*args)
        except TimeoutError as e:
            raise Timeout(f"{self.user}: silence") from e
        except (OSError, EOFError, ftplib.Error) as e:
            raise Cut(e) from e

    def connect(self):
        self.ftp = ftplib.FTP(timeout=60)
        self.ask(self.ftp.connect, "127.0.0.1", self.server.port("ftp"))
        self.ask(self.ftp.login, self.user, USERS[self.user])

    def get(self, name):
        got = io.BytesIO()
        self.ask(self.ftp.retrbinary, "RETR " + name, got.write)
        return got.getvalue()

    def look(self):
        rows = []
        self.ask(self.ftp.retrlines, "MLSD", rows.append)
        found = {name: self.get(name) for name in (r.partition("; ")[2] for r in rows)}
        for name, data in found.items():
            assert data[:64] == hashlib.sha256(data[65:]).hexdigest().encode(), f"{name} is not whole"
        models = self.maybe or [self.files]
        assert found in models, f"{self.user}: {self.short(found)}\n is none of\n" + \
            "\n".join(map(self.short, models))
        self.files, self.maybe = found, None

    @staticmethod
    def short(model):
        return str({name: data[65:80] for name, data in sorted(model.items())})

    def changed(self, new, call, *args):
        self.maybe = [self.files, new]
        self.ask(call, *args)
        self.files, self.maybe = new, None

    def step(self):
        name, what = self.rng.choice(self.NAMES), self.rng.random()
        if what < 0.7 or name not in self.files:
            data = content(self.rng, self.token())
            self.changed({**self.files, name: data}, self.ftp.storbinary, "STOR " + name,
                         io.BytesIO(data))
        elif what < 0.85:
            to = self.rng.choice(self.NAMES)
            new = {n: d for n, d in self.files.items() if n != name}
            self.changed({**new, to: self.files[name]}, self.ftp.rename, name, to)
        else:
            self.changed({n: d for n, d in self.files.items() if n != name}, self.ftp.delete, name)


class Users(unittest.TestCase):
    def play(self, kind, roles):
        rng = random.Random(kills.SEED)
        with kills.Phoenix(users=USERS, conf="auth { hash_cost 1; }") as s:
            killer = kills.Killer(s, rng, roles, MOST)
            workers = [kind(s, user, kills.SEED) for user in USERS]
            while any(w.thread.is_alive() for w in workers) and not any(w.error for w in workers):
                self.passed(workers, rng.randrange(10, 100))
                time.sleep(rng.random() * 0.005)
                killer.strike()
            self.over(workers)
            for w in workers:                   # and all is there still when nothing of it runs on
                w.maybe = None
            s.kill_master()
            s.start()
            for w in workers:
                w.enter()
                w.leave()
            print(f"    seed {kills.SEED}, steps {sum(w.done for w in workers)}, "
                  f"kills {sum(killer.kills.values())}, cut {sum(w.cuts for w in workers)}", flush=True)
            return s, workers

    def passed(self, workers, steps):
        """Until so many more are done."""
        goal = sum(w.done for w in workers) + steps
        until("users work", lambda: sum(w.done for w in workers) >= goal or any(
            w.error for w in workers) or not any(w.thread.is_alive() for w in workers), 120, 0.001)

    def over(self, workers):
        for w in workers:
            if w.error:
                raise w.error
        until("the users end", lambda: not any(w.thread.is_alive() for w in workers), 120)
        for w in workers:
            if w.error:
                raise w.error

    def test_attack_111_mail_while_box_is_killed(self):
        self.play(Mailbox, ("box",))

    def test_attack_111_mail_while_any_is_killed(self):
        self.play(Mailbox, ("auth", "box", "keys", "log", "mail"))

    def test_attack_137_files_while_box_is_killed(self):
        self.play(Files, ("box",))

    def test_attack_137_files_while_any_is_killed(self):
        self.play(Files, ("auth", "box", "ftp", "keys", "log"))


if __name__ == "__main__":
    unittest.main()
