#!/usr/bin/env python3
"""units.py BUILD [meson test options] - run Meson's tests, count cmocka's test functions.

A program that failed shows all that it said.  The last line is "N passed, N failed, N skipped".
A program that does not speak as cmocka does counts as one test, and so does one that died before
it could name the test that failed.
"""
import json
import os
import re
import subprocess
import sys

DONE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (?!\d+ test)(\w+)", re.M)
GOOD, MEH = ("OK", "EXPECTEDFAIL"), ("SKIP",)


def main():
    build, options = sys.argv[1], sys.argv[2:]
    log = os.path.join(build, "meson-logs", "testlog" + name_of_wrap(options) + ".json")
    if os.path.exists(log):
        os.unlink(log)
    run = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", *options],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not os.path.exists(log):
        empty = "No tests defined" in run.stdout or "No suitable tests" in run.stdout
        print(run.stdout)
        print(f"0 passed, {0 if empty else 1} failed, 0 skipped")
        return 0 if empty else 1
    passed = failed = skipped = 0
    with open(log, encoding="utf-8", errors="replace") as f:
        tests = [json.loads(line) for line in f]
    for t in tests:
        said = t.get("stdout", "") + t.get("stderr", "")
        tests_of = {name: what for what, name in DONE.findall(said)}
        ok = sum(w == "OK" for w in tests_of.values())
        no = sum(w == "FAILED" for w in tests_of.values())
        off = sum(w == "SKIPPED" for w in tests_of.values())
        if t["result"] in MEH:
            off = max(off, 1)
        elif t["result"] not in GOOD:
            no = max(no, 1)
            print(f"--- {t['name']}: {t['result']} after {t['duration']:.1f} s\n{said}")
        elif not tests_of:
            ok = 1
        passed, failed, skipped = passed + ok, failed + no, skipped + off
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or run.returncode not in (0, 77) else 0


def name_of_wrap(options):
    """Meson names the log after the wrapping program."""
    if "--wrap" not in options:
        return ""
    return "-" + os.path.basename(options[options.index("--wrap") + 1].split()[0])


if __name__ == "__main__":
    sys.exit(main())
