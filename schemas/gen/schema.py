#!/usr/bin/env python3
"""Compile schemas/fhir/types_*.txt to a C table of fhir/model/schema.h.

    schema.py OUT.c types_r4.txt NAME

A row without indent is a type:

    KIND NAME [: BASE] [abstract] [BINDING]             complex, resource, profile
    primitive NAME : BASE JSON [WORD VALUE]… [regex …]  least, most, length; regex is the rest

An indented row is an element of the type above it, in the order of XML:

    PATH MIN..MAX TYPE[,TYPE]… [attribute] [summary] [modifier] [BINDING]

PATH is below the type, [x] marks a choice of types. TYPE may say what it points at or how it
is narrowed, Reference(Patient|Group), or be the place of another element, =Bundle.link.
BINDING is a strength, the value set and, after "within", the largest one allowed; value sets
of HL7's own are written without http://hl7.org/fhir/ValueSet/.
"""

import sys

STRENGTHS = ("example", "preferred", "extensible", "required")
FLAGS = {"attribute": 1, "summary": 2, "modifier": 4}
CHOICE = 8
KINDS = ("complex", "resource", "profile", "primitive")
UNBOUNDED = 65535
WORD = 0xFFFFFFFF


class Wrong(Exception):
    """A mistake in a row, with its place."""


class Rows:
    """The rows of a file, as types by name."""

    def __init__(self, path):
        self.path, self.version, self.types, self.current = path, None, {}, None
        with open(path, encoding="utf-8") as file:
            for self.number, line in enumerate(file, 1):
                self.row(line.rstrip("\n"))

    def wrong(self, text):
        return Wrong(f"{self.path}:{self.number}: {text}")

    def row(self, line):
        if not line or line.startswith("#"):
            return
        words = line.split()
        if words[0] == "fhir":
            self.version = words[1]
        elif line.startswith("  "):
            self.element(words)
        elif words[0] in KINDS:
            self.type(line, words)
        else:
            raise self.wrong(f"'{words[0]}' begins no row")

    def add(self, name, kind, base):
        if name in self.types:
            raise self.wrong(f"'{name}' is there twice")
        self.types[name] = {"kind": kind, "base": base, "abstract": False, "json": "string",
                            "regex": "", "binding": {}, "elements": []}
        return self.types[name]

    def type(self, line, words):
        kind, self.current, rest = words[0], words[1], words[2:]
        base = ""
        if rest and rest[0] == ":":
            base, rest = rest[1], rest[2:]
        new = self.add(self.current, kind, base)
        if rest and rest[0] == "abstract":
            new["abstract"], rest = True, rest[1:]
        if kind == "primitive":
            new["json"] = rest[0]
            new["regex"] = line.partition(" regex ")[2]
        else:
            new["binding"] = self.binding(rest)

    def binding(self, words):
        if not words:
            return {}
        if words[0] not in STRENGTHS or len(words) not in (2, 4):
            raise self.wrong(f"'{words[0]}' is no binding")
        if len(words) == 4 and words[2] != "within":
            raise self.wrong(f"'{words[2]}' instead of within")
        return {"strength": words[0], "set": words[1], "within": "".join(words[3:])}

    def element(self, words):
        path, cardinality, kinds = words[:3]
        rest = words[3:]
        flags = 0
        while rest and rest[0] in FLAGS:
            flags |= FLAGS[rest.pop(0)]
        parent, _, name = path.rpartition(".")
        owner = f"{self.current}.{parent}" if parent else self.current
        if owner not in self.types:
            above = self.types[owner.rpartition(".")[0]]["elements"][-1]
            if above["name"] != parent.rpartition(".")[2]:
                raise self.wrong(f"'{path}' doesn't stand below its parent")
            self.add(owner, "nested", above["types"])
            above["types"] = "=" + owner
        if name.endswith("[x]"):
            name, flags = name[:-3], flags | CHOICE
        least, _, most = cardinality.partition("..")
        self.types[owner]["elements"].append({
            "name": name, "flags": flags, "min": int(least),
            "max": UNBOUNDED if most == "*" else int(most),
            "types": kinds, "binding": self.binding(rest), "line": self.number})


class Table:
    """Rows as arrays of C."""

    def __init__(self, rows):
        self.rows, self.names = rows, sorted(rows.types)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.pool, self.offsets, self.size = [], {}, 0
        self.elements, self.choices, self.targets = [], [], []
        self.choice_places, self.target_places = {}, {}
        self.text("")
        self.firsts = self.number_elements()
        self.slots, self.tables = [], {}
        for name in self.names:
            self.index_members(name)
        self.types = [self.type(name) for name in self.names]

    def text(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.pool.append(text)
            self.size += len(text.encode("utf-8")) + 1
        return self.offsets[text]

    def number(self, name, line):
        if name not in self.index:
            raise Wrong(f"{self.rows.path}:{line}: unknown type '{name}'")
        return self.index[name]

    def inherited(self, name):
        base = self.rows.types[name]["base"]
        return self.inherited(base) + len(self.rows.types[base]["elements"]) if base else 0

    def type(self, name):
        row = self.rows.types[name]
        first = len(self.elements)
        for element in row["elements"]:
            self.elements.append(self.element(element))
        base = self.number(row["base"], 0) + 1 if row["base"] else 0
        slots, bits = self.tables[name]
        binding = row["binding"]
        return (f"{{ {self.text(name)}, {self.text(row['regex'])}, "
                f"{self.text(binding.get('set', ''))}, {slots}, {base}, {first}, "
                f"{len(row['elements'])}, {self.inherited(name)}, {len(name)}, "
                f"SCHEMA_{row['kind'].upper()}, SCHEMA_{row['json'].upper()}, "
                f"{self.strength(binding)}, {bits}, {str(row['abstract']).lower()} }}, "
                f"/* {name} */")

    @staticmethod
    def strength(binding):
        return f"SCHEMA_{binding.get('strength', 'unbound').upper()}"

    def element(self, element):
        binding = element["binding"]
        first, count = self.choice_run(element["types"].split(","), element["line"])
        return (f"{{ {self.text(element['name'])}, {self.text(binding.get('set', ''))}, "
                f"{self.text(binding.get('within', ''))}, {first}, {element['max']}, "
                f"{element['min']}, {len(element['name'])}, {count}, {element['flags']}, "
                f"{self.strength(binding)} }},")

    def choice_run(self, kinds, line):
        """Place and length of a list of types; equal lists are kept once."""
        key = tuple(kinds)
        if key not in self.choice_places:
            self.choice_places[key] = len(self.choices)
            self.choices += [self.choice(kind, line) for kind in kinds]
        return self.choice_places[key], len(kinds)

    def choice(self, kind, line):
        name, _, inner = kind.rstrip(")").partition("(")
        targets = inner.split("|") if inner else []
        if name.startswith("="):
            name = name[1:]
        key = tuple(targets)
        if key not in self.target_places:
            self.target_places[key] = len(self.targets)
            self.targets += [self.number(target, line) for target in targets]
        return f"{{ {self.number(name, line)}, {self.target_places[key]}, {len(targets)} }},"

    def number_elements(self):
        """The number of each type's first own element."""
        firsts, n = {}, 0
        for name in self.names:
            firsts[name] = n
            n += len(self.rows.types[name]["elements"])
        return firsts

    def members(self, name):
        """Names that members of a type may have, with element, its type and rank; own ones first."""
        while name:
            inherited = self.inherited(name)
            for i, row in enumerate(self.rows.types[name]["elements"]):
                for kind in row["types"].split(","):
                    found = kind.partition("(")[0].removeprefix("=")
                    suffix = found[0].upper() + found[1:] if row["flags"] & CHOICE else ""
                    yield (row["name"] + suffix, self.firsts[name] + i, self.index[found],
                           inherited + i)
                    if not suffix:
                        break
            name = self.rows.types[name]["base"]

    def index_members(self, name):
        """The hash table of a type for schema_field(): slot_of() there must do the same."""
        members = {}
        for member in self.members(name):
            members.setdefault(member[0], member)
        bits = (2 * len(members)).bit_length()
        slots = [None] * (1 << bits)
        for text, *member in members.values():
            key = text.encode("ascii")
            key = key[0] | key[len(key) // 2] << 8 | key[-1] << 16 | (len(key) & 255) << 24
            at = (key * 0x9E3779B1 & WORD) >> (32 - bits)
            while slots[at]:
                at = (at + 1) % len(slots)
            slots[at] = self.text(text), *member, len(text)
        self.tables[name] = len(self.slots), bits
        self.slots += [f"{{ {', '.join(map(str, s or [0] * 5))} }}," for s in slots]

    def write(self, file, name):
        def array(kind, title, items):
            file.write(f"static const {kind} {title}[] = {{\n    ")
            file.write("\n    ".join(items) + "\n};\n\n")

        file.write(f"/* Generated from {name} by schemas/gen/schema.py. */\n"
                   '#include "fhir/model/schema.h"\n\n'
                   "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n")
        texts = "\n".join(f"    {quote(text)}" for text in self.pool)
        file.write(f"static const char pool[] =\n{texts};\n\n")
        array("struct schema_type", "types", self.types)
        array("struct schema_element", "elements", self.elements)
        array("struct schema_choice", "choices", self.choices)
        array("uint16_t", "targets", [f"{target}," for target in self.targets])
        array("struct schema_slot", "slots", self.slots)
        file.write(f"const struct schema {name} = {{\n    \"{self.rows.version}\", pool, types, "
                   f"elements, choices, targets, slots, {len(self.types)},\n}};\n")


def quote(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'"{escaped}\\0"'


def main():
    out, path, name = sys.argv[1:]
    try:
        table = Table(Rows(path))
    except Wrong as wrong:
        sys.exit(str(wrong))
    with open(out, "w", encoding="ascii") as file:
        table.write(file, name)


if __name__ == "__main__":
    main()
