#!/usr/bin/env python3
"""fuzz.py [SECONDS [TARGET...]] - run the targets of build-fuzz, two at a time.

Each starts from fuzz/corpus/TARGET; what it finds beyond goes to build-fuzz/found/TARGET, and is
where the next run goes on.  An input that broke a target is left in build-fuzz/broken/.
The last line is "N passed, N failed".
"""
import concurrent.futures
import os
import re
import subprocess
import sys

BUILD = "build-fuzz"


def targets():
    folder = os.path.join(BUILD, "fuzz")
    return sorted(f[5:] for f in os.listdir(folder)
                  if f.startswith("fuzz_") and os.access(os.path.join(folder, f), os.X_OK)
                  and os.path.isfile(os.path.join(folder, f)))


def run(name, seconds):
    found, broken = os.path.join(BUILD, "found", name), os.path.join(BUILD, "broken", name + "-")
    kept = os.path.join("fuzz", "corpus", name)
    os.makedirs(found, exist_ok=True)
    os.makedirs(os.path.dirname(broken), exist_ok=True)
    command = [os.path.join(BUILD, "fuzz", "fuzz_" + name), f"-max_total_time={seconds}",
               "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={broken}",
               "-print_final_stats=1", found]
    if os.path.isdir(kept):
        command.append(kept)
    return name, os.path.isdir(kept), subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    names = sys.argv[2:] or targets()
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, has_corpus, r in pool.map(lambda n: run(n, seconds), names):
            runs = re.search(r"number_of_executed_units: (\d+)", r.stdout)
            if r.returncode == 0 and has_corpus:
                passed += 1
                print(f"{name:24} {runs[1] if runs else '?':>10} runs", flush=True)
            else:
                failed += 1
                print("\n".join(r.stdout.splitlines()[-80:]))
                print(f"{name:24} FAILED{'' if has_corpus else ': no fuzz/corpus/' + name}",
                      flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
