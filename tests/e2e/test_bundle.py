"""Trust bundles: a file of anchors at a URL, as it is published and as it changes; signed by the right one, by another one, by nobody."""
import json
import threading
import time

from finding import Ca, Web
from gateway import wait_for
from mail import solo
from partners import PRIVATE
from smime import Identity, openssl
from test_api import send
from test_web import start


def bag(*authorities):
    return openssl("crl2pkcs7", "-nocrl", *[x for a in authorities for x in ("-certfile", a.cert)], "-outform", "DER")


def signed(content, by):
    return openssl("cms", "-sign", "-binary", "-nodetach", "-signer", by.cert, "-inkey", by.key, "-md", "sha256", "-outform", "DER", data=content)


def taken(gw, url, want):
    """Fetched anew, whatever is remembered (but for what was fetched in this very second)."""
    def fetched():
        code = gw.postern("bundle", "refresh", url, check=False)[0]
        return code == 0 and anchors(gw) == want
    wait_for(f"{want} of {url}", 20, fetched, every=0.3)
    assert not gw.cli("bundle", "show", url)["bundle"]["trouble"]


def refused(gw, url, words, want):
    def fetched():
        code, out, err = gw.postern("bundle", "refresh", url, check=False)
        return (out + err) if code != 0 else None
    said = wait_for(f"{url} to be refused", 20, fetched, every=0.3)
    assert words in said, said
    assert anchors(gw) == want
    assert words in gw.cli("bundle", "show", url)["bundle"]["trouble"]


def anchors(gw):
    return sorted(a["subject"].split("CN=")[1].split(",")[0] for a in gw.cli("anchor", "list")["anchors"])


def test_in_the_background(top):
    """Who asks for a bundle over HTTP need not wait: it says since when it is fetched, and what came of it. A new one is fetched at once."""
    web, go = Web(), threading.Event()
    one, two = Ca(top, "one"), Ca(top, "two")

    def slow(handler):
        go.wait(20)
        handler.send_response(200)
        octets = bag(one, two)
        handler.send_header("Content-Length", str(len(octets)))
        handler.end_headers()
        handler.wfile.write(octets)
    gw, port = start(top, more="}\n" + PRIVATE.rstrip().rstrip("}"))
    gw.cli("user", "add", "anna", "--role", "admin")
    token = gw.cli("user", "token", "anna", "--label", "x", "--role", "admin")["token"]
    url = web.url + "/slow.p7b"
    web.files["/slow.p7b"] = bag(one)
    gw.postern("bundle", "add", url)
    wait_for("the first edition", 10, lambda: anchors(gw) == ["one"], every=0.2)
    time.sleep(1.1)  # what was fetched in this very second is not fetched again
    web.files["/slow.p7b"] = slow
    code, _, body = send(port, "post", "/api/v1/bundles/refresh", token, {"url": url, "wait": False})
    assert code == 200 and json.loads(body)["bundle"]["fetching"], body
    code, _, body = send(port, "get", "/api/v1/bundles", token)
    (row,) = json.loads(body)["bundles"]
    assert row["fetching"] and not row["trouble"] and anchors(gw) == ["one"], row
    go.set()
    wait_for("the second edition", 20, lambda: anchors(gw) == ["one", "two"], every=0.2)
    (row,) = json.loads(send(port, "get", "/api/v1/bundles", token)[2])["bundles"]
    assert row["fetching"] is None and "1" in row["difference"], row
    assert any(r["who"].startswith("anna (token") and r["what"].startswith("bundle.") for r in gw.cli("audit", "list")["rows"]), gw.cli("audit", "list")["rows"]


def test_bundles(top):
    web = Web()
    one, two, three = (Ca(top, n) for n in ("one", "two", "three"))
    publisher, other = (Identity(top, n, "", kind="ec", cn=n) for n in ("publisher", "other"))
    gw, _, _ = solo(top, sections=PRIVATE)
    url = web.url + "/plain.p7b"
    web.files["/plain.p7b"] = bag(one, two)
    gw.postern("bundle", "add", url)
    taken(gw, url, ["one", "two"])
    web.files["/plain.p7b"] = bag(two, three)
    taken(gw, url, ["three", "two"])
    rows = str(gw.cli("audit", "list"))
    for name in ("one", "two", "three"):
        assert f"CN={name}" in rows, rows
    # what is no bundle, or empty, leaves the old edition
    for octets, words in ((b"not a bundle", "no trust bundle that can be read"), (b"", "empty")):
        web.files["/plain.p7b"] = octets
        refused(gw, url, words, ["three", "two"])
        web.files["/plain.p7b"] = bag(two, three)
        taken(gw, url, ["three", "two"])
    # status says since when, why, and what to do; the list has the whole URL
    web.files["/plain.p7b"] = b"not a bundle"
    refused(gw, url, "no trust bundle that can be read", ["three", "two"])
    (row,) = gw.cli("status")["judge"]["bundles"]
    assert row["url"] == url and row["since"] and "no trust bundle" in row["why"] and f"postern bundle refresh {url}" in row["next"], row
    since = row["since"]
    refused(gw, url, "no trust bundle that can be read", ["three", "two"])
    assert gw.cli("status")["judge"]["bundles"][0]["since"] == since
    assert "the edition in use stays" in " ".join(gw.postern("status")[1].split())
    assert url in gw.postern("bundle", "list")[1].splitlines()
    gw.postern("bundle", "remove", url)
    assert anchors(gw) == [] and not gw.cli("status")["judge"]["bundles"]
    # with a signer, only what that one signed
    url = web.url + "/signed.p7m"
    web.files["/signed.p7m"] = signed(bag(one, two), publisher)
    gw.postern("bundle", "add", url, "--signer", publisher.cert, "--scope", "@labs")
    taken(gw, url, ["one", "two"])
    for octets in (signed(bag(one, three), other), bag(one, three)):
        web.files["/signed.p7m"] = octets
        refused(gw, url, "sign", ["one", "two"])
        web.files["/signed.p7m"] = signed(bag(one, two), publisher)
        taken(gw, url, ["one", "two"])
    web.files["/signed.p7m"] = signed(bag(one, three), publisher)
    taken(gw, url, ["one", "three"])
    gw.stop()
    web.stop()
