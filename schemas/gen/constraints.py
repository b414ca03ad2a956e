#!/usr/bin/env python3
"""Compile schemas/fhir/invariants_*.txt to a C table of fhir/validate/invariants.h.

    constraints.py OUT.c invariants_r4.txt NAME

invariants.py tells what a row means.
"""

import sys

from schema import Wrong, quote


def read(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split(" ", 3)
            if line.startswith("#") or words[0] == "fhir":
                continue
            if len(words) != 4 or words[2] not in ("error", "warning"):
                raise Wrong(f"{path}:{number}: no row of invariants")
            yield words[0], words[1], words[2], words[3].rstrip("\n")


def main():
    out, path, name = sys.argv[1:]
    try:
        rows = sorted(read(path), key=lambda row: row[0].encode())
    except Wrong as wrong:
        sys.exit(str(wrong))
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"/* Generated from {path.rpartition('/')[2]} by schemas/gen/constraints.py. */\n"
                   '#include "fhir/validate/invariants.h"\n\n'
                   "static const struct invariant rows[] = {\n")
        for where, key, severity, expression in rows:
            texts = ", ".join(quote(text).replace('\\0"', '"') for text in (where, key, expression))
            file.write(f"    {{ {texts}, ISSUE_{severity.upper()} }},\n")
        file.write(f"}};\n\nconst struct invariants {name} = {{ rows, {len(rows)} }};\n")


if __name__ == "__main__":
    main()
