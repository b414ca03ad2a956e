"""A Bundle as a set of leaves: resource type and path without indexes, and a value that is the
same however it is written. What a reference leads to counts, not the reference."""

import base64
import binascii
import datetime
import re

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
SKIPPED = {"id", "div", "fullUrl", "lastUpdated"}


def moment(text):
    """A time with offset, in UTC; what else it is stays."""
    found = TIME.fullmatch(text)
    if not found:
        return text
    year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
    second = int(found.group(6) or 0)
    try:
        at = datetime.datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        return text
    zone = found.group(8)
    if zone != "Z":
        shift = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        at = at - shift if zone[0] == "+" else at + shift
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def decoded(text):
    """Text inside base64, which some encode and others don't."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return text


def value_of(name, value):
    if value is True or value is False:
        return str(value).lower()
    text = str(value)
    if name == "data":
        text = decoded(text)
    text = moment(text)
    if re.fullmatch(r"-?\d+\.\d*", text):
        text = text.rstrip("0").rstrip(".")
    return " ".join(text.split())


def short(url):
    """The name of an extension; those of a converter's own keep whose they are."""
    own = "reportstream:" if "reportstream.cdc.gov" in url else ""
    return own + url.rsplit("/", 1)[-1]


def identity(resource):
    """What is known of a resource that is referred to: its type is enough."""
    return resource.get("resourceType", "?") if resource else "?"


class Leaves:
    def __init__(self, bundle):
        self.found = set()
        self.by_url = {}
        entries = [e for e in bundle.get("entry", []) if "resource" in e]
        for entry in entries:
            resource = entry["resource"]
            self.by_url[entry.get("fullUrl")] = resource
            self.by_url[f"{resource['resourceType']}/{resource.get('id')}"] = resource
        for entry in entries:
            self.resource(entry["resource"])

    def resource(self, resource):
        kind = resource["resourceType"]
        for inner in resource.get("contained", []):
            self.by_url["#" + str(inner.get("id"))] = inner
            self.resource(inner)
        for name, value in resource.items():
            if name not in ("resourceType", "contained", "text"):
                self.walk(f"{kind}.{name.lstrip('_')}", name, value)

    def walk(self, path, name, value):
        if isinstance(value, list):
            for item in value:
                self.walk(path, name, item)
        elif isinstance(value, dict):
            if "url" in value and name == "extension":
                path += f"({short(str(value['url']))})"
            for inner, item in value.items():
                if inner == "url" and name == "extension":
                    continue
                self.walk(f"{path}.{inner.lstrip('_')}", inner, item)
        elif name == "reference":
            self.found.add((path, identity(self.by_url.get(value)) if value in self.by_url
                            else str(value).split("/")[0]))
        elif name not in SKIPPED and value is not None:
            self.found.add((path, value_of(name, value)))
