#!/usr/bin/env python3
"""run.py [--in FOLDER] [--sanitized] [NAME...] - the live tests (or those of another folder), one after
the other, one line each.

A NAME is a part of file.class.method, as the lines show it.  --sanitized leaves out what is marked
as plain_only.  A test has LIMIT seconds; one that hangs tells where, and ends the run.  The last
line is "N passed, N failed, N skipped".
"""
import faulthandler
import glob
import importlib
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 1800 if os.environ.get("STEAD_LONG") == "1" else 300


class Lines(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = self.failed = self.skips = 0

    def startTest(self, test):
        super().startTest(test)
        self.began, self.bad = time.monotonic(), None
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def tell(self, test, what, more=""):
        seconds = time.monotonic() - getattr(self, "began", time.monotonic())
        print(f"{test.id():68} {seconds:7.2f} s  {what}{more}", flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        if self.bad == "skipped":
            return
        if self.bad:
            self.failed += 1
            self.tell(test, "FAILED\n", self.bad)
        else:
            self.passed += 1
            self.tell(test, "ok")

    def addFailure(self, test, err):
        self.bad = (self.bad or "") + self._exc_info_to_string(err, test)

    def addError(self, test, err):
        text = self._exc_info_to_string(err, test)
        if isinstance(test, unittest.TestCase):
            self.bad = (self.bad or "") + text
        else:                                   # setUpClass and the like
            self.failed += 1
            self.tell(test, "FAILED\n", text)

    def addSubTest(self, test, subtest, err):
        if err:
            self.bad = (self.bad or "") + f"{subtest._subDescription()}\n" + \
                self._exc_info_to_string(err, test)

    def addSkip(self, test, reason):
        self.bad = "skipped"
        self.skips += 1
        self.tell(test, "skipped: " + reason)


def flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from flat(t)
        else:
            yield t


def marked(test):
    return getattr(test, "plain_only", False) or \
        getattr(getattr(test, test._testMethodName, None), "plain_only", False)


def main():
    words = sys.argv[1:]
    sanitized = "--sanitized" in words
    folder = HERE
    if "--in" in words:
        at = words.index("--in")
        folder = os.path.abspath(words[at + 1])
        del words[at:at + 2]
    names = [w for w in words if w != "--sanitized"]
    sys.path[:0] = [folder, HERE]
    sys.dont_write_bytecode = True
    loader, chosen = unittest.TestLoader(), unittest.TestSuite()
    for path in sorted(glob.glob(os.path.join(folder, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for test in flat(loader.loadTestsFromModule(module)):
            if sanitized and marked(test) or names and not any(n in test.id() for n in names):
                continue
            chosen.addTest(test)
    result = Lines()
    chosen.run(result)
    print(f"{result.passed} passed, {result.failed} failed, {result.skips} skipped")
    return 1 if result.failed or names and not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
