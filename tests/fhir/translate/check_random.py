#!/usr/bin/env python3
"""Check the Bundles of random messages like check_structure.py those of real ones: whatever
stands in the fields, right or wrong, the result is valid. Segments, fields and components are
those of the standard's versions; the same messages each time.

usage: check_random.py PRINT_BUNDLES     (reference data in CHARTSEAL_DATA; else skipped)
"""

import json
import os
import random
import subprocess
import sys
import tempfile

from check_structure import SKIPPED, Checker, Definitions

VERSIONS = ("2.3", "2.5.1", "2.7.1")
MESSAGES = 2  # of each structure and version
VALUES = {
    "NM": ["0", "1", "12.5", "-3", "007", "1.", "abc"],
    "SI": ["1", "2", ""],
    "DT": ["20200102", "202001", "20201340", "x"],
    "TM": ["1112", "111213.5", "25"],
    "ID": ["Y", "N", "A", "D", "X"],
}
TIMES = ["20200102", "2020", "20200102030405+0100", "202001020304", "20201340", "x",
         "20200102030405.1234-0500"]
TEXTS = ["a", "b c", "X", "Q\\T\\R", "\u00f6", "1", "http://a b", "A B", " "]


class Generator:
    def __init__(self, dictionary, tables):
        self.d, self.tables = dictionary, tables
        self.empty = 0.5

    def value(self, kind, table):
        codes = list(self.tables.get(str(table), {}).get("values", []))
        if codes and random.random() < 0.8:
            return random.choice(codes)
        return random.choice(TIMES if kind in ("DTM", "TS") else VALUES.get(kind, TEXTS))

    def parts(self, kind, table, separators):
        parts = self.d["fields"].get(kind, {}).get("subfields")
        if not parts or not separators:
            return self.value(kind, table)
        texts = ["" if random.random() < 0.45 else
                 self.parts(p["datatype"], p.get("table"), separators[1:]) for p in parts]
        return separators[0].join(texts).rstrip(separators[0])

    def field(self, field):
        chance = random.random()
        if chance < self.empty:
            return ""
        if chance < self.empty + 0.02:
            return '""'
        count = random.choice([1, 1, 2]) if field.get("rep") != 1 else 1
        return "~".join(self.parts(field["datatype"], field.get("table"), "^&")
                        for _ in range(count))

    def segment(self, name):
        fields = [self.field(f) for f in self.d["segments"][name]["fields"]]
        return "|".join([name] + fields)

    def names(self, structure):
        for part in structure:
            many = part.get("max") != 1 and random.random() < 0.3
            wanted = part.get("min", 0) or random.random() < 0.6
            for _ in range((1 + many) if wanted else 0):
                inner = part.get("children") or part.get("segments")
                if inner:
                    yield from self.names(inner if isinstance(inner, list) else inner["segments"])
                else:
                    yield part["name"]

    def message(self, name, version):
        self.empty = random.choice([0.2, 0.5, 0.8])
        lines = [f"MSH|^~\\&|APP|FAC|||20260102||{name.replace('_', '^')}|7|P|{version}"]
        for segment in self.names(self.d["messages"][name]["segments"]["segments"]):
            if segment != "MSH" and segment in self.d["segments"]:
                lines.append(self.segment(segment))
        return "\r".join(lines) + "\r"


def write_messages(root, folder):
    with open(os.path.join(root, "v2_dictionary", "tables.json"), encoding="utf-8") as f:
        tables = json.load(f)
    for version in VERSIONS:
        path = os.path.join(root, "v2_dictionary", f"v{version}.json")
        with open(path, encoding="utf-8") as f:
            generator = Generator(json.load(f), tables)
        for name in sorted(generator.d["messages"]):
            for number in range(MESSAGES if "_" in name else 0):
                path = os.path.join(folder, f"{name}_{version}_{number}.hl7")
                with open(path, "w", encoding="latin-1") as f:
                    f.write(generator.message(name, version))
                yield path


def main():
    root = os.environ.get("CHARTSEAL_DATA")
    if not root:
        print("skipped: no reference data, wanted v2_dictionary and fhir_r4/definitions")
        return SKIPPED
    random.seed(1)
    checker = Checker(Definitions(root))
    with tempfile.TemporaryDirectory() as folder:
        files = list(write_messages(root, folder))
        out = subprocess.run([sys.argv[1], *files], capture_output=True, check=True).stdout
    count = 0
    for line in out.decode("utf-8").split("\n")[:-1]:
        checker.file, text = line.split("\t", 1)
        bundle = json.loads(text)
        checker.object("Bundle", bundle, "Bundle")
        checker.references(bundle)
        count += 1
    for error, file in sorted(checker.errors.items()):
        print(f"{error} ({os.path.basename(file)})")
    print(f"{count} bundles of {len(files)} messages, {len(checker.errors)} kinds of error")
    return 1 if checker.errors or count < 400 else 0


if __name__ == "__main__":
    sys.exit(main())
