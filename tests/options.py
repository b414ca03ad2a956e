#!/usr/bin/env python3
"""Check that gateway/CONFIGURATION.md names every option of the program, and no other.

    tests/options.py PROGRAM           compare
    tests/options.py PROGRAM --write   put the program's table into the page
"""

import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "gateway" / "CONFIGURATION.md"
TABLE = re.compile(r"^\| option \|.*?(?=^(?!\|)|\Z)", re.M | re.S)


def rows(table):
    """Option by name: its row as it stands."""
    return {row.split("`")[1]: row for row in table.splitlines() if row.startswith("| `")}


def main():
    known = subprocess.run([sys.argv[1], "check-config", "--options"], check=True,
                           capture_output=True, text=True).stdout
    page = PAGE.read_text()
    if sys.argv[2:] == ["--write"]:
        PAGE.write_text(TABLE.sub(lambda _: known, page, count=1))
        return 0
    found = TABLE.search(page)
    written, real = rows(found.group(0) if found else ""), rows(known)
    errors = [f"{name}: not documented" for name in real.keys() - written.keys()]
    errors += [f"{name}: no such option" for name in written.keys() - real.keys()]
    errors += [f"{name}: documented otherwise" for name in real.keys() & written.keys()
               if real[name] != written[name]]
    for error in sorted(errors):
        print(f"gateway/CONFIGURATION.md: {error}")
    print(f"options: {len(real)}, {len(errors)} errors")
    return 1 if errors or not real else 0


if __name__ == "__main__":
    sys.exit(main())
