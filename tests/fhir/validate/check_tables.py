#!/usr/bin/env python3
"""The tables that validation reads are what the published definitions make of them, byte for
byte; skipped without the data.

    check_tables.py ROOT
"""

import os
import pathlib
import subprocess
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    gen, fhir = root / "schemas/gen", root / "schemas/fhir"
    folder = pathlib.Path(os.environ.get("CHARTSEAL_DATA", "/nonexistent")) / "fhir_r4/definitions"
    if not folder.is_dir():
        print("skipped: no reference data, wanted fhir_r4/definitions")
        return 77
    types = fhir / "types_r4.txt"
    wrong = 0
    for script, argument, table in (("valuesets.py", types, "codes_r4.txt"),
                                    ("invariants.py", types, "invariants_r4.txt"),
                                    ("extensions.py", "4.0.1", "extensions_r4.ndjson")):
        made = subprocess.run([sys.executable, gen / script, folder, argument],
                              stdout=subprocess.PIPE, check=True).stdout
        if made != (fhir / table).read_bytes():
            print(f"{script} makes other rows than {table} has")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
