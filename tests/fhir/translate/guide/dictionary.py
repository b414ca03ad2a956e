"""Datatypes of fields and components, by schemas/v2."""

import re
from collections import defaultdict

ENTRY = re.compile(r"[\d.]+ (\w+)")


def read(path):
    """{name: {number: datatypes in any version}}"""
    parts, name = defaultdict(dict), None
    for line in path.read_text(encoding="utf-8").splitlines():
        head, *versions = line.split("|")
        number = re.match(r"(\d+) ", head)
        if not number and head.strip():
            name = head.split()[0]
        elif number:
            kinds = {ENTRY.match(v.strip()).group(1) for v in versions if ENTRY.match(v.strip())}
            parts[name][int(number.group(1))] = kinds
    return parts


class Dictionary:
    def __init__(self, folder):
        self.segments = read(folder / "segments.txt")
        self.types = read(folder / "types.txt")

    def types_at(self, address):
        """Datatypes that stand at an address like PID-3.4: of the field and of each part."""
        found = re.fullmatch(r"(\w{3})-(\d+)((?:\.\d+)*)\+?", address)
        if not found:
            return set()
        at = self.segments.get(found.group(1), {}).get(int(found.group(2)), set())
        out = set(at)
        for part in filter(None, found.group(3).split(".")):
            at = {kind for t in at for kind in self.types.get(t, {}).get(int(part), set())}
            out |= at
        return out
