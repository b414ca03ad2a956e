#!/usr/bin/env python3
"""Compile schemas/fhir/{subjects,facts}_r4.csv to C, or check them against the definitions.

    subjects.py OUT.h subjects_r4.csv facts_r4.csv
    subjects.py --check DEFINITIONS-FOLDER subjects_r4.csv facts_r4.csv
"""

import csv
import gzip
import json
import sys

CLASSES = {"patient", "entries", "clinical", "conditional", "universal"}
ROLES = {"subject", "participant", "derived"}
FACTS = {"when", "author"}


def load(subjects, facts):
    types, paths = {}, {}
    for row in csv.DictReader(open(subjects, encoding="utf-8")):
        if not row["path"]:
            assert row["says"] in CLASSES, row
            assert row["type"] not in types, f"{row['type']} twice"
            types[row["type"]] = row["says"]
            paths[row["type"]] = []
            continue
        assert row["says"] in ROLES, row
        paths[row["type"]].append((row["path"], row["says"]))
    for row in csv.DictReader(open(facts, encoding="utf-8")):
        assert row["says"] in FACTS, row
        paths[row["type"]].append((row["path"], row["says"]))
    return types, paths


def generate(out, types, paths):
    lines = ["/* Generated from schemas/fhir by schemas/gen/subjects.py. */",
             "static const struct table_path path_rows[] = {"]
    place = {}
    count = 0
    for name in sorted(types):
        place[name] = (count, len(paths[name]))
        for path, says in paths[name]:
            lines.append(f'    {{ STR_INIT("{path}"), TABLE_{says.upper()} }},')
            count += 1
    lines += ["};", "static const struct table_type type_rows[] = {"]
    for name in sorted(types):
        first, n = place[name]
        lines.append(f'    {{ STR_INIT("{name}"), TABLE_{types[name].upper()}, {first}, {n} }},')
    lines.append("};")
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def references(definition):
    """Each (path as in JSON, may it be a patient) of the Reference elements of a resource."""
    for element in definition["snapshot"]["element"]:
        for kind in element.get("type", []):
            if kind["code"] != "Reference":
                continue
            targets = [t.rsplit("/", 1)[1] for t in kind.get("targetProfile", [])]
            patient = not targets or "Patient" in targets or "Resource" in targets
            yield element["path"].split(".", 1)[1].replace("[x]", "Reference"), patient


def elements(definition):
    """Each path of a resource, one for each type of a choice."""
    for element in definition["snapshot"]["element"]:
        path = element["path"].partition(".")[2]
        for kind in element.get("type", []):
            code = kind["code"]
            yield path.replace("[x]", code[0].upper() + code[1:])


def check(folder, types, paths):
    errors = []
    bundle = json.load(gzip.open(f"{folder}/profiles-resources.json.gz"))
    capable = 0
    seen = set()
    for entry in bundle["entry"]:
        definition = entry["resource"]
        if (definition["resourceType"] != "StructureDefinition" or definition.get("abstract")
                or definition["kind"] != "resource"):
            continue
        name = definition["type"]
        seen.add(name)
        if name not in types:
            errors.append(f"{name}: no row")
            continue
        rows = {path for path, says in paths[name] if says in ROLES}
        known = set(elements(definition))
        for path, patient in references(definition):
            capable += patient
            if patient and path not in rows:
                errors.append(f"{name}.{path} may be a patient and has no row")
        errors += [f"{name}.{path}: no such element" for path, _ in paths[name]
                   if path not in known]
    errors += [f"{name}: no such type" for name in types.keys() - seen]
    for error in errors:
        print(error)
    print(f"{len(seen)} types, {capable} elements that may be a patient, {len(errors)} errors")
    return 1 if errors or capable < 200 else 0


def main():
    if sys.argv[1] == "--check":
        return check(sys.argv[2], *load(*sys.argv[3:5]))
    generate(sys.argv[1], *load(*sys.argv[2:4]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
