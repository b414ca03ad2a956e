#!/usr/bin/env python3
"""Which branches of a folder its own unit tests take: all of them, or a list of those they don't.

    tests/coverage.py BUILD FOLDER      BUILD is a meson folder with -Db_coverage=true

Branches are gcc's, each side of each condition counted, without optimization and assertions.
Reference data isn't used, so that what is covered is covered everywhere.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_tests(build, folder):
    """Run the tests of @folder; what they counted lies beside the objects."""
    listed = subprocess.run(["meson", "introspect", "--tests", build], cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    tests = [t for t in json.loads(listed) if t["name"].startswith(folder + "/")]
    for test in tests:
        done = subprocess.run(test["cmd"], cwd=ROOT, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              env={**os.environ, **test["env"], "CHARTSEAL_DATA": ""})
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\n{test['name']} fails")
    return len(tests)


def branches(objects, counts, folder):
    """(file, line, taken) of each branch in a file of @folder that @counts is about."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                           str(counts)], cwd=objects, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    for report in done.stdout.splitlines():
        for file in json.loads(report)["files"]:
            name = os.path.normpath(file["file"]).lstrip("./")
            if name.startswith(folder + "/"):
                for line in file["lines"]:
                    for branch in line["branches"]:
                        yield name, line["line_number"], branch["count"] > 0


def main():
    build, folder = sys.argv[1:]
    objects = ROOT / build
    for old in objects.rglob("*.gcda"):
        old.unlink()
    tests = run_tests(build, folder)
    missed, total = set(), 0
    stem = folder.split("/")[-1] + "_"
    for counts in sorted(objects.rglob(f"{stem}*.gcda")):
        if "tests" in counts.relative_to(objects).parts:
            continue
        for name, line, taken in branches(objects, counts, folder):
            total += 1
            if not taken:
                missed.add((name, line))
    for name, line in sorted(missed):
        print(f"{name}:{line}: {(ROOT / name).read_text().splitlines()[line - 1].strip()}")
    print(f"{folder}: {tests} tests, {total} branches, {len(missed)} lines with one not taken")
    sys.exit(bool(missed) or total == 0)


if __name__ == "__main__":
    main()
