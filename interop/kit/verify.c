#include "interop/kit/verify.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interop/kit/countersign.h"
#include "interop/kit/manifest.h"
#include "interop/kit/report.h"
#include "interop/kit/result.h"
#include "interop/kit/result_check.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify_fact.h"

#define RECEIPT "postern-interop-countersignature-1"
#define READ_MAX (64 * 1024 * 1024)
#define N(a) (sizeof(a) / sizeof(*(a)))

struct verify {
	struct facts facts;
	const char *dir, *tester, *gateway;
	json_t *manifest;
	char sha256[65]; /* of manifest.json */
	X509 *signer;	 /* who signed it; NULL: nobody that counts */
	struct buf why;
};

/* A file of the run, not by way of a link; 0 or -1. */
static int read_in(struct verify *v, const char *name, struct buf *out)
{
	char *path = text_make("%s/%s", v->dir, name);
	int rc = file_read_plain(path, READ_MAX, out, &v->why);

	free(path);
	return rc;
}

static bool there_in(const struct verify *v, const char *name)
{
	char *path = text_make("%s/%s", v->dir, name);
	struct stat st;
	bool there = lstat(path, &st) == 0;

	free(path);
	return there;
}

static void forget_why(struct verify *v)
{
	buf_clear(&v->why);
	buf_adds(&v->why, "");
}

static void check_files(struct verify *v)
{
	char *path = text_make("%s/manifest.json", v->dir);

	forget_why(v);
	v->manifest = manifest_read(v->dir, &v->why);
	if (v->manifest && manifest_file_hash(path, v->sha256, NULL, &v->why) < 0) {
		json_decref(v->manifest);
		v->manifest = NULL;
	}
	free(path);
	if (!verify_fact(&v->facts, v->manifest, v->manifest ? "manifest.json is well-formed%s" : "manifest.json: %s",
		v->why.p))
		return;
	forget_why(v);
	if (manifest_compare(v->dir, v->manifest, &v->why) == 0)
		verify_fact(&v->facts, true,
		    "all %zu files are as manifest.json says, none was added and none is missing",
		    json_array_size(json_object_get(v->manifest, "files")));
	else
		verify_fact(&v->facts, false, "the files are as manifest.json says: %s", v->why.p);
}

/* whether a certificate was valid (RFC 5280 4.1.2.5) at a time as M_TIME has it */
static bool valid_at(const X509 *c, const char *iso)
{
	struct tm tm = {0};
	const char *end = strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t = timegm(&tm);

	/* X509_cmp_time: -1 when the first is not later, 1 when it is, 0 for an error */
	return end && !*end && X509_cmp_time(X509_get0_notBefore(c), &t) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(c), &t) > 0;
}

/* the octets of name.p7s over those of name.json */
static X509 *signature_of(struct verify *v, const char *json, const char *p7s, X509 *expected)
{
	struct buf text = {0}, der = {0};
	X509 *signer = NULL;

	forget_why(v);
	if (read_in(v, json, &text) == 0 && read_in(v, p7s, &der) == 0)
		tester_verify(der.p, der.n, text.p, text.n, expected, &signer, &v->why);
	buf_free(&text);
	buf_free(&der);
	return signer;
}

static void check_tester(struct verify *v)
{
	char *own = text_make("%s/tester.pem", v->dir);
	X509 *expected, *inside;
	struct buf name = {0};

	forget_why(v);
	expected = v->tester ? certificate_read(v->tester, &v->why) : NULL;
	if (v->tester && !expected) {
		verify_fact(&v->facts, false, "the tester's certificate can be read: %s", v->why.p);
	} else if ((v->signer = signature_of(v, "manifest.json", "manifest.p7s", expected))) {
		certificate_name(v->signer, &name);
		verify_fact(&v->facts, true, "manifest.json is signed by the tester %s%s", name.p,
		    v->tester ? ", whose certificate was expected" : ": compare this with what the tester gave you");
		inside = certificate_read_plain(own, NULL);
		verify_fact(&v->facts, inside && X509_cmp(inside, v->signer) == 0, "tester.pem is that certificate");
		X509_free(inside);
	} else {
		verify_fact(&v->facts, false, "manifest.json is signed by the tester: %s", v->why.p);
	}
	X509_free(expected);
	buf_free(&name);
	free(own);
}

static bool same(struct verify *v, const char *name, const struct buf *wanted)
{
	struct buf is = {0};
	bool fits = read_in(v, name, &is) == 0 && is.n == wanted->n && !memcmp(is.p, wanted->p, is.n);

	buf_free(&is);
	return fits;
}

static void check_reports(struct verify *v)
{
	struct buf html = {0}, junit = {0};
	json_t *results;

	forget_why(v);
	results = result_read(v->dir, &v->why);
	verify_fact(&v->facts, results, results ? "results.json is well-formed%s" : "results.json is well-formed: %s",
	    v->why.p);
	if (results && v->manifest)
		verify_fact(&v->facts, !strcmp(result_member(results, "run"), result_member(v->manifest, "run")),
		    "manifest.json is of the run that results.json tells of");
	if (results && v->signer)
		verify_fact(&v->facts, valid_at(v->signer, result_member(results, "ended")),
		    "the tester's certificate was valid when the run ended, at %s", result_member(results, "ended"));
	forget_why(v);
	if (results && report_render(v->dir, &html, &junit, &v->why) == 0) {
		verify_fact(
		    &v->facts, same(v, "report.html", &html), "report.html is exactly what results.json gives");
		verify_fact(&v->facts, same(v, "junit.xml", &junit), "junit.xml is exactly what results.json gives");
	} else {
		verify_fact(
		    &v->facts, false, "report.html and junit.xml are exactly what results.json gives: %s", v->why.p);
	}
	json_decref(results);
	buf_free(&html);
	buf_free(&junit);
}

/* The files that the receipt lists are those that are there, and as it says. */
static int check_listed(struct verify *v, const json_t *list)
{
	static const struct member members[] = {{"path", M_TEXT}, {"size", M_LINE}, {"sha256", M_SHA256}};
	static const char *const names[] = {
	    "countersignature.eml", "countersignature.pem", "countersignature.sealed.eml"};
	size_t at = 0;

	for (size_t i = 0; i < N(names); i++) {
		const json_t *f = json_array_get(list, at);
		char *path, hex[65];
		int64_t size = 0;
		int rc;

		if (strcmp(result_member(f, "path"), names[i]) != 0) {
			if (i == 0 || there_in(v, names[i]))
				return fail(&v->why, "countersignature.json does not list %s", names[i]);
			continue;
		}
		at++;
		if (result_check(f, members, N(members), "a file of countersignature.json", &v->why) < 0)
			return -1;
		path = text_make("%s/%s", v->dir, names[i]);
		rc = manifest_file_hash(path, hex, &size, &v->why);
		free(path);
		if (rc < 0)
			return -1;
		if (strcmp(hex, result_member(f, "sha256")) != 0 ||
		    size != json_integer_value(json_object_get(f, "size")))
			return fail(&v->why, "%s was changed", names[i]);
	}
	return at == json_array_size(list) ? 0 : fail(&v->why, "countersignature.json lists another file");
}

static int check_receipt(struct verify *v, const json_t *r)
{
	static const struct member members[] = {
	    {"format", M_TEXT}, {"run", M_RUN}, {"manifest", M_SHA256}, {"came", M_TIME}, {"files", M_LIST}};

	if (result_check(r, members, N(members), "countersignature.json", &v->why) < 0)
		return -1;
	if (strcmp(result_member(r, "format"), RECEIPT) != 0)
		return fail(&v->why, "countersignature.json is of a format that is not known here");
	if (strcmp(result_member(r, "manifest"), v->sha256) != 0 ||
	    strcmp(result_member(r, "run"), result_member(v->manifest, "run")) != 0)
		return fail(&v->why, "countersignature.json is about another run or another manifest.json");
	return check_listed(v, json_object_get(r, "files"));
}

static void check_sealed(struct verify *v, struct opener *o, STACK_OF(X509) * certs, const struct buf *eml)
{
	struct buf sealed = {0}, opened = {0};
	bool fits;

	forget_why(v);
	fits = read_in(v, "countersignature.sealed.eml", &sealed) == 0 &&
	       countersign_read(sealed.p, sealed.n, o, certs, result_member(v->manifest, "run"), v->sha256, &opened,
		   NULL, &v->why) == 0 &&
	       opened.n == eml->n && !memcmp(opened.p, eml->p, eml->n);
	verify_fact(&v->facts, fits,
	    "countersignature.sealed.eml, as the gateway sent it, opens to countersignature.eml%s%s",
	    v->why.n ? ": " : "", v->why.p);
	buf_free(&sealed);
	buf_free(&opened);
}

/* came: when the receipt says it came; NULL: nothing that counts says so */
static void check_gateway(struct verify *v, const char *came)
{
	char *own = text_make("%s/gateway.pem", v->dir), *pem = text_make("%s/countersignature.pem", v->dir);
	STACK_OF(X509) * certs;
	struct opener o = {0};
	struct buf eml = {0}, name = {0};
	X509 *signer = NULL;
	int rc = -1;

	forget_why(v);
	certs = v->gateway ? certificates_read(v->gateway, &v->why) : certificates_read_plain(own, &v->why);
	if (certs && read_in(v, "countersignature.eml", &eml) == 0 &&
	    (!there_in(v, "countersignature.pem") || opener_read(pem, &o, &v->why) == 0))
		rc = countersign_read(
		    eml.p, eml.n, &o, certs, result_member(v->manifest, "run"), v->sha256, NULL, &signer, &v->why);
	if (signer)
		certificate_name(signer, &name);
	if (rc == 0)
		verify_fact(&v->facts, true, "the gateway countersigned manifest.json with the certificate %s%s",
		    name.p, v->gateway ? ", which was expected" : ": compare this with what its operator gave you");
	else
		verify_fact(&v->facts, false, "the gateway countersigned manifest.json: %s", v->why.p);
	if (signer && came)
		verify_fact(&v->facts, valid_at(signer, came),
		    "the gateway's certificate was valid when it came, at %s", came);
	if (there_in(v, "countersignature.sealed.eml"))
		check_sealed(v, &o, certs, &eml);
	X509_free(signer);
	opener_clear(&o);
	certificates_free(certs);
	buf_free(&eml);
	buf_free(&name);
	free(own);
	free(pem);
}

static void check_countersignature(struct verify *v)
{
	char *path = text_make("%s/countersignature.json", v->dir);
	X509 *signer = NULL;
	json_t *receipt = NULL;
	bool fits = false;

	if (!there_in(v, "countersignature.eml")) {
		verify_fact(
		    &v->facts, false, "the gateway countersigned manifest.json: there is no countersignature");
	} else {
		forget_why(v);
		receipt = json_file(path, READ_MAX, &v->why);
		fits = receipt && check_receipt(v, receipt) == 0;
		verify_fact(&v->facts, fits, "countersignature.json tells of this countersignature%s%s",
		    fits ? ", which came at " : ": ", fits ? result_member(receipt, "came") : v->why.p);
		signer =
		    v->signer ? signature_of(v, "countersignature.json", "countersignature.p7s", v->signer) : NULL;
		verify_fact(&v->facts, signer, "countersignature.json is signed by the same tester%s%s",
		    v->why.n ? ": " : "", v->why.p);
		check_gateway(v, fits ? result_member(receipt, "came") : NULL);
	}
	X509_free(signer);
	json_decref(receipt);
	free(path);
}

int verify_report(const char *run_dir, const char *tester, const char *gateway, struct buf *say)
{
	struct verify v = {.facts = {.say = say}, .dir = run_dir, .tester = tester, .gateway = gateway};

	check_files(&v);
	check_tester(&v);
	check_reports(&v);
	if (v.manifest)
		check_countersignature(&v);
	json_decref(v.manifest);
	X509_free(v.signer);
	buf_free(&v.why);
	return v.facts.wrong ? 1 : 0;
}
