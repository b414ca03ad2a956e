"""Whether our rows have what a row of the guide says."""

import re

from ours import CODED, reads

# Types of ours that hold one value, whatever the guide calls its datatype.
PRIMITIVES = {"string", "code", "uri", "boolean", "dateTime", "assigner", "reference", "primitive",
              "decimal", "positive"}
HAD = ""


class Matcher:
    def __init__(self, maps, exceptions, guide):
        self.maps, self.names = maps, exceptions.names
        self.by_map = {}
        for row in guide:
            self.by_map.setdefault((row.kind, row.map.lower()), []).append(row)

    def ours(self, guide):
        """Names of ours for a datatype or table of the guide."""
        bare = re.sub(r"[\s/]", "", guide)
        for name, ours in self.names.items():
            if name.lower() == bare.lower():
                return ours
        return [re.sub(r"\[.*", "", bare)]

    def __call__(self, row):
        """HAD, or what is missing."""
        return getattr(self, row.kind)(row)

    def stands(self, name):
        """Whether a row of ours is there: "PID-3 Patient.identifier"."""
        source, _, where = name.partition(" ")
        resource, _, path = where.partition(".")
        return any(any(reads(address, source) for address in row.sources + row.tested)
                   for row in self.maps.by_path.get((resource, path), ()))

    # --- segments ----------------------------------------------------------------------

    def segment(self, row):
        resource = re.search(r"\[(\w+)", row.map).group(1)
        field = row.field if "-" in row.field else row.map.split("[")[0]
        return self.value(resource, field, row.path, row)

    def candidates(self, resource, path):
        """Places where ours may be: by the whole path, or in the resource it leads to."""
        path = "" if path == "$this" else path
        yield resource, path
        for inner in re.finditer(r"\(([\w|]+)\)\.", path):
            for name in inner.group(1).split("|"):
                yield name, path[inner.end():]

    def value(self, resource, field, path, row):
        why = "no row with this path"
        for where, at in self.candidates(resource, path):
            found = self.at(where, at, field, row)
            if found == HAD:
                return HAD
            why = found or why
            if row.datatype and self.unfolded(where, at, field, row.datatype):
                return HAD
        return why

    def at(self, resource, path, field, row):
        """The same for one place; None if nothing stands there."""
        why = None
        steps = path.split(".") if path else []
        for cut in range(len(steps), -1, -1):
            rest = ".".join(steps[cut:])
            for ours in self.maps.by_path.get((resource, ".".join(steps[:cut])), ()):
                if rest and rest not in CODED.get(ours.type, ()):
                    continue
                if not self.from_field(ours, field, row):
                    why = why or f"there from {' '.join(ours.sources) or ours.text}"
                    continue
                why = self.fits(ours, rest, row)
                if why == HAD:
                    return HAD
        return why

    def from_field(self, ours, field, row):
        if any(reads(address, field) for address in ours.sources):
            return True
        if "-" not in field and "." not in field:
            return bool(ours.text) or any(source[0] == "$" for source in ours.sources)
        unconditional = not any("-" in source for source in ours.sources)
        return bool(ours.text) and (unconditional or field in [
            re.sub(r"\..*", "", address) for address in ours.tested])

    def fits(self, ours, rest, row):
        if row.value and not self.constant(ours, rest, row.value):
            return f"has {ours.text or ours.type}, not {row.value}"
        if row.table and not row.value and not self.tabled(ours, row.table):
            return f"table {ours.table or 'none'}, not {row.table}"
        if row.datatype and not self.typed(ours, row.datatype):
            return f"type {ours.type}, not {row.datatype}"
        return HAD

    def constant(self, ours, rest, value):
        part = CODED.get(ours.type, {}).get(rest, "code")
        if not ours.text:
            known = self.maps.tables.get(ours.table)
            return part == "system" and known is not None and known.system == value
        if ours.table and (rest or ours.type in CODED or ours.type == "code"):
            to, display, system = self.maps.tables[ours.table].codes.get(
                ours.text, (None, None, None))
            return value == {"code": to, "system": system, "display": display}[part]
        return ours.text == value

    def tabled(self, ours, table):
        if not any(r.target for r in self.by_map.get(("code", self.bare(table)), ())):
            return True
        return ours.table in self.ours(table) or ours.type == "{"

    def bare(self, table):
        return re.sub(r"[\s/]", "", table).lower()

    def typed(self, ours, datatype):
        if ours.type in PRIMITIVES or ours.type in CODED or ours.type == "{":
            return True
        return ours.type in self.ours(datatype)

    def unfolded(self, resource, path, field, datatype):
        """Whether ours has at least the first row of the guide's datatype in place."""
        for row in self.by_map.get(("datatype", re.sub(r"\s", "", datatype).lower()), ()):
            part = re.sub(r"^\w+", "", row.field)
            if part and not row.value:
                below = "" if row.path in ("$value", "$this") else row.path
                whole = ".".join(filter(None, (path, below)))
                return self.at(resource, whole, field + part, row) == HAD
        return False

    # --- datatypes ---------------------------------------------------------------------

    def datatype(self, row):
        part = re.sub(r"^\w+[-.]?", ".", row.field).rstrip(".")
        why = "nothing of ours stands for the map"
        for name in self.ours(row.map):
            if name in PRIMITIVES or name in CODED:
                return HAD
            for where, at, field in self.in_datatype(name, row.path, part):
                found = self.at(where, at, field or ".", row)
                if found == HAD:
                    return HAD
                if row.datatype and self.unfolded(where, at, field, row.datatype):
                    return HAD
                why = f"{name}: {found or 'no row with this path'}"
        return why

    def in_datatype(self, name, path, part):
        """Where ours of that name has @path: a datatype, a part of one, or a place."""
        field, _, where = name.rpartition(" ")
        where, _, below = where.partition(".")
        if not field and below:
            field, below = "." + below, ""
        elif field and where not in {r.resource for r in self.maps.rows}:
            return
        path = re.sub(r"^(Quantity|DocumentReference)\.", "", path)
        at = "" if path in ("$value", "$this") else path
        yield where, ".".join(filter(None, (below, at))), field + part
        inner = re.search(r"\((\w+)\)\.", path)
        if inner:
            yield where, path[inner.end():], field + part

    # --- codes -------------------------------------------------------------------------

    def code(self, row):
        if not row.field:
            return "no code to come from"
        why = "no table of ours stands for the map"
        for name in self.ours(row.map):
            table = self.maps.tables.get(name)
            if name in PRIMITIVES:
                return HAD
            if not table:
                continue
            found = table.codes.get(row.field) or table.codes.get("*")
            if found:
                same = found[0] == row.target and self.same_system(found[2], row.more)
                if same:
                    return HAD
                why = f"{name} has {found[0]} {found[2]}, not {row.target} {row.more}"
            elif row.target == row.field and table.source and table.source == row.more:
                return HAD  # passed on as it is
            else:
                why = f"{name} has no {row.field}"
        return why

    def same_system(self, ours, guide):
        return ours in (guide, "")  # a primitive has none

    # --- messages ----------------------------------------------------------------------

    def message(self, row):
        message = row.map.replace("_", "^")
        segment = row.field.split(".")[-1]
        groups = [(name, segments, resources) for event, name, segments, resources
                  in self.maps.messages if event == message and segment in segments]
        if not groups:
            known = any(event == message for event, *_ in self.maps.messages)
            return f"no group of {message} has {segment}" if known else f"{message} isn't translated"
        resource = re.match(r"\w+", row.target).group(0)
        if not any((r.resource == resource or f"({resource})" in r.path) and
                   self.about(r, segment) for r in self.maps.rows):
            return f"{segment} makes no {resource}"
        return self.references(row) if row.more else HAD

    def about(self, row, segment):
        return row.name == segment and row.section == "segment" or any(
            address.startswith(segment + "-") for address in row.sources + row.tested) or \
            segment == "MSH" and "$event" in row.sources

    def references(self, row):
        """Whether ours refer as the row does: "A[1].b.reference=C[1].id"."""
        text = re.sub(r"\[[^\]]*\]", "", row.more)
        for of, path, to in re.findall(r"(\w+)\.([\w.()-]+) ?= ?(\w+)", text):
            path = re.sub(r"\.(reference|id)$", "", path)
            if not any(r.resource == of and r.path == path and
                       ("@" + to in r.sources or "@every" in r.sources) or
                       r.path == f"{path}({to})" and r.resource == of or
                       r.path == path and r.resource == of and r.type == to
                       for r in self.maps.rows):
                return f"{of}.{path} refers to no {to}"
        return HAD
