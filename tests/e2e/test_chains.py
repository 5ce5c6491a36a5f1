"""Certificates whose issuers limit what they may vouch for (name constraints, policies, path lengths), and authorities that certified each other (bridges): found in DNS and in
directories, mail is sealed or refused with the reason; in signed mail, it is marked. The anchor is the same for all; what stands between is fetched by AIA, or comes with the mail.
"""
from finding import Ca
from mail import quick, send
from partners import US, World, arrived, check_all
from smime import entity, openssl, with_header

EXPLICIT = "policyConstraints=critical,requireExplicitPolicy:0"
OURS, THEIRS = "certificatePolicies=1.3.6.1.4.1.55555.9.1", "certificatePolicies=1.3.6.1.4.1.55555.9.2"
MAPPED = "policyMappings=1.3.6.1.4.1.55555.9.1:1.3.6.1.4.1.55555.9.2"
DEMANDED = "one of its issuers demands a certificate policy, and none is valid along the whole path"
NOT_PERMITTED, EXCLUDED, TOO_LONG = "its path fails at CN=LEAF: permitted subtree violation", "its path fails at CN=LEAF: excluded subtree violation", "path length constraint exceeded"

# title; extensions of each CA below the anchor, from above ("pathlen=N" beside them); of the certificate; whom it is for; None or why it is refused
CASES = [
    ("the domain is permitted", [["nameConstraints=critical,permitted;DNS:DOMAIN"]], [], "domain", None),
    ("what is above the domain is permitted", [["nameConstraints=critical,permitted;DNS:example"]], [], "domain", None),
    ("another domain is permitted", [["nameConstraints=critical,permitted;DNS:other.example"]], [], "domain", NOT_PERMITTED),
    ("a host in the domain is permitted", [["nameConstraints=critical,permitted;DNS:host.DOMAIN"]], [], "domain", NOT_PERMITTED),
    ("the domain is excluded", [["nameConstraints=critical,excluded;DNS:DOMAIN"]], [], "domain", EXCLUDED),
    ("another domain is excluded", [["nameConstraints=critical,excluded;DNS:other.example"]], [], "domain", None),
    ("excluded within what is permitted", [["nameConstraints=critical,permitted;DNS:example,excluded;DNS:DOMAIN"]], [], "domain", EXCLUDED),
    ("a CA above permits another domain", [["nameConstraints=critical,permitted;DNS:other.example"], []], [], "domain", NOT_PERMITTED),
    ("a CA below permits what the one above does not", [["nameConstraints=critical,permitted;DNS:other.example"], ["nameConstraints=critical,permitted;DNS:DOMAIN"]], [], "domain", NOT_PERMITTED),
    ("addresses of the domain are permitted", [["nameConstraints=critical,permitted;email:DOMAIN"]], [], "address", None),
    ("the address is permitted", [["nameConstraints=critical,permitted;email:bob@DOMAIN"]], [], "address", None),
    ("another address is permitted", [["nameConstraints=critical,permitted;email:carol@DOMAIN"]], [], "address", NOT_PERMITTED),
    ("addresses of hosts below the domain are permitted", [["nameConstraints=critical,permitted;email:.DOMAIN"]], [], "address", NOT_PERMITTED),
    ("the address is excluded", [["nameConstraints=critical,excluded;email:bob@DOMAIN"]], [], "address", EXCLUDED),
    ("addresses of the domain are excluded", [["nameConstraints=critical,excluded;email:DOMAIN"]], [], "address", EXCLUDED),
    ("a constraint on domains alone", [["nameConstraints=critical,permitted;DNS:other.example"]], [], "address", None),
    ("a policy is demanded and there", [[EXPLICIT, OURS]], [OURS], "domain", None),
    ("a policy is demanded and not there", [[EXPLICIT, OURS]], [], "domain", DEMANDED),
    ("a policy is demanded, and another one there", [[EXPLICIT, OURS]], [THEIRS], "domain", DEMANDED),
    ("a policy is demanded and missing between", [[EXPLICIT, OURS], []], [OURS], "address", DEMANDED),
    ("a policy is demanded later than the path is long", [["policyConstraints=critical,requireExplicitPolicy:2", OURS]], [], "domain", None),
    ("a policy that is not demanded", [[OURS]], [THEIRS], "domain", None),
    ("any policy will do", [[EXPLICIT, OURS]], ["certificatePolicies=2.5.29.32.0"], "domain", None),
    ("any policy will not do", [[EXPLICIT, OURS, "inhibitAnyPolicy=0"]], ["certificatePolicies=2.5.29.32.0"], "domain", DEMANDED),
    ("a policy that is mapped", [[EXPLICIT, OURS], [OURS, MAPPED]], [THEIRS], "domain", None),
    ("mapping is inhibited", [[EXPLICIT + ",inhibitPolicyMapping:0", OURS], [OURS, MAPPED]], [THEIRS], "domain", DEMANDED),
    ("as many CAs below as may be", [["pathlen=1"], ["pathlen=0"]], [], "domain", None),
    ("one CA more than may be", [["pathlen=0"], []], [], "domain", TOO_LONG),
    ("further down", [["pathlen=1"], [], []], [], "address", TOO_LONG),
]


class Chain:
    """The CAs of a case; serves them by AIA, and keeps them in a file for who signs."""
    def __init__(self, world, name, cas):
        self.file = f"{world.top}/{name}.pem"
        with open(self.file, "w") as f:
            for c in cas:
                with open(c.cert) as one:
                    f.write(one.read())
        self.url = f"{world.web.url}/{name}.p7c"
        world.web.files[f"/{name}.p7c"] = openssl("crl2pkcs7", "-nocrl", "-certfile", self.file, "-outform", "DER")


def authorities(world, i, levels):
    """CAs below the anchor, from above."""
    made = []
    for depth, lines in enumerate(levels):
        lines = [x.replace("DOMAIN", f"c{i}.example") for x in lines]
        length = next((int(x[8:]) for x in lines if x.startswith("pathlen=")), None)
        made.append(Ca(world.top, f"limits{i}-{depth}", issuer=made[-1] if made else world.ca, kind="ec", pathlen=length, more=[x for x in lines if not x.startswith("pathlen=")]))
    return made


def partner(world, domain, word, issuer, cas, whom, place, more=()):
    """Its certificate in DNS or a directory; (identity, chain)"""
    chain = Chain(world, word, cas)
    world.odd[word] = issuer, {"aia": chain.url, "more": more, "cn": "bob of " + domain}
    label = f"{whom}-{word}"
    world.place(f"dns:{label}" if place == "dns" else f"one:{label} srv:one", domain)
    return world.cert(label, "bob@" + domain, domain), chain


def marked(gw, inside, who, chain, domain, verdict, words):
    """Signed mail of that partner, with all certificates of the chain in it."""
    address = "bob@" + domain
    inside.mails.clear()
    assert send(gw.outside, address, US, with_header(who.sign(entity("content\r\n"), extra=("-certfile", chain.file)), address, US, "signed " + domain))[0] == 250
    mail = arrived(inside, US)
    got = mail.field("X-Postern-Verdict"), mail.field("X-Postern-Reason") or ""
    assert got[0] == verdict and words in got[1], got


def both_ways(world, table):
    """table: (title, domain, whom, word, identity, chain, None or (verdict of incoming mail, why))"""
    world.start()
    gw, outside = world.gateway("order = direct\n by-address = always\n harvest = no", settings="default-strength = require\n")
    inside, bad = world.inside, []
    check_all(world, gw, outside, [(title, domain, (550, why[1]) if why else f"{whom}-{word}") for title, domain, whom, word, _, _, why in table])
    for title, domain, _, _, who, chain, why in table:
        try:
            marked(gw, inside, who, chain, domain, *(why or ("signed", "")))
        except AssertionError as e:
            bad.append(f"{title} ({domain}): {e}")
    assert not bad, "\n".join(bad)
    gw.stop()
    world.stop()


def test_limits(top):
    world, table = World(top), []
    for i, (title, levels, more, whom, why) in enumerate(CASES):
        domain, word = f"c{i}.example", f"limit{i}"
        cas = authorities(world, i, levels)
        who, chain = partner(world, domain, word, cas[-1], cas, whom, "dns" if i % 2 else "ldap", more)
        table.append((title, domain, whom, word, who, chain, why and ("untrusted", why.replace("LEAF", "bob of " + domain))))
    both_ways(world, table)


@quick
def test_bridges(top):
    """A bridge that two anchors certified: one of the ways is enough, whichever was taken back; circles lead nowhere and end."""
    world, table = World(top), []
    bridge, island, other = (Ca(top, n, kind="ec") for n in ("bridge", "island", "other"))
    crl = world.web.url + "/crl"
    by_authority = world.ca.certify(bridge, "bridge-by-authority")
    good, gone = (world.revoking.certify(bridge, "bridge-by-revoking-" + n, crl=crl) for n in ("good", "gone"))
    world.revoking.revoke(gone)
    below = Ca(top, "below", issuer=bridge, kind="ec")
    circle = [island.certify(other, "other-by-island"), other.certify(island, "island-by-other")]
    stranger = world.stranger.certify(bridge, "bridge-by-stranger")
    ways = [
        ("two ways", bridge, [by_authority, good], None),
        ("one of them taken back", bridge, [gone, by_authority], None),
        ("the same, the other way round", bridge, [by_authority, gone], None),
        ("one taken back, two CAs below the anchor", below, [below, gone, by_authority], None),
        ("taken back, and renewed by the same authority", bridge, [gone, good], None),
        ("the only way was taken back", bridge, [gone], ("revoked", "revoked on 20")),
        ("taken back, and the other way leads to nobody who is believed", bridge, [gone, stranger], ("revoked", "revoked on 20")),
        ("two CAs that certified each other", island, circle, ("untrusted", "no anchor leads to it")),
        ("a circle beside a way", bridge, [*circle, island.certify(bridge, "bridge-by-island"), bridge.certify(island, "island-by-bridge"), by_authority], None),
    ]
    for i, (title, issuer, cas, why) in enumerate(ways):
        domain, word = f"b{i}.example", f"bridge{i}"
        who, chain = partner(world, domain, word, issuer, cas, "domain", "ldap" if i % 2 else "dns")
        table.append((title, domain, "domain", word, who, chain, why))
    both_ways(world, table)
