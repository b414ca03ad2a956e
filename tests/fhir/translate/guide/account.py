"""Each row of the guide, and what it is accounted for by."""

import exceptions as listed
import match
import ours
import tables


class Account:
    """@by: "has" or the kind of exception, by row. @wrong: what is to be mended; @stale: what no
    longer is as exceptions.md says."""

    def __init__(self, rows, matcher, exceptions):
        self.rows = [(row, matcher(row)) for row in rows]
        self.maps = matcher.maps
        self.by, self.unaccounted = {}, []
        self.wrong, self.stale = list(exceptions.wrong), []
        for row, why in self.rows:
            self.take(row, why, exceptions)
        for e in exceptions.list:
            if not e.rows:
                self.stale.append(f"exceptions.md:{e.line}: no row of the guide needs it")
            self.stale += [f"exceptions.md:{e.line}: ours have no {name}" for name in e.ours
                           if not matcher.stands(name)]

    def take(self, row, why, exceptions):
        if why == match.HAD:
            self.by[row] = "has"
            return
        found = [e for e in exceptions.list if e.covers(row)]
        found = [e for e in found if e.kind != "open"] or found
        for e in found:
            e.rows.append(row)
        if len(found) > 1:
            self.wrong.append(f"{row.map} {row.field} -> {row.path}: lines "
                              f"{', '.join(str(e.line) for e in found)} of exceptions.md are "
                              "about it, one is wanted")
        if found:
            self.by[row] = found[0].kind
        else:
            self.unaccounted.append((row, why))


def read(program, root, folder):
    """The account of the guide in @folder and of the rows that @program prints."""
    rows = tables.read(folder)
    exceptions = listed.Exceptions(root / "schemas/map/exceptions.md")
    return Account(rows, match.Matcher(ours.Maps(program), exceptions, rows), exceptions)
