#!/usr/bin/env python3
"""Whether our Bundles carry the facts that somebody else read of the same messages, each at its
place: a name in a Patient's name, a result's value in the Observation with its code.

Facts that we know and leave out stand in facts_left_out.md with the reason. Of all others of
messages whose type is translated 99.5 % must be there, and what is missing is printed.

    check_facts.py PRINT_BUNDLES      (reference data in CHARTSEAL_DATA; else skipped)
"""

import base64
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77
LEAST = 0.995
LEFT_OUT = pathlib.Path(__file__).resolve().parent / "facts_left_out.md"
STATUS = {"F": "final", "P": "preliminary", "C": "corrected", "D": "entered-in-error",
          "W": "entered-in-error", "A": "amended"}
CODED = ("CE", "CWE", "CNE", "CF", "IS", "ID")


def decoded(data):
    """The text of an attachment, if it is text."""
    try:
        yield base64.b64decode(data).decode("utf-8")
    except ValueError:
        yield data


def texts(value):
    """All texts and numbers in a piece of a resource."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner) if name != "data" else decoded(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif value is not None:
        yield str(value)


def same_number(a, b):
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def words(text):
    return " ".join(str(text).split())


def holds(pieces, wanted):
    """Whether one of the pieces is the text, or has it in it as a line or a word of its own. Long
    facts are cut."""
    wanted = words(wanted)
    end = "" if len(wanted) > 100 else r"(?=$|T\d|\W)"
    inside = re.compile(r"(?<!\w)" + re.escape(wanted) + end)
    return any(same_number(t, wanted) or inside.search(words(t))
               for piece in pieces for t in texts(piece))


def date_of(text):
    """What any rendering of a v2 time begins with: its date."""
    digits = re.sub(r"\D", "", text)
    return "-".join(filter(None, (digits[:4], digits[4:6], digits[6:8])))


class Bundle:
    def __init__(self, bundle):
        self.of = collections.defaultdict(list)
        for entry in bundle.get("entry", []):
            self.add(entry["resource"])

    def add(self, resource):
        self.of[resource["resourceType"]].append(resource)
        for inner in resource.get("contained", []):
            self.add(inner)

    def get(self, kinds, element):
        return [r[element] for kind in kinds.split() for r in self.of[kind] if element in r]


def patient_facts(bundle, patient):
    names = bundle.get("Patient", "name")
    yield "family", patient.get("family"), [n.get("family") for l in names for n in l]
    yield "given", patient.get("given"), [n.get("given") for l in names for n in l]
    yield "birthDate", patient.get("birthDate"), bundle.get("Patient", "birthDate")
    yield "gender", patient.get("gender"), bundle.get("Patient", "gender")
    for number in patient.get("ids", []):
        yield "id", number, [i.get("value") for l in bundle.get("Patient", "identifier") for i in l]


def without_code(resource):
    return {name: value for name, value in resource.items() if name != "code"}


def ways(kind, value):
    """How a value may be written: as it is, as a date, as a time."""
    if kind in ("DT", "TS", "DTM"):
        return [value, date_of(value)]
    if kind == "TM":
        return [value, ":".join(re.findall(r"\d\d", value.split(".")[0]))]
    return [value]


def values(obx, pieces):
    """The value, or each of its repetitions. The first part of SN is a comparator, of which "="
    says nothing, that of ED who made it."""
    value = obx["value"]
    if not value or obx["type"] == "ED" or (obx["type"] == "SN" and value == "="):
        return []
    return [value] if holds(pieces, value) else value.split("~")


def obx_facts(bundle, obx):
    """Of the observations with the code, one has value, unit and status together. Documents
    stand elsewhere, and what has no code may be anywhere."""
    code, everything = obx["code"], [r for of in bundle.of.values() for r in of]
    with_code = [o for o in bundle.of["Observation"] if code and holds([o["code"]], code)]
    document = obx["type"] in ("ED", "RP")
    whole = with_code if with_code and not document else everything
    yield "code", code, [o["code"] for o in with_code] or whole
    fitting = whole
    for value in values(obx, whole):
        found = [(o, w) for w in ways(obx["type"], value) for o in whole
                 if holds([without_code(o)], w)]
        fitting = [o for o, _ in found] or whole
        yield "value", found[0][1] if found else value, [without_code(o) for o, _ in found]
    yield "unit", obx["unit"], fitting
    status = STATUS.get(obx["status"])
    yield "status", status if with_code else None, [o.get("status") for o in fitting]


def facts(bundle, line):
    yield "control_id", line["control_id"], bundle.get("Provenance", "entity")
    for name, value, pieces in patient_facts(bundle, line.get("patient", {})):
        yield "patient " + name, value, pieces
    for code in line.get("al1", []):
        yield "al1", code, bundle.get("AllergyIntolerance", "code")
    for code in line.get("dg1", []):
        yield "dg1", code, bundle.get("Condition", "code")
    for obx in line.get("obx", []):
        for name, value, pieces in obx_facts(bundle, obx):
            yield "obx " + name, value, pieces
    orders = "ServiceRequest DiagnosticReport MedicationRequest MedicationDispense"
    for obr in line.get("obr", []):
        for name in ("placer", "filler"):
            yield "obr " + name, obr[name], bundle.get(orders, "identifier")
        yield "obr code", obr["code"], bundle.get(orders, "code")
    for rxa in line.get("rxa", []):
        yield "rxa cvx", rxa["cvx"], bundle.get("Immunization", "vaccineCode")
        yield "rxa lot", rxa["lot"], bundle.get("Immunization", "lotNumber")
        yield "rxa when", date_of(rxa["when"]), bundle.get("Immunization", "occurrenceDateTime")


def left_out():
    """Pairs of file and fact that are known, with their reasons."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$", LEFT_OUT.read_text("utf-8"),
                      re.M)
    return {(file, fact) for file, fact, _ in rows}


def main():
    root = os.environ.get("CHARTSEAL_DATA")
    if not root or not pathlib.Path(root, "v2_messages/facts.jsonl").exists():
        print("skipped: no reference data, wanted v2_messages/facts.jsonl")
        return SKIPPED
    folder = pathlib.Path(root, "v2_messages")
    lines = [json.loads(line) for line in (folder / "facts.jsonl").read_text("utf-8").splitlines()]
    files = [str(folder / line["file"]) for line in lines]
    out = subprocess.run([sys.argv[1], *files], stdout=subprocess.PIPE, check=True).stdout
    bundles = dict(one.split("\t", 1) for one in out.decode("utf-8").split("\n")[:-1])
    known, used, missing, count, messages = left_out(), set(), [], 0, 0
    for path, line in zip(files, lines):
        if path not in bundles:
            continue
        messages += 1
        bundle = Bundle(json.loads(bundles[path]))
        for name, value, pieces in facts(bundle, line):
            if not value or value == '""':
                continue
            if holds(pieces, value):
                count += 1
            elif (line["file"], name) in known:
                used.add((line["file"], name))
            else:
                count += 1
                missing.append(f"{line['file']} {name} {value[:80]}")
    print("\n".join(missing))
    for file, name in sorted(known - used):
        print(f"{LEFT_OUT.name}: {file} {name} is there")
    print(f"{messages} messages, {count} facts, {len(missing)} missing")
    good = messages > 290 and len(missing) <= count * (1 - LEAST)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
