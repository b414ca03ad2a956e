#!/usr/bin/env python3
"""Compile the rows of schemas/v2 to C: v2_dictionary.py OUT.c ROWS...

ROWS: segments.txt, types.txt, structures.txt and tables.csv. What is the same in several
versions is written once: entries of fields, whole segments, whole structures, texts.
"""

import csv
import re
import sys

VERSIONS = ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1"]
USES = "ORCW"
REPEATS_MAX = 255
GROUP = 0x8000  # node ids from here on are groups
CHOICE = 0xFFFF
REQUIRED, MANY = 0x8000, 0x4000  # in a node's span
SPAN = 0x3FFF
DEPTH, CHILDREN = 12, 64  # of groups; fhir/v2/group.h relies on them

ITEM = re.compile(r"(\d+) (.+?) \| (.+)$")
ENTRY = re.compile(r"(\S+) ([A-Z0-9_]+) ([ORCW])(\*|\d+)?(?: (\d+))?(?: #(\d+))?$")
TOKEN = re.compile(r"[A-Z][A-Z0-9_]*|[\[\]{}()<>|]")


class Wrong(Exception):
    pass


class Pool:
    """Texts, each once, by their offset."""

    def __init__(self):
        self.at, self.texts, self.size = {}, [], 0

    def put(self, text):
        if text not in self.at:
            self.at[text] = self.size
            self.texts.append(text)
            self.size += len(text) + 1
        return self.at[text]


class Definitions:
    """segments.txt or types.txt: owners with their items by version."""

    def __init__(self, path, pool, shared):
        self.owners, self.pool, self.shared = [], pool, shared
        for number, line in enumerate(open(path, encoding="ascii"), 1):
            try:
                self.line(line.rstrip("\n"))
            except Wrong as wrong:
                sys.exit(f"{path}:{number}: {wrong}")
        self.owners.sort(key=lambda owner: owner["name"])

    def line(self, line):
        item = ITEM.match(line)
        if not item:
            name, _, text = line.partition(" ")
            if not re.fullmatch("[A-Z][A-Z0-9_]*", name) or not text or len(name) > 23:
                raise Wrong("not a name with a text")
            self.owners.append({"name": name, "text": text, "items": [], "names": []})
            return
        owner = self.owners[-1]
        if int(item[1]) != len(owner["items"]) + 1:
            raise Wrong("numbers go up by one")
        owner["names"].append(item[2])
        owner["items"].append(self.versions(item[3]))

    @staticmethod
    def versions(text):
        """What the item is in each version, None where it isn't."""
        out, known = [None] * len(VERSIONS), -1
        for part in text.split(" | "):
            entry = ENTRY.match(part)
            version = part.split(" ")[0]
            if version not in VERSIONS or not (entry or part == f"{version} -"):
                raise Wrong(f"'{part}' is no entry")
            at = VERSIONS.index(version)
            if at <= known:
                raise Wrong("versions go up")
            known = at
            value = entry.groups()[1:] if entry else None
            out[at:] = [value] * (len(VERSIONS) - at)
        return out

    def type_names(self):
        return {entry[0] for owner in self.owners for item in owner["items"]
                for entry in item if entry}

    def rows(self, types):
        out = []
        for owner in self.owners:
            defs = []
            for v in range(len(VERSIONS)):
                items = [item[v] for item in owner["items"]]
                while items and items[-1] is None:
                    items.pop()
                if None in items:
                    raise Wrong(f"{owner['name']} has a gap in {VERSIONS[v]}")
                defs.append(self.shared.definition([self.item(i, types) for i in items]))
            first = self.shared.names(owner["names"])
            out.append(f"    {{ \"{owner['name']}\", {self.pool.put(owner['text'])}, {first}, "
                       f"{{ {', '.join(map(str, defs))} }} }},")
        return out

    @staticmethod
    def item(entry, types):
        kind, use, repeat, length, table = entry
        repeat = {"*": 0, None: 1}.get(repeat) if repeat in ("*", None) else int(repeat)
        if repeat > REPEATS_MAX:
            raise Wrong(f"more than {REPEATS_MAX} repetitions")
        return (int(length or 0), int(table or 0) | USES.index(use) << 14, types[kind], repeat)


class Shared:
    """Items and definitions that several versions have in common."""

    def __init__(self, pool):
        self.pool = pool
        self.items, self.refs, self.defs, self.item_names = {}, [], {(): 0}, []
        self.def_rows = [(0, 0)]

    def definition(self, items):
        key = tuple(self.items.setdefault(item, len(self.items)) for item in items)
        if key not in self.defs:
            self.defs[key] = len(self.def_rows)
            self.def_rows.append((len(self.refs), len(key)))
            self.refs += key
        return self.defs[key]

    def names(self, names):
        first = len(self.item_names)
        self.item_names += [self.pool.put(name) for name in names]
        return first


class Structures:
    """structures.txt: names with versions, then the structure."""

    def __init__(self, path, segments, pool):
        self.segments = {owner["name"]: i for i, owner in enumerate(segments)}
        self.pool, self.nodes, self.known, self.groups = pool, [], {}, {}
        self.names, self.depth = {}, 0
        heads, body, at = "", "", 1
        lines = list(enumerate(open(path, encoding="ascii"), 1)) + [(0, "end\n")]
        for number, line in lines:
            if line.startswith("    "):
                body += " " + line.strip()
                continue
            if body:
                try:
                    self.structure(heads, body)
                except Wrong as wrong:
                    sys.exit(f"{path}:{at}: {wrong}")
                heads, body = "", ""
            at = number if not heads else at
            heads += " " + line.strip()

    def structure(self, heads, body):
        tokens = TOKEN.findall(body)
        if "".join(tokens) != body.replace(" ", ""):
            raise Wrong("neither names nor brackets")
        if body not in self.known:
            self.known[body] = len(self.nodes)
            self.nodes.append([GROUP + self.group(""), 0])
            end = self.sequence(tokens, 0, None)
            if end != len(tokens):
                raise Wrong("a bracket too much")
            self.close(self.known[body])
        for head in heads.split(", "):
            name, *versions = head.split()
            row = self.names.setdefault(name, [0] * len(VERSIONS))
            for run in versions:
                first, _, last = run.partition("-")
                for v in range(VERSIONS.index(first), VERSIONS.index(last or first) + 1):
                    row[v] = self.known[body] + 1

    def group(self, name):
        return self.groups.setdefault(name, len(self.groups))

    def close(self, at):
        span = len(self.nodes) - at - 1
        if span > SPAN:
            raise Wrong("too long")
        self.nodes[at][1] |= span

    def sequence(self, tokens, at, end):
        children = 0
        self.depth += 1
        while at < len(tokens) and tokens[at] != end:
            if tokens[at] in "])}>":
                raise Wrong("a bracket too much")
            at = self.one(tokens, at, REQUIRED)
            children += 1
        if children > CHILDREN or self.depth > DEPTH:
            raise Wrong(f"more than {CHILDREN} in a group, or {DEPTH} groups in one another")
        self.depth -= 1
        return at

    def one(self, tokens, at, flags):
        token = tokens[at]
        if token in "[{":
            close = {"[": "]", "{": "}"}[token]
            flags = flags & ~REQUIRED if token == "[" else flags | MANY
            at = self.one(tokens, at + 1, flags)
            if tokens[at] != close:
                raise Wrong(f"{close} expected")
            return at + 1
        if token == "<":
            return self.choice(tokens, at, flags)
        here = len(self.nodes)
        if tokens[at + 1 : at + 2] == ["("]:
            self.nodes.append([GROUP + self.group(token), flags])
            at = self.sequence(tokens, at + 2, ")")
            self.close(here)
            return at + 1
        if token not in self.segments:
            raise Wrong(f"unknown segment {token}")
        self.nodes.append([self.segments[token], flags])
        return at + 1

    def choice(self, tokens, at, flags):
        here = len(self.nodes)
        self.nodes.append([CHOICE, flags])
        while tokens[at] != ">":
            self.one(tokens, at + 1, REQUIRED)
            at += 2
        self.close(here)
        return at + 1


def table_rows(path, pool):
    tables, codes, found = [], [], {}
    for row in csv.DictReader(open(path, encoding="ascii")):
        number = int(row["table"])
        if not row["code"]:
            found[number] = {"name": row["name"], "codes": {}}
        elif row["code"] in found[number]["codes"]:
            sys.exit(f"{path}: table {number} has {row['code']} twice")
        else:
            found[number]["codes"][row["code"]] = row["name"]
    for number in sorted(found):
        one = found[number]
        tables.append(f"    {{ {number}, {len(codes)}, {len(one['codes'])}, "
                      f"{pool.put(one['name'])} }},")
        codes += [f"    {{ {pool.put(code)}, {pool.put(one['codes'][code])} }},"
                  for code in sorted(one["codes"])]
    return tables, codes


def array(kind, name, rows):
    return f"const {kind} {name}[] = {{\n" + "\n".join(rows) + "\n};\n" \
           f"const size_t {name}_n = sizeof({name}) / sizeof({name}[0]);\n"


def numbers(values):
    out = []
    for i in range(0, len(values), 16):
        out.append("    " + ", ".join(map(str, values[i:i + 16])) + ",")
    return out


def literal(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'    "{text}\\0"'


def write(out, segments, types, structures, tables):
    pool = segments.pool
    shared = segments.shared
    names = sorted(segments.type_names() | types.type_names())
    index = {name: i for i, name in enumerate(names)}
    if len(index) > 256:
        sys.exit("more datatypes than a byte counts")
    parts = [
        array("struct v2_owner_row", "v2_segment_rows", segments.rows(index)),
        array("struct v2_owner_row", "v2_type_rows", types.rows(index)),
        array("uint32_t", "v2_type_names", numbers([pool.put(name) for name in names])),
        array("struct v2_item_row", "v2_item_rows",
              [f"    {{ {', '.join(map(str, item))} }}," for item in shared.items]),
        array("uint16_t", "v2_item_refs", numbers(shared.refs)),
        array("uint32_t", "v2_item_names", numbers(shared.item_names)),
        array("struct v2_definition_row", "v2_definition_rows",
              [f"    {{ {first}, {n} }}," for first, n in shared.def_rows]),
        array("struct v2_node", "v2_nodes", [f"    {{ {i}, {span} }},"
                                             for i, span in structures.nodes]),
        array("uint32_t", "v2_group_names", numbers([pool.put(g) for g in structures.groups])),
        array("struct v2_structure_row", "v2_structure_rows",
              [f"    {{ \"{name}\", {{ {', '.join(map(str, row))} }} }},"
               for name, row in sorted(structures.names.items())]),
        array("struct v2_table_row", "v2_table_rows", tables[0]),
        array("struct v2_code_row", "v2_code_rows", tables[1]),
    ]
    with open(out, "w", encoding="ascii") as f:
        f.write("/* Generated by schemas/gen/v2_dictionary.py from schemas/v2. */\n"
                "#include \"fhir/v2/dictionary_rows.h\"\n\n"
                "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n")
        f.write("\n".join(parts))
        f.write("\nconst char v2_texts[] =\n" + "\n".join(map(literal, pool.texts)) + ";\n")


def main():
    out, segment_file, type_file, structure_file, table_file = sys.argv[1:6]
    pool = Pool()
    shared = Shared(pool)
    try:
        segments = Definitions(segment_file, pool, shared)
        types = Definitions(type_file, pool, shared)
        structures = Structures(structure_file, segments.owners, pool)
        write(out, segments, types, structures, table_rows(table_file, pool))
    except Wrong as wrong:
        sys.exit(f"schemas/v2: {wrong}")


if __name__ == "__main__":
    main()
