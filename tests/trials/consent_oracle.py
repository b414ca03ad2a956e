"""A second evaluator of consents: slow, and as plain as the rules read.

It knows FHIR Consents (R4, IHE PCF, R5), requests and data of which all is known, and answers permit
or deny. Nothing is compiled: each rule is looked at anew, codes are compared as strings, and
the code systems are walked as the trees they are published as.
"""

import datetime

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

# Purposes of use: what stands below what, in FHIR R4.
PURPOSES = {
    "PurposeOfUse": ["HMARKT", "HOPERAT", "HPAYMT", "HRESCH", "PATRQT", "PUBHLTH", "TREAT"],
    "TREAT": ["CLINTRL", "COC", "ETREAT", "POPHLTH"],
    "ETREAT": ["BTG", "ERTREAT"],
    "HOPERAT": ["CAREMGT", "DONAT", "FRAUD", "GOV", "HACCRED", "HCOMPL", "HDECD", "HDIRECT", "HDM",
                "HLEGAL", "HOUTCOMS", "HPRGRP", "HQUALIMP", "HSYSADMIN", "MEMADMIN", "MILCDM",
                "PATADMIN", "PATSFTY", "PERFMSR", "RECORDMGT", "SYSDEV", "TRAIN"],
    "HSYSADMIN": ["LABELING", "METAMGT"],
    "SYSDEV": ["HTEST"],
    "HPAYMT": ["CLMATTCH", "COVAUTH", "COVERAGE", "REMITADV"],
    "COVERAGE": ["ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG"],
    "HRESCH": ["BIORCH", "CLINTRCH", "DSRCH", "POARCH", "TRANSRCH"],
    "CLINTRCH": ["CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH"],
    "PATRQT": ["FAMRQT", "PWATRNY", "SUPNWK"],
    "PUBHLTH": ["DISASTER", "THREAT"],
}
GLASS = ("BTG", "ETREAT")

# Sensitivity: SPI and what it is made of; everything else stands alone.
SENSITIVITY = {
    "SPI": ["BH", "MH", "PSY", "PSYTHPN", "SUD"],
    "SUD": ["ETHUD", "OPIOIDUD"],
    "BH": ["COGN", "DVD", "EMOTDIS"],
}
ORDER = "ULMNRV"


def is_a(tree, code, ancestor):
    return code == ancestor or any(is_a(tree, code, child) for child in tree.get(ancestor, []))


# --- criteria --------------------------------------------------------------------------------


def purpose_permits(listed, requested):
    if requested in GLASS:
        return any(is_a(PURPOSES, requested, one) for one in listed if one in GLASS)
    if requested == "ERTREAT":  # below ETREAT, which no permit is passed through
        return "ERTREAT" in listed or "ETREAT" in listed
    return any(is_a(PURPOSES, requested, one) for one in listed)


def purpose_denies(listed, requested):
    if requested in GLASS:
        return any(is_a(PURPOSES, requested, one) for one in listed if one in GLASS)
    for one in listed:
        if is_a(PURPOSES, requested, one):
            return True
        if one not in GLASS and is_a(PURPOSES, one, requested):
            return True
    return False


def match_purpose(listed, effect, requested):
    if not requested:
        return effect == "deny"
    if not listed:
        return effect == "deny" or any(one not in GLASS for one in requested)
    codes = [c["code"] for c in listed if c["system"] == ACT_REASON]
    foreign = [c["system"] + "|" + c["code"] for c in listed if c["system"] != ACT_REASON]
    covers = purpose_denies if effect == "deny" else purpose_permits
    return any(one in foreign or ("|" not in one and covers(codes, one)) for one in requested)


def sensitivity_covers(listed, label):
    if is_a(SENSITIVITY, label, listed):
        return True
    # ETH and SUD are held equal: who covers one covers the other, and what is below it.
    covers_either = is_a(SENSITIVITY, "SUD", listed) or listed == "ETH"
    return covers_either and (label == "ETH" or is_a(SENSITIVITY, label, "SUD"))


def match_label(listed, effect, data):
    own = data["labels"]
    levels = [c["code"] for c in own if c["system"] == CONFIDENTIALITY]
    level = max(levels, key=ORDER.index) if levels else ("N" if data["labelled"] else "R")
    for one in listed:
        if one["system"] == CONFIDENTIALITY:
            place, wanted = ORDER.index(level), ORDER.index(one["code"])
            if place >= wanted if effect == "deny" else place <= wanted:
                return True
        elif one["system"] == ACT_CODE:
            if any(c["system"] == ACT_CODE and sensitivity_covers(one["code"], c["code"])
                   for c in own):
                return True
        elif one in own:
            return True
    return False


def match_class(listed, data):
    for one in listed:
        if one["system"].endswith(("/resource-types", "/fhir-types")):
            if one["code"] == data["type"]:
                return True
        elif one["system"] == "urn:ietf:rfc:3986":
            if any(profile in (one["code"],) or profile.split("|")[0] == one["code"]
                   for profile in data["profiles"]):
                return True
        elif one in data["codings"]:
            return True
    return False


def match_data(listed, data):
    own = data["type"] + "/" + data["id"]
    for one in listed:
        reference = one["reference"]["reference"]
        if one["meaning"] == "authoredby":
            if reference in data["authors"]:
                return True
        elif reference in (own, own + "/_history/" + data["version"]):
            return True
        elif one["meaning"] in ("related", "dependents") and reference in data["references"]:
            return True
    return False


def name_of(reference):
    if "identifier" in reference:
        return reference["identifier"]["system"] + "|" + reference["identifier"]["value"]
    return reference["reference"]


def match_actor(listed, request, data):
    for one in listed:
        role = one["role"]["coding"][0]["code"]
        names = data["custodians"] if role == "CST" else request["actors"]
        if name_of(one["reference"]) in names:
            return True
    return False


def day(text):
    moment = datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1000


def within(period, moment):
    if "start" in period and moment < day(period["start"]):
        return False
    return not ("end" in period and moment >= day(period["end"]) + 86400000)


CRITERIA = ("actor", "action", "purpose", "securityLabel", "class", "code", "data", "dataPeriod",
            "period")


def criteria_of(provision):
    """What a provision asks for. R5 calls class two things."""
    found = {name: provision[name] for name in CRITERIA if name in provision}
    classes = provision.get("resourceType", []) + provision.get("documentType", [])
    if isinstance(classes, list) and classes:
        found["class"] = classes
    return found


def matches(asked, effect, request, data):
    """Every criterion that is present must match; purpose and action have a say in any case."""
    if "action" not in request:
        if effect == "permit":
            return False
    elif "action" in asked and not any(
            c["code"] == request["action"] for a in asked["action"] for c in a["coding"]):
        return False
    if not match_purpose(asked.get("purpose", []), effect, request["purposes"]):
        return False
    tests = {
        "actor": lambda listed: match_actor(listed, request, data),
        "securityLabel": lambda listed: match_label(listed, effect, data),
        "class": lambda listed: match_class(listed, data),
        "code": lambda listed: any(c in data["codings"] for one in listed for c in one["coding"]),
        "data": lambda listed: match_data(listed, data),
        "dataPeriod": lambda period: within(period, data["time"]),
        "period": lambda period: within(period, request["now"]),
    }
    return all(test(asked[name]) for name, test in tests.items() if name in asked)


# --- one consent -----------------------------------------------------------------------------


class Rule:
    def __init__(self, effect, asked, children):
        self.effect, self.asked, self.children = effect, asked, children


def other(effect):
    return "deny" if effect == "permit" else "permit"


def rules_of(provision, parent, r5):
    rules = []
    for child in provision.get("provision", []):
        effect = other(parent) if r5 else child["type"]
        rules.append(Rule(effect, criteria_of(child), rules_of(child, effect, r5)))
    return rules


class Policy:
    """base, the criteria that limit it, its period, and the exceptions to it."""

    def __init__(self, base, scope, period, rules):
        self.base, self.scope, self.period, self.rules = base, scope, period, rules


def read_r5(consent):
    base = consent["decision"]
    return Policy(base, {}, consent.get("period"), rules_of(consent, base, True))


def read_r4(consent):
    """Base from policyRule; what the root asks for is one rule against it."""
    root = consent.get("provision", {})
    codes = [c["code"] for c in consent.get("policyRule", {}).get("coding", [])]
    base = None
    if codes:
        base = "permit" if codes[0].startswith("OPTIN") else "deny"
    asked = criteria_of(root)
    period = asked.pop("period", None)
    if not asked:
        return Policy(base, {}, period, rules_of(root, base, False))
    effect = "deny" if base == "permit" else "permit"
    rule = Rule(effect, asked, rules_of(root, effect, False))
    rule.children = [child for child in rule.children if not repeats(child, rule)]
    return Policy(base, {}, period, [rule])


def repeats(child, rule):
    """Whether an exception only says again what holds anyway, as one of R4's own example does.

    It asks for nothing but what the rule that it is an exception to asks for in the same words; words
    count by kind (actors apart from custodians, purposes of one system from those of others)."""
    if child.effect == rule.effect or child.children or not child.asked:
        return False
    if {"period", "dataPeriod"} & set(child.asked):
        return False
    mine, theirs = parts(child.asked), parts(rule.asked)
    return all(theirs.get(name) == values for name, values in mine.items())


def parts(asked):
    found = {}

    def add(name, value):
        found.setdefault(name, set()).add(value)
    for one in asked.get("actor", []):
        add("custodian" if one["role"]["coding"][0]["code"] == "CST" else "actor",
            name_of(one["reference"]))
    for one in asked.get("action", []):
        add("action", one["coding"][0]["code"])
    for one in asked.get("purpose", []):
        add("purpose" if one["system"] == ACT_REASON else "purpose of others", str(one))
    for one in asked.get("securityLabel", []):
        kind = one["system"] if one["system"] in (ACT_CODE, CONFIDENTIALITY) else "label of others"
        add(kind, one["code"] + one["system"])
    for one in asked.get("class", []):
        add("class", one["code"] + one["system"])
    for one in asked.get("code", []):
        add("code", str(one["coding"]))
    for one in asked.get("data", []):
        add("data " + one["meaning"], one["reference"]["reference"])
    return found


def read_pcf(consent):
    """Base and scope from the root. A permit takes from the scope what it doesn't ask itself."""
    root = consent["provision"]
    scope = criteria_of(root)
    period = scope.pop("period", None)
    rules = rules_of(root, root["type"], False)
    for rule in rules:
        if rule.effect == "permit":
            rule.asked = {**scope, **rule.asked}
    return Policy(root["type"], scope, period, rules)


def read(consent):
    if "decision" in consent:
        return read_r5(consent)
    return read_pcf(consent) if "type" in consent.get("provision", {}) else read_r4(consent)


def evaluate_rules(rules, rank, request, data):
    """The verdict of those that match and how specific it is; None: none of them matches."""
    found = []
    for rule in rules:
        if matches(rule.asked, rule.effect, request, data):
            own = rank + len(rule.asked)
            deeper = evaluate_rules(rule.children, own, request, data)
            found.append(deeper or (rule.effect, own))
    for effect in ("deny", "permit"):  # deny overrides
        ranks = [rank for verdict, rank in found if verdict == effect]
        if ranks:
            return effect, max(ranks)
    return None


def evaluate(policy, request, data):
    if policy.period and not within(policy.period, request["now"]):
        return None
    rank = len(policy.scope) + (1 if policy.period else 0)
    found = evaluate_rules(policy.rules, rank, request, data)
    if found:
        return found
    if policy.base and matches(policy.scope, policy.base, request, data):
        return policy.base, rank
    return None


# --- all of a patient's ----------------------------------------------------------------------

IMPLICIT = {
    "basic-normal": lambda purposes: any(purpose_permits(["TREAT"], p) for p in purposes),
    "all-normal": lambda purposes: any(p not in GLASS for p in purposes),
    "break-glass-only": lambda purposes: "BTG" in purposes,
}


def decide(case):
    request, data = case["request"], case["data"]
    tenant = case.get("tenant", {"combining": "deny-overrides", "implicit": ""})
    if "legal" in tenant:
        legal = evaluate(read(tenant["legal"]), request, data)
        if legal:
            return legal[0]
    found, bounded = [], False
    for consent in case["consents"]:
        if consent["state"] == "mismatch":
            return "deny"
        if consent["state"] == "revoked":
            continue
        policy = read(consent["resource"])
        verdict = evaluate(policy, request, data)
        in_force = consent["state"] == "safe"
        over = policy.period and not within(policy.period, request["now"])
        bounded = bounded or (in_force and policy.base == "permit" and not over)
        if verdict and (in_force or verdict[0] == "deny"):
            # A consent that isn't on chain yet has no block: anything granted is later.
            block = 0 if consent["state"] == "absent" else consent["block"]
            rank = {"deny-overrides": 0, "most-specific": verdict[1], "most-recent": block}
            found.append((rank[tenant["combining"]], verdict[0]))
    if found:
        highest = max(rank for rank, _ in found)
        return "deny" if (highest, "deny") in found else "permit"
    purposes = request["purposes"]
    glass = purposes and all(p in GLASS for p in purposes)
    implicit = IMPLICIT.get(tenant["implicit"])
    permitted = implicit and implicit(purposes) and "action" in request
    return "permit" if permitted and (not bounded or glass) else "deny"
