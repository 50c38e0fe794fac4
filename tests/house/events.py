#!/usr/bin/env python3
"""events.py - every event that the program logs stands in the manual, as base/log.h promises."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHOSEN = re.compile(r'"([a-z_]+\.[a-z_]+)"')  # log_event(LEVEL, ok ? "auth.accepted" : ...)


def events():
    for path in sorted((ROOT / "src").rglob("*.c")):
        for call in re.finditer(r"log_event(?:_in)?\((.*?)\);", path.read_text(), re.S):
            head = call.group(1).split("kv_", 1)[0]
            for name in CHOSEN.findall(head):
                yield name, path.relative_to(ROOT)


def main():
    manual = (ROOT / "docs/man/stead.8").read_text()
    missing = sorted({(n, str(p)) for n, p in events() if not re.search(rf"\b{re.escape(n)}\b", manual)})
    for name, path in missing:
        print(f"{path}: {name} is not in docs/man/stead.8, LOG")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
