"""Trust bundles: a file of anchors at a URL, as it is published and as it changes; signed by the right one, by another one, by nobody."""
from finding import Ca, Web
from gateway import wait_for
from mail import solo
from partners import PRIVATE
from smime import Identity, openssl


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
