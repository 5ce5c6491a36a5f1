#include "interop/kit/statement_check.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#define STATEMENT_OID "2.25.6345284688943069982369138258631214205"
#define OCTETS_MAX 65536
#define CLOCK_MS 300000

static CMS_ContentInfo *signed_data(const struct buf *der, struct buf *why)
{
	const unsigned char *p = (const unsigned char *)der->p;
	CMS_ContentInfo *cms;

	if (der->n == 0 || der->n > OCTETS_MAX) {
		fail(why, "%zu octets; 1 to %d are allowed", der->n, OCTETS_MAX);
		return NULL;
	}
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->n);
	if (!cms || p != (const unsigned char *)der->p + der->n ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		fail(why, !cms						? "not CMS"
			  : p != (const unsigned char *)der->p + der->n ? "octets behind it"
									: "not SignedData");
		CMS_ContentInfo_free(cms);
		ERR_clear_error();
		return NULL;
	}
	return cms;
}

int statement_id(const struct buf *der, char out[44])
{
	CMS_ContentInfo *cms = signed_data(der, NULL);
	ASN1_OCTET_STRING **content = cms ? CMS_get0_content(cms) : NULL;
	unsigned char hash[32];
	struct buf b = {0};
	int rc = -1;

	if (content && *content) {
		sha256_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content), hash);
		base64url_add(&b, hash, sizeof(hash));
		memcpy(out, b.p, 44);
		buf_free(&b);
		rc = 0;
	}
	CMS_ContentInfo_free(cms);
	return rc;
}

/* Exactly contentType, messageDigest, signingTime, signingCertificateV2, each once and with one value; no unsigned
 * ones. */
static int check_attributes(CMS_SignerInfo *si, struct buf *why)
{
	static const int wanted[] = {NID_pkcs9_contentType, NID_pkcs9_messageDigest, NID_pkcs9_signingTime,
	    NID_id_smime_aa_signingCertificateV2};

	if (CMS_signed_get_attr_count(si) != 4 || CMS_unsigned_get_attr_count(si) > 0)
		return fail(why, "%d signed and %d unsigned attributes; 4 and none are allowed",
		    CMS_signed_get_attr_count(si), CMS_unsigned_get_attr_count(si));
	for (size_t i = 0; i < 4; i++) {
		int at = CMS_signed_get_attr_by_NID(si, wanted[i], -1);

		if (at < 0 || X509_ATTRIBUTE_count(CMS_signed_get_attr(si, at)) != 1)
			return fail(
			    why, "the signed attribute %s is missing, or has not one value", OBJ_nid2sn(wanted[i]));
	}
	return 0;
}

static void name_of(X509 *cert, char out[44])
{
	unsigned char hash[32];
	unsigned int n;
	struct buf b = {0};

	if (X509_digest(cert, EVP_sha256(), hash, &n) != 1)
		die("SHA-256 does not work");
	base64url_add(&b, hash, sizeof(hash));
	memcpy(out, b.p, 44);
	buf_free(&b);
}

/* The SignerInfo of `signer` is there and verifies. */
static int check_signature(CMS_ContentInfo *cms, const char *signer, size_t *signers, struct buf *why)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	bool found = false;
	X509 *cert;
	char id[44];

	*signers = (size_t)sk_CMS_SignerInfo_num(infos);
	if (*signers < 1 || *signers > 2)
		return fail(why, "%zu SignerInfos; one or two are allowed", *signers);
	if (CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		ERR_clear_error();
		return fail(why, "a signature does not verify");
	}
	for (int i = 0; i < (int)*signers; i++) {
		CMS_SignerInfo *si = sk_CMS_SignerInfo_value(infos, i);

		if (check_attributes(si, why) < 0)
			return -1;
		CMS_SignerInfo_get0_algs(si, NULL, &cert, NULL, NULL);
		if (cert) {
			name_of(cert, id);
			found = found || !strcmp(id, signer);
		}
	}
	return found ? 0 : fail(why, "no SignerInfo is of the certificate that \"signer\" names");
}

static const char *text_member(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* Unix time of "2026-01-31T12:00:00Z"; -1: another form. */
static int64_t time_of(const char *s)
{
	struct tm tm = {0};
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return strlen(s) == 20 && end && !*end ? (int64_t)timegm(&tm) : -1;
}

static int check_times(json_t *o, struct buf *why)
{
	int64_t issued = time_of(text_member(o, "issued")) * 1000,
		expires = time_of(text_member(o, "expires")) * 1000, now = now_ms();
	json_t *serial = json_object_get(o, "serial");

	if (issued < 0 || expires < 0)
		return fail(why, "\"issued\" or \"expires\" is not a time YYYY-MM-DDThh:mm:ssZ");
	if (issued > now + CLOCK_MS)
		return fail(why, "\"issued\" %s lies in the future", text_member(o, "issued"));
	if (expires <= now)
		return fail(why, "it expired at %s", text_member(o, "expires"));
	if (expires - issued > 30LL * 86400000)
		return fail(why, "\"issued\" and \"expires\" are more than 30 days apart");
	if (!json_is_integer(serial) || json_integer_value(serial) > now + CLOCK_MS ||
	    json_integer_value(serial) <= 0)
		return fail(why, "\"serial\" is not a number of milliseconds, or lies in the future");
	return 0;
}

static bool bound_to(X509 *cert, const char *domain)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool bound = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		const char *at;
		size_t n;

		if (g->type != GEN_DNS && g->type != GEN_EMAIL)
			continue;
		at = (const char *)ASN1_STRING_get0_data(g->d.ia5);
		n = (size_t)ASN1_STRING_length(g->d.ia5);
		if (g->type == GEN_EMAIL) {
			const char *sign = memchr(at, '@', n);

			n = sign ? n - (size_t)(sign + 1 - at) : 0;
			at = sign ? sign + 1 : at;
		}
		bound = bound || (n == strlen(domain) && !strncasecmp(at, domain, n));
	}
	GENERAL_NAMES_free(names);
	return bound;
}

static int check_certificate(json_t *entry, const char *domain, struct buf *why)
{
	const char *use = text_member(entry, "use"), *text = text_member(entry, "der");
	struct buf der = {0};
	const unsigned char *p;
	X509 *cert = NULL;
	uint32_t usage;
	int rc = -1;

	if (!text_is_word_in(use, "statement,sign,encrypt,both"))
		return fail(why, "a certificate has the use \"%.20s\"", use);
	if (base64_read(text, strlen(text), &der) == 0 && der.n > 0) {
		p = (const unsigned char *)der.p;
		cert = d2i_X509(NULL, &p, (long)der.n);
	}
	usage = cert ? X509_get_key_usage(cert) : 0;
	if (!cert)
		fail(why, "a certificate for %s cannot be read", use);
	else if (!(X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) ||
		 !(X509_get_extended_key_usage(cert) & XKU_SMIME))
		fail(why, "the certificate for %s has no extended key usage emailProtection", use);
	else if (strcmp(use, "encrypt") != 0 && !(usage & KU_DIGITAL_SIGNATURE))
		fail(why, "the certificate for %s has no key usage digitalSignature", use);
	else if ((!strcmp(use, "encrypt") || !strcmp(use, "both")) &&
		 !(usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)))
		fail(why, "the certificate for %s has no key usage for encryption", use);
	else if (!bound_to(cert, domain))
		fail(why, "the certificate for %s does not name %s", use, domain);
	else if (time_of(text_member(entry, "from")) < 0 || time_of(text_member(entry, "until")) < 0)
		fail(why, "the certificate for %s has no times", use);
	else
		rc = 0;
	X509_free(cert);
	buf_free(&der);
	ERR_clear_error();
	return rc;
}

static int check_content(json_t *o, const char *domain, struct buf *why)
{
	json_t *list = json_object_get(o, "certificates"), *entry;
	size_t i;

	if (json_integer_value(json_object_get(o, "v")) != 1)
		return fail(why, "\"v\" is not 1");
	if (strcmp(text_member(o, "domain"), domain) != 0)
		return fail(why, "\"domain\" is %.100s; %s was asked for", text_member(o, "domain"), domain);
	if (check_times(o, why) < 0)
		return -1;
	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > 64)
		return fail(why, "\"certificates\" is not a list of 1 to 64");
	json_array_foreach(list, i, entry) if (check_certificate(entry, domain, why) < 0) return -1;
	if (!json_is_array(json_object_get(json_object_get(o, "read"), "content")))
		return fail(why, "\"read\" does not say which content encryption it reads");
	return 0;
}

json_t *statement_check(const struct buf *der, const char *domain, size_t *signers, struct buf *why)
{
	CMS_ContentInfo *cms = signed_data(der, why);
	ASN1_OCTET_STRING **content = cms ? CMS_get0_content(cms) : NULL;
	char type[128] = "";
	json_t *o = NULL;
	json_error_t error;

	if (!cms)
		return NULL;
	OBJ_obj2txt(type, sizeof(type), CMS_get0_eContentType(cms), 1);
	if (strcmp(type, STATEMENT_OID) != 0 || !content || !*content)
		fail(why, "the eContentType is %s, or there is no eContent", type);
	else if (!(o = json_loadb((const char *)ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content),
		       JSON_REJECT_DUPLICATES, &error)))
		fail(why, "the content is not JSON: %s", error.text);
	else if (check_signature(cms, text_member(o, "signer"), signers, why) < 0 ||
		 check_content(o, domain, why) < 0) {
		json_decref(o);
		o = NULL;
	}
	CMS_ContentInfo_free(cms);
	return o;
}
