#!/usr/bin/env python3
"""Whether each row of the HL7 "V2-to-FHIR" mapping with a FHIR target is in our rows, or stands
in schemas/map/guide.md with a reason; and whether schemas/map/COVERAGE.md says what is.

    check_guide.py PRINT_ROWS ROOT             check (reference data in CHARTSEAL_DATA; else skipped)
    check_guide.py PRINT_ROWS ROOT --write     write the page anew
    check_guide.py PRINT_ROWS ROOT MAP         all rows of a map, and what becomes of them
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "guide"))

import exceptions as listed  # noqa: E402
import match  # noqa: E402
import ours  # noqa: E402
import tables  # noqa: E402

SKIPPED = 77


class Account:
    """Each row of the guide and what it is accounted for by."""

    def __init__(self, rows, matcher, exceptions):
        self.rows = [(row, matcher(row)) for row in rows]
        self.exceptions = exceptions
        self.by, self.unaccounted = {}, []
        self.wrong, self.notes = list(exceptions.wrong), []
        for row, why in self.rows:
            if why == match.HAD:
                self.by[row] = "has"
                continue
            found = [e for e in exceptions.list if e.covers(row)]
            found = [e for e in found if e.kind != "open"] or found
            if len(found) > 1:
                lines = ", ".join(str(e.line) for e in found)
                self.wrong.append(f"{row.map} {row.field} -> {row.path}: lines {lines} of "
                                  "guide.md are about it, one is wanted")
            for e in found:
                e.rows.append(row)
            if found:
                self.by[row] = found[0].kind
            else:
                self.unaccounted.append((row, why))
        for e in exceptions.list:
            if not e.rows and e.kind != "open":
                self.notes.append(f"guide.md:{e.line}: no row of the guide needs it")
            self.notes += [f"guide.md:{e.line}: ours have no {name}" for name in e.ours
                           if not matcher.stands(name)]


def show(account, name):
    for row, why in account.rows:
        if row.map == name:
            print(f"{account.by.get(row, 'UNACCOUNTED'):11} {row.field:9} {row.path}"
                  f"{' = ' + row.value if row.value else ''} {row.datatype} {row.table}"
                  f"{' [' + row.condition + ']' if row.condition else ''}"
                  f"{'   <- ' + why if why else ''}")


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    data = pathlib.Path(os.environ.get("CHARTSEAL_DATA", "/nonexistent"), "v2_to_fhir_mapping")
    if not data.is_dir():
        print("skipped: no reference data, wanted v2_to_fhir_mapping")
        return SKIPPED
    rows = tables.read(data)
    maps = ours.Maps(program)
    exceptions = listed.Exceptions(root / "schemas/map/guide.md")
    account = Account(rows, match.Matcher(maps, exceptions, rows), exceptions)
    if len(sys.argv) > 3:
        show(account, sys.argv[3])
        return 0
    for row, why in account.unaccounted:
        print(f"{row.map} {row.field} -> {row.path}: {why}")
    for text in account.wrong + account.notes:
        print(text)
    print(f"{len(rows)} rows, {len(account.unaccounted)} unaccounted for, "
          f"{len(account.wrong)} other errors")
    return 1 if account.unaccounted or account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
