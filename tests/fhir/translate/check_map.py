#!/usr/bin/env python3
"""Mistakes in mapping tables are refused with file and line.

usage: check_map.py MAP.PY
"""

import os
import subprocess
import sys
import tempfile

GOOD = """table CodingSystems
    LN -> http://loinc.org
resource Patient trusted
datatype CX
    .1 -> value : string
segment PID Patient
    PID-3 each -> identifier[] : CX
structure s
    message: MSH
        patient: PID => Patient
            key PID-3
message ADT^A01 s
"""

# What is appended, and what must be said about which line of it.
CASES = [
    ("", None),
    ("nonsense\n", (1, "unknown section")),
    ("    PID-3 -> x : string\n", (1, "a message has no rows")),
    ("datatype X\n    .1 value : string\n", (2, "a row wants '->'")),
    ("datatype X\n    .1 -> value : nothing\n", (2, "unknown type 'nothing'")),
    ("datatype X\n    .1 -> value : code Nothing\n", (2, "unknown table 'Nothing'")),
    ("datatype X\n    .1.2.3 -> value : string\n", (2, "goes too deep")),
    ("datatype X\n    PID-900 -> value : string\n", (2, "no such field")),
    ("datatype X\n    .1 -> 1value : string\n", (2, "is no path")),
    ("datatype X\n    .1 if .2 is big -> value : string\n", (2, "is no condition")),
    ("datatype X\n    .1 -> value : Group(CX)\n", (2, "unknown resource 'Group'")),
    ("datatype X\n    Patient -> value : reference\n", (2, "only in a resource section")),
    ("datatype X\n    }\n", (2, "'}' without '{'")),
    ("datatype CX\n", (1, "one new name")),
    ("segment OBX Observation\n    OBX-3 -> code.text : string\n", (1, "no group has")),
    ("table T\n    A -> a\n    A -> b\n", (3, "code A twice")),
    ("table T\n    A\n", (2, "a code wants")),
    ("message ADT^A02 other\n", (1, "unknown structure")),
    ("ignore .1\n", (1, "fields of segments")),
    ("structure t\n    MSH => Patient\n", (2, "a group wants")),
]


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.map")
        for text, want in CASES:
            with open(path, "w", encoding="utf-8") as f:
                f.write(GOOD + text)
            run = subprocess.run([sys.executable, sys.argv[1], os.path.join(folder, "x.c"), path],
                                 capture_output=True, text=True, check=False)
            place = f"{path}:{GOOD.count(chr(10)) + want[0]}: " if want else ""
            right = run.returncode == 0 if not want else \
                run.returncode == 1 and run.stderr.startswith(place) and want[1] in run.stderr
            if not right:
                print(f"{text!r}: {run.stderr.strip()!r} instead of {place}...{want}")
                failed += 1
    print(f"{len(CASES)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
