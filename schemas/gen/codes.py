#!/usr/bin/env python3
"""Compile schemas/fhir/codes_*.txt to a C table of fhir/validate/terminology.h.

    codes.py OUT.c codes_r4.txt NAME

    valueset NAME              HL7's own without http://hl7.org/fhir/ValueSet/
      SYSTEM CODE…             a code may stand between double quotes; * is any of the system
"""

import json
import re
import sys

from schema import Wrong, quote

WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


def read(path):
    """Value sets by name, each a set of (code, system)."""
    sets, current = {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = WORD.findall(line)
            if not words or line.startswith("#") or words[0] == "fhir":
                continue
            if line.startswith("  ") and current is not None and len(words) > 1:
                current |= {(json.loads(w) if w[0] == '"' else w, words[0]) for w in words[1:]}
            elif words[0] == "valueset" and len(words) == 2 and words[1] not in sets:
                current = sets[words[1]] = set()
            else:
                raise Wrong(f"{path}:{number}: no row of value sets")
    return sets


class Pool:
    def __init__(self):
        self.texts, self.offsets, self.size = [], {}, 0

    def add(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.texts.append(text)
            self.size += len(text.encode("utf-8")) + 1
        return self.offsets[text]


def write(file, sets, path, name):
    pool, codes, rows = Pool(), [], []
    for title in sorted(sets, key=str.encode):
        members = sorted(sets[title], key=lambda m: (m[0].encode(), m[1].encode()))
        rows.append(f"{{ {pool.add(title)}, {len(codes)}, {len(members)} }}, /* {title} */")
        codes += [f"{{ {pool.add(code)}, {pool.add(system)} }}," for code, system in members]
    texts = "\n".join(f"    {quote(text)}" for text in pool.texts)
    file.write(f"/* Generated from {path.rpartition('/')[2]} by schemas/gen/codes.py. */\n"
               '#include "fhir/validate/terminology.h"\n\n'
               '#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n'
               f"static const char pool[] =\n{texts};\n\n"
               "static const struct terminology_code codes[] = {\n    "
               + "\n    ".join(codes) + "\n};\n\n"
               "static const struct terminology_set sets[] = {\n    "
               + "\n    ".join(rows) + "\n};\n\n"
               f"const struct terminology {name} = {{ pool, codes, sets, {len(rows)} }};\n")


def main():
    out, path, name = sys.argv[1:]
    try:
        sets = read(path)
    except Wrong as wrong:
        sys.exit(str(wrong))
    with open(out, "w", encoding="utf-8") as file:
        write(file, sets, path, name)


if __name__ == "__main__":
    main()
