#!/usr/bin/env python3
"""Check that gateway/CONFIGURATION.md names every option of the program, and no other, and that
docker/chartseal.yaml is a good configuration once the files it names exist.

    tests/options.py PROGRAM           check both
    tests/options.py PROGRAM --write   put the program's table into the page
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE, EXAMPLE = ROOT / "gateway/CONFIGURATION.md", ROOT / "docker/chartseal.yaml"
TABLE = re.compile(r"^\| option \|.*?(?=^(?!\|)|\Z)", re.M | re.S)


def rows(table):
    """Option by name: its row as it stands."""
    return {row.split("`")[1]: row for row in table.splitlines() if row.startswith("| `")}


def example_errors(program):
    """What the program says against the example, with files where it names some."""
    text = EXAMPLE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        where = pathlib.Path(folder)
        (where / "secrets").mkdir()
        for name in {"jwks.json", *re.findall(r": (secrets/[\w.]+)", text)}:
            (where / name).touch(mode=0o600)
            (where / name).write_text('{"keys":[]}' if name == "jwks.json" else "0" * 64)
        (where / EXAMPLE.name).write_text(text)
        done = subprocess.run([program, "check-config", str(where / EXAMPLE.name)], check=False,
                              capture_output=True, text=True)
    return [] if done.returncode == 0 else done.stderr.splitlines()


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
    errors = [f"{PAGE.name}: {error}" for error in sorted(errors)] + example_errors(sys.argv[1])
    for error in errors:
        print(error)
    print(f"options: {len(real)}, {len(errors)} errors")
    return 1 if errors or not real else 0


if __name__ == "__main__":
    sys.exit(main())
