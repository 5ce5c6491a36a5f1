/*
 * Does a certificate speak for a domain or an address? Judge, CLI, tests; pure. RFC 5280 4.2.1.6, RFC 3183 (the
 * authority names), RFC 8550 3.
 *
 * Only subject alternative names count: a subject's common name or emailAddress is free text. They are compared after
 * the same parsing as every other address here, so that a name is either equal or nothing. No wildcards: "*.example"
 * in a domain certificate would speak for names that nobody showed the admin. Domains are compared by their A-labels
 * (RFC 5890); an address outside ASCII stands in an SmtpUTF8Mailbox (RFC 9598) and nowhere else.
 */
#include "certstore/cert_bind.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

static const char *const authority[] = {
    [CERT_TO_SIGN] = "domain-signing-authority",
    [CERT_TO_ENCRYPT] = "domain-confidentiality-authority",
};

/* Octets of a name without the blanks around it (deployed certificates have trailing ones). */
struct name {
	const char *p;
	size_t n;
	bool nul;
};

static struct name trimmed(const ASN1_STRING *s)
{
	struct name t = {(const char *)ASN1_STRING_get0_data(s), 0, false};
	int n = ASN1_STRING_length(s);

	t.n = n > 0 ? (size_t)n : 0;
	t.nul = t.n > 0 && memchr(t.p, 0, t.n) != NULL;
	while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	while (t.n > 0 && (*t.p == ' ' || *t.p == '\t')) {
		t.p++;
		t.n--;
	}
	return t;
}

static bool is_domain(const struct name *t, const char *domain)
{
	char d[ADDRESS_DOMAIN_MAX + 1];

	return domain[0] && t->n > 0 && address_domain(t->p, t->n, d, NULL) == 0 && strcmp(d, domain) == 0;
}

static enum cert_binding bound_by_mail(const struct name *t, const struct address *who, enum cert_purpose use)
{
	struct address a;
	struct address office = {.local = ""};

	if (t->n == 0 || address_parse(t->p, t->n, &a, NULL) < 0 || !a.local[0] || !a.domain[0])
		return CERT_BOUND_NOT;
	if (who->local[0] && address_same_nocase(&a, who))
		return CERT_BOUND_ADDRESS;
	memcpy(office.domain, who->domain, sizeof office.domain);
	memcpy(office.local, authority[use], strlen(authority[use]) + 1);
	return address_same_nocase(&a, &office) ? CERT_BOUND_AUTHORITY : CERT_BOUND_NOT;
}

/* RFC 9598: only for local parts outside ASCII, which are compared octet by octet; the domain in A-labels, or in
 * U-labels as RFC 8398 had it. */
static enum cert_binding bound_by_utf8(const struct name *t, const struct address *who)
{
	struct address a;

	if (t->n == 0 || address_parse_utf8(t->p, t->n, &a, NULL) < 0 || !address_is_utf8(&a))
		return CERT_BOUND_NOT;
	return who->local[0] && address_same(&a, who) ? CERT_BOUND_ADDRESS : CERT_BOUND_NOT;
}

/* The mailbox of an otherName, NULL: it is of another kind. */
static const ASN1_STRING *utf8_mailbox(const GENERAL_NAME *g)
{
	if (g->type != GEN_OTHERNAME || OBJ_obj2nid(g->d.otherName->type_id) != NID_id_on_SmtpUTF8Mailbox ||
	    g->d.otherName->value->type != V_ASN1_UTF8STRING)
		return NULL;
	return g->d.otherName->value->value.utf8string;
}

static enum cert_binding best(enum cert_binding a, enum cert_binding b)
{
	if (a == CERT_BOUND_NOT || b == CERT_BOUND_NOT)
		return a == CERT_BOUND_NOT ? b : a;
	return a < b ? a : b;
}

enum cert_binding cert_bound(X509 *x, const struct address *who, enum cert_purpose use)
{
	enum cert_binding got = CERT_BOUND_NOT;
	/* NULL also when the extension stands there twice: then it binds to nothing. */
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool nul = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		const ASN1_STRING *utf8 = utf8_mailbox(g);
		struct name t;

		if (g->type != GEN_DNS && g->type != GEN_EMAIL && !utf8)
			continue;
		t = trimmed(utf8 ? utf8 : g->type == GEN_DNS ? g->d.dNSName : g->d.rfc822Name);
		nul = nul || t.nul;
		if (utf8)
			got = best(got, bound_by_utf8(&t, who));
		else if (g->type == GEN_EMAIL)
			got = best(got, bound_by_mail(&t, who, use));
		else if (is_domain(&t, who->domain))
			got = best(got, CERT_BOUND_DOMAIN);
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
	return nul ? CERT_BOUND_NOT : got;
}
