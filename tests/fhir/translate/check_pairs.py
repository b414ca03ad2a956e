#!/usr/bin/env python3
"""Compare our Bundles with those that other converters publish for the same messages: leaf by
leaf, under paths without indexes. Each difference has a reason: one that pairs/reasons.py finds,
or a line of pairs/explained.md. Without one it is an error, and so is a line that explains
nothing.

    check_pairs.py PRINT_BUNDLES PRINT_ROWS ROOT              check (reference data in CHARTSEAL_DATA)
    check_pairs.py PRINT_BUNDLES PRINT_ROWS ROOT open [WORD]  what has no reason, by path
    check_pairs.py PRINT_BUNDLES PRINT_ROWS ROOT NAME         all differences of one pair
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "pairs"), str(HERE / "guide")]

import account  # noqa: E402
from elements import Elements  # noqa: E402
from leaves import Leaves  # noqa: E402
from reasons import Message, Reasons  # noqa: E402

SKIPPED = 77
EXPLAINED = HERE / "pairs" / "explained.md"


class Explanation:
    """A row of explained.md: whose, which side has it, path, value, and the reason."""

    def __init__(self, line, cells):
        self.line, self.used = line, 0
        self.whose, self.side = cells[0].split(), cells[1]
        self.path, self.value = (self.compiled(cell) for cell in cells[2:4])
        self.why = cells[4]

    def compiled(self, cell):
        words = re.findall(r"`([^`]*)`", cell) or [cell]
        return re.compile("|".join(re.escape(w).replace(r"\*", ".*") for w in words), re.S)

    def covers(self, whose, side, path, value):
        return (whose in self.whose or "all" in self.whose) and side == self.side and \
            self.path.fullmatch(path) and self.value.fullmatch(value)


def explanations():
    out = []
    for number, line in enumerate(EXPLAINED.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 5 and cells[0] != "whose":
            out.append(Explanation(number, cells))
    return out


def run(program, *arguments):
    """Lines of a program's output: file, tab, text."""
    out = subprocess.run([program, *arguments], stdout=subprocess.PIPE, check=True).stdout
    return dict(line.split("\t", 1) for line in out.decode().split("\n")[:-1])


class Pairs:
    """All pairs, how they differ, and why."""

    def __init__(self, program, folder, reasons):
        self.reasons, self.known = reasons, explanations()
        self.differences, self.same, self.untranslated = [], 0, 0
        files = sorted(str(path) for path in folder.glob("*/*.hl7"))
        bundles, places = run(program, *files), run(program, "--told", *files)
        for path in files:
            if path in bundles:
                self.compare(pathlib.Path(path), json.loads(bundles[path]), places[path].split())
            else:
                self.untranslated += 1

    def compare(self, path, bundle, places):
        expected = path.with_name(path.name.removesuffix(".hl7") + ".expected.json")
        theirs = Leaves(json.loads(expected.read_text(encoding="utf-8-sig"))).found
        ours = Leaves(bundle).found
        message = Message(path.read_text(encoding="utf-8", errors="replace"), places)
        whose, name = path.parent.name, f"{path.parent.name}/{path.stem}"
        self.same += len(theirs & ours)
        for side, leaves in (("theirs", theirs - ours), ("ours", ours - theirs)):
            for leaf, value in sorted(leaves):
                why = self.why(whose, side, leaf, value, ours, message)
                self.differences.append((name, whose, side, leaf, value, why))

    def why(self, whose, side, leaf, value, ours, message):
        why = self.reasons.theirs(leaf, value, ours, message) if side == "theirs" else \
            self.reasons.ours(leaf, value, message)
        if why:
            return why
        found = next((e for e in self.known if e.covers(whose, side, leaf, value)), None)
        if found:
            found.used += 1
        return f"line {found.line}" if found else ""


def show_open(differences, word):
    counts, examples = collections.Counter(), {}
    for name, whose, side, path, value, why in differences:
        if not why and word in f"{whose} {side} {path}":
            counts[whose, side, path] += 1
            examples.setdefault((whose, side, path), (name.split("/")[1], value[:60]))
    for key, n in counts.most_common():
        print(n, *key, *examples[key])


def main():
    data = pathlib.Path(os.environ.get("CHARTSEAL_DATA", "/nonexistent"))
    if not (data / "v2_fhir_pairs").is_dir() or not (data / "v2_to_fhir_mapping").is_dir():
        print("skipped: no reference data, wanted v2_fhir_pairs and v2_to_fhir_mapping")
        return SKIPPED
    known = account.read(sys.argv[2], pathlib.Path(sys.argv[3]), data / "v2_to_fhir_mapping")
    elements = Elements([row for row, _ in known.rows])
    pairs = Pairs(sys.argv[1], data / "v2_fhir_pairs", Reasons(elements, known))
    if sys.argv[4:5] == ["open"]:
        show_open(pairs.differences, (sys.argv[5:] or [""])[0])
        return 0
    if len(sys.argv) > 4:
        for name, _, *rest in pairs.differences:
            if name == sys.argv[4]:
                print(*rest)
        return 0
    counts = collections.Counter(why.split(":")[0].split()[0] if why else "none"
                                 for *_, why in pairs.differences)
    for name, whose, *rest, why in pairs.differences:
        if not why:
            print(name, *rest)
    idle = [e.line for e in pairs.known if not e.used]
    for line in idle:
        print(f"{EXPLAINED.name}:{line}: explains nothing")
    print(f"{pairs.same} leaves the same, {len(pairs.differences)} differ: "
          f"{', '.join(f'{n} {kind}' for kind, n in sorted(counts.items()))}; "
          f"{pairs.untranslated} messages not translated")
    return 1 if counts["none"] or idle else 0


if __name__ == "__main__":
    sys.exit(main())
