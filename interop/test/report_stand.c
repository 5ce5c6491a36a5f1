#include "interop/test/report_stand.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interop/kit/plan.h"
#include "interop/kit/report.h"
#include "interop/kit/result.h"
#include "interop/kit/smtp_client.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify.h"

static int failed, checks;
char *top;

bool check(bool is, const char *what, int line)
{
	checks++;
	if (!is) {
		failed++;
		printf("line %d: %s\n", line, what);
	}
	return is;
}

void write_text(const char *path, const char *text)
{
	struct buf why = {0};
	char *dir = text_copy(path);

	*strrchr(dir, '/') = 0;
	if (directory_make(dir, &why) < 0 || file_write(path, text, strlen(text), 0644, &why) < 0)
		die("%s", why.p);
	free(dir);
}

char *in(const char *dir, const char *name)
{
	return text_make("%s/%s", dir, name);
}

/* ---- the stand-ins: a world with one credential, a gateway that signs and seals, a sink with one mail ---- */

static enum manner manner;
static struct credential gateway, partner, stranger;
static struct mail came;
static bool has_come;
int64_t came_shift_ms;

static struct credential make_credential(const char *name)
{
	struct credential c = {.key = EVP_RSA_gen(2048), .cert = X509_new(), .chain = sk_X509_new_null()};

	X509_set_version(c.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), 7);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(c.cert), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c.cert, X509_get_subject_name(c.cert));
	X509_gmtime_adj(X509_getm_notBefore(c.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), 360000);
	X509_set_pubkey(c.cert, c.key);
	X509_sign(c.cert, c.key, EVP_sha256());
	return c;
}

const struct credential *world_credential(struct world *w, const struct case_file *c, const char *name, char use)
{
	(void)w, (void)c, (void)use;
	return !strcmp(name, "countersign") ? &partner : NULL;
}

static void out_of(BIO *b, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	buf_clear(out);
	buf_add(out, p, (size_t)n);
	BIO_free(b);
}

static void sign(struct buf *m, const struct credential *c, bool detached)
{
	int flags = CMS_BINARY | (detached ? CMS_DETACHED | CMS_STREAM : 0);
	BIO *data = BIO_new_mem_buf(m->p, (int)m->n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = CMS_sign(c->cert, c->key, NULL, data, flags);

	(void)BIO_reset(data);
	SMIME_write_CMS(out, cms, data, flags);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	out_of(out, m);
}

/* OpenSSL writes S/MIME with LF; mail has CRLF, and is signed so */
static void with_crlf(struct buf *m)
{
	struct buf b = {0};

	for (size_t i = 0; i < m->n; i++) {
		if (m->p[i] == '\n' && (i == 0 || m->p[i - 1] != '\r'))
			buf_adds(&b, "\r");
		buf_add(&b, m->p + i, 1);
	}
	buf_free(m);
	*m = b;
}

static void seal(struct buf *m)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *data = BIO_new_mem_buf(m->p, (int)m->n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;

	sk_X509_push(to, partner.cert);
	cms = CMS_encrypt(to, data, EVP_aes_256_cbc(), CMS_BINARY);
	SMIME_write_CMS(out, cms, data, CMS_BINARY);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	sk_X509_free(to);
	out_of(out, m);
	with_crlf(m);
}

static void as_base64(struct buf *m)
{
	struct buf b = {0};

	buf_adds(&b, "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	base64_add(&b, m->p, m->n, 76);
	buf_free(m);
	*m = b;
}

int smtp_send(const char *address, const char *helo, bool tls, const char *from, char **to, size_t n,
    const void *data, size_t len, struct buf *transcript, struct reply *r, int *codes, int64_t *answer_us,
    struct buf *why)
{
	struct buf m = {0};

	(void)address, (void)helo, (void)tls, (void)from, (void)to, (void)n, (void)transcript, (void)codes,
	    (void)answer_us, (void)why;
	if (manner == REFUSE) {
		buf_adds(&r->text, "550 5.7.1 no\r\n");
		return 550;
	}
	buf_add(&m, data, len);
	if (manner == OTHER_TEXT) { /* everything from the subject on */
		size_t at = (size_t)(octets_find(m.p, m.n, "Subject") - m.p);

		memset(m.p + at, 'x', m.n - at);
	}
	if (manner == BASE64)
		as_base64(&m);
	if (manner != SEAL && manner != PLAIN)
		sign(&m, manner == OTHER_KEY ? &stranger : &gateway, manner == DETACHED);
	if (manner == SIGN_SEAL || manner == SEAL || manner == TRIPLE || manner == BASE64)
		seal(&m);
	if (manner == TRIPLE)
		sign(&m, &gateway, true);
	has_come = manner != LOSE;
	buf_free(&came.data);
	came.data = m;
	came.number++;
	came.came_ms = now_ms() + came_shift_ms;
	return 250;
}

const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg)
{
	(void)s, (void)side, (void)wait_ms, (void)test, (void)arg;
	CHECK(!strcmp(to, "report@countersign.kit.test"));
	return has_come && came.number > after ? &came : NULL;
}

/* ---- a run ---- */

const char hostile[] = "<script>alert(\"1\")</script> & 'q' \x01\x1b[31m \xff\xfe \xc0\xaf \xe2\x80\xae ]]> \r\n --";

static struct case_file make_case(const char *id, const char *profile, const char *title, char **proves)
{
	return (struct case_file){.id = (char *)id,
	    .profile = (char *)profile,
	    .title = (char *)title,
	    .dir = text_make("%s/cases/%s/%s", top, profile, id),
	    .proves = proves,
	    .n_proves = 1};
}

struct case_list make_cases(void)
{
	static char *one[] = {"FIND-1"}, *two[] = {"TRUST-1"};
	struct case_list l = {.cases = need(3 * sizeof(*l.cases)), .n = 3};

	l.cases[0] = make_case("find-a", "find", "A certificate is found", one);
	l.cases[1] = make_case("find-b", "find", hostile, one);
	l.cases[2] = make_case("trust-a", "trust", "Trust", two);
	for (size_t i = 0; i < l.n; i++) {
		char *path = in(l.cases[i].dir, "case");

		write_text(path, l.cases[i].id);
		free(path);
	}
	return l;
}

struct requirement_list requirements(void)
{
	static const char find[] = "# comment\nFIND-1  RFC 4398 2.1\nmust: It is <b>found</b>.\n  Always.\n"
				   "failure: Mail goes out in the clear.\n",
			  trust[] = "TRUST-1 RFC 5280 6\nmust: It is checked.\nfailure: Anybody reads it.\n\n\n";
	struct requirement_list l = {0};
	struct buf why = {0};

	CHECK(requirements_parse("find", find, sizeof(find) - 1, &l, &why) == 0);
	CHECK(requirements_parse("trust", trust, sizeof(trust) - 1, &l, &why) == 0);
	CHECK(why.n == 0 && l.n == 2 && !strcmp(l.all[0].must, "It is <b>found</b>. Always."));
	return l;
}

json_t *make_results(const struct case_list *l, const char *domain, const char *plan, const enum verdict *verdicts)
{
	struct requirement_list r = requirements();
	char hash[65];
	json_t *cases = json_array(), *v;
	struct buf why = {0}, began = {0}, ended = {0};

	time_add_iso(&began, time(NULL) - 600);
	time_add_iso(&ended, time(NULL));

	CHECK(plan_cases_hash(l, hash, &why) == 0);
	for (size_t i = 0; i < l->n; i++) {
		struct finding f[2] = {
		    {PASSED, 3, (char *)"the layers were enveloped"}, {verdicts[i], 4, (char *)hostile}};

		json_array_append_new(cases, result_case(&l->cases[i], f, 2, 1.25));
	}
	v = json_pack("{s:s,s:s,s:s,s:s,s:o,s:{s:o,s:s,s:s},s:s,s:[s,s],s:{s:o},s:[s,s],s:s?,s:s,s:o,s:o}", "kit",
	    "1.0", "run",
	    !strcmp(domain, "a.test") ? "00112233445566778899aabbccddeeff" : "ff112233445566778899aabbccddeeff",
	    "began", began.p, "ended", ended.p, "tester", result_text(hostile), "gateway", "name",
	    result_text(hostile), "version", "2", "domain", domain, "kit-domain", "kit.test", "judges", "OpenSSL 3.0",
	    "BouncyCastle 1.72", "configuration", "marks", result_text(hostile), "profiles", "find", "trust", "plan",
	    plan, "cases-hash", hash, "requirements", requirements_json(&r, l, &why), "cases", cases);
	requirements_free(&r);
	buf_free(&why);
	buf_free(&began);
	buf_free(&ended);
	return v;
}

struct kit make_kit(const char *name)
{
	struct kit k = {.dir = in(top, name),
	    .kit_domain = (char *)"kit.test",
	    .host = (char *)"mx.kit.test",
	    .gateway_domain = (char *)"a.test",
	    .gateway_inside = (char *)"127.0.0.1:1",
	    .gateway_sign = (char *)"gw.pem",
	    .tester = (char *)name};
	struct buf why = {0};
	char *path = in(k.dir, "gw.pem");
	BIO *b = BIO_new(BIO_s_mem());
	struct buf pem = {0};

	PEM_write_bio_X509(b, gateway.cert);
	out_of(b, &pem);
	write_text(path, pem.p);
	CHECK(tester_make(&k, &why) == 0 && tester_make(&k, &why) == 0);
	buf_free(&pem);
	free(path);
	return k;
}

const enum verdict mixed[] = {PASSED, FAILED, NOT_RUN}, good[] = {PASSED, PASSED, PASSED};

char *make_run(
    const struct kit *k, const struct case_list *l, const char *name, const char *plan, const enum verdict *verdicts)
{
	char *run = in(top, name), *evidence = in(run, "evidence/find-a/01-message & \"x\".eml"), *more;
	json_t *v = make_results(l, k->gateway_domain, plan, verdicts);
	struct buf why = {0};

	write_text(evidence, "Subject: x\r\n\r\nhello\r\n");
	more = in(run, "evidence/find-b/01-x.txt");
	write_text(more, "");
	if (result_write(run, v, &why) < 0 || report_write(k, run, &why) < 0)
		die("%s", why.p);
	json_decref(v);
	free(evidence);
	free(more);
	return run;
}

/* status of verify_report; text must be among what it says */
int verified(const char *run, const char *tester, const char *gw, const char *text)
{
	struct buf say = {0};
	int rc = verify_report(run, tester, gw, &say);

	if (!check(!text || octets_find(say.p, say.n, text), text ? text : "", __LINE__))
		printf("%s", say.p);
	buf_free(&say);
	return rc;
}

int command(const char *program, const char *option, const char *path)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		execlp(program, program, option, path, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		die("%s cannot be run", program);
	return WEXITSTATUS(status);
}

int countersigned(const struct kit *k, const char *run, enum manner how, const char *text)
{
	struct buf why = {0};
	int rc;

	manner = how;
	has_come = false;
	rc = report_countersign(k, NULL, NULL, run, &why);
	if (!check(
		rc == 0 ? !text : text && octets_find(why.p, why.n, text), text ? text : "countersigned", __LINE__))
		printf("  manner %d: %s\n", (int)how, why.n ? why.p : "taken");
	buf_free(&why);
	return rc;
}

bool says(const char *text, const struct buf *b)
{
	return b->n > 0 && octets_find(b->p, b->n, text);
}

void begin(const char *name)
{
	const char *tmp = getenv("TMPDIR");

	top = text_make("%s/%s-XXXXXX", tmp ? tmp : "/tmp", name);
	if (!mkdtemp(top))
		die("%s cannot be made", top);
	gateway = make_credential("gateway");
	partner = make_credential("countersign.kit.test");
	stranger = make_credential("stranger");
}

void free_cases(struct case_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->cases[i].dir);
	free(l->cases);
}

int end(void)
{
	printf("%d checks, %d failed\n", checks, failed);
	if (!failed)
		command("rm", "-rf", top);
	free(top);
	return failed ? 1 : 0;
}
