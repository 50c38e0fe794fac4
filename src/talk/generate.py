#!/usr/bin/env python3
"""generate.py - makes the codec of the words between roles, and their manual, from talk.def.

  generate.py talk.def talk_words.h talk_words.c     the codec
  generate.py --doc talk.def docs/talk.md            a table for people
  generate.py --check-doc talk.def docs/talk.md      fails when that table is out of date

The form of talk.def is told at its top.  Every complaint has its file and line.
"""

import os
import re
import sys

TALK_MAX = 64 * 1024  # a whole message on a channel
TALK_HEAD = 12        # of which its head takes this
FIELDS_MAX = TALK_MAX - TALK_HEAD
WIDTH = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "id": 16}
C_TYPE = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
          "id": "struct talk_id", "bytes": "struct bytes"}
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
# talk_NAME is a struct's tag, so a word cannot be called as one of talk.h's own.
TAKEN = {"id", "row", "head", "arrow", "phase", "out"}
KEYWORDS = {"auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
            "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
            "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch",
            "typedef", "union", "unsigned", "void", "volatile", "while"}


class Wrong(Exception):
    """A complaint about one line of talk.def."""

    def __init__(self, number, text):
        super().__init__(text)
        self.number = number


class Field:
    def __init__(self, name, kind, limit, note):
        self.name, self.kind, self.limit, self.note = name, kind, limit, note

    @property
    def is_fd(self):
        return self.kind in ("fd", "fd?")

    @property
    def size(self):
        if self.is_fd:
            return 0
        return 2 + self.limit if self.kind == "bytes" else WIDTH[self.kind]


class Part:
    """The fields of a word, or of its answer."""

    def __init__(self, name):
        self.name, self.fields = name, []

    @property
    def packed(self):
        return [f for f in self.fields if not f.is_fd]

    @property
    def fd(self):
        return next((f for f in self.fields if f.is_fd), None)

    @property
    def max(self):
        return min(sum(f.size for f in self.fields), FIELDS_MAX)


class Word:
    def __init__(self, name, number, arrows, phase, ask, note):
        self.name, self.number, self.arrows = name, number, arrows
        self.phase, self.ask, self.note = phase, ask, note
        self.said, self.answer = Part(name), None


class Table:
    def __init__(self):
        self.version, self.roles, self.words, self.sections = None, [], [], []


def role_set(text, table, number):
    if text == "*":
        return [r for r in table.roles if r != "tool"]
    found = text.split("|")
    for r in found:
        if r not in table.roles:
            raise Wrong(number, f"no role is called '{r}'")
    return found


def parse_word(parts, note, table, number):
    if len(parts) != 6:
        raise Wrong(number, "expected: word NAME NUMBER FROM>TO[,FROM>TO...] PHASE say|ask")
    _, name, digits, arrows, phase, how = parts
    if not NAME.match(name) or name in TAKEN or name.endswith("_answer"):
        raise Wrong(number, f"'{name}' cannot be a word's name")
    if not digits.isdecimal() or not 1 <= int(digits) <= 0xffff:
        raise Wrong(number, f"'{digits}' is not a number from 1 to 65535")
    for other in table.words:
        if other.name == name:
            raise Wrong(number, f"there is a word '{name}' already")
        if other.number == int(digits):
            raise Wrong(number, f"the number {digits} is {other.name}'s already")
    if phase not in ("start", "run", "any"):
        raise Wrong(number, f"'{phase}' is not a phase: start, run or any")
    if how not in ("say", "ask"):
        raise Wrong(number, f"'{how}' is neither say nor ask")
    pairs = []
    for arrow in arrows.split(","):
        ends = arrow.split(">")
        if len(ends) != 2:
            raise Wrong(number, f"'{arrow}' is not FROM>TO")
        pairs.append((arrow, role_set(ends[0], table, number), role_set(ends[1], table, number)))
    return Word(name, int(digits), pairs, phase, how == "ask", note)


def parse_field(parts, note, part, number):
    name, kind = parts[0], parts[1] if len(parts) > 1 else ""
    limit = 0
    if not NAME.match(name) or name in KEYWORDS:
        raise Wrong(number, f"'{name}' cannot be a field's name")
    if any(f.name == name for f in part.fields):
        raise Wrong(number, f"there is a field '{name}' already")
    if kind == "bytes":
        if len(parts) != 3 or not parts[2].isdecimal() or not 1 <= int(parts[2]) <= FIELDS_MAX:
            raise Wrong(number, f"expected: {name} bytes N, N from 1 to {FIELDS_MAX}")
        limit = int(parts[2])
    elif kind in ("fd", "fd?"):
        if part.fd:
            raise Wrong(number, "a word carries one descriptor at most")
    elif kind not in WIDTH:
        raise Wrong(number, f"'{kind}' is no type: u8 u16 u32 u64 id bytes fd fd?")
    if kind != "bytes" and len(parts) != 2:
        raise Wrong(number, f"nothing goes behind the type {kind}")
    part.fields.append(Field(name, kind, limit, note))


def check_whole(word, number):
    """What is known only when all of a word was read; number is of the line behind it."""
    if word and word.ask and word.answer is None:
        raise Wrong(number, f"'{word.name}' is an ask: it needs an answer before here")
    for part in [word.said, word.answer] if word else []:
        # Fields of fixed size must always fit; bytes share what is left, and what does not fit
        # goes by descriptor: then there must be one.
        if part and sum(f.size for f in part.fields) > FIELDS_MAX and not part.fd:
            raise Wrong(number, f"'{part.name}' can pass {FIELDS_MAX} bytes and has no descriptor")


def parse(lines):
    table, word, part, number = Table(), None, None, 0
    for number, line in enumerate(lines, 1):
        code, _, note = line.partition("#")
        parts, note = code.split(), note.strip()
        if line.startswith("# ---- "):
            table.sections.append((len(table.words), line.strip("#- \n")))
        if not parts:
            continue
        indented = line[0] in " \t"
        if indented:
            if part is None:
                raise Wrong(number, "a field outside of a word")
            parse_field(parts, note, part, number)
        elif parts[0] == "version" and len(parts) == 2 and parts[1].isdecimal():
            if table.version is not None or not 1 <= int(parts[1]) <= 0xffff:
                raise Wrong(number, "one version, from 1 to 65535")
            table.version = int(parts[1])
        elif parts[0] == "roles" and len(parts) > 1:
            if table.roles or len(set(parts)) != len(parts) or len(parts) > 33:
                raise Wrong(number, "one list of roles, each once, at most 32")
            if any(not NAME.match(r) for r in parts):
                raise Wrong(number, "a role's name has only letters, digits and _")
            table.roles = parts[1:]
        elif parts[0] == "word":
            check_whole(word, number)
            word = parse_word(parts, note, table, number)
            part = word.said
            table.words.append(word)
        elif parts == ["answer"]:
            if word is None or not word.ask or word.answer is not None:
                raise Wrong(number, "an answer where no ask waits for one")
            word.answer = part = Part(word.name + "_answer")
        else:
            raise Wrong(number, f"'{parts[0]}' is not version, roles, word or answer")
    check_whole(word, number)
    if table.version is None or not table.roles or not table.words:
        raise Wrong(number, "a version, the roles and a word are needed")
    return table


# ---- the codec ----

MADE = "/* Made from talk.def by generate.py: changes belong there. */\n"


def all_parts(table):
    for word in table.words:
        yield word, word.said
        if word.answer:
            yield word, word.answer


def header(table):
    out = [MADE, "#ifndef TALK_TALK_WORDS_H\n#define TALK_TALK_WORDS_H\n\n",
           '#include "base/bytes.h"\n#include "base/err.h"\n\n',
           f"enum {{ TALK_VERSION = {table.version} }};\n\n",
           "enum role {\n", *(f"\tROLE_{r.upper()},\n" for r in table.roles),
           "\tROLE_COUNT\n};\n\n",
           "enum word {\n", *(f"\tWORD_{w.name.upper()} = {w.number},\n" for w in table.words),
           "};\n\n",
           "struct talk_id {\n\tuint8_t b[16];\n};\n\n",
           "/*\n * A word or an answer on its way out.  Only the talk_NAME_out() functions make one, so"
           " that the\n * number and the fields always belong together; the fields are borrowed.\n"
           " */\n",
           "struct talk_out {\n\tenum word word;\n\tbool answer;\n\tconst void *fields;\n};\n"]
    for word, part in all_parts(table):
        out.append(f"\nstruct talk_{part.name} {{\n")
        for f in part.packed:
            limit = f" /* at most {f.limit} */" if f.kind == "bytes" else ""
            out.append(f"\t{C_TYPE[f.kind]} {f.name};{limit}\n")
        if not part.packed:
            out.append("\tuint8_t nothing; /* is not sent */\n")
        out.append("};\n")
        if part.max:
            out.append(f"enum {{ TALK_{part.name.upper()}_MAX = {part.max} }};\n")
        out.append(f"void talk_{part.name}_put(struct wr *, const struct talk_{part.name} *);\n")
        out.append(f"MUST_CHECK bool talk_{part.name}_get(struct rd *, struct talk_{part.name} *);\n")
        out.append(f"static inline struct talk_out\ntalk_{part.name}_out"
                   f"(const struct talk_{part.name} *f)\n{{\n\treturn (struct talk_out)"
                   f"{{WORD_{word.name.upper()}, {'true' if part is word.answer else 'false'}, f}};\n}}\n")
    out.append("\n/* Room for any word's fields. */\nunion talk_any {\n")
    out.extend(f"\tstruct talk_{part.name} {part.name};\n" for _, part in all_parts(table))
    out.append("};\n\n#endif\n")
    return "".join(out)


def put_line(f):
    if f.kind == "id":
        return f"\twr_bytes(w, (struct bytes){{f->{f.name}.b, sizeof(f->{f.name}.b)}});\n"
    if f.kind == "bytes":
        return (f"\tput_bytes(w, f->{f.name}, {f.limit});\n")
    return f"\twr_{f.kind}(w, f->{f.name});\n"


def get_line(f):
    if f.kind == "id":
        return f"\tget_id(r, &f->{f.name});\n"
    if f.kind == "bytes":
        return f"\tf->{f.name} = get_bytes(r, {f.limit});\n"
    return f"\tf->{f.name} = rd_{f.kind}(r);\n"


def fields_table(part):
    if not part.packed:
        return ""
    rows = "".join(f'    {{"{f.name}", TALK_{f.kind.upper()}, {f.limit}, '
                   f"offsetof(struct talk_{part.name}, {f.name})}},\n" for f in part.packed)
    return f"\nstatic const struct talk_field fields_{part.name}[] = {{\n{rows}}};\n"


def functions(part):
    n = part.name
    puts = "".join(put_line(f) for f in part.packed) or "\t(void)w;\n\t(void)f;\n"
    gets = "".join(get_line(f) for f in part.packed) or "\tf->nothing = 0;\n"
    return (f"\nvoid\ntalk_{n}_put(struct wr *w, const struct talk_{n} *f)\n{{\n{puts}}}\n"
            f"\nbool\ntalk_{n}_get(struct rd *r, struct talk_{n} *f)\n{{\n{gets}"
            f"\treturn whole(r);\n}}\n"
            f"\nstatic void\nput_{n}(struct wr *w, const void *f)\n{{\n\ttalk_{n}_put(w, f);\n}}\n"
            f"\nstatic bool\nget_{n}(struct rd *r, void *f)\n{{\n\treturn talk_{n}_get(r, f);\n}}\n"
            + fields_table(part))


HELPERS = r"""
/* Bytes beyond their limit are not written: the word is then full, as if it had not fitted. */
static void
put_bytes(struct wr *w, struct bytes b, size_t max)
{
	if (b.n > max)
		w->full = true;
	else
		wr_bytes16(w, b);
}

static struct bytes
get_bytes(struct rd *r, size_t max)
{
	struct bytes b = rd_bytes16(r);

	if (b.n > max)
		r->bad = true;
	return b;
}

static void
get_id(struct rd *r, struct talk_id *id)
{
	struct bytes b = rd_take(r, sizeof(id->b));

	*id = (struct talk_id){{0}};
	if (b.n)
		memcpy(id->b, b.p, b.n);
}

/* All was read, and nothing is left over. */
static bool
whole(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}
"""


def side(part):
    """A struct talk_part's initialiser."""
    if part is None:
        return "{NULL, NULL, 0, false, false, NULL, 0}"
    fd, n = part.fd, part.name
    fields = f"fields_{n}, COUNT(fields_{n})" if part.packed else "NULL, 0"
    return (f"{{put_{n}, get_{n}, {part.max}, {'true' if fd else 'false'}, "
            f"{'true' if fd and fd.kind == 'fd?' else 'false'},\n     {fields}}}")


def source(table):
    used = "".join(functions(part) for _, part in all_parts(table))
    out = [MADE, '#include "talk/talk.h"\n', HELPERS, used]
    phase = {"start": "PHASE_START", "run": "PHASE_RUN", "any": "PHASE_ANY"}
    for w in table.words:
        out.append(f"\nstatic const struct talk_arrow arrows_{w.name}[] = {{\n")
        for _, sources, targets in w.arrows:
            bits = [sum(1 << table.roles.index(r) for r in ends) for ends in (sources, targets)]
            out.append(f"    {{0x{bits[0]:x}, 0x{bits[1]:x}}},\n")
        out.append("};\n")
    out.append("\nconst struct talk_row talk_rows[] = {\n")
    for w in table.words:
        out.append(f'    {{"{w.name}", {w.number}, {phase[w.phase]}, {"true" if w.ask else "false"},\n'
                   f"     {side(w.said)},\n     {side(w.answer)},\n"
                   f"     arrows_{w.name}, COUNT(arrows_{w.name})}},\n")
    out.append("};\nconst size_t talk_row_count = COUNT(talk_rows);\n")
    out.append("\nconst char *const talk_role_names[ROLE_COUNT] = {\n    ")
    out.append(", ".join(f'"{r}"' for r in table.roles) + "};\n")
    return "".join(out)


# ---- the manual ----


def field_text(part):
    rows = []
    for f in part.fields:
        kind = f"bytes ≤ {f.limit}" if f.kind == "bytes" else f.kind
        rows.append(f"`{f.name}` {kind}" + (f" ({f.note})" if f.note else ""))
    return "<br>".join(rows).replace("|", "\\|") or "–"


def doc(table):
    out = ["# The words between roles\n\n",
           "Made from `src/talk/talk.def` by `src/talk/generate.py`: changes belong there.\n\n",
           f"Version {table.version}. A message on a channel is a head of {TALK_HEAD} octets "
           "(version u16, word u16, flags u16 of which bit 0 marks an answer, a zero u16, sequence "
           f"number u32) and the fields in the order given, {TALK_MAX} octets in all at most. "
           "Numbers are in network byte order; an id is 16 octets; bytes stand behind a length of "
           "16 bits (32 where more than 65535 are allowed). A descriptor (fd) travels beside the "
           "message, one at most; `fd?` may be left out.\n\n",
           "A say has sequence number 0. An ask has one that its answer repeats. "
           "`*` is every role but `tool`. A word in another phase, between other roles, of another "
           "form, or with or without a descriptor against this table closes the channel.\n\n",
           "Roles: " + ", ".join(table.roles) + ".\n"]
    sections = dict(table.sections)
    for i, w in enumerate(table.words):
        if i in sections or i == 0:
            title = sections.get(i, "Words")
            out.append(f"\n## {title[0].upper()}{title[1:]}\n\n"
                       "| # | word | from > to | phase | fields | answer |\n"
                       "|---|---|---|---|---|---|\n")
        arrows = ", ".join(text for text, _, _ in w.arrows).replace("|", "\\|")
        name = f"`{w.name}`" + (f"<br>{w.note}" if w.note else "")
        answer = field_text(w.answer) if w.answer else ""
        out.append(f"| {w.number} | {name} | {arrows} | {w.phase} | {field_text(w.said)} "
                   f"| {answer} |\n")
    return "".join(out)


def main(args):
    mode = args.pop(0) if args and args[0] in ("--doc", "--check-doc") else None
    if len(args) != (2 if mode else 3):
        sys.exit(__doc__)
    try:
        with open(args[0], encoding="utf-8") as f:
            table = parse(f.readlines())
    except Wrong as e:
        sys.exit(f"{args[0]}:{e.number}: {e}")
    if mode == "--check-doc":
        made = doc(table)
        if not os.path.exists(args[1]) or open(args[1], encoding="utf-8").read() != made:
            sys.exit(f"{args[1]} is out of date: generate.py --doc {args[0]} {args[1]}")
        return
    texts = [doc(table)] if mode else [header(table), source(table)]
    for path, text in zip(args[1:], texts):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
