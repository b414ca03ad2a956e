"""The guide's tables: rows of the HL7 "V2-to-FHIR" mapping that have a FHIR target."""

import csv
import pathlib
import re
from dataclasses import dataclass

FOLDERS = {"messages": "message", "segments": "segment", "datatypes": "datatype",
           "codesystems": "code"}
NAME = re.compile(r"^HL7 (?:Message|Segment|Data Type|Concept Map)(?: - FHIR R4)?_ (.*) - [^-]*$")


@dataclass(frozen=True)
class Row:
    """One row. @field: what it reads; of a code map the code. @target: as the guide writes it;
    @path: that without indexes, resources that are referred to in parentheses. @value: the
    constant that it assigns, if it is one. @kind of what a message, segment, datatype or code
    becomes. @more: references of a message's row; the code's system after the map."""

    kind: str
    map: str
    line: int
    field: str
    condition: str
    target: str
    path: str
    value: str
    datatype: str
    table: str
    more: str
    display: str


def path_of(target):
    """Path and constant of a target: "a[1](B.c)=\"d\"" is "a(B).c" and "d"."""
    text = re.sub(r"\s+", "", target)
    text, _, value = text.partition("=")
    text = re.sub(r"\[[^\]()]*\]", "", text).replace(".(", "(").lstrip(".")
    out, opened = [], False
    for c in text:
        if c == "(":
            opened = True
            out.append(c)
        elif opened and c in ".)":
            opened = False
            out.append(")" if c == ")" else ").")
        elif c != ")":
            out.append(c)
    return "".join(out) + (")" if opened else ""), value.strip('"')


def constant(assignment):
    """The constant in an assignment; nothing if it is a rule in words or a sum."""
    text = assignment.strip().strip("\u201c\u201d")
    found = re.fullmatch(r'"([^"+]*)"', text)
    if found:
        return found.group(1).strip()
    return text if re.fullmatch(r"https?://\S+", text) else ""


def columns(header, kind):
    """Indexes of the columns by what they are; the guide moves and renames them."""
    names = [" ".join(name.split()) for name in header]

    def find(*wanted, after=0):
        return next((i for i in range(after, len(names)) if names[i] in wanted), None)

    if kind == "code":
        code = find("Code", after=1)
        return {"field": 0, "condition": find("Narrative"), "antlr": 3, "target": code,
                "display": find("Display", after=code),
                "more": find("Code System", after=code), "from": 2}
    target = find("FHIR Attribute/ Data Type", "FHIR Attribute", "Primary Target")
    return {"field": 1, "antlr": 6, "condition": 8, "target": target,
            "datatype": find("Data Type Mapping"),
            "table": next((i for i, n in enumerate(names) if n.startswith("Vocabulary")), None),
            "value": find("Assignment", "Derived Mapping"),
            "segment_map": find("Segment Map"), "more": find("References")}


def read_map(path, kind):
    name = NAME.match(path.stem).group(1)
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    at = columns(lines[1], kind)

    def cell(line, column):
        index = at.get(column)
        text = line[index] if index is not None and index < len(line) else ""
        return " ".join(text.split())

    for number, line in enumerate(lines[2:], 3):
        target = cell(line, "target")
        if not target:
            continue
        path_text, value = (target, "") if kind == "code" else path_of(target)
        condition = " ".join(filter(None, (cell(line, "antlr"), cell(line, "condition"))))
        assigned = constant(cell(line, "value")) or value
        yield Row(kind, name, number, cell(line, "field"), condition, target, path_text, assigned,
                  cell(line, "datatype") or cell(line, "segment_map"), cell(line, "table"),
                  cell(line, "more"), cell(line, "display") or cell(line, "from"))


def read(folder):
    """All rows with a target, by map, in the order of the files."""
    rows = []
    for name, kind in FOLDERS.items():
        for path in sorted(pathlib.Path(folder, name).glob("*.csv")):
            rows += read_map(path, kind)
    return rows


def map_names(folder):
    """Names of all maps, also of those without a row that counts, by kind."""
    return {kind: [NAME.match(path.stem).group(1)
                   for path in sorted(pathlib.Path(folder, name).glob("*.csv"))]
            for name, kind in FOLDERS.items()}
