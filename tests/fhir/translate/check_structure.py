#!/usr/bin/env python3
"""Check translated Bundles against the definitions of FHIR R4: names, cardinalities, types,
patterns of primitives, and codes of elements with a required binding.

usage: check_structure.py PRINT_BUNDLES     (reference data in CHARTSEAL_DATA; else skipped)
"""

import glob
import gzip
import json
import os
import re
import subprocess
import sys

SKIPPED = 77
PRIMITIVES = {
    "boolean": (bool, None), "integer": (int, None), "positiveInt": (int, None),
    "unsignedInt": (int, None), "decimal": ((int, float), None),
    "string": (str, r"[ \r\n\t\S]+"), "markdown": (str, r"\s*(\S|\s)*"),
    "code": (str, r"[^\s]+(\s[^\s]+)*"), "uri": (str, r"\S*"), "url": (str, r"\S*"),
    "canonical": (str, r"\S*"), "id": (str, r"[A-Za-z0-9\-\.]{1,64}"), "oid": (str, r"\S*"),
    "base64Binary": (str, r"[A-Za-z0-9+/=\s]*"),
    "date": (str, r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"),
    "dateTime": (str, r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d"
                      r":([0-5]\d|60)(\.\d+)?(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00)))?)?)?"),
    "instant": (str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "time": (str, r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"),
}
FHIRPATH = "http://hl7.org/fhirpath/System."


def load(root, name):
    path = os.path.join(root, "fhir_r4", "definitions", name)
    with gzip.open(path) as f:
        return [e["resource"] for e in json.load(f)["entry"]]


class Definitions:
    def __init__(self, root):
        self.elements, self.codes = {}, {}
        for file in ("profiles-resources.json.gz", "profiles-types.json.gz"):
            for r in load(root, file):
                if r["resourceType"] == "StructureDefinition" and "snapshot" in r and \
                        r.get("derivation") != "constraint":
                    for element in r["snapshot"]["element"]:
                        self.elements[element["path"]] = element
        systems, sets = {}, {}
        for r in load(root, "valuesets.json.gz"):
            if r["resourceType"] == "CodeSystem":
                systems[r["url"]] = set(self.concepts(r.get("concept", [])))
            else:
                sets[r["url"]] = r
        for url, value_set in sets.items():
            codes = set()
            for include in value_set.get("compose", {}).get("include", []):
                named = {c["code"] for c in include.get("concept", [])}
                if "filter" in include or not (named or include.get("system") in systems):
                    codes = None
                    break
                codes |= named or systems[include["system"]]
            self.codes[url] = codes
        self.children = {}
        for path in self.elements:
            if "." in path:
                self.children.setdefault(path.rsplit(".", 1)[0], []).append(path)

    def concepts(self, list_):
        for concept in list_:
            yield concept["code"]
            yield from self.concepts(concept.get("concept", []))


class Checker:
    def __init__(self, definitions):
        self.d, self.errors = definitions, {}

    def wrong(self, where, text):
        self.errors.setdefault(f"{where}: {text}", self.file)

    def object(self, path, value, where):
        if not isinstance(value, dict):
            self.wrong(where, "not an object")
            return
        if not value:
            self.wrong(where, "empty object")
        seen = set()
        for name, child in value.items():
            if name == "resourceType":
                continue
            bare = name.lstrip("_")
            found = self.find(path, bare)
            if not found:
                self.wrong(where, f"unknown element {name}")
                continue
            seen.add(found[0])
            if not name.startswith("_"):
                self.element(found, child, f"{where}.{name}")
        for child in self.d.children.get(path, []):
            e = self.d.elements[child]
            if e["min"] > 0 and child not in seen:
                self.wrong(where, f"missing {child}")

    def find(self, path, name):
        for child in self.d.children.get(path, []):
            last = child.rsplit(".", 1)[1]
            e = self.d.elements[child]
            if last == name:
                return child, e, e.get("type", [{}])[0].get("code") if "type" in e else None
            if last.endswith("[x]") and name.startswith(last[:-3]):
                for t in e["type"]:
                    if name == last[:-3] + t["code"][0].upper() + t["code"][1:]:
                        return child, e, t["code"]
        return None

    def element(self, found, value, where):
        child, e, kind = found
        many = e["max"] != "1"
        if many != isinstance(value, list):
            self.wrong(where, "a list is wanted" if many else "no list is wanted")
            return
        if isinstance(value, list) and not value:
            self.wrong(where, "empty list")
        for item in value if many else [value]:
            self.value(child, e, kind, item, where)

    def value(self, child, e, kind, value, where):
        if "contentReference" in e:
            self.object(e["contentReference"][1:], value, where)
        elif kind in ("BackboneElement", "Element") or kind is None:
            self.object(child, value, where)
        elif kind == "Resource":
            self.resource(value, where)
        elif kind in PRIMITIVES or kind.startswith(FHIRPATH):
            self.primitive(e, "string" if kind.startswith(FHIRPATH) else kind, value, where)
        else:
            self.object(kind, value, where)

    def primitive(self, e, kind, value, where):
        python, pattern = PRIMITIVES[kind]
        if not isinstance(value, python) or (python is int and isinstance(value, bool)):
            self.wrong(where, f"{type(value).__name__} instead of {kind}")
        elif pattern and not re.fullmatch(pattern, value, re.ASCII):
            self.wrong(where, f"is no {kind}")
        binding = e.get("binding", {})
        codes = self.d.codes.get(binding.get("valueSet", "").split("|")[0])
        if kind == "code" and binding.get("strength") == "required" and codes and \
                value not in codes:
            self.wrong(where, f"code {value} is not in {binding['valueSet']}")

    def resource(self, value, where):
        self.object(value["resourceType"], value, f"{where}({value['resourceType']})")

    def references(self, bundle):
        entries = bundle.get("entry", [])
        urls = [e["fullUrl"] for e in entries]
        if len(urls) != len(set(urls)):
            self.wrong("Bundle", "a fullUrl twice")
        requests = [e["request"]["url"] for e in entries]
        if len(requests) != len(set(requests)):
            self.wrong("Bundle", "a request twice")
        for resource in (e["resource"] for e in entries):
            inside = ["#" + c["id"] for c in resource.get("contained", [])]
            named = re.findall(r'"reference": "([^"]*)"', json.dumps(resource))
            if any(url not in urls and url not in inside for url in named):
                self.wrong("Bundle", "a reference to nothing")
            if any(url not in named for url in inside):
                self.wrong("Bundle", "something contained that nothing refers to")


def main():
    root = os.environ.get("CHARTSEAL_DATA")
    if not root:
        print("skipped: no reference data, wanted v2_messages and fhir_r4/definitions")
        return SKIPPED
    checker = Checker(Definitions(root))
    files = sorted(glob.glob(os.path.join(root, "v2_messages", "*", "*.hl7")) +
                   glob.glob(os.path.join(root, "v2_quirky", "*", "*.hl7")))
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
    print(f"{count} bundles, {len(checker.errors)} kinds of error")
    return 1 if checker.errors or count < 250 else 0


if __name__ == "__main__":
    sys.exit(main())
