"""A real gateway of ours, set up as the kit's instructions (setup.json) ask, and the kit beside it. The kit knows nothing of all this: it is given addresses and certificates."""
import json
import os
import shutil
import subprocess

from gateway import BUILD, ROOT, Gateway, free_ports
from smime import Identity

KIT = os.path.join(BUILD, "bin", "postern-interop")
MARKS = {  # what the header of delivered mail says, for kit.conf
    "mark-trusted": r"^X-Postern-Verdict: *(sealed|signed)( |;|$)",
    "mark-untrusted": r"^X-Postern-Verdict: *(untrusted|unbound|expired|revoked|temporary|partly-signed|encrypted|broken-promise)( |;|$)",
    "mark-broken": r"^X-Postern-Verdict: *broken( |;|$)",
    "mark-unsigned": r"^X-Postern-Verdict: *clear( |;|$)",
}
OWN = "clinic.example"


class Kit:
    """The kit's directory, with the addresses of its servers and of the gateway."""
    def __init__(self, top, name="kit", cases=None, own=OWN, **settings):
        self.dir = os.path.join(top, name)
        self.inside, self.outside, self.dns, self.ldap, self.http, self.https, self.web = (f"127.0.0.1:{p}" for p in free_ports(7))
        self.cases, self.own, self.settings = cases, own, settings

    def port(self, address):
        return int(address.rsplit(":", 1)[1])

    def init(self, gateway_inside, gateway_outside, **more):
        given = {"gateway-domain": self.own, "gateway-inside": gateway_inside, "gateway-outside": gateway_outside, "inside-sink": self.inside, "outside-sink": self.outside, "dns": self.dns,
                 "ldap": self.ldap, "gateway-web": self.web, "http": self.http, "https": self.https, **self.settings, **more}
        if self.cases:
            given["cases"] = self.cases
        self.call("init", self.dir, *[f"{k}={v}" for k, v in given.items()])
        with open(os.path.join(self.dir, "setup.json")) as f:
            self.setup = json.load(f)

    def call(self, *args, check=True, **kw):
        env = {**os.environ, "POSTERN_INTEROP_JUDGES": os.path.join(ROOT, "interop", "judges")}  # beside the cases, if these are not the test's own
        p = subprocess.run([KIT, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=env, **kw)
        if check and p.returncode != 0:
            raise AssertionError(f"postern-interop {' '.join(args)[:300]}: {p.returncode}\n{p.stdout[-4000:]}")
        return p.returncode, p.stdout

    def serve(self):
        """`serve` as a process, once it answers."""
        p = subprocess.Popen([KIT, "serve", self.dir], stdout=subprocess.PIPE, text=True)
        assert p.stdout.readline(), "postern-interop serve ended at once"
        return p

    def file(self, name):
        return name if os.path.isabs(name) else os.path.join(self.dir, name)


def newest(kit):
    """The directory of the kit's last run."""
    runs = os.path.join(kit.dir, "runs")
    return max((os.path.join(runs, n) for n in os.listdir(runs)), key=os.path.getmtime)


def results(run):
    with open(os.path.join(run, "results.json")) as f:
        return json.load(f)


def sections(kit, resolver, strict):
    """What a gateway's configuration says about the kit's name server. strict: and what setups of the strict one ask for."""
    stubs = ", ".join(f'"{z["name"]}={resolver.replace(":", "@")}"' for z in kit.setup["zones"])
    anchors = os.path.join(kit.dir, "gateway-trust-anchors")
    with open(anchors, "w") as f:
        for z in kit.setup["zones"]:
            if z.get("trust-anchor"):
                with open(kit.file(z["trust-anchor"])) as one:
                    f.write(one.read())
    os.chmod(anchors, 0o644)
    return f'''dns {{
  stubs = {{{stubs}}}
  trust-anchor-file = "{anchors}"
  loopback-hosts = yes
  timeout = 5s
}}
sources {{
  allow-private = {{"127.0.0.0/8"}}
}}
find {{
  tiers = {{store, smimea, smg, cert, ldap, http}}
}}
partner-statements {{
  first-contact = accept
}}
smtp-server {{
  client-xsmg-rate = 10000
  client-xsmg-domain-rate = 10000
}}
public {{
  address = "{kit.web}"
  hostname = "smg.{kit.own}"
  connections-per-client = 200
  client-rate = 0
}}
''' + ('format {\n  default = "wrap=rfc9788"\n}\n' if strict else "")


def find_options(find):
    """Where a partner's certificate is looked for, in this gateway's words. "direct": the healthcare order."""
    return "order=direct tiers=cert,ldap" if find == "direct" else "tiers=" + find


class UnderTest(Gateway):
    """kit: initialised already, because its zones stand in the configuration. outside, inside: ports of this gateway, which the kit was told."""
    def __init__(self, top, kit, inside, outside, through, resolver, name="postern", strict=False):
        """through: ports that stand for the kit's outside and inside sink; resolver: host:port that stands for its name server. strict: what cannot be learned of a revocation counts as revoked, the Subject is hidden, and there is an EC key to
        decrypt with."""
        self.kit, self.strict = kit, strict
        super().__init__(top, name, kit.own, f"127.0.0.1:{through[1]}", settings=f'tls-ca-file = "{kit.file(kit.setup["tls-ca"])}"\nmx-port = {through[0]}\nopen-failures-max = 1000000\n',
                         domain_settings="recipients = any" + ("\nrevocation = hard" if strict else ""), sections=sections(kit, resolver, strict))
        self.inside, self.outside = inside, outside
        self.write_conf()

    def prepare(self):
        """Keys and certificates of this gateway, handed to the kit; then what the kit's instructions ask of the operator."""
        secret = os.path.join(self.dir, "p12-password")
        with open(secret, "w") as f:
            f.write("secret\n")
        self.own = {}
        keys = [("sign", "digitalSignature", "gateway-sign.pem", "rsa"), ("decrypt", "keyEncipherment", "gateway-encrypt.pem", "rsa")]
        for use, usage, name, kind in keys + ([("decrypt", "keyAgreement", "gateway-encrypt.pem", "ec")] if self.strict else []):
            one = Identity(self.dir, f"own-{use}-{kind}", san="DNS:" + self.kit.own, usage="critical," + usage, kind=kind)
            self.own.setdefault(use, one)
            self.postern("domain", "add", self.kit.own, "--use", use, "--pkcs12", one.pkcs12(os.path.join(self.dir, f"{use}-{kind}.p12"), "secret"), "--password-file", secret)
            with open(one.cert) as f, open(os.path.join(self.kit.dir, name), "a") as to:
                to.write(f.read())
        for host in (self.hostname, "smg." + self.kit.own):
            self.postern("domain", "tls", host, "--self-signed")
        for a in self.kit.setup["anchors"]:
            self.postern("anchor", "add", self.kit.file(a["file"]), "--scope", a["for"] or "*", "--yes", "--force")
        for p in self.kit.setup["partners"]:
            more = [x for k in ("treatment", "strength") if p.get(k) for x in ("--" + k, p[k])]
            if p.get("find"):
                more += ["--find", find_options(p["find"])]
            self.postern("partner", "add", p["domain"], *more)
        for c in self.kit.setup["certificates"]:
            self.postern("partner", "add", c["for"])
            # what is not for mail, or too weak, this gateway does not take at all
            self.postern("cert", "import", self.kit.file(c["file"]), "--for", c["for"], "--yes", "--force", check=False)
