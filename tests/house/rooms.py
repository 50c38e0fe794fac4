#!/usr/bin/env python3
"""rooms.py - the house rules that a program can keep: who includes whom, sizes, forbidden calls.

    rooms.py                    check; prints every breach as file:line: what, exits 1 if there is one
    rooms.py --picture          write the picture of rooms and arrows into docs/design.md
    rooms.py --check-picture    exit 1 when that picture is out of date
"""
import os
import re
import sys

# A room includes only rooms of lower floors; rooms of one floor are strangers.
FLOORS = (
    ("base",),
    ("dns", "mail", "crypt", "talk"),
    ("directory", "proto", "zone", "resolve", "policy", "queue", "store", "net"),
    ("view", "box", "guard", "tool"),
    ("serve",),
    ("role",),
    ("main.c",),
)
FLOOR = {room: n for n, rooms in enumerate(FLOORS, 1) for room in rooms}

FILE_MAX, HEADER_MAX = 800, 150
FUNCTION_LONG, FUNCTION_MAX = 60, 100
# Headers that may be longer than HEADER_MAX, and why.
LONG_HEADERS = {
    "src/base/bytes.h": "its functions are inline: every byte from outside passes through them",
}
# A rig is the code that several tests are made of: it may be as long as a file of code should be.
RIG, RIG_MAX = re.compile(r"tests/(\w+_rig|play_\w+)\.h"), 450
# Functions that may be longer than FUNCTION_MAX: "file:name" and why.
LONG_FUNCTIONS = {
}

# Nowhere in src: no bound, no error, or somebody else's program.
FORBIDDEN = """strcpy strcat strncat sprintf vsprintf gets atoi atol atoll strtok alloca setlocale
    scanf sscanf fscanf rand srand random tmpnam mktemp system popen execl execlp execle execv
    execvp execvpe""".split()
# What only Linux has stays in these rooms and files.
LINUX_ROOMS = {"net", "store", "box", "guard", "role", "tool"}
LINUX_FILES = {"base/random", "base/clock"}
LINUX_CALLS = """openat2 landlock_create_ruleset landlock_add_rule landlock_restrict_self recvmmsg
    sendmmsg epoll_create1 epoll_ctl epoll_wait epoll_pwait memfd_create prctl syscall signalfd
    timerfd_create timerfd_settime eventfd getrandom accept4 pipe2 dup3 sendfile splice
    copy_file_range statx unshare setns pivot_root close_range name_to_handle_at""".split()
LINUX_HEADERS = re.compile(r"linux/|sys/(epoll|prctl|syscall|eventfd|signalfd|timerfd|sendfile|"
                           r"random|inotify|capability|mount)\.h")
# Conversations, parsers and images do no input or output and know no time: these calls come not in.
PURE_ROOMS = {"proto", "dns", "zone", "mail", "directory", "view"}
IMPURE_CALLS = """time clock_gettime gettimeofday getrandom getentropy socket bind connect listen
    accept send sendto sendmsg recv recvfrom recvmsg open openat fopen fread fwrite read write pread
    pwrite readv writev close poll select printf fprintf random_bytes""".split()

CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

BEGIN, END = "<!-- rooms: made by tests/house/rooms.py -->", "<!-- /rooms -->"
DESIGN = "docs/design.md"


class House:
    def __init__(self):
        self.breaches, self.warnings = [], []
        self.files = {f: open(f, encoding="utf-8").read() for f in self.listing()}
        self.arrows = {}                        # room -> the rooms that it includes
        self.headers = {}                       # header -> the headers that it includes

    @staticmethod
    def listing():
        for top in ("src", "tests", "fuzz"):
            for folder, _, names in sorted(os.walk(top)):
                for n in sorted(names):
                    if n.endswith((".c", ".h", ".py", ".sh", ".def")):
                        yield os.path.join(folder, n)

    def breach(self, path, line, what):
        self.breaches.append(f"{path}:{line}: {what}")

    def check(self):
        for path, text in self.files.items():
            self.sizes(path, text)
            if path.endswith((".c", ".h")):
                self.functions(path, text)
                self.includes(path, text)
                if path.startswith("src/"):
                    self.calls(path, text)
        self.circles()

    def sizes(self, path, text):
        n = text.count("\n")
        if n > FILE_MAX:
            self.breach(path, n, f"{n} lines; a file has at most {FILE_MAX}")
        most = RIG_MAX if RIG.fullmatch(path) else HEADER_MAX
        if path.endswith(".h") and n > most and path not in LONG_HEADERS:
            self.breach(path, n, f"{n} lines; a header has at most {most}")

    def functions(self, path, text):
        """A definition's name starts its line, its braces stand at the line's start."""
        name, at, opened = None, 0, False
        for n, line in enumerate(text.split("\n"), 1):
            m = re.match(r"([a-z_]\w*)\(", line)
            if m and not opened:
                name, at = m[1], n
            elif line == "{" and name:
                opened = True
            elif line.startswith("}"):
                if opened and n - at + 1 > FUNCTION_LONG:
                    self.long_function(path, name, at, n - at + 1)
                name, opened = None, False

    def long_function(self, path, name, at, n):
        if n > FUNCTION_MAX and f"{path}:{name}" not in LONG_FUNCTIONS:
            self.breach(path, at, f"{name}() has {n} lines; {FUNCTION_MAX} needs a reason, in "
                        f"LONG_FUNCTIONS of tests/house/rooms.py")
        else:
            self.warnings.append(f"{path}:{at}: {name}() has {n} lines; {FUNCTION_LONG} is long")

    def includes(self, path, text):
        room = room_of(path)
        code = NOISE.sub(lambda m: m[0] if m[0][0] == '"' else blank(m), text)
        for m in INCLUDE.finditer(code):
            line, target = code.count("\n", 0, m.start()) + 1, m[2]
            if target.endswith(".c"):
                self.breach(path, line, f"includes {target}: nobody includes a .c")
            if room is None:
                continue                        # tests and targets stand outside the house
            if room not in FLOOR:
                self.breach(path, line, f"the room {room} stands on no floor")
                return
            if m[1] == "<":
                self.linux_header(path, line, target)
            else:
                self.arrow(path, line, room, target)

    def arrow(self, path, line, room, target):
        other = "talk" if target == "talk_words.h" else target.split("/")[0]
        if "/" not in target and target != "talk_words.h":
            self.breach(path, line, f'"{target}": headers are named as "room/file.h"')
        elif other not in FLOOR:
            self.breach(path, line, f'"{target}": the room {other} stands on no floor')
        elif other != room and FLOOR[other] >= FLOOR[room]:
            way = "up" if FLOOR[other] > FLOOR[room] else "sideways"
            self.breach(path, line, f"includes {target}: an arrow {way}, from {room} (floor "
                        f"{FLOOR[room]}) to {other} (floor {FLOOR[other]})")
        elif other != room:
            self.arrows.setdefault(room, set()).add(other)
        if path.endswith(".h"):
            self.headers.setdefault(path[4:], []).append(target)

    def linux_header(self, path, line, target):
        if LINUX_HEADERS.match(target) and not linux_may(path):
            self.breach(path, line, f"<{target}>: what only Linux has stays in "
                        f"{' '.join(sorted(LINUX_ROOMS | LINUX_FILES))}")

    def calls(self, path, text):
        code, room = NOISE.sub(blank, text), room_of(path)
        for m in CALL.finditer(code):
            name, what = m[1], None
            if name in FORBIDDEN:
                what = "is not called in this house"
            elif name in LINUX_CALLS and not linux_may(path):
                what = "is Linux's own, and this room is not for it"
            elif name in IMPURE_CALLS and room in PURE_ROOMS and not declared(code, name):
                what = f"does not come into {room}: it is given what it needs"
            if what:
                self.breach(path, code.count("\n", 0, m.start()) + 1, f"{name}() {what}")

    def circles(self):
        """Headers of one room that include each other; between rooms the floors see to it."""
        done, path = set(), []

        def visit(h):
            if h in path:
                around = path[path.index(h):] + [h]
                self.breach("src/" + h, 1, "a circle: " + " > ".join(around))
            elif h not in done:
                path.append(h)
                for t in self.headers.get(h, ()):
                    visit(t)
                path.pop()
                done.add(h)

        for h in sorted(self.headers):
            visit(h)

    def picture(self):
        rooms = {}
        for path in self.files:
            room = room_of(path)
            if room and path.endswith((".c", ".h")):
                rooms.setdefault(room, set()).add(os.path.splitext(os.path.basename(path))[0])
        out, width = [], 96
        for n in range(len(FLOORS), 0, -1):
            here = [r for r in FLOORS[n - 1] if r in rooms]
            if not here:
                continue
            out.append(f"─── {'floor ' + str(n) if n < len(FLOORS) else 'roof'} ".ljust(width, "─"))
            for r in here:
                below = sorted(self.arrows.get(r, ()), key=lambda x: (-FLOOR[x], x))
                nouns = "" if r == "main.c" else " ".join(sorted(rooms[r]))
                out += wrapped(f"  {r:<10}", nouns, width)
                if below:
                    out += wrapped(" " * 12 + "└─▶ ", " ".join(below), width)
        out.append("─" * width)
        return "```text\n" + "\n".join(out) + "\n```"


def wrapped(head, words, width):
    """The words after the head, in lines of a width, the later ones indented as the first."""
    lines, line = [], head
    for w in words.split():
        if len(line) + len(w) > width and line.strip():
            lines.append(line.rstrip())
            line = " " * len(head)
        line += w + " "
    return lines + [line.rstrip()]


def blank(m):
    return re.sub(r"[^\n]", " ", m[0])


def declared(code, name):
    """A static function of the file may bear the name of a call."""
    return re.search(rf"^{name}\(", code, re.M)


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else None


def linux_may(path):
    stem = os.path.splitext(path[4:])[0]
    return room_of(path) in LINUX_ROOMS or stem in LINUX_FILES


def main():
    house = House()
    house.check()
    if len(sys.argv) == 1:
        for w in house.warnings:
            print("warning:", w)
        for b in house.breaches:
            print(b)
        print(f"{len(house.files)} files, {len(house.breaches)} breaches, "
              f"{len(house.warnings)} warnings")
        return 1 if house.breaches else 0
    with open(DESIGN, encoding="utf-8") as f:
        before = f.read()
    after = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END),
                   lambda m: f"{BEGIN}\n{house.picture()}\n{END}", before, flags=re.S)
    if sys.argv[1] == "--picture":
        with open(DESIGN, "w", encoding="utf-8") as f:
            f.write(after)
    elif after != before or BEGIN not in before:
        print(f"{DESIGN}: the picture is out of date; tests/house/rooms.py --picture mends it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
