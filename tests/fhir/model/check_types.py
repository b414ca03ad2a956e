#!/usr/bin/env python3
"""schemas/fhir/types_r4.txt is what the definitions make of it, byte for byte, and has the
elements of the XML schema in its order with its cardinalities; skipped without the data.

    check_types.py DEFINITIONS.PY TYPES CORRECTIONS
"""

import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

XS = "{http://www.w3.org/2001/XMLSchema}"
FEWEST_ELEMENTS = 4000


def regenerated(script, folder, types, corrections):
    made = subprocess.run([sys.executable, script, folder, "4.0.1", corrections],
                          stdout=subprocess.PIPE, check=True).stdout
    return made == pathlib.Path(types).read_bytes()


def published(folder):
    """Types of the XML schemas by name, each a list of (name, cardinality, type)."""
    out = {}
    for name in ("fhir-base.xsd", "fhir-single.xsd"):
        for type_of in ElementTree.parse(f"{folder}/{name}").getroot().iter(XS + "complexType"):
            if type_of.get("name"):
                out[type_of.get("name")] = list(elements(type_of, False))
    return out


def elements(node, in_choice):
    for child in node:
        if child.tag == XS + "element":
            most = child.get("maxOccurs", "1").replace("unbounded", "*")
            cardinality = None if in_choice else f"{child.get('minOccurs', '1')}..{most}"
            name = (child.get("name") or child.get("ref")).removeprefix("xhtml:")
            yield name, cardinality, child.get("type")
        else:
            yield from elements(child, in_choice or child.tag == XS + "choice")


def rows(path):
    """The same of our rows, with elements below elements as a tree."""
    out = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith("  ") and "attribute" not in words:
            siblings = out[name]
            for step in words[0].split(".")[:-1]:
                siblings = next(e for e in siblings if e[0] == step)[2]
            siblings.append((words[0].split(".")[-1], words[1], [], words[2]))
        elif words[0] in ("complex", "resource"):
            name = words[1]
            out[name] = []
    return out


def expanded(element):
    """(name, cardinality, nested) as XML has them: one for each type of a choice."""
    name, cardinality, nested, kinds = element
    if not name.endswith("[x]"):
        return [(name, cardinality, nested)]
    bare = [kind.split("(")[0] for kind in kinds.split(",")]
    return [(name[:-3] + kind[0].upper() + kind[1:], None, nested) for kind in bare]


def compare(place, ours, theirs, schema):
    """Differences below one type, and how many elements were looked at."""
    mine = [one for element in ours for one in expanded(element)]
    if [(n, c) for n, c, _ in mine] != [(n, c) for n, c, _ in theirs]:
        return [f"{place}: {[m[:2] for m in mine]} is not {[t[:2] for t in theirs]}"], 0
    wrong, count = [], len(mine)
    for (name, _, nested), (_, _, kind) in zip(mine, theirs):
        if nested:
            more, n = compare(f"{place}.{name}", nested, schema[kind], schema)
            wrong, count = wrong + more, count + n
    return wrong, count


def main():
    script, types, corrections = sys.argv[1:]
    data = pathlib.Path(os.environ.get("CHARTSEAL_DATA", "/nonexistent")) / "fhir_r4"
    if not (data / "definitions").is_dir():
        print("skipped: no reference data, wanted fhir_r4/definitions")
        return 77
    wrong, count = [], 0
    if not regenerated(script, data / "definitions", types, corrections):
        wrong.append("definitions.py makes other rows")
    schema = published(data / "xsd")
    for name, ours in rows(pathlib.Path(types)).items():
        more, n = compare(name, ours, schema[name], schema)
        wrong, count = wrong + more, count + n
    print("\n".join(wrong + [f"{count} elements as in the XML schema"]))
    return 1 if wrong or count < FEWEST_ELEMENTS else 0


if __name__ == "__main__":
    sys.exit(main())
