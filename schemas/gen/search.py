#!/usr/bin/env python3
"""Compile schemas/fhir/search_r4.csv to C, or check it against the definitions.

    search.py OUT.h search_r4.csv
    search.py --check DEFINITIONS-FOLDER search_r4.csv

Kinds: c composite, d date, n number, q quantity, r reference, s string, t token, u uri,
x special.
"""

import csv
import gzip
import json
import sys

UNSUPPORTED = {"_content", "_query", "_text"}  # can't be decided entry by entry


def load(name):
    with open(name, encoding="utf-8") as file:
        return {row["type"]: dict(item.split("/") for item in row["parameters"].split())
                for row in csv.DictReader(file)}


def generate(out, rows):
    lines = ["/* Generated from schemas/fhir/search_r4.csv by schemas/gen/search.py. */",
             "static const struct search_row search_rows[] = {"]
    for name in sorted(rows):
        items = " ".join(f"{code}/{kind}" for code, kind in sorted(rows[name].items()))
        lines.append(f'    {{ "{name}", " {items} " }},')
    lines.append("};")
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def check(folder, rows):
    errors = 0
    bundle = json.load(gzip.open(f"{folder}/search-parameters.json.gz"))
    for entry in bundle["entry"]:
        parameter = entry["resource"]
        if parameter["resourceType"] != "SearchParameter" or parameter["code"] in UNSUPPORTED:
            continue
        kind = "x" if parameter["type"] == "special" else parameter["type"][0]
        for base in parameter["base"]:
            if rows.get(base, {}).get(parameter["code"]) != kind:
                print(f"{base}.{parameter['code']} ({kind}) is missing or of another kind")
                errors += 1
    print(f"{len(rows)} types, {errors} errors")
    return 1 if errors else 0


def main():
    if sys.argv[1] == "--check":
        return check(sys.argv[2], load(sys.argv[3]))
    generate(sys.argv[1], load(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
