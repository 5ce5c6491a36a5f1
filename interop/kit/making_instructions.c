/* What the operator of the gateway has to do, for people (INSTRUCTIONS.html) and programs (setup.json). */
#include "interop/kit/making.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdlib.h>
#include <string.h>

static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"')
			buf_addf(b, "&#%d;", *s);
		else
			buf_add(b, s, 1);
}

static json_t *zones_of(struct making *m)
{
	json_t *list = json_array();

	for (int i = 0; i < ZONES && *m->kit->dns; i++) {
		char *name = text_make("%s%s", zone_labels[i], m->kit->kit_domain),
		     *ds = text_make("world/zones/%s.ds", name);

		json_array_append_new(list, json_pack("{s:s, s:o}", "name", name, "trust-anchor",
						i == ZONE_PLAIN ? json_null() : json_string(ds)));
		free(name);
		free(ds);
	}
	return list;
}

static int write_json(struct making *m, struct buf *why)
{
	char *path = text_make("%s/setup.json", m->kit->dir), *text;
	json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:O, s:O, s:O}", "domain",
	    m->kit->gateway_domain, "kit-domain", m->kit->kit_domain, "resolver", m->kit->dns, "zones", zones_of(m),
	    "tls-ca", "world/ca/good.pem", "outside", m->kit->outside_sink, "inside", m->kit->inside_sink, "partners",
	    m->partners, "certificates", m->certificates, "anchors", m->anchors);
	int rc;

	text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
	rc = text ? file_write(path, text, strlen(text), 0644, why)
		  : fail(why, "setup.json could not be put together");
	json_decref(all);
	free(text);
	free(path);
	return rc;
}

/* All certificates that are handed over, in one file. */
static int write_bundle(struct making *m, struct buf *why)
{
	char *path = text_make("%s/partners.p7b", m->kit->dir);
	PKCS7 *p7 = PKCS7_new();
	BIO *b = BIO_new(BIO_s_mem());
	json_t *one;
	size_t i;
	char *p;
	long n;
	int rc;

	if (!p7 || !b || PKCS7_set_type(p7, NID_pkcs7_signed) != 1 || PKCS7_content_new(p7, NID_pkcs7_data) != 1)
		die("out of memory");
	json_array_foreach(m->certificates, i, one)
	{
		char *file = text_make("%s/%s", m->kit->dir, json_string_value(json_object_get(one, "file")));
		X509 *cert = pki_read_cert(file);

		if (cert)
			PKCS7_add_certificate(p7, cert);
		X509_free(cert);
		free(file);
	}
	if (PEM_write_bio_PKCS7(b, p7) != 1)
		die("out of memory");
	n = BIO_get_mem_data(b, &p);
	rc = file_write(path, p, (size_t)n, 0644, why);
	BIO_free(b);
	PKCS7_free(p7);
	free(path);
	return rc;
}

static void fingerprint(const char *file, struct buf *out)
{
	X509 *cert = pki_read_cert(file);
	unsigned char hash[32];
	struct buf der = {0};

	if (!cert)
		return;
	pki_der(cert, &der);
	sha256_of(der.p, der.n, hash);
	for (int i = 0; i < 32; i++)
		buf_addf(out, "%02x%s", hash[i], i % 4 == 3 && i < 31 ? " " : "");
	buf_free(&der);
	X509_free(cert);
}

static void table(struct making *m, struct buf *b, const char *title, json_t *list, const char *const *columns)
{
	json_t *one;
	size_t i;

	buf_addf(b, "<table><caption>%s</caption><tr>", title);
	for (const char *const *c = columns; *c; c++)
		buf_addf(b, "<th>%s</th>", *c);
	buf_adds(b, "</tr>\n");
	json_array_foreach(list, i, one)
	{
		buf_adds(b, "<tr>");
		for (const char *const *c = columns; *c; c++) {
			const char *value = json_string_value(json_object_get(one, *c));

			buf_adds(b, "<td>");
			if (!strcmp(*c, "SHA-256")) {
				char *file =
				    text_make("%s/%s", m->kit->dir, json_string_value(json_object_get(one, "file")));

				fingerprint(file, b);
				free(file);
			} else {
				add_escaped(b, value ? value : "");
			}
			buf_adds(b, "</td>");
		}
		buf_adds(b, "</tr>\n");
	}
	buf_adds(b, "</table>\n");
}

static int write_html(struct making *m, struct buf *why)
{
	static const char *const certificates[] = {"for", "file", "SHA-256", NULL},
				 *const partners[] = {"domain", "treatment", "strength", "find", NULL},
				 *const anchors[] = {"for", "file", "SHA-256", NULL};
	char *path = text_make("%s/INSTRUCTIONS.html", m->kit->dir), *good = text_make("%s/ca/good.pem", m->dir);
	const struct kit *k = m->kit;
	struct buf b = {0};
	int rc;

	buf_adds(&b,
	    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Setting up a gateway for the "
	    "certification kit</title>\n<style>body{font:11pt/1.45 sans-serif;max-width:60em;margin:2em "
	    "auto;padding:0 1em}"
	    "table{border-collapse:collapse;margin:1em 0;font-size:9pt}td,th{border:1px solid #999;padding:.2em "
	    ".5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
	    "caption{font-weight:bold;text-align:left;padding:.3em 0}li{margin:.7em 0}code{font-size:10pt}@media "
	    "print{body{margin:0}}</style>\n<h1>Setting up a gateway for the certification kit</h1>\n");
	buf_addf(&b,
	    "<p>The gateway of <b>%s</b> is tested with partners below <b>%s</b>. Use a test system: broken and "
	    "hostile mail will come.</p>\n<ol>\n",
	    k->gateway_domain, k->kit_domain);
	buf_addf(&b,
	    "<li>The server behind the gateway, to which it delivers mail for %s, is <code>%s</code>. Every "
	    "recipient exists.</li>\n",
	    k->gateway_domain, k->inside_sink);
	buf_addf(&b,
	    "<li>Mail from the kit's address may be sent through the gateway as from a user inside "
	    "(<code>%s</code>); mail from outside comes to <code>%s</code>.</li>\n",
	    k->gateway_inside, k->gateway_outside);
	buf_addf(&b, "<li>Mail to the partner domains goes to <code>%s</code>, which is their MX.</li>\n",
	    k->outside_sink);
	if (*k->dns)
		buf_addf(&b,
		    "<li>The gateway asks the name server <code>%s</code> about <code>%s</code>, "
		    "<code>signed.%s</code> and <code>bogus.%s</code>; the last two are signed, and their trust "
		    "anchors (DS) are in "
		    "<code>world/zones/*.ds</code>. (The signatures of <code>bogus.</code> do not verify, on "
		    "purpose.)</li>\n",
		    k->dns, k->kit_domain, k->kit_domain, k->kit_domain);
	buf_addf(&b,
	    "<li>The gateway believes the authority <code>world/ca/good.pem</code> for all domains below %s, for "
	    "signatures and for encryption, and as an issuer of TLS servers. SHA-256: <code>",
	    k->kit_domain);
	fingerprint(good, &b);
	buf_addf(&b,
	    "</code>. Revocation (CRL, OCSP) is looked at; the lists are at <code>http://%s</code>, a private "
	    "address that may be asked.</li>\n",
	    k->http);
	buf_adds(&b,
	    "<li>Mail to domains that are not listed is sealed where a certificate is found, and sent in clear where "
	    "there is certainly none. Incoming encrypted mail without a valid, believed signature is held; other "
	    "mail "
	    "is delivered with a mark that says what was found.</li>\n<li>List the partners below, and import the "
	    "certificates that were handed over by hand (all of them are in <code>partners.p7b</code>).</li>\n"
	    "<li>Believe the further authorities below, each for its partner alone.</li>\n<li>Give the certificates "
	    "of the gateway to the tester: <code>gateway-sign.pem</code>, "
	    "<code>gateway-encrypt.pem</code>.</li>\n</ol>\n");
	table(m, &b, "Partners to list", m->partners, partners);
	table(m, &b, "Authorities of single partners", m->anchors, anchors);
	table(m, &b, "Certificates handed over", m->certificates, certificates);
	rc = file_write(path, b.p, b.n, 0644, why);
	buf_free(&b);
	free(path);
	free(good);
	return rc;
}

int making_instructions(struct making *m, struct buf *why)
{
	/* the kit's own authority is an anchor for all */
	json_array_insert_new(m->anchors, 0,
	    json_pack("{s:s, s:n, s:s, s:s}", "file", "world/ca/good.pem", "for", "case", "kit", "name", "good"));
	return write_json(m, why) < 0 || write_bundle(m, why) < 0 || write_html(m, why) < 0 ? -1 : 0;
}
