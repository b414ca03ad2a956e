#!/usr/bin/env python3
"""Write the value sets that elements of a FHIR version must take their codes from, as rows.

    valuesets.py DEFINITIONS-FOLDER types_r4.txt > codes_r4.txt

The folder holds valuesets, v2-tables and v3-codesystems (.json.gz) as HL7 publishes them. Only
sets of strength required, and the largest ones allowed ("within"), are written. codes.py tells
what a row means.
"""

import gzip
import json
import sys
import textwrap

HL7_SETS = "http://hl7.org/fhir/ValueSet/"
FILES = ("valuesets", "v2-tables", "v3-codesystems")
HEAD = """# Value sets with required codes, of FHIR {version}: rows made from the published definitions by
# schemas/gen/valuesets.py, which a test repeats. schemas/gen/codes.py says what a row means.
fhir {version}
"""


def load(folder):
    """ValueSets and CodeSystems by canonical URL."""
    sets, systems = {}, {}
    for name in FILES:
        with gzip.open(f"{folder}/{name}.json.gz") as file:
            for entry in json.load(file)["entry"]:
                resource = entry["resource"]
                of = {"ValueSet": sets, "CodeSystem": systems}.get(resource["resourceType"])
                if of is not None:
                    of[resource["url"]] = resource
    return sets, systems


def bound(types):
    """FHIR version and the names of the sets that types_*.txt binds with force."""
    version, names = "", set()
    with open(types, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words and words[0] == "fhir":
                version = words[1]
            for word, follower in zip(words, words[1:]):
                if word in ("required", "within") and not line.startswith("#"):
                    names.add(follower.partition("|")[0])
    return version, names


def concepts(of):
    """Codes of a code system's concepts, those below others too; not what is abstract."""
    for concept in of.get("concept", []):
        properties = {p["code"]: p for p in concept.get("property", [])}
        if not properties.get("notSelectable", {}).get("valueBoolean"):
            yield concept["code"]
        yield from concepts(concept)


def included(include, systems):
    """System and codes of one include; None instead of codes for all of a system."""
    system = include["system"]
    if "concept" in include:
        return system, [concept["code"] for concept in include["concept"]]
    if "filter" in include or system not in systems:
        return system, None
    return system, list(concepts(systems[system]))


def quoted(code):
    return json.dumps(code, ensure_ascii=False) if " " in code or '"' in code else code


def rows(name, value_set, systems):
    lines = [f"valueset {name}"]
    for include in value_set["compose"]["include"]:
        system, codes = included(include, systems)
        text = "*" if codes is None else " ".join(quoted(code) for code in codes)
        lines += textwrap.wrap(text, 96, initial_indent=f"  {system} ",
                               subsequent_indent=f"  {system} ",
                               break_long_words=False, break_on_hyphens=False)
    return lines


def main():
    sets, systems = load(sys.argv[1])
    version, names = bound(sys.argv[2])
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(HEAD.format(version=version))
    for name in sorted(names):
        value_set = sets.get(name if "://" in name else HL7_SETS + name)
        if value_set:
            sys.stdout.write("\n".join(rows(name, value_set, systems)) + "\n")


if __name__ == "__main__":
    main()
