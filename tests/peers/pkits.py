"""PKITS, the path validation suite of NIST (edition of 2011, from Debian's python3-cryptography-vectors): its 224 signed mails, each verified and its signer's path looked for
from the suite's one anchor, with all of the suite's revocation lists at hand, as its directory has them: whatever no list covers is not believed. The verdict must be the
suite's; exceptions stand in pkits.txt with their reasons."""
import base64
import os
import re

from matrix import cms
from peers import Refused
from smime import crlf

DATA = "/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data"
ANCHOR = DATA + "/certs/TrustAnchorRootCertificate.crt"
LISTS = sorted(os.path.join(DATA, "crls", f) for f in (os.listdir(DATA + "/crls") if os.path.isdir(DATA) else []))
# Their names do not say it: invalid under the suite's default settings (any policy wanted, none demanded to begin with). All others without "Invalid" are valid.
INVALID = {"MissingCRLTest1", *(f"DifferentPoliciesTest{n}" for n in (4, 5, 7, 8, 9, 12))}


def exceptions():
    """name -> (class, reason)"""
    out, how = {}, None
    for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pkits.txt")):
        if line.startswith("["):
            how = tuple(line.strip()[1:].split("] ", 1))
        elif line.strip() and not line.startswith("#"):
            out.update(dict.fromkeys(line.split(), how))
    return out


def halves(octets):
    boundary = re.search(rb'boundary="([^"]+)"', octets).group(1)
    return [p[2:] for p in octets.split(b"\r\n--" + boundary)[1:3]]


def verdict(folder, name):
    """(believed, was the signature itself good, the words)"""
    content, signature = halves(crlf(open(f"{DATA}/smime/Signed{name}.eml", "rb").read()))
    path = os.path.join(folder, "content")
    with open(path, "wb") as f:
        f.write(content)
    try:
        _, said = cms("trust", base64.b64decode(signature.split(b"\r\n\r\n", 1)[1]), anchor=ANCHOR, content=path, crl=LISTS)
        return True, True, said
    except Refused as e:
        return False, "signer ok " in str(e), str(e)


def run(folder, table, report):
    os.makedirs(folder)
    if not os.path.isdir(DATA):
        report.bad.append(f"pkits: NOT RUN, {DATA} is missing: make interop-deps")
        return
    names = sorted(f[6:-4] for f in os.listdir(DATA + "/smime") if f.startswith("Signed"))
    known, counts = exceptions(), {}
    for name in names:
        invalid = "Invalid" in name or name in INVALID
        believed, good, said = verdict(folder, name)
        how, why = known.get(name, (None, ""))
        right = believed != invalid
        if right and not believed and not good and "DSA" not in name:
            right, said = False, "refused, but for its signature and not for its path: " + said
        if right and how:
            report.better.append(f"pkits {name}: listed as an exception ({how}), but has the verdict of the suite")
        if not right and not how:
            report.bad.append(f"pkits {name}: {'believed' if believed else 'refused'}, the suite wants the other: {said}")
        key = ("invalid" if invalid else "valid", "as the suite demands" if right else f"exception: {why}" if how else "WRONG")
        counts[key] = counts.get(key, 0) + 1
    if len(names) != 224:
        report.bad.append(f"pkits: {len(names)} mails are there, 224 are known")
    outcomes = sorted({k[1] for k in counts})
    table(f"PKITS, {len(names)} signed mails", ["valid", "invalid"], [(o, [str(counts.get((v, o), 0)) for v in ("valid", "invalid")]) for o in outcomes])
