#!/usr/bin/env python3
"""Write rows of schemas/fhir/types_*.txt for a version whose definitions aren't at hand.

    listing.py LISTING MODEL > types_r5.txt

LISTING is what the project microsoft/fhir-codegen prints of a core package ("Info-R5.txt"):
types, elements, cardinalities, types and targets. MODEL is the folder of HL7's Java classes of
that version, in hapifhir/org.hl7.fhir.core ("org/hl7/fhir/r5/model"): summary and modifier
flags. Neither has the strength of bindings, so these rows have no bindings. Of R4 the same
rows come out that definitions.py makes, bindings aside. schema.py tells what a row means.
"""

import pathlib
import re
import sys

NUMBERS = {"decimal", "integer", "unsignedInt", "positiveInt"}
PRIMITIVE_BASES = {
    "canonical": "uri", "code": "string", "id": "string", "markdown": "string", "oid": "uri",
    "positiveInt": "integer", "unsignedInt": "integer", "url": "uri", "uuid": "uri"}
ATTRIBUTES = {("Element", "id"), ("Extension", "url")}
HEAD = """# Types and elements of FHIR {version}, made by schemas/gen/listing.py, which says of what. No
# bindings: their strength isn't known there. schemas/gen/schema.py says what a row means.
fhir {version}
"""
TYPE = re.compile(r"- (\w+): (\w+) \(.*\(abstract: (True|False)\)")
ELEMENT = re.compile(r"( +)- (\w+(?:\[x\])?)\[(\d+)\.\.([\d*]+)\]: (\S+)")
PRIMITIVE = re.compile(r"- (\w+): ")
MORE = re.compile(r"  [A-Z]")  # extensions, profiles, operations of the type
EXTENSION = re.compile(r"( +)\+")  # one that an element may have; its own elements stand below
ANY = 1000
SECTION = re.compile(r"[A-Z][\w ()]*: \d+$")
CHILD = re.compile(
    r'@Child\(name ?= ?"(\w+?)_?", .*?modifier ?= ?(true|false), summary ?= ?(true|false)\)'
    r".*?protected (?:List<)?(?:Enumeration<)?(\w+)", re.S)
BASE = re.compile(r"public (?:abstract )?class \w+ extends (\w+Resource)\b")
BLOCK = re.compile(r"@Block\(\)\s+public static class (\w+)\s+extends")


class Listing:
    """Types by name: kind, base, abstract, elements as [depth, path, cardinality, types]."""

    def __init__(self, lines):
        self.types, self.regexes, self.version, self.below = {}, {}, None, ANY
        section, current, path = "", None, []
        for line in lines:
            line = line.rstrip("\r\n")
            if line.startswith("Contents of:"):
                self.version = re.search(r"core, ([\d.]+)\)", line).group(1)
            elif SECTION.match(line):
                section = line.split(":")[0]
            elif section == "Primitive Types":
                current = self.primitive(line, current)
            elif section in ("Complex Types", "Resources", "Interfaces"):
                current = self.line(line, section, current, path)

    def primitive(self, line, current):
        found = PRIMITIVE.match(line)
        if found:
            self.regexes[found.group(1)] = ""
            return found.group(1)
        if line.startswith("  ["):
            self.regexes[current] = line.strip()[1:-1]
        return current

    def line(self, line, section, current, path):
        found = TYPE.match(line)
        if found:
            name, base, abstract = found.groups()
            kind = "complex" if section == "Complex Types" else "resource"
            self.types[name] = (kind, "" if base == name else base, abstract == "True", [])
            return name
        if MORE.match(line):
            return None
        found = EXTENSION.match(line)
        if found:
            self.below = len(found.group(1))
        found = ELEMENT.match(line)
        if found and current and len(found.group(1)) <= self.below:
            self.below = ANY
            indent, name, least, most, kinds = found.groups()
            del path[len(indent) // 2 - 1:]
            path.append(name)
            kinds = "string" if (current, name) == ("Element", "id") else kinds
            self.types[current][3].append((".".join(path), f"{least}..{most}", kinds))
        return current

    def inherited(self, base):
        out = set()
        while base:
            out |= {path for path, _, _ in self.types[base][3]}
            base = self.types[base][1]
        return out


def split(kinds):
    """Types between bars that aren't in parentheses."""
    return re.findall(r"[^|(]+(?:\([^)]*\))?", kinds)


def type_text(kind, known):
    code, _, inner = kind.rstrip(")").partition("(")
    targets = [name for name in inner.split("|") if name in known and name != "Resource"]
    return f"{code}({'|'.join(targets)})" if targets else code


def blocks(text):
    """Classes of one Java file: name, its children as name -> (modifier, summary, class)."""
    starts = [(0, None)] + [(m.start(), m.group(1)) for m in BLOCK.finditer(text)]
    # What follows the last nested class belongs to the outer one again.
    out = {}
    for (start, name), (end, _) in zip(starts, starts[1:] + [(len(text), None)]):
        body = text[start:end]
        close = body.find("\n  }\n") if name else -1
        inner, outer = (body[:close], body[close:]) if close >= 0 else ("", body)
        if name:
            out.setdefault(name, {}).update(children(inner))
        out.setdefault(None, {}).update(children(outer))
    return out


def children(text):
    return {name: (modifier == "true", summary == "true", kind)
            for name, modifier, summary, kind in CHILD.findall(text)}


def flags(model, name):
    """Path below the type -> words, from HL7's class."""
    file = next((f for f in (model / f"{name}.java", model / f"{name}_.java", model /
                             f"{name}Type.java", model / f"{name}Resource.java") if f.exists()),
                None)
    if not file:
        return {}
    text = file.read_text(encoding="utf-8")
    base = BASE.search(text)
    classes, out = blocks(text), flags(model, base.group(1)) if base else {}

    def walk(members, prefix):
        for member, (modifier, summary, kind) in members.items():
            out[prefix + member] = (["summary"] if summary else []) + (
                ["modifier"] if modifier else [])
            if kind in classes and prefix.count(".") < 8:
                walk(classes[kind], f"{prefix}{member}.")

    walk(classes[None], "")
    return out


def rows(listing, model, name, known):
    kind, base, abstract, elements = listing.types[name]
    yield " ".join([kind, name] + ([":", base] if base else []) +
                   (["abstract"] if abstract else []))
    nested = {}
    inherited = listing.inherited(base)
    said = flags(model, name)
    for path, cardinality, kinds in elements:
        parent, _, last = path.rpartition(".")
        nested[path] = kinds
        from_base = listing.inherited(nested[parent]) if parent else inherited
        if last in from_base:
            continue
        text = "=" + kinds[1:] if kinds.startswith("#") else ",".join(
            type_text(one, known) for one in split(kinds))
        words = [path, cardinality, text]
        words += ["attribute"] if (name, path) in ATTRIBUTES else []
        yield "  " + " ".join(words + said.get(path.replace("[x]", ""), []))


def primitive_row(name, listing):
    base = PRIMITIVE_BASES.get(name, "PrimitiveType")
    base = base if base in listing.regexes or base in listing.types else "Element"
    json = "boolean" if name == "boolean" else "number" if name in NUMBERS else "string"
    regex = listing.regexes[name]
    return f"primitive {name} : {base} {json}" + (f" regex {regex}" if regex else "")


def main():
    with open(sys.argv[1], encoding="utf-8-sig") as file:
        listing = Listing(file)
    model = pathlib.Path(sys.argv[2])
    table = {name: [primitive_row(name, listing)] for name in listing.regexes}
    table["SimpleQuantity"] = ["profile SimpleQuantity : Quantity"]
    table["MoneyQuantity"] = ["profile MoneyQuantity : Quantity"]
    known = set(listing.types) | set(table)
    for name in listing.types:
        table[name] = list(rows(listing, model, name, known))
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(HEAD.format(version=listing.version))
    for name in sorted(table):
        sys.stdout.write("\n".join(table[name]) + "\n")


if __name__ == "__main__":
    main()
