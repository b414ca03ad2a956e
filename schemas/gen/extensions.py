#!/usr/bin/env python3
"""Write HL7's own extension definitions, reduced to what validation reads, one a line.

    extensions.py DEFINITIONS-FOLDER VERSION > extensions_r4.ndjson

The folder holds extension-definitions.json.gz as HL7 publishes it. Each line is a
StructureDefinition with a snapshot of paths, slices, cardinalities, types, fixed values and
required bindings.
"""

import gzip
import json
import sys

KEPT = ("path", "sliceName", "min", "max", "fixedUri")
SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"


def element(full):
    """What validation reads of an element; None if it says nothing of its own."""
    path = full["path"]
    if path.endswith(".id") or path == "Extension.url":
        return None
    out = {key: full[key] for key in KEPT if key in full}
    types = [t for t in full.get("type", []) if t["code"] != SYSTEM_STRING]
    if path.endswith("value[x]") and full["max"] != "0" and len(types) < 50:
        out["type"] = [{key: t[key] for key in ("code", "targetProfile") if key in t}
                       for t in types]
    binding = full.get("binding", {})
    if binding.get("strength") == "required" and "valueSet" in binding:
        out["binding"] = {"strength": "required", "valueSet": binding["valueSet"]}
    return out


def main():
    folder, version = sys.argv[1:3]
    lines = {}
    with gzip.open(f"{folder}/extension-definitions.json.gz") as file:
        for entry in json.load(file)["entry"]:
            full = entry["resource"]
            if full["resourceType"] != "StructureDefinition" or full["fhirVersion"] != version:
                continue
            elements = [element(e) for e in full["snapshot"]["element"]]
            lines[full["url"]] = {
                "resourceType": "StructureDefinition", "url": full["url"],
                "type": full["type"],
                "snapshot": {"element": [e for e in elements if e]}}
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for url in sorted(lines):
        sys.stdout.write(json.dumps(lines[url], ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
