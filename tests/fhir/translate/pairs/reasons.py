"""Why two Bundles differ in a leaf: what can be told without a person.

Theirs, not ours:
    guide   a row of the guide leads there, and exceptions.md says why ours don't
    place   no row of the guide leads there; ours have the value at another element
    told    no row of the guide leads there; the field is told as not translated
    named   words or a code system for a code, which the message doesn't have
Ours, not theirs:
    guide   a row of the guide leads there, which ours follow
    more    no row of the guide leads there; the value is the message's, or ours by a row
"""

import re


def bare_digits(text):
    return re.sub(r"\D", "", text)


class Message:
    """A message, and what was told of it."""

    def __init__(self, text, places):
        self.segments = re.split(r"[\r\n]+", text)
        self.text = self.decoded(text)
        self.told = self.decoded("\n".join(filter(None, map(self.at, places))))

    def decoded(self, text):
        for code, char in (("T", "&"), ("F", "|"), ("S", "^"), ("R", "~"), ("E", "\\")):
            text = text.replace(f"\\{code}\\", char)
        return " ".join(text.split())

    def at(self, place):
        """Raw text of a place such as "PID[1]-5", "ZZ1" or "OBX[2]-3.1"."""
        found = re.match(r"(\w{3})(?:\[(\d+)\])?(?:-(\d+))?", place)
        if not found:
            return ""
        same = [s for s in self.segments if s.startswith(found.group(1) + "|")]
        if not found.group(3):
            return "\n".join(same)
        number = int(found.group(2) or 1)
        if number > len(same):
            return ""
        fields = same[number - 1].split("|")
        index = int(found.group(3)) - (found.group(1) == "MSH")
        return fields[index] if index < len(fields) else ""

    def has(self, value, text=None):
        """Whether the value stands in the text, also as a time or without its unit."""
        text = self.text if text is None else text
        digits = bare_digits(value)
        return value in text or re.fullmatch(r"\d{4}-\d\d.*", value) and digits[:8] in text or \
            value.removeprefix("urn:oid:").removeprefix("urn:uuid:") in text


class Reasons:
    def __init__(self, elements, account):
        self.elements, self.account, self.maps = elements, account, account.maps

    def kind_of(self, why):
        """How the rows that lead to an element are accounted for: the first that isn't had."""
        kinds = [self.account.by.get(row, "open") for row in why]
        return next((kind for kind in kinds if kind != "has"), "has")

    def named(self, why):
        return " ".join(f"{row.map} {row.field}" for row in why)

    def theirs(self, path, value, ours, message):
        rows = self.elements.rows(path)
        if path.endswith((".display", ".system")) and not message.has(value):
            return "named"
        for why in rows:
            if self.kind_of(why) != "has":
                return f"guide {self.kind_of(why)}: {self.named(why)}"
        if rows:
            return ""
        at = next((p for p, v in ours if v == value), None)
        if at:
            return f"place: {at}"
        return "told" if len(value) > 1 and message.has(value, message.told) else ""

    def ours(self, path, value, message):
        for why in self.elements.rows(path):
            if self.kind_of(why) == "has":
                return f"guide: {self.named(why)}"
        return "more" if message.has(value) or self.constant(path, value) else ""

    def constant(self, path, value):
        """Whether a row of ours puts the value there, from itself or a table, or refers there."""
        resource, _, path = re.sub(r"\([^)]*\)", "", path).partition(".")
        at = (resource, path.rpartition(".")[0]) if path.endswith(".reference") else None
        if at and any(f"@{value}" in row.sources or "@every" in row.sources or
                      row.path.endswith(f"({value})") for row in self.maps.by_path.get(at, ())):
            return True
        steps = path.split(".")
        for cut in range(len(steps), 0, -1):
            for row in self.maps.by_path.get((resource, ".".join(steps[:cut])), ()):
                if row.text == value or row.table in self.maps.tables and \
                        value in self.words(row.table):
                    return True
        return False

    def words(self, name):
        """All that a table may make of a code."""
        table = self.maps.tables[name]
        return {table.system, table.source, "true", "false"} | \
            {word for code in table.codes.values() for word in code}
