#!/usr/bin/env python3
"""What generate.py says about a talk.def that is wrong: always with file and line."""

import os
import subprocess
import sys
import tempfile

GENERATE = sys.argv[1]
TOP = "version 1\nroles master log dns tool\n"
CASES = [
    ("a number twice", "word a 1 master>* any say\nword b 1 master>* any say\n", 4),
    ("a name twice", "word a 1 master>* any say\nword a 2 master>* any say\n", 4),
    ("an unknown role", "word a 1 master>smtp any say\n", 3),
    ("an unknown phase", "word a 1 master>* later say\n", 3),
    ("an unknown type", "word a 1 master>* any say\n\tx u24\n", 4),
    ("a field twice", "word a 1 master>* any say\n\tx u8\n\tx u16\n", 5),
    ("two descriptors", "word a 1 master>* any say\n\tx fd\n\ty fd?\n", 5),
    ("bytes without a limit", "word a 1 master>* any say\n\tx bytes\n", 4),
    ("a field of C's own name", "word a 1 master>* any say\n\tint u8\n", 4),
    ("a field outside", "\tx u8\n", 3),
    ("an answer to a say", "word a 1 master>* any say\nanswer\n", 4),
    ("an ask without an answer", "word a 1 master>* any ask\n", 3),
    ("number 0", "word a 0 master>* any say\n", 3),
    ("beyond 64 KiB", "word a 1 master>* any say\n\tx bytes 40000\n\ty bytes 40000\n", 5),
    ("no arrow", "word a 1 master any say\n", 3),
    ("something else", "wort a 1 master>* any say\n", 3),
]

with tempfile.TemporaryDirectory() as folder:
    table = os.path.join(folder, "talk.def")
    made = [os.path.join(folder, n) for n in ("words.h", "words.c")]

    def run(text):
        with open(table, "w", encoding="utf-8") as f:
            f.write(TOP + text)
        return subprocess.run([sys.executable, GENERATE, table, *made], capture_output=True,
                              text=True, check=False)

    failed = 0
    for name, text, line in CASES:
        done = run(text)
        if done.returncode == 0 or not done.stderr.startswith(f"{table}:{line}: "):
            print(f"{name}: expected a complaint about line {line}, got: {done.stderr!r}")
            failed += 1
    good = run("word a 1 master>* any say\n\tx bytes 40000\n\ty bytes 40000\n\tz fd?\n")
    if good.returncode != 0:
        print("a good table is refused:", good.stderr)
        failed += 1
sys.exit(failed != 0)
