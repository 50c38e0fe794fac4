#!/usr/bin/env python3
"""rest.py - what Stead costs at rest: seconds to ready, PSS of each role, after the start and after
one message in and one POP3 session.  ROUNDS (default 1) of it; figures are medians."""
import os
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
sys.dont_write_bytecode = True
os.environ.setdefault("STEAD_BIN", os.environ.get("STEAD", os.path.join(ROOT, "build", "stead")))
import stead                                    # noqa: E402  (after its path)


def weigh(server):
    """KiB of PSS by role, and what it is in all."""
    kib = {"master": stead.pss_kib(server.process.pid)}
    for role, pids in server.roles().items():
        kib[role] = sum(stead.pss_kib(p) for p in pids)
    return dict(kib, all=sum(kib.values()))


def one_round():
    users = {f"u{i}": "a password" for i in range(1, 11)}
    with stead.Server(domain="bench.test", users=users) as s:
        time.sleep(1)                           # let it come to rest: this is what is measured
        started = weigh(s)
        stead.mail_in(s, b"u1@bench.test", b"Subject: one\r\n\r\n" + b"x" * 70 + b"\r\n")
        assert len(stead.pop3_all(s, b"u1@bench.test", b"a password")) == 1
        time.sleep(1)
        return s.ready_seconds, started, weigh(s)


def main():
    rounds = [one_round() for _ in range(int(os.environ.get("ROUNDS", "1")))]
    middle = lambda values: statistics.median(list(values))     # noqa: E731
    print(f"time to ready: {1000 * middle(r[0] for r in rounds):.0f} ms\n")
    print("| role | KiB PSS, started | KiB PSS, used |\n|---|--:|--:|")
    for role in rounds[0][1]:
        print(f"| {role} | {middle(r[1][role] for r in rounds):.0f} "
              f"| {middle(r[2].get(role, 0) for r in rounds):.0f} |")


if __name__ == "__main__":
    main()
