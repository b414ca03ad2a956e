#!/usr/bin/env python3
"""Write the invariants of a FHIR version's types as rows, schemas/fhir/invariants_*.txt.

    invariants.py DEFINITIONS-FOLDER types_r4.txt > invariants_r4.txt

The folder holds profiles-types.json.gz and profiles-resources.json.gz as HL7 publishes them. A
row stands where the invariant is defined, not where it is inherited:

    PATH KEY error|warning EXPRESSION

PATH is a type, "Patient.contact" among them, or an element that isn't one: "Narrative.div".
"""

import sys

from definitions import last, load
from schema import Rows

HEAD = """# Invariants of FHIR {version}: rows made from the published StructureDefinitions by
# schemas/gen/invariants.py, which a test repeats and which says what a row means.
fhir {version}
"""


def own(definition):
    """Path, key, severity and expression of what this type itself demands."""
    name = definition["id"]
    root = definition["snapshot"]["element"][0]["path"]
    for element in definition["snapshot"]["element"]:
        for rule in element.get("constraint", []):
            if last(rule.get("source", "/" + name)) == name and "expression" in rule:
                path = name + element["path"][len(root):]
                yield path, rule["key"], rule["severity"], rule["expression"]


def main():
    folder, path = sys.argv[1:3]
    rows = Rows(path)
    types = load(folder, rows.version)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(HEAD.format(version=rows.version))
    for name in sorted(types):
        told = set()
        for where, key, severity, expression in own(types[name]):
            plain = " ".join(expression.split())
            if name in rows.types and (key, plain) not in told:
                told.add((key, plain))
                sys.stdout.write(f"{where} {key} {severity} {plain}\n")


if __name__ == "__main__":
    main()
