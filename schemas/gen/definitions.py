#!/usr/bin/env python3
"""Write the published StructureDefinitions of a FHIR version as rows, schemas/fhir/types_*.txt.

    definitions.py DEFINITIONS-FOLDER VERSION [CORRECTIONS] > types_r4.txt

The folder holds profiles-types.json.gz and profiles-resources.json.gz as HL7 publishes them.
Where a copy of them strays from what was published, CORRECTIONS has the right rows. schema.py
tells what a row means.
"""

import gzip
import json
import sys

HL7 = "http://hl7.org/fhir/"
FHIR_TYPE = HL7 + "StructureDefinition/structuredefinition-fhir-type"
REGEX = HL7 + "StructureDefinition/regex"
MOST_VALUES = HL7 + "StructureDefinition/elementdefinition-maxValueSet"
NUMBERS = {"decimal", "integer"}
HEAD = """# Types and elements of FHIR {version}: rows made from the published StructureDefinitions by
# schemas/gen/definitions.py, which a test repeats. schemas/gen/schema.py says what a row means.
fhir {version}
"""


def load(folder, version):
    """Definitions by type name, those of other versions left out."""
    out = {}
    for name in ("profiles-types", "profiles-resources"):
        with gzip.open(f"{folder}/{name}.json.gz") as file:
            for entry in json.load(file)["entry"]:
                resource = entry["resource"]
                if (resource["resourceType"] == "StructureDefinition"
                        and resource["fhirVersion"] == version):
                    out[resource["id"]] = resource
    return out


def extension(of, url):
    """The value of an extension, or None."""
    for item in of.get("extension", []):
        if item["url"] == url:
            return next(value for key, value in item.items() if key.startswith("value"))
    return None


def last(url):
    return url.rsplit("/", 1)[1]


def short(canonical):
    """A canonical URL without what nearly all begin with."""
    prefix = HL7 + "ValueSet/"
    return canonical[len(prefix):] if canonical.startswith(prefix) else canonical


def type_text(kind, types):
    code = kind["code"]
    if code.startswith("http://hl7.org/fhirpath/System."):
        code = extension(kind, FHIR_TYPE) or last(code).removeprefix("System.").lower()
    targets = [last(url) for url in kind.get("targetProfile", []) + kind.get("profile", [])
               if url.startswith(HL7)]
    targets = [name for name in targets if name in types and name != "Resource"]
    return f"{code}({'|'.join(targets)})" if targets else code


def binding_words(element):
    binding = element.get("binding", {})
    if "valueSet" not in binding:
        return []
    words = [binding["strength"], short(binding["valueSet"])]
    most = extension(binding, MOST_VALUES)
    return words + (["within", short(most)] if most else [])


def fixed_words(element):
    for key, value in element.items():
        if key.startswith(("fixed", "pattern")):
            word = "fixed" if key.startswith("fixed") else "pattern"
            return [word, json.dumps(value, ensure_ascii=False, separators=(",", ":"))]
    return []


def element_row(element, types):
    path = element["path"].split(".", 1)[1]
    if "contentReference" in element:
        kinds = "=" + element["contentReference"].rpartition("#")[2]
    else:
        kinds = ",".join(type_text(kind, types) for kind in element["type"])
    words = [path, f"{element['min']}..{element['max']}", kinds]
    representation = element.get("representation", [])
    words += ["attribute"] if "xmlAttr" in representation else []
    words += ["summary"] if element.get("isSummary") else []
    words += ["modifier"] if element.get("isModifier") else []
    return "  " + " ".join(words + binding_words(element) + fixed_words(element))


def value_words(definition, types):
    """How a primitive is written: its JSON kind, what bounds it, its regular expression."""
    name, chain = definition["id"], set()
    while name in types:
        chain.add(name)
        name = last(types[name].get("baseDefinition", "/"))
    words = ["boolean" if "boolean" in chain else "number" if chain & NUMBERS else "string"]
    value = next(e for e in definition["snapshot"]["element"] if e["path"].endswith(".value"))
    for key, word in (("minValueInteger", "least"), ("maxValueInteger", "most"),
                      ("maxLength", "length")):
        if key in value:
            words += [word, str(value[key])]
    regex = extension(value["type"][0], REGEX)
    return words + (["regex", regex] if regex else [])


def rows(definition, types):
    """One type: its own row, then one for each element that it doesn't inherit."""
    name = definition["id"]
    base = last(definition.get("baseDefinition", "/"))
    kind = {"primitive-type": "primitive", "complex-type": "complex"}.get(
        definition["kind"], definition["kind"])
    if definition.get("derivation") == "constraint":
        kind = "profile"
    words = [kind, name] + ([":", base] if base else [])
    words += ["abstract"] if definition["abstract"] else []
    elements = definition["snapshot"]["element"]
    if kind == "primitive":
        return [" ".join(words + value_words(definition, types))]
    words += binding_words(elements[0])
    own = [e for e in elements[1:] if e["base"]["path"].split(".")[0] == name
           or e["path"].count(".") > 1]
    own = [e for e in own if not inherited(e, elements)]
    return [" ".join(words)] + [element_row(element, types) for element in own]


def inherited(element, elements):
    """Whether a nested element comes from Element or BackboneElement, as its parent says."""
    return element["base"]["path"].split(".")[0] in ("Element", "BackboneElement") \
        and element["path"] != element["base"]["path"]


def place(rows_of_type, path):
    """Index of the row of an element, or None."""
    for i, row in enumerate(rows_of_type):
        if i and row.split()[0] == path:
            return i
    return None


def correct(table, text):
    """Change rows as a corrections file says."""
    name, after = None, 0
    for line in text.splitlines():
        word = line.lstrip("- ").split(" ")[0]
        if line.startswith("drop "):
            del table[line.split()[1]]
        elif line.startswith("- "):
            below = word + "."
            table[name] = [row for i, row in enumerate(table[name]) if not i or
                           row.split()[0] != word and not row.split()[0].startswith(below)]
        elif line.startswith("  "):
            at = place(table[name], word)
            after = at or after + 1
            table[name][after:after + (at is not None)] = [line]
        elif line and not line.startswith("#"):
            name, after = line.split()[1], 0


def main():
    folder, version = sys.argv[1:3]
    types = load(folder, version)
    table = {name: rows(types[name], types) for name in types}
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            correct(table, file.read())
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(HEAD.format(version=version))
    for name in sorted(table):
        sys.stdout.write("\n".join(table[name]) + "\n")


if __name__ == "__main__":
    main()
