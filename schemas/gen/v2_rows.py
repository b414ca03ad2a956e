#!/usr/bin/env python3
"""Write the rows of schemas/v2 from a dictionary of HL7 v2 in JSON.

    v2_rows.py DICTIONARY OUT        DICTIONARY: one vVERSION.json a version, and tables.json
    v2_rows.py --check DICTIONARY ROWS

A row says what holds from a version on, until its next entry. What the dictionary has wrong is
mended here, each with its reason; schemas/v2/README.md tells the form of the rows.
"""

import csv
import io
import json
import pathlib
import re
import sys
import tempfile
import textwrap

VERSIONS = ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1"]
USES = {1: "O", 2: "R", 3: "C", 4: "W"}
FILES = ["segments.txt", "types.txt", "structures.txt", "tables.csv"]
WIDTH = 96

# Misspelt or made up group names; the standard's stand on the right.
GROUPS = {
    "TIIMING": "TIMING",
    "DEFINTION": "DEFINITION",
    "RSPONSE": "RESPONSE",
    "LOCATIONL_RESOURCE": "LOCATION_RESOURCE",
    "OBXNTE": "OBSERVATION",
}
# Choices whose members 2.7 leaves unnamed: known by their count, named in 2.6.
CHOICES = {
    12: "OBR,ODS,PR1,RF1,AL1,IAM,ACC,RMI,DB1,DG1,DRG,PDA",
    4: "AIS,AIG,AIL,AIP",
    2: "ROL,PRD",
}
# Groups that lost their brackets in 2.5 and 2.6: optional and repeating in the standard.
UNBRACKETED = {"INSURANCE", "TIMING", "TIMING_ENCODED", "TIMING_PRIOR", "OBSERVATION", "SPECIMEN",
               "CONTAINER", "PRIOR_RESULT", "ORDER"}
# Fields of any datatype, which 2.7 calls ST.
VARIES = {("MFA", 5), ("MFE", 4), ("OBX", 5), ("QPD", 3), ("RDT", 1)}
# Codes that the tables lack (2.7 took the datatype out, which all earlier versions have) or name
# wrongly.
CODES = {
    "104": {v: f"Release {v}" for v in VERSIONS},
    "125": {"CE": "Coded Entry"},
}
# No segment: a datatype that got among them.
NO_SEGMENTS = {"ED"}


def load(folder):
    folder = pathlib.Path(folder)
    dictionary = {}
    for version in VERSIONS:
        dictionary[version] = json.loads((folder / f"v{version}.json").read_text())
        for name in NO_SEGMENTS & dictionary[version]["segments"].keys():
            del dictionary[version]["segments"][name]
    return dictionary, json.loads((folder / "tables.json").read_text())


def clean(text):
    """A name on one line, in ASCII; the dictionary has dashes that went through two encodings."""
    text = text.replace("вЂ“", "-").replace("\u2013", "-").replace("|", "/")
    return re.sub(r"\s+", " ", text).strip(" *")


def entry(of, number, item, version):
    datatype = item["datatype"]
    if version.startswith("2.7") and (of, number) in VARIES:
        datatype = "VARIES"
    if (of, number) == ("TS", 1):
        datatype = "DTM"  # as it is called since 2.5
    repeat = {0: "*", 1: ""}.get(item["rep"], str(item["rep"]))
    text = f"{datatype} {USES[item['opt']]}{repeat}"
    if item.get("len"):
        text += f" {item['len']}"
    if item.get("table"):
        text += f" #{item['table']}"
    return text


def item_row(of, number, items):
    """One line for a field or component: its name, and what it is from which version on."""
    latest = [item for item in items.values() if item and item["opt"] != 4]
    latest = latest or [item for item in items.values() if item]
    parts, before = [], "-"
    for version, item in items.items():
        text = entry(of, number, item, version) if item else "-"
        if text != before:
            parts.append(f"{version} {text}")
            before = text
    return f"{number} {clean(latest[-1]['desc'])} | " + " | ".join(parts)


def definitions(dictionary, kind, members):
    """Segments with their fields, or datatypes with their components."""
    names = sorted({name for version in VERSIONS for name in dictionary[version][kind]})
    lines = []
    for name in names:
        found = {v: dictionary[v][kind].get(name) for v in VERSIONS}
        lines.append(f"{name} {clean([one for one in found.values() if one][-1]['desc'])}")
        last = max(len(one[members]) for one in found.values() if one)
        for i in range(last):
            items = {v: one[members][i] if one and i < len(one[members]) else None
                     for v, one in found.items()}
            lines.append(item_row(name, i + 1, items))
    return lines


def wrapped(node, text):
    """As the standard writes it: [optional], {repeating}, [{both}]."""
    if node["max"] != 1:
        text = f"{{{text}}}"
    return f"[{text}]" if node["min"] == 0 else text


def group(node):
    name = GROUPS.get(node["name"], node["name"]).upper().replace("/", "_")
    if name in UNBRACKETED and node["min"] == 1 and node["max"] == 1:
        node = {**node, "min": 0, "max": 0}
    return wrapped(node, f"{name}({' '.join(notation(node['children']))})")


def notation(nodes):
    out = []
    for node in nodes:
        if "compounds" in node:
            names = [one["name"] for one in node["compounds"]]
            names = CHOICES[len(names)].split(",") if None in names else names
            out.append(f"<{'|'.join(names)}>")
        elif "children" in node:
            out.append(group(node))
        elif re.fullmatch("[A-Z][A-Z0-9]{2}", node["name"]):
            out.append(wrapped(node, node["name"]))
        # else any segment, which may stand anywhere
    return out


def events_of(tables):
    """Table 354: the other events of a structure."""
    out = {}
    for structure, events in tables["354"]["values"].items():
        if "_" in structure:
            out[structure] = re.findall(r"[A-Z]{1,2}[A-Z0-9]\d?", events)
    return out


def messages(dictionary, version, events):
    """Structures of a version by message name. From 2.3.1 on, where messages name their
    structure, table 354 says which events share one: the dictionary's own are outdated copies."""
    found = {}
    for name, message in dictionary[version]["messages"].items():
        text = " ".join(notation(message["segments"]["segments"]))
        mended = re.sub("_0(?=[0-9]{2}$)", "_O", name)  # a digit for the letter
        if mended == name or mended not in dictionary[version]["messages"]:
            found[mended] = text
    for structure in sorted(found.keys() & events.keys()):
        for event in events[structure]:
            name = f"{structure.split('_')[0]}_{event}"
            if version >= "2.3.1" or name not in found:
                found[name] = found[structure]
    return found


def ranges(versions):
    """"2.3-2.5" for each run of versions."""
    out, run = [], []
    for i, version in enumerate(VERSIONS):
        if version in versions:
            run.append(version)
        if run and (version not in versions or i == len(VERSIONS) - 1):
            out.append(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}")
            run = []
    return out


def structures(dictionary, tables):
    events = events_of(tables)
    uses = {}
    for version in VERSIONS:
        for name, text in messages(dictionary, version, events).items():
            uses.setdefault(text, {}).setdefault(name, []).append(version)
    lines = []
    for text, names in sorted(uses.items(), key=lambda item: (min(item[1]), item[1][min(item[1])])):
        heads = [f"{name} {' '.join(ranges(versions))}" for name, versions in sorted(names.items())]
        lines += textwrap.wrap(", ".join(heads), WIDTH, break_long_words=False)
        lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ",
                               break_long_words=False, break_on_hyphens=False)
    return lines


def table_lines(tables):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "code", "name"])
    for number in sorted(tables, key=int):
        writer.writerow([number, "", clean(tables[number]["desc"])])
        values = {**tables[number]["values"], **CODES.get(number, {})}
        for code, name in values.items():
            writer.writerow([number, code, clean(name)])
    return out.getvalue()


def generate(folder, out):
    dictionary, tables = load(folder)
    out = pathlib.Path(out)
    texts = {
        "segments.txt": "\n".join(definitions(dictionary, "segments", "fields")) + "\n",
        "types.txt": "\n".join(definitions(dictionary, "fields", "subfields")) + "\n",
        "structures.txt": "\n".join(structures(dictionary, tables)) + "\n",
        "tables.csv": table_lines(tables),
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="ascii")


def check(folder, rows):
    with tempfile.TemporaryDirectory() as made:
        generate(folder, made)
        differ = [name for name in FILES if pathlib.Path(made, name).read_bytes()
                  != pathlib.Path(rows, name).read_bytes()]
    for name in differ:
        print(f"schemas/v2/{name} isn't what v2_rows.py makes of the dictionary")
    return 1 if differ else 0


def main():
    if sys.argv[1] == "--check":
        return check(*sys.argv[2:4])
    generate(*sys.argv[1:3])
    return 0


if __name__ == "__main__":
    sys.exit(main())
