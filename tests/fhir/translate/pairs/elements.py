"""What elements the guide's rows lead to, with those of the datatypes that stand there."""

import re
from collections import defaultdict

DEPTH = 4


def bare(text):
    return re.sub(r"\s", "", text).lower()


class Elements:
    """Rows of the guide by resource and path: of segments, and of datatypes below them."""

    def __init__(self, rows):
        self.by = defaultdict(list)
        self.datatypes = defaultdict(list)
        urls = defaultdict(list)
        for row in rows:
            if row.kind == "datatype":
                self.datatypes[bare(row.map)].append(row)
            if row.path.endswith("extension.url") and row.value:
                urls[row.map, row.field].append(row.value.rsplit("/", 1)[-1])
        self.urls = urls
        for row in rows:
            if row.kind == "segment":
                resource = re.search(r"\[(\w+)", row.map).group(1)
                self.add(resource, row.path, row, [row], DEPTH)

    def add(self, resource, path, row, why, depth):
        """@path of @resource is led to by the rows in @why, of which @row is the last."""
        inner = re.search(r"^(.*?)\((\w+)[^)]*\)\.?(.*)$", path)
        if inner:
            before, kind, rest = inner.groups()
            self.by[resource, before + ".reference"].append(why)
            self.by[resource, before + ".display"].append(why)
            self.add(kind, rest, row, why, depth)
            return
        path = "" if path in ("$this", "$value") else path
        for spelt in self.spelt(path, row):
            if spelt:
                self.by[resource, spelt].append(why)
            if depth and row.datatype:
                for part in self.datatypes.get(bare(row.datatype), ()):
                    below = "" if part.path in ("$this", "$value") else part.path
                    whole = ".".join(filter(None, (spelt, below)))
                    self.add(resource, whole, part, [*why, part], depth - 1)

    def spelt(self, path, row):
        """The path with each URL that an extension has in the rows of the field."""
        if "extension." not in path:
            return [path]
        urls = self.urls[row.map, row.field] or [""]
        return [re.sub(r"(^|\.)extension\.(?!extension|url)", rf"\1extension({url}).", path, count=1)
                for url in urls]

    def rows(self, leaf):
        """Lists of rows that lead to a leaf like "Patient.name.family"; may be none."""
        resource, _, path = leaf.partition(".")
        return self.by.get((resource, path), [])
