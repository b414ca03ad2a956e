#!/usr/bin/env python3
"""Whether each row of the HL7 "V2-to-FHIR" mapping with a FHIR target is in our rows, or stands
in schemas/map/exceptions.md with a reason; and whether that and schemas/map/COVERAGE.md say what
is. The reference data is in CHARTSEAL_DATA; without it the check is skipped.

    check_guide.py PRINT_ROWS ROOT            the rows
    check_guide.py PRINT_ROWS ROOT --whole    also the two files
    check_guide.py PRINT_ROWS ROOT --write    write the page anew
    check_guide.py PRINT_ROWS ROOT MAP        all rows of a map, and what becomes of them
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "guide"))

import account  # noqa: E402
import tables  # noqa: E402
from dictionary import Dictionary  # noqa: E402
from page import Page  # noqa: E402

SKIPPED = 77


def show(known, name):
    for row, why in known.rows:
        if row.map == name:
            print(f"{known.by.get(row, 'UNACCOUNTED'):11} {row.field:9} {row.path}"
                  f"{' = ' + row.value if row.value else ''} {row.datatype} {row.table}"
                  f"{' [' + row.condition + ']' if row.condition else ''}"
                  f"{'   <- ' + why if why else ''}")


def check(known, page, text, whole):
    for row, why in known.unaccounted:
        print(f"{row.map} {row.field} -> {row.path}: {why}")
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        known.stale.append(f"{page.name} isn't what the rows are: --write writes it anew")
    for line in known.wrong + known.stale:
        print(line)
    print(f"{len(known.rows)} rows, {len(known.unaccounted)} unaccounted for, "
          f"{len(known.wrong)} lines wrong, {len(known.stale)} no longer true")
    return 1 if known.unaccounted or known.wrong or (whole and known.stale) else 0


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    data = pathlib.Path(os.environ.get("CHARTSEAL_DATA", "/nonexistent"), "v2_to_fhir_mapping")
    if not data.is_dir():
        print("skipped: no reference data, wanted v2_to_fhir_mapping")
        return SKIPPED
    known = account.read(program, root, data)
    page = root / "schemas/map/COVERAGE.md"
    text = Page(known, tables.map_names(data), Dictionary(root / "schemas/v2")).text()
    if sys.argv[3:] == ["--write"]:
        page.write_text(text, encoding="utf-8")
        return 0
    whole = sys.argv[3:] == ["--whole"]
    if len(sys.argv) > 3 and not whole:
        show(known, sys.argv[3])
        return 0
    return check(known, page, text, whole)


if __name__ == "__main__":
    sys.exit(main())
