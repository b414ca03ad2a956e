"""Our rows, as print_rows tells them of the compiled maps."""

import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass

# What a row of these types puts below its path, and which part of the table's code it is.
CODED = {"concept": {"coding.code": "code", "coding.system": "system",
                     "coding.display": "display", "coding": "code"},
         "coding": {"code": "code", "system": "system", "display": "display"}}


@dataclass(frozen=True)
class Row:
    """One row, unfolded. @sources: addresses that it reads; @tested: that its conditions do."""

    section: str
    name: str
    resource: str
    path: str
    sources: tuple
    text: str
    type: str
    table: str
    tested: tuple
    place: str


@dataclass
class Table:
    source: str
    system: str
    codes: dict  # from: (code, display, system)


def plain(path):
    """Elements beside primitives are written like these."""
    return re.sub(r"(^|\.)_", r"\1", path)


class Maps:
    def __init__(self, program):
        out = subprocess.run([program], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
        self.rows, self.tables, self.messages, self.ignored = [], {}, [], set()
        self.resources = {}
        for line in out.splitlines():
            kind, *rest = line.split("\t")
            getattr(self, "read_" + kind)(*rest)
        self.by_path = defaultdict(list)
        for row in self.rows:
            self.by_path[row.resource or row.name, row.path].append(row)
            if row.path.endswith(")"):
                short = row.path[:row.path.rindex("(")]
                self.by_path[row.resource or row.name, short].append(row)
            for inner in re.finditer(r"\((\w+)\)\.?", row.path):
                below = row.path[inner.end():]
                self.by_path[inner.group(1), below].append(row)
                if below.endswith(")"):
                    self.by_path[inner.group(1), below[:below.rindex("(")]].append(row)
        self.datatypes = {row.name for row in self.rows if row.section == "datatype"}

    def read_row(self, section, name, resource, path, source, text, kind, table, tested, place):
        self.rows.append(Row(section, name, resource, plain(path), tuple(source.split()), text,
                             kind, table, tuple(tested.split()), place))

    def read_table(self, name, source, system):
        self.tables[name] = Table(source, system, {})

    def read_code(self, name, code, to, display, system):
        self.tables[name].codes[code] = (to, display, system)

    def read_message(self, message, group, segments, resources):
        self.messages.append((message, group, segments.split(), resources.split()))

    def read_ignored(self, segment_fields):
        segment, *fields = segment_fields.split()
        self.ignored |= {f"{segment}-{field}" for field in fields}

    def read_resource(self, name, kind):
        self.resources[name] = kind


def reads(address, wanted):
    """Whether @address is @wanted or a part of it; the first part may be the whole."""
    if address.endswith("+"):
        head, _, first = address[:-1].rpartition(".")
        at, _, part = wanted.rpartition(".")
        return at == head and part.isdigit() and int(part) >= int(first) or wanted == head
    return address == wanted or address.startswith(wanted + ".") or wanted == address + ".1"
