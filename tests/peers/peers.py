"""Other programs that speak CMS, each behind the same five functions. sign, encrypt and compress write, verify and decrypt read; all take and give octets (DER or BER, no
MIME) and raise Refused with the program's own words when it does not do it. Nothing here is code of ours under test."""
import glob
import os
import re
import shutil
import subprocess
import threading

from smime import openssl

JARS = [f"/usr/share/java/{n}.jar" for n in ("bcmail", "bcpkix", "bcprov", "bcutil")]
THUNDERBIRD = "/usr/lib/thunderbird"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = os.path.join(ROOT, "build/peers/pkijs")


class Refused(Exception):
    """The program would not, or could not; its words."""


def run(argv, data=None, env=None, timeout=60):
    """Standard output and error of a program that must end with 0."""
    p = subprocess.run([str(a) for a in argv], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), timeout=timeout)
    if p.returncode != 0:
        words = (p.stderr + b" " + p.stdout[:200]).decode("utf-8", "replace").split()
        raise Refused(f"{os.path.basename(argv[0])} ended with {p.returncode}: {' '.join(words)[-700:]}")
    return p.stdout, p.stderr


class Peer:
    """folder: its own; who: name -> Identity of all keys it may use; ca: what it trusts."""
    name = ""

    def __init__(self, folder, who, ca):
        self.folder, self.who, self.ca = folder, who, ca
        os.makedirs(folder, mode=0o700)
        self.begin()

    def begin(self):
        pass

    def end(self):
        pass

    def compress(self, content):
        raise Refused("it writes no compressed mail")

    def uncompress(self, octets):
        raise Refused("nothing of ours is compressed")

    def put(self, name, octets):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def get(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()

    def out(self):
        path = os.path.join(self.folder, "out")
        if os.path.exists(path):
            os.unlink(path)
        return path


class OpenSSL(Peer):
    name = "openssl"

    def version(self):
        return openssl("version").decode().split()[1]

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        who = self.who[me]
        return run(["openssl", "cms", "-sign", "-binary", "-signer", who.cert, "-inkey", who.key, "-md", digest, "-outform", "DER", *([] if detached else ["-nodetach"]),
                    *(["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"] if pss else []), *(["-stream"] if ber else ["-noindef"])], content)[0]

    def verify(self, signed, content=None):
        detached = ["-content", self.put("content", content)] if content is not None else []
        return run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", self.ca.cert, *detached], signed)[0]

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="sha256", label=""):
        # rsa_mgf1_md follows rsa_oaep_md unless told otherwise; named, so that a reader of the command sees it
        oaep = [x for o in ("rsa_padding_mode:oaep", "rsa_oaep_md:" + keys[5:], "rsa_mgf1_md:" + keys[5:]) for x in ("-keyopt", o)] if keys.startswith("oaep") else []
        oaep += ["-keyopt", "rsa_oaep_label:" + label.encode().hex()] if label else []
        ecdh = ["-keyopt", "ecdh_kdf_md:" + kdf] if keys == "ecdh" else []
        return run(["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-" + cipher, *(["-keyid"] if ski else []), *(["-stream"] if ber else ["-noindef"]), "-recip", self.who[to].cert,
                    *oaep, *ecdh], content)[0]

    def decrypt(self, me, octets):
        return run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-recip", self.who[me].cert, "-inkey", self.who[me].key], octets)[0]


def numbers(key):
    """The numbers of a private key, as openssl prints them."""
    out, name = {}, None
    for line in openssl("pkey", "-in", key, "-text", "-noout").decode().split("\n"):
        m = re.match(r"^(\w+):(?: (\d+) .*)?$", line)
        if m:
            name = m.group(1)
            out[name] = int(m.group(2)) if m.group(2) else ""
        elif name and line.startswith("    ") and isinstance(out[name], str):
            out[name] += line.strip().replace(":", "")
    return {k: int(v, 16) if isinstance(v, str) else v for k, v in out.items() if v != ""}


class Gpgsm(Peer):
    name = "gpgsm"
    CURVES = {"p256": ("NIST P-256", 32), "p384": ("NIST P-384", 48), "p521": ("NIST P-521", 66)}

    def gpgsm(self, *args, data=None):
        return run(["gpgsm", "--homedir", self.folder, "--batch", "--no-tty", "--status-fd", "2", *args], data)

    def begin(self):
        for name, lines in {"gpgsm.conf": ("disable-crl-checks", "disable-policy-checks", "disable-dirmngr", "batch"), "gpg-agent.conf": ("disable-scdaemon", "allow-loopback-pinentry")}.items():
            self.put(name, "\n".join(lines + ("",)).encode())
        print_of = openssl("x509", "-in", self.ca.cert, "-noout", "-fingerprint", "-sha1").decode().strip().split("=")[1]
        self.put("trustlist.txt", f"{print_of} S relax\n".encode())
        os.makedirs(os.path.join(self.folder, "private-keys-v1.d"), mode=0o700)
        self.gpgsm("--import", self.ca.cert, *[i.cert for i in self.who.values()])
        self.prints = {}
        for name, who in self.who.items():
            self.prints[name] = openssl("x509", "-in", who.cert, "-noout", "-fingerprint", "-sha1").decode().strip().split("=")[1].replace(":", "")
            listed = self.gpgsm("--with-colons", "--with-keygrip", "--list-keys", "0x" + self.prints[name])[0].decode()
            self.import_key(name, who.key, re.search(r"^grp:+([0-9A-F]{40}):", listed, re.M).group(1))

    # gpgsm 2.2 ends by a failed assertion on PKCS#12 with an EC key, so all keys go to its agent as they are
    def import_key(self, name, key, grip):
        n = numbers(key)
        if "privateExponent" in n:
            p, q = sorted((n["prime1"], n["prime2"]))
            parts = {"n": n["modulus"], "e": n["publicExponent"], "d": n["privateExponent"], "p": p, "q": q, "u": pow(p, -1, q)}
            body = "(rsa" + "".join(f"({k} #00{v:0{(v.bit_length() + 7) // 8 * 2}X}#)" for k, v in parts.items()) + ")"
        else:
            curve, size = self.CURVES[name.split("-")[1]]
            body = f'(ecc(curve "{curve}")(q #{n["pub"]:0{4 * size + 2}X}#)(d #00{n["priv"]:0{2 * size}X}#))'
        self.put(f"private-keys-v1.d/{grip}.key", f"Key: (private-key{body})\n".encode())

    def end(self):
        try:
            pid = run(["gpg-connect-agent", "--homedir", self.folder, "--no-autostart", "GETINFO pid", "/bye"])[0]
            os.kill(int(re.search(rb"^D (\d+)", pid, re.M).group(1)), 15)
        except (Refused, AttributeError, ProcessLookupError):
            pass  # it never started, or is gone

    def version(self):
        return run(["gpgsm", "--version"])[0].decode().split("\n")[0].split()[-1]

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        return self.gpgsm("-u", "0x" + self.prints[me], "--digest-algo", digest.upper(), "--detach-sign" if detached else "--sign", data=content)[0]

    def verify(self, signed, content=None):
        path = self.put("in", signed)
        if content is not None:
            said = self.gpgsm("--verify", path, self.put("content", content))[1]
            got = content
        else:
            out = self.out()
            said = self.gpgsm("--output", out, "--verify", path)[1]
            got = self.get("out")
        if b"[GNUPG:] GOODSIG" not in said or b"[GNUPG:] TRUST_FULLY" not in said:
            raise Refused("no GOODSIG and TRUST_FULLY: " + " ".join(said.decode("utf-8", "replace").split())[-200:])
        return got

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="sha256", label=""):
        return self.gpgsm("--cipher-algo", cipher.split("-")[0].upper() + cipher.split("-")[1], "-r", "0x" + self.prints[to], "--encrypt", data=content)[0]

    def decrypt(self, me, octets):
        return self.gpgsm("--decrypt", data=octets)[0]


class NSS(Peer):
    name = "nss"
    env = {}

    def version(self):
        return run(["dpkg-query", "-W", "-f", "${Version}", "libnss3"])[0].decode().split(":")[-1].split("-")[0]

    def begin(self):
        db = self.db = "sql:" + self.folder
        run(["certutil", "-N", "-d", db, "--empty-password"])
        run(["certutil", "-A", "-d", db, "-n", "ca", "-t", "CT,C,C", "-i", self.ca.cert])
        for name, who in self.who.items():
            p12 = os.path.join(self.folder, name + ".p12")
            openssl("pkcs12", "-export", "-in", who.cert, "-inkey", who.key, "-name", name, "-out", p12, "-passout", "pass:pw")
            run(["pk12util", "-i", p12, "-d", db, "-W", "pw", "-K", ""])

    def cmsutil(self, *args):
        return run(["cmsutil", *args, "-d", self.db], env=self.env)

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        out = self.out()
        self.cmsutil("-S", "-N", me, "-H", digest.upper(), "-G", "-P", *(["-T"] if detached else []), "-i", self.put("in", content), "-o", out)
        return self.get("out")

    def verify(self, signed, content=None):
        detached = ["-c", self.put("content", content)] if content is not None else []
        path = self.put("in", signed)
        said = b" ".join(self.cmsutil("-D", "-n", "-h", "0", "-i", path, *detached))
        if b"status=GoodSignature" not in said:  # it ends with 0 all the same
            raise Refused("cmsutil: " + " ".join(said.decode("utf-8", "replace").split())[-200:])
        out = self.out()
        self.cmsutil("-D", "-i", path, "-o", out, *detached)
        return self.get("out")

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="sha256", label=""):
        out = self.out()
        self.cmsutil("-E", "-r", to, "-i", self.put("in", content), "-o", out)
        return self.get("out")

    def decrypt(self, me, octets):
        out = self.out()
        self.cmsutil("-D", "-i", self.put("in", octets), "-o", out)
        return self.get("out")


class Thunderbird(NSS):
    """cmsutil with the newer NSS that Thunderbird brings along."""
    name = "thunderbird"
    env = {"LD_LIBRARY_PATH": THUNDERBIRD}

    def version(self):
        found = re.findall(rb"\$Header: NSS (3\.[0-9.]+)", open(THUNDERBIRD + "/libnss3.so", "rb").read())
        return found[0].decode().rstrip(".") if found else run(["dpkg-query", "-W", "-f", "${Version}", "thunderbird"])[0].decode().split(":")[-1].split("~")[0]


class Lines(Peer):
    """A program that stays and answers a line for a line (one start instead of forty)."""
    def command(self):
        raise NotImplementedError

    def begin(self):
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.proc = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def end(self):
        try:
            self.proc.stdin.close()
        except BrokenPipeError:
            pass  # it is gone already
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()

    def ask(self, verb, **words):
        out = self.out()
        line = "\t".join([verb, f"out={out}", *[f"{k}={v}" for k, v in words.items()]]) + "\n"
        timer = threading.Timer(60, self.proc.kill)
        timer.start()
        try:
            self.proc.stdin.write(line.encode())
            self.proc.stdin.flush()
            said = self.proc.stdout.readline().decode("utf-8", "replace").strip()
        except BrokenPipeError:
            said = ""
        finally:
            timer.cancel()
        if said != "ok":
            raise Refused(said[6:] if said else "it ended: " + self.get("log").decode("utf-8", "replace")[-300:])
        return self.get("out") if os.path.exists(out) else b""

    def flags(self, **words):
        return {k: "yes" for k, v in words.items() if v}

    def pair(self, me):
        return {"cert": self.who[me].cert, "key": self.who[me].key}


class BouncyCastle(Lines):
    name = "bouncycastle"

    def command(self):
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", ":".join(JARS), os.path.join(os.path.dirname(os.path.abspath(__file__)), "bouncycastle", "Peer.java")]

    def version(self):
        return re.search(r"-([0-9.]+)\.jar", os.path.realpath(JARS[0])).group(1)

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        algorithm = digest.upper() + "with" + ("RSAandMGF1" if pss else "RSA" if me.endswith("rsa") else "ECDSA")
        return self.ask("sign", algorithm=algorithm, **{"in": self.put("in", content)}, **self.pair(me), **self.flags(detached=detached, ber=ber))

    def verify(self, signed, content=None):
        got = self.ask("verify", ca=self.ca.cert, **{"in": self.put("in", signed)}, **({"content": self.put("content", content)} if content is not None else {}))
        return got if content is None else content

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="sha256", label=""):
        return self.ask("encrypt", cert=self.who[to].cert, cipher=cipher, keys=keys, hash=kdf.upper().replace("SHA", "SHA-"), **{"in": self.put("in", content)},
                        **({"label": label} if label else {}), **self.flags(ski=ski, ber=ber))

    def decrypt(self, me, octets):
        return self.ask("decrypt", **{"in": self.put("in", octets)}, **self.pair(me))

    def compress(self, content):
        return self.ask("compress", **{"in": self.put("in", content)})


class PKIjs(Lines):
    name = "pkijs"

    def command(self):
        # peer.mjs finds its packages beside itself
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pkijs", "peer.mjs"), NODE)
        return ["node", os.path.join(NODE, "peer.mjs")]

    def version(self):
        return re.search(r'"version": "([^"]+)"', open(os.path.join(NODE, "node_modules/pkijs/package.json")).read()).group(1)

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        kind = me.split("-")[1]
        scheme = {"curve": kind.upper().replace("P", "P-"), "scheme": "ecdsa"} if kind != "rsa" else {"scheme": "pss" if pss else "rsa"}
        return self.ask("sign", hash=digest.upper().replace("SHA", "SHA-"), **{"in": self.put("in", content)}, **scheme, **self.pair(me), **self.flags(detached=detached))

    def verify(self, signed, content=None):
        got = self.ask("verify", ca=self.ca.cert, **{"in": self.put("in", signed)}, **({"content": self.put("content", content)} if content is not None else {}))
        return got if content is None else content

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="sha256", label=""):
        return self.ask("encrypt", cert=self.who[to].cert, cipher=cipher, hash="SHA-1" if keys == "oaep-sha1" else kdf.upper().replace("SHA", "SHA-"), **{"in": self.put("in", content)})

    def decrypt(self, me, octets):
        return self.ask("decrypt", **{"in": self.put("in", octets)}, **self.pair(me))


ALL = {p.name: p for p in (OpenSSL, Gpgsm, NSS, Thunderbird, BouncyCastle, PKIjs)}


def missing(name):
    """What is not installed, in words; "" when all is there."""
    need = {"openssl": ["/usr/bin/openssl"], "gpgsm": ["/usr/bin/gpgsm", "/usr/bin/gpg-connect-agent"], "nss": ["/usr/bin/cmsutil", "/usr/bin/pk12util"],
            "thunderbird": ["/usr/bin/cmsutil", THUNDERBIRD + "/libnss3.so"], "bouncycastle": ["/usr/bin/java", *JARS], "pkijs": [NODE + "/node_modules/pkijs/package.json"]}[name]
    return ", ".join(p for p in need if not glob.glob(p))
