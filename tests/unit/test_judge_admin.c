/* The admin's verbs: what they do, what they refuse and in which words; with a keeper where keys are made. */
#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_retire.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_resolve.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/keeper_fixture.h"

static struct judge_fixture fx;
static struct judge_admin ja;
static struct testcert root, lab, past, weak, tls, sign_only;
static int reply_fd;
static char error[800], code[40];

static int64_t fixed_now(void)
{
	return TESTCERT_NOW;
}

static struct testcert issue(struct testcert_spec s)
{
	s.issuer = root.x;
	s.issuer_key = root.key;
	return testcert_make(&s);
}

static void setup(void)
{
	judge_fixture_start(&fx);
	ja = (struct judge_admin){.store = fx.s, .world = &fx.w, .directory = fx.dir, .now = fixed_now};
	root = testcert_ca("root", NULL);
	lab = issue((struct testcert_spec){.cn = "lab", .san = "DNS:lab.example"});
	past = issue((struct testcert_spec){.cn = "past", .san = "DNS:lab.example", .until = TESTCERT_NOW - 10});
	weak = issue((struct testcert_spec){.cn = "weak", .san = "DNS:lab.example", .rsa = 1024});
	tls = issue((struct testcert_spec){.cn = "tls", .san = "DNS:lab.example", .eku = "serverAuth"});
	sign_only =
	    issue((struct testcert_spec){.cn = "sign only", .san = "DNS:lab.example", .ku = "digitalSignature"});
}

static void teardown(void)
{
	struct testcert *all[] = {&root, &lab, &past, &weak, &tls, &sign_only};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		testcert_free(all[i]);
	judge_fixture_end(&fx);
}

/* Sends it; the reply's data (json_decref), or NULL with error and code. Steals args. */
static json_t *ask(const char *verb, json_t *args)
{
	json_t *rq = json_pack("{s:s, s:o}", "verb", verb, "args", args), *reply, *data = NULL, *e;
	char *text = json_dumps(rq, 0), *answer = judge_admin(&ja, NULL, text, "uid 0 (root)", &reply_fd);

	reply = json_loads(answer, 0, NULL);
	ck_assert_msg(reply != NULL, "%s", answer);
	error[0] = code[0] = 0;
	e = json_object_get(reply, "error");
	if (json_is_true(json_object_get(reply, "ok")))
		data = json_incref(json_object_get(reply, "data"));
	else
		(void)(snprintf(error, sizeof error, "%s", json_string_value(json_object_get(e, "text"))),
		    snprintf(code, sizeof code, "%s", json_string_value(json_object_get(e, "code"))));
	json_decref(reply);
	json_decref(rq);
	free(answer);
	free(text);
	return data;
}

static void good(const char *verb, json_t *args)
{
	json_t *d = ask(verb, args);

	ck_assert_msg(d != NULL, "%s: %s", verb, error);
	json_decref(d);
}

static void bad(const char *verb, json_t *args, const char *want_code, const char *words)
{
	json_t *d = ask(verb, args);

	ck_assert_msg(d == NULL, "%s worked", verb);
	ck_assert_msg(strstr(error, words) != NULL, "%s: \"%s\" has no \"%s\"", verb, error, words);
	ck_assert_msg(strcmp(code, want_code) == 0, "%s: %s, not %s: %s", verb, code, want_code, error);
	ck_assert_int_eq(reply_fd, -1);
}

static const char *str(const json_t *o, const char *name)
{
	const char *v = json_string_value(json_object_get(o, name));

	ck_assert_msg(v != NULL, "no text %s", name);
	return v;
}

static json_t *b64(const void *p, size_t n)
{
	char *t = malloc(4 * (n + 2) / 3 + 8);
	json_t *v;

	encode_b64(p, n, t);
	v = json_string(t);
	free(t);
	return v;
}

static json_t *file_of(const struct testcert *c)
{
	return b64(c->der, c->n);
}

static json_t *pem_of(const struct testcert *a, const struct testcert *b)
{
	BIO *o = BIO_new(BIO_s_mem());
	char *p;
	long n;
	json_t *v;

	PEM_write_bio_X509(o, a->x);
	PEM_write_bio_X509(o, b->x);
	n = BIO_get_mem_data(o, &p);
	v = b64(p, (size_t)n);
	BIO_free(o);
	return v;
}

/* ---- requests ---- */

static const struct {
	const char *text, *code, *words;
} broken[] = {
    {"", "usage", "not JSON"},
    {"{", "usage", "not JSON"},
    {"[]", "usage", "no \"verb\""},
    {"{\"verb\": 5}", "usage", "no \"verb\""},
    {"{\"verb\": \"a\", \"verb\": \"b\"}", "usage", "not JSON"},
    {"{\"verb\": \"partner\"}", "usage", "no verb \"partner\""},
    {"{\"verb\": \"rule.list\", \"args\": []}", "usage", "must be an object"},
    {"{\"verb\": \"rule.list\", \"args\": {\"x\": 1}}", "usage", "has no argument \"x\""},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain treatment\": 1}}", "usage", "has no argument"},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": 5}}", "usage", "\"domain\" must be a string"},
    {"{\"verb\": \"partner.add\", \"args\": {}}", "usage", "\"domain\" is missing"},
    {"{\"verb\": \"partner.add\"}", "usage", "\"domain\" is missing"},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": \"no domain\"}}", "usage", "neither a domain"},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": \"@lab.example\"}}", "usage", "neither a domain"},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"treatment\": \"sealed\"}}", "usage",
	"\"clear\", \"tls\""},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"strength\": \"\"}}", "usage",
	"\"require\""},
    {"{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"note\": \"a\\u0007\"}}", "usage",
	"control characters"},
    {"{\"verb\": \"partner.list\", \"args\": {\"max\": 0}}", "usage", "from 1 to 1000"},
    {"{\"verb\": \"partner.list\", \"args\": {\"max\": 1.5}}", "usage", "from 1 to 1000"},
    {"{\"verb\": \"partner.list\", \"args\": {\"sort\": \"size\"}}", "usage", "one of name, state"},
    {"{\"verb\": \"partner.list\", \"args\": {\"state\": \"good\"}}", "usage", "one of frozen"},
    {"{\"verb\": \"partner.list\", \"args\": {\"after\": \"a\", \"sort\": \"-name\"}}", "usage", "offset"},
    {"{\"verb\": \"cert.preview\", \"args\": {\"content\": \"not base64\"}}", "usage", "base64"},
    {"{\"verb\": \"cert.preview\", \"args\": {\"content\": \"\"}}", "usage", "\"content\" must be not empty"},
    {"{\"verb\": \"cert.preview\", \"args\": {\"content\": \"aGVsbG8=\"}}", "refused", "not a certificate"},
    {"{\"verb\": \"anchor.add\", \"args\": {\"scope\": \"x y\", \"content\": \"aGVsbG8=\"}}", "usage",
	"\"scope\" must be"},
    {"{\"verb\": \"domain.add\", \"args\": {\"domain\": \"far.example\"}}", "refused", "not one of our domains"},
    {"{\"verb\": \"domain.add\", \"args\": {\"domain\": \"hospital.example\", \"mode\": \"x\"}}", "usage",
	"\"csr\", \"self\""},
    {"{\"verb\": \"domain.add\", \"args\": {\"domain\": \"hospital.example\"}}", "unavailable",
	"keeper cannot be reached"},
    {"{\"verb\": \"explain\", \"args\": {\"sender\": \"a@hospital.example\", \"recipient\": \"lab.example\"}}",
	"usage", "wants an address"},
};

START_TEST(broken_requests)
{
	char *answer = judge_admin(&ja, NULL, broken[_i].text, "root", &reply_fd);
	json_t *o = json_loads(answer, 0, NULL), *e = json_object_get(o, "error");

	ck_assert(json_is_false(json_object_get(o, "ok")));
	ck_assert_msg(strstr(str(e, "text"), broken[_i].words) != NULL, "%s", answer);
	ck_assert_str_eq(str(e, "code"), broken[_i].code);
	json_decref(o);
	free(answer);
}
END_TEST

/* ---- partners ---- */

START_TEST(partners)
{
	json_t *d;
	struct problem pr = {0};

	good("partner.add", json_pack("{s:s, s:s}", "domain", "LAB.Example", "note", "Dr \xc3\x9c"));
	d = ask("partner.show", json_pack("{s:s}", "domain", "lab.example"));
	ck_assert(json_is_true(json_object_get(d, "listed")));
	ck_assert_str_eq(str(json_object_get(d, "partner"), "domain"), "lab.example");
	ck_assert_str_eq(str(json_object_get(d, "partner"), "treatment"), "seal");
	ck_assert_str_eq(str(json_object_get(d, "partner"), "strength"), "require");
	ck_assert_str_eq(str(json_object_get(d, "partner"), "note"), "Dr \xc3\x9c");
	ck_assert_str_eq(str(json_object_get(d, "partner"), "added"), "2026-11-22T02:00:00Z");
	ck_assert(json_is_null(json_object_get(d, "seen_protected")));
	json_decref(d);
	d = ask("partner.add", json_pack("{s:s, s:s}", "domain", "lab.example", "strength", "prefer"));
	ck_assert(json_is_true(json_object_get(d, "changed")));
	ck_assert_str_eq(str(json_object_get(d, "partner"), "note"), "Dr \xc3\x9c"); /* what is not given stays */
	ck_assert_str_eq(str(json_object_get(d, "partner"), "strength"), "prefer");
	json_decref(d);
	good("partner.add", json_pack("{s:s}", "domain", "Bob@lab.example"));
	good("partner.add", json_pack("{s:s}", "domain", "a.example"));
	bad("partner.add", json_pack("{s:s}", "domain", "x@hospital.example"), "refused", "domain of ours");
	d = ask("partner.list", json_pack("{s:i}", "max", 2));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "partners")), 2);
	ck_assert(json_is_true(json_object_get(d, "more")));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "partners"), 1), "domain"), "bob@lab.example");
	json_decref(d);
	d = ask("partner.list", json_pack("{s:s, s:b, s:s}", "match", "LAB", "counts", 1, "sort", "-state"));
	ck_assert_int_gt(json_integer_value(json_object_get(json_object_get(d, "counts"), "all")), 0);
	ck_assert_ptr_nonnull(json_object_get(json_array_get(json_object_get(d, "partners"), 0), "state"));
	json_decref(d);
	d = ask("partner.list", json_pack("{s:s}", "after", "bob@lab.example"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "partners")), 1);
	ck_assert(json_is_false(json_object_get(d, "more")));
	json_decref(d);
	ck_assert_int_eq(store_seen_protected(fx.s, "lab.example", 1000, &pr), 0);
	d = ask("partner.remove", json_pack("{s:s}", "domain", "lab.example"));
	ck_assert(json_is_true(json_object_get(d, "still_protected")));
	json_decref(d);
	bad("partner.remove", json_pack("{s:s}", "domain", "lab.example"), "not-found", "not a listed partner");
	good("partner.release", json_pack("{s:s}", "domain", "lab.example"));
	bad("partner.release", json_pack("{s:s}", "domain", "lab.example"), "not-found", "never seen protected");
}
END_TEST

/* How mail to a partner is written: set, shown, explained. */
START_TEST(partner_format)
{
	static const uint8_t reads_gcm[] = {0x30, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
	    0x04, 0x01, 0x2e}; /* aes-256-gcm */
	struct store_caps said = {.owner = FIXTURE_STR("lab.example"),
	    .sha256 = "ab",
	    .signer = FIXTURE_STR("CN=lab"),
	    .caps = (uint8_t *)(uintptr_t)reads_gcm,
	    .ncaps = sizeof reads_gcm,
	    .signing_time = TESTCERT_NOW,
	    .seen = TESTCERT_NOW};
	struct problem pr = {0};
	json_t *d, *f;

	bad("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "triple=yes"), "not-found",
	    "not a listed partner");
	good(
	    "partner.add", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "wrap=message, digest=sha384"));
	d = ask("partner.show", json_pack("{s:s}", "domain", "lab.example"));
	ck_assert_str_eq(str(json_object_get(d, "partner"), "format"), "digest=sha384 wrap=message");
	f = json_object_get(d, "format");
	ck_assert_ptr_nonnull(strstr(str(f, "text"), "cipher=aes-256-cbc key=pkcs1 digest=sha384"));
	ck_assert_str_eq(str(f, "wrap"), "entry");
	ck_assert_str_eq(str(f, "cipher"), "default");
	ck_assert_uint_eq(json_array_size(json_object_get(d, "capabilities")), 0);
	json_decref(d);
	ck_assert_int_eq(store_caps_put(fx.s, &said, NULL, &pr), 0);
	d = ask("partner.show", json_pack("{s:s}", "domain", "lab.example"));
	f = json_object_get(d, "format");
	ck_assert_ptr_nonnull(strstr(str(f, "text"), "cipher=aes-256-gcm key=pkcs1 digest=sha384"));
	ck_assert_str_eq(str(f, "cipher"), "capabilities");
	f = json_array_get(json_object_get(d, "capabilities"), 0);
	ck_assert_str_eq(str(f, "reads"), "cipher=aes-256-gcm");
	ck_assert_str_eq(str(f, "signer"), "CN=lab");
	ck_assert_str_eq(str(f, "said"), "2026-11-22T02:00:00Z");
	json_decref(d);
	d = ask(
	    "explain", json_pack("{s:s, s:s}", "sender", "alice@hospital.example", "recipient", "bob@lab.example"));
	ck_assert_ptr_nonnull(strstr(str(d, "format"), "cipher=aes-256-gcm"));
	char *lines = json_dumps(json_object_get(d, "lines"), 0);
	ck_assert_ptr_nonnull(strstr(lines, "of that, digest=sha384 wrap=message: set in the entry of lab.example"));
	ck_assert_ptr_nonnull(strstr(lines, "of that, cipher=aes-256-gcm: what its reader said that it can on "
					    "2026-11-22, in mail signed by CN=lab"));
	free(lines);
	json_decref(d);
	good("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "strength", "prefer"));
	d = ask("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "cipher=aes-128-cbc"));
	ck_assert_str_eq(str(json_object_get(d, "partner"), "format"), "cipher=aes-128-cbc");
	ck_assert_str_eq(str(json_object_get(d, "partner"), "strength"), "prefer");
	json_decref(d);
	bad("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "cipher=rc2"), "usage",
	    "cipher cannot be \"rc2\" in a format");
	bad("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "legacy-display=yes"), "usage",
	    "legacy-display=yes needs wrap=rfc9788");
	bad("partner.set", json_pack("{s:s}", "domain", "lab.example"), "usage",
	    "nothing is said that could be changed");
	fx.w.format.wrap = FORMAT_WRAP_FIELDS; /* where it is the default */
	good("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "legacy-display=yes"));
	fx.w.format.wrap = FORMAT_WRAP_NONE;
	good("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "cipher=aes-128-cbc"));
	fx.w.cipher_bits_min = 256;
	bad("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", "cipher=aes-128-gcm"), "usage",
	    "below 256 bits");
	d = ask("partner.show", json_pack("{s:s}", "domain", "lab.example"));
	ck_assert_ptr_nonnull(strstr(str(d, "format_refused"), "asks for aes-128-cbc, which is below 256 bits"));
	json_decref(d);
	d = ask("partner.set", json_pack("{s:s, s:s}", "domain", "lab.example", "format", ""));
	ck_assert_str_eq(str(json_object_get(d, "partner"), "format"), "");
	json_decref(d);
}
END_TEST

/* ---- certificates ---- */

static json_t *import_args(const struct testcert *c, const char *owner)
{
	return json_pack("{s:s, s:o, s:[s]}", "owner", owner, "content", file_of(c), "sha256", c->sha256);
}

START_TEST(import_good)
{
	json_t *d = ask("cert.preview", json_pack("{s:o}", "content", pem_of(&lab, &root))),
	       *a = json_object_get(d, "certificates");
	char spaced[200];
	size_t n = 0;

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(a), 2);
	ck_assert_str_eq(str(json_array_get(a, 0), "owner"), "lab.example");
	ck_assert_str_eq(str(json_array_get(a, 0), "grade"), "good");
	ck_assert_str_eq(str(json_array_get(a, 0), "state"), "valid");
	ck_assert_str_eq(str(json_array_get(a, 1), "grade"), "never");
	ck_assert_msg(strstr(str(json_array_get(a, 1), "reason"), "anchor add") != NULL, "%s",
	    str(json_array_get(a, 1), "reason"));
	ck_assert_str_eq(str(json_array_get(a, 0), "not_after"), "2028-01-01T00:00:00Z");
	/* The fingerprint as shown may be given back. */
	n = strlen(str(json_array_get(a, 0), "fingerprint"));
	memcpy(spaced, str(json_array_get(a, 0), "fingerprint"), n + 1);
	json_decref(d);
	d = ask("cert.import",
	    json_pack("{s:s, s:o, s:[s]}", "owner", "lab.example", "content", pem_of(&lab, &root), "sha256", spaced));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "imported")), 1);
	ck_assert(json_is_false(json_object_get(d, "listed")));
	json_decref(d);
	d = ask("cert.list", json_pack("{}"));
	a = json_array_get(json_object_get(d, "certificates"), 0);
	ck_assert_str_eq(str(a, "sha256"), lab.sha256);
	ck_assert(json_is_true(json_object_get(a, "pinned")));
	ck_assert(json_is_true(json_object_get(json_object_get(a, "encrypt"), "usable")));
	ck_assert(json_is_true(json_object_get(json_object_get(a, "sign"), "usable")));
	json_decref(d);
	bad("cert.remove", json_pack("{s:s, s:s}", "owner", "lab.example", "sha256", "00000000"), "not-found",
	    "has no certificate");
	bad("cert.remove", json_pack("{s:s, s:s}", "owner", "lab.example", "sha256", "0000"), "usage", "at least 8");
	good("cert.remove", json_pack("{s:s, s:s%}", "owner", "lab.example", "sha256", lab.sha256, (size_t)10));
	d = ask("cert.list", json_pack("{s:s}", "owner", "lab.example"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 0);
	json_decref(d);
}
END_TEST

static json_t *with(json_t *o, const char *name, json_t *v)
{
	json_object_set_new(o, name, v);
	return o;
}

START_TEST(import_refused)
{
	char other[65];

	memcpy(other, lab.sha256, 65);
	other[0] = other[0] == '0' ? '1' : '0';
	bad("cert.import", json_pack("{s:s, s:o}", "owner", "lab.example", "content", file_of(&lab)), "usage",
	    "fingerprints");
	bad("cert.import", json_pack("{s:s, s:o, s:[]}", "owner", "lab.example", "content", file_of(&lab), "sha256"),
	    "usage", "fingerprints");
	bad("cert.import",
	    json_pack("{s:s, s:o, s:[s]}", "owner", "lab.example", "content", file_of(&lab), "sha256", other),
	    "refused", "no certificate in the file");
	bad("cert.import",
	    json_pack("{s:s, s:o, s:[s]}", "owner", "lab.example", "content", file_of(&lab), "sha256", "12345678"),
	    "usage", "not a whole");
	bad("cert.import", import_args(&past, "lab.example"), "refused", "CN=past, serial");
	ck_assert_ptr_nonnull(strstr(error, "ran out on 2026-11-22; ask the partner for its present one"));
	bad("cert.import", import_args(&weak, "lab.example"), "refused",
	    "too weak: its RSA key has 1024 bits, less than 2048; ask the partner");
	bad("cert.import", import_args(&tls, "lab.example"), "refused",
	    "is not for mail: its extended key usage lacks emailProtection");
	bad("cert.import", with(import_args(&tls, "lab.example"), "force", json_true()), "refused",
	    "is not for mail");
	bad("cert.import", import_args(&root, "lab.example"), "refused", "anchor add");
	bad("cert.import", import_args(&lab, "other.example"), "refused",
	    "does not name other.example nor anybody there");
	bad("cert.import", with(import_args(&lab, "other.example"), "pinned", json_false()), "refused",
	    "counts only when pinned");
	bad("cert.import",
	    with(with(import_args(&lab, "other.example"), "pinned", json_false()), "force", json_true()), "refused",
	    "pinned");
	bad("cert.import", import_args(&lab, "hospital.example"), "refused", "domain of ours");
	/* One bad among several: nothing is taken. */
	bad("cert.import",
	    json_pack("{s:s, s:o, s:[s,s]}", "owner", "lab.example", "content", pem_of(&lab, &past), "sha256",
		lab.sha256, past.sha256),
	    "refused", "ran out");
	{
		struct store_counts n;
		struct problem pr = {0};

		ck_assert_int_eq(store_count(fx.s, &n, &pr), 0);
		ck_assert(n.certs == 0 && n.audit == 0);
	}
}
END_TEST

/* Whom a verb concerns: one domain, anybody, nobody; also when it is refused. */
START_TEST(concerns)
{
	static const struct {
		const char *verb, *arg, *value, *want;
	} cases[] = {
	    {"partner.add", "domain", "Lab.Example", "lab.example"},
	    {"partner.remove", "domain", "lab.example", "lab.example"},
	    {"cert.import", "owner", "Bob@Lab.Example", "lab.example"},
	    {"cert.import", "content", "x", ""},
	    {"cert.remove", "owner", "lab.example", "lab.example"},
	    {"anchor.add", "scope", "lab.example", "lab.example"},
	    {"anchor.add", "scope", "*", ""},
	    {"domain.add", "domain", "hospital.example", "hospital.example"},
	    {"rule.remove", "name", "lab.example", "-"},
	    {"cert.list", "owner", "lab.example", "-"},
	    {"status", NULL, NULL, "-"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_decref(ask(
		    cases[i].verb, cases[i].arg ? json_pack("{s:s}", cases[i].arg, cases[i].value) : json_object()));
		ck_assert_msg(strcmp(ja.concerns, cases[i].want) == 0, "%s %s: \"%s\"", cases[i].verb, cases[i].value,
		    ja.concerns);
	}
}
END_TEST

START_TEST(import_forced)
{
	json_t *d = ask("cert.import", with(import_args(&past, "lab.example"), "force", json_true()));

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "warnings")), 1);
	json_decref(d);
	good("cert.import", with(import_args(&lab, "other.example"), "force", json_true()));
	d = ask("cert.import", import_args(&sign_only, "lab.example"));
	ck_assert_msg(strstr(json_string_value(json_array_get(json_object_get(d, "warnings"), 0)), "signing only"),
	    "%s", error);
	json_decref(d);
}
END_TEST

/* A file that holds a private key, or is a PKCS#12. */
START_TEST(import_wrong_file)
{
	PKCS12 *p12 = PKCS12_create("secret", "a", lab.key, lab.x, NULL, 0, 0, 0, 0, 0);
	unsigned char *der = NULL;
	int n = i2d_PKCS12(p12, &der);

	bad("cert.preview", json_pack("{s:o}", "content", b64(der, (size_t)n)), "refused", "PKCS#12");
	OPENSSL_free(der);
	PKCS12_free(p12);
}
END_TEST

START_TEST(pages)
{
	json_t *d, *next;

	judge_fixture_cert(&fx, "a.example", &lab, true);
	judge_fixture_cert(&fx, "b.example", &lab, true);
	judge_fixture_cert(&fx, "c.example", &lab, true);
	d = ask("cert.list", json_pack("{s:i}", "max", 2));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 2);
	ck_assert(json_is_true(json_object_get(d, "more")));
	next = json_incref(json_object_get(d, "next"));
	json_decref(d);
	d = ask("cert.list", json_pack("{s:o}", "after", next));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 1);
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "certificates"), 0), "owner"), "c.example");
	ck_assert(json_is_false(json_object_get(d, "more")));
	json_decref(d);
}
END_TEST

/* ---- anchors and rules ---- */

START_TEST(anchors)
{
	json_t *d = ask(
	    "anchor.add", json_pack("{s:s, s:s, s:o}", "scope", "*", "direction", "in", "content", file_of(&root)));

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "added"), 0), "direction"), "in");
	ck_assert_uint_eq(json_array_size(json_object_get(d, "warnings")), 0);
	json_decref(d);
	bad("anchor.add", json_pack("{s:s, s:s, s:o}", "scope", "*", "direction", "up", "content", file_of(&root)),
	    "usage", "\"both\", \"out\"");
	bad("anchor.add", json_pack("{s:s, s:o}", "scope", "*", "content", pem_of(&root, &lab)), "usage",
	    "2 certificates in the file");
	bad("anchor.add", json_pack("{s:s, s:o}", "scope", "lab.example", "content", file_of(&past)), "refused",
	    "nothing would be believed");
	bad("anchor.add", json_pack("{s:s, s:o}", "scope", "lab.example", "content", file_of(&weak)), "refused",
	    "too weak");
	bad("anchor.add", json_pack("{s:o}", "content", file_of(&root)), "usage", "\"scope\" is missing");
	d = ask("anchor.add", json_pack("{s:s, s:o, s:[s]}", "scope", "lab.example", "content", pem_of(&root, &lab),
				  "sha256", lab.sha256));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(d, "warnings")), 1); /* not a CA: vouches for itself alone */
	json_decref(d);
	d = ask("anchor.list", json_pack("{s:s}", "scope", "lab.example"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "anchors")), 2);
	json_decref(d);
	d = ask("anchor.list", json_pack("{s:s}", "scope", "*"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "anchors")), 1);
	json_decref(d);
	bad("anchor.remove", json_pack("{s:s, s:s}", "scope", "*", "sha256", lab.sha256), "not-found", "no anchor");
	bad("anchor.remove",
	    json_pack("{s:s, s:s, s:s}", "scope", "lab.example", "sha256", lab.sha256, "local", "second.example"),
	    "not-found", "leave --local out");
	good("anchor.add",
	    json_pack("{s:s, s:s, s:o}", "scope", "*", "local", "second.example", "content", file_of(&lab)));
	bad("anchor.remove", json_pack("{s:s, s:s}", "scope", "*", "sha256", lab.sha256), "not-found",
	    "give --local second.example");
	good("anchor.remove",
	    json_pack("{s:s, s:s, s:s}", "scope", "*", "sha256", lab.sha256, "local", "second.example"));
	bad("partner.add", json_pack("{s:s, s:s}", "domain", "lab.example", "find", "directory=nope"), "usage",
	    "no section certificate-directory");
	good("anchor.remove", json_pack("{s:s, s:s}", "scope", "lab.example", "sha256", lab.sha256));
	d = ask("anchor.list", json_pack("{}"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "anchors")), 1);
	json_decref(d);
}
END_TEST

START_TEST(rules)
{
	json_t *d;

	good("rule.add", json_pack("{s:s, s:s}", "name", "labs", "recipient", "*@LAB.example"));
	good("rule.add", json_pack("{s:s, s:s, s:s, s:i}", "name", "first", "sender", "@.hospital.example",
			     "strength", "never", "position", 1));
	bad("rule.add", json_pack("{s:s}", "name", "labs"), "exists", "already");
	bad("rule.add", json_pack("{s:s, s:s}", "name", "x", "exempt", "everything"), "usage", "\"auto-reply\"");
	good("rule.add", json_pack("{s:s, s:s}", "name", "plans", "exempt", "calendar"));
	bad("rule.add", json_pack("{s:s, s:s}", "name", "x", "sender", "lab.example"), "usage",
	    "argument \"sender\": \"lab.example\" is not a pattern");
	d = ask("rule.list", json_pack("{}"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 0), "name"), "first");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "recipient"), "*@lab.example");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "treatment"), "seal");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "exempt"), "");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 2), "exempt"), "calendar");
	json_decref(d);
	/* what is not given stays, its place too */
	bad("rule.set", json_pack("{s:s}", "name", "none"), "not-found", "no rule called");
	good("rule.set", json_pack("{s:s, s:s}", "name", "first", "treatment", "tls"));
	good("rule.set",
	    json_pack("{s:s, s:s, s:s, s:i}", "name", "plans", "exempt", "", "recipient", "", "position", 2));
	d = ask("rule.list", json_pack("{}"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 0), "name"), "first");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 0), "treatment"), "tls");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 0), "strength"), "never");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 0), "sender"), "@.hospital.example");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "name"), "plans");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "exempt"), "");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 1), "recipient"), "*");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rules"), 2), "name"), "labs");
	json_decref(d);
	bad("rule.remove", json_pack("{}"), "usage", "either");
	bad("rule.remove", json_pack("{s:s}", "name", "none"), "not-found", "no rule called");
	bad("rule.remove", json_pack("{s:i}", "id", 99), "not-found", "number 99");
	good("rule.remove", json_pack("{s:s}", "name", "first"));
	good("rule.remove", json_pack("{s:i}", "id", 1));
}
END_TEST

/* ---- explain ---- */

static json_t *explain(const char *from, const char *to, bool reply)
{
	json_t *d = ask(
	    "explain", json_pack("{s:s, s:s, s:b}", "sender", from, "recipient", to, "reply_to_sealed", (int)reply));

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_ge(json_array_size(json_object_get(d, "lines")), 1);
	return d;
}

START_TEST(explain_outbound)
{
	json_t *d = explain("alice@hospital.example", "bob@lab.example", false), *k;

	ck_assert_str_eq(str(d, "direction"), "outbound");
	ck_assert_str_eq(str(d, "rule"), "default");
	ck_assert_str_eq(str(json_object_get(d, "decision"), "action"), "pass");
	ck_assert_str_eq(str(json_object_get(d, "decision"), "treatment"), "clear");
	json_decref(d);
	d = explain("alice@hospital.example", "bob@lab.example", true);
	ck_assert_str_eq(str(json_object_get(d, "decision"), "action"), "refuse");
	ck_assert_msg(
	    strncmp(str(json_object_get(d, "decision"), "reply"), "550 5.7.1 lab.example: this is a reply", 38) == 0,
	    "%s", str(json_object_get(d, "decision"), "reply"));
	json_decref(d);
	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_cert(&fx, "lab.example", &past, true);
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	d = explain("alice@hospital.example", "bob@lab.example", false);
	ck_assert_str_eq(str(json_object_get(d, "decision"), "action"), "later"); /* we cannot sign */
	ck_assert(json_is_false(json_object_get(json_object_get(d, "signer"), "have")));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 2);
	k = json_array_get(json_object_get(d, "certificates"), 0);
	ck_assert(json_is_true(json_object_get(k, "usable")) && json_is_true(json_object_get(k, "chosen")));
	k = json_array_get(json_object_get(d, "certificates"), 1);
	ck_assert(json_is_false(json_object_get(k, "usable")));
	ck_assert_ptr_nonnull(strstr(str(k, "why"), "ran out"));
	json_decref(d);
	/* of mail that is only signed nothing is said of ciphers and keys */
	judge_fixture_partner(&fx, "lab.example", "sign", "require");
	d = explain("alice@hospital.example", "bob@lab.example", false);
	ck_assert_str_eq(str(d, "format"), "digest=auto signature=pkcs1 alone=multipart wrap=none calendar=opaque");
	char *lines = json_dumps(json_object_get(d, "lines"), 0);
	ck_assert(!strstr(lines, "cipher=") && !strstr(lines, "instead of key="));
	free(lines);
	json_decref(d);
}
END_TEST

static const char *treated(const json_t *d, const char *side)
{
	return str(json_object_get(json_object_get(d, side), "decision"), "treatment");
}

static json_t *suppose(const char *to, const char *name, json_t *edit)
{
	json_t *d = ask(
	    "explain", json_pack("{s:s, s:s, s:o}", "sender", "alice@hospital.example", "recipient", to, name, edit));

	ck_assert_msg(d != NULL, "%s", error);
	return d;
}

/* What an edit would do to a mail: both answers, and the store is as it was. */
START_TEST(explain_edit)
{
	uint64_t before;
	json_t *d;

	good("rule.add",
	    json_pack("{s:s, s:s, s:s}", "name", "labs", "recipient", "*@lab.example", "treatment", "sign"));
	good("rule.add", json_pack("{s:s, s:s}", "name", "last", "treatment", "seal"));
	before = store_version(fx.s);

	d = suppose("bob@lab.example", "without_rule", json_string("labs"));
	ck_assert_str_eq(str(json_object_get(d, "now"), "rule"), "rule \"labs\"");
	ck_assert_str_eq(str(json_object_get(d, "then"), "rule"), "rule \"last\"");
	ck_assert(json_is_false(json_object_get(d, "same")));
	json_decref(d);
	d = suppose("bob@lab.example", "with_rule",
	    json_pack("{s:s, s:s, s:s}", "name", "new", "treatment", "clear", "strength", "never"));
	ck_assert(json_is_true(json_object_get(d, "same"))); /* it would be the last one */
	json_decref(d);
	d = suppose("bob@lab.example", "with_rule",
	    json_pack(
		"{s:s, s:s, s:s, s:i}", "name", "new", "treatment", "clear", "strength", "never", "position", 1));
	ck_assert_str_eq(str(json_object_get(d, "then"), "rule"), "rule \"new\"");
	ck_assert_str_eq(treated(d, "then"), "clear");
	ck_assert_str_eq(treated(d, "now"), "");
	json_decref(d);
	/* one in the place of another: it stays in front of the last */
	d = ask("explain", json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "recipient", "bob@lab.example", "without_rule",
			       "1", "with_rule", "name", "labs", "treatment", "clear", "strength", "never"));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_str_eq(str(json_object_get(d, "then"), "rule"), "rule \"labs\"");
	ck_assert_str_eq(treated(d, "then"), "clear");
	json_decref(d);

	ck_assert_uint_eq(before, store_version(fx.s));
	d = ask("rule.list", json_pack("{}"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "rules")), 2);
	json_decref(d);
	d = explain("alice@hospital.example", "bob@lab.example", false); /* nothing of it is left */
	ck_assert_str_eq(str(d, "rule"), "rule \"labs\"");
	json_decref(d);
}
END_TEST

START_TEST(explain_edit_partner)
{
	json_t *d;

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	d = suppose("bob@lab.example", "with_partner",
	    json_pack("{s:s, s:s, s:s}", "domain", "LAB.example", "treatment", "clear", "strength", "never"));
	ck_assert_str_eq(str(json_object_get(d, "now"), "treatment"), "seal");
	ck_assert_str_eq(str(json_object_get(d, "then"), "treatment"), "clear");
	ck_assert_str_eq(treated(d, "then"), "clear");
	json_decref(d);
	/* with the entry its certificates would go */
	d = suppose("bob@lab.example", "without_partner", json_string("lab.example"));
	ck_assert(json_is_false(json_object_get(json_object_get(d, "then"), "listed")));
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(d, "now"), "certificates")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(d, "then"), "certificates")), 0);
	json_decref(d);
	d = suppose("bob@other.example", "with_partner", json_pack("{s:s}", "domain", "other.example"));
	ck_assert(json_is_true(json_object_get(json_object_get(d, "then"), "listed")));
	ck_assert_str_eq(str(json_object_get(json_object_get(d, "then"), "decision"), "action"), "refuse");
	json_decref(d);
	d = explain("alice@hospital.example", "bob@lab.example", false);
	ck_assert(json_is_true(json_object_get(d, "listed")));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 1);
	json_decref(d);
	d = ask("partner.show", json_pack("{s:s}", "domain", "other.example"));
	ck_assert(json_is_false(json_object_get(d, "listed")));
	json_decref(d);
}
END_TEST

/* Signers whose trust an entry's group brings, and those that go with it. */
START_TEST(explain_edit_inbound)
{
	json_t *d, *k;

	judge_fixture_cert(&fx, "lab.example", &lab, false);
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	judge_fixture_anchor(&fx, "@labs", STORE_BOTH, &root);
	d = ask("explain", json_pack("{s:s, s:s, s:{s:s, s:s}}", "sender", "bob@lab.example", "recipient",
			       "alice@hospital.example", "with_partner", "domain", "lab.example", "group", "labs"));
	ck_assert_msg(d != NULL, "%s", error);
	k = json_array_get(json_object_get(json_object_get(d, "now"), "signers"), 0);
	ck_assert(json_is_false(json_object_get(k, "usable")));
	k = json_array_get(json_object_get(json_object_get(d, "then"), "signers"), 0);
	ck_assert(json_is_true(json_object_get(k, "usable")));
	json_decref(d);
	d = ask("explain", json_pack("{s:s, s:s, s:s}", "sender", "bob@lab.example", "recipient",
			       "alice@hospital.example", "without_partner", "lab.example"));
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(d, "then"), "signers")), 0);
	json_decref(d);
	/* no path that was only supposed is kept */
	d = explain("bob@lab.example", "alice@hospital.example", false);
	ck_assert(json_is_false(json_object_get(json_array_get(json_object_get(d, "signers"), 0), "usable")));
	json_decref(d);
}
END_TEST

static const struct {
	const char *args, *code, *words;
} bad_edits[] = {
    {"{\"without_rule\": \"none\"}", "not-found", "no rule called \"none\""},
    {"{\"with_rule\": {\"name\": \"labs\"}}", "exists", "with_rule: there is a rule called \"labs\" already"},
    {"{\"with_rule\": {\"name\": \"x\", \"sender\": \"lab\"}}", "usage", "with_rule: argument \"sender\""},
    {"{\"with_rule\": {\"name\": \"x\", \"place\": 1}}", "usage", "\"with_rule\" has no member \"place\""},
    {"{\"with_rule\": \"x\"}", "usage", "\"with_rule\" must be an object"},
    {"{\"with_partner\": {\"domain\": \"hospital.example\"}}", "refused", "a domain of ours"},
    {"{\"with_partner\": {\"domain\": \"a.example\", \"treatment\": \"x\"}}", "usage", "\"treatment\""},
    {"{\"without_partner\": \"none.example\"}", "not-found", "none.example is not a listed partner"},
    {"{\"without_partner\": \"a.example\", \"with_partner\": {}}", "usage", "either"},
};

START_TEST(explain_edit_refused)
{
	json_t *args = json_loads(bad_edits[_i].args, 0, NULL), *d;

	good("rule.add", json_pack("{s:s}", "name", "labs"));
	json_object_set_new(args, "recipient", json_string("bob@lab.example"));
	bad("explain", args, bad_edits[_i].code, bad_edits[_i].words);
	d = explain("alice@hospital.example", "bob@lab.example", false);
	ck_assert_str_eq(str(d, "rule"), "rule \"labs\"");
	json_decref(d);
}
END_TEST

START_TEST(explain_inbound)
{
	json_t *d;

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	d = explain("bob@lab.example", "alice@hospital.example", false);
	ck_assert_str_eq(str(d, "direction"), "inbound");
	ck_assert(json_is_true(json_object_get(json_array_get(json_object_get(d, "signers"), 0), "usable")));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "anchors")), 1);
	ck_assert_str_eq(str(json_object_get(d, "actions"), "sealed_unsigned"), "hold");
	ck_assert_str_eq(str(json_object_get(d, "actions"), "unsigned"), "deliver");
	ck_assert_str_eq(str(json_object_get(d, "actions"), "encrypted_part"), "refuse");
	json_decref(d);
	d = explain("bob@second.example", "alice@hospital.example", false);
	ck_assert_str_eq(str(d, "direction"), "local");
	json_decref(d);
}
END_TEST

/* ---- audit, snapshot, status ---- */

START_TEST(audit)
{
	json_t *d, *r;

	good("partner.add", json_pack("{s:s}", "domain", "lab.example"));
	good("cert.import", import_args(&lab, "lab.example"));
	d = ask("audit.list", json_pack("{}"));
	r = json_array_get(json_object_get(d, "rows"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "rows")), 2);
	ck_assert_str_eq(str(r, "who"), "uid 0 (root)");
	ck_assert_str_eq(str(r, "what"), "cert.add");
	ck_assert_str_eq(str(r, "subject"), "lab.example");
	ck_assert_msg(strstr(str(r, "detail"), "CN=lab, serial") && strstr(str(r, "detail"), lab.sha256), "%s",
	    str(r, "detail"));
	json_decref(d);
	good("audit.verify", json_pack("{}"));
	{
		char path[128];
		sqlite3 *db;

		(void)snprintf(path, sizeof path, "%s/store.db", fx.dir);
		ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
		ck_assert_int_eq(
		    sqlite3_exec(db, "DROP TRIGGER audit_no_update; UPDATE audit SET who = 'x' WHERE id = 1", NULL,
			NULL, NULL),
		    SQLITE_OK);
		sqlite3_close(db);
	}
	bad("audit.verify", json_pack("{}"), "refused", "audit row 1");
}
END_TEST

START_TEST(snapshot)
{
	json_t *d = ask("store.snapshot", json_pack("{}"));
	char head[16];
	struct stat st;

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_int_ge(reply_fd, 0);
	ck_assert_int_eq(fstat(reply_fd, &st), 0);
	ck_assert_int_eq(st.st_size, json_integer_value(json_object_get(d, "octets")));
	ck_assert_int_eq(st.st_nlink, 0); /* no name of it stays */
	ck_assert_int_eq(pread(reply_fd, head, 15, 0), 15);
	ck_assert_int_eq(memcmp(head, "SQLite format 3", 15), 0);
	ck_assert_int_eq(fcntl(reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(reply_fd);
	json_decref(d);
}
END_TEST

START_TEST(status)
{
	json_t *d, *e;

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	{
		struct store_cert sc = {.owner = FIXTURE_STR("old.example"),
		    .der = past.der,
		    .der_len = past.n,
		    .source = FIXTURE_STR("x"),
		    .not_after = TESTCERT_NOW - 10};
		struct problem pr = {0};

		memcpy(sc.sha256, past.sha256, 65);
		ck_assert_int_eq(store_cert_add(fx.s, &sc, "test", &pr), 0);
	}
	d = ask("status", json_pack("{}"));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(d, "counts"), "certificates")), 2);
	ck_assert_str_eq(str(json_object_get(d, "keeper"), "state"), "unreachable");
	e = json_object_get(d, "expiring");
	ck_assert_uint_eq(json_array_size(e), 1);
	ck_assert_str_eq(str(json_array_get(e, 0), "owner"), "old.example");
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(e, 0), "days_left")), -1);
	e = json_array_get(json_object_get(d, "domains"), 0);
	ck_assert_str_eq(str(e, "domain"), "hospital.example");
	ck_assert(json_is_false(json_object_get(e, "signs")));
	ck_assert_str_eq(str(e, "sign_why"), "none was added");
	json_decref(d);
}
END_TEST

static void believed(const char *owner, const char *sha256, const char *waiting)
{
	struct store_believed_key k = {.owner = owner, .use = CERT_TO_ENCRYPT, .local = ""};
	struct store_believed b = {
	    .reason = TRUST_BY_PIN, .waiting_reason = TRUST_BY_ANCHOR, .waiting_at = TESTCERT_NOW};
	struct problem pr = {0};

	(void)snprintf(b.sha256, sizeof b.sha256, "%s", sha256);
	(void)snprintf(b.waiting, sizeof b.waiting, "%s", waiting);
	ck_assert_int_eq(store_believed_put(fx.s, &k, &b, "test", NULL, NULL, &pr), 0);
}

static void network_cert(const char *owner, int64_t until)
{
	struct store_in_use u = {.owner = FIXTURE_STR(owner),
	    .subject = FIXTURE_STR("CN=net"),
	    .serial = FIXTURE_STR("0A"),
	    .not_after = until,
	    .used = TESTCERT_NOW};
	struct problem pr = {0};

	(void)snprintf(u.sha256, sizeof u.sha256, "%064x", (unsigned)until);
	ck_assert_int_eq(store_in_use_put(fx.s, &u, &pr), 0);
	believed(owner, u.sha256, "");
}

static void revoke_it(const char *sha256)
{
	struct store_revoked r = {
	    .words = FIXTURE_STR("revoked since 2026-11-01 (keyCompromise)"), .at = TESTCERT_NOW};
	struct problem pr = {0};

	(void)snprintf(r.sha256, sizeof r.sha256, "%s", sha256);
	ck_assert_int_eq(store_revoked_add(fx.s, &r, "lab.example", "judge", &pr), 0);
}

static void refused_bundle(int64_t at, const char *trouble)
{
	struct store_bundle b = {.url = FIXTURE_STR("https://trust.example/b.p7m"),
	    .scope = FIXTURE_STR("*"),
	    .local = FIXTURE_STR(""),
	    .every = 3600,
	    .sha256 = FIXTURE_STR(""),
	    .difference = FIXTURE_STR(""),
	    .trouble = FIXTURE_STR(trouble)};
	struct problem pr = {0};

	ck_assert_int_eq(store_bundle_put(fx.s, &b, "test", &pr), 0);
	b.id = 1;
	b.tried = at;
	ck_assert_int_eq(store_bundle_tried(fx.s, &b, false, "test", &pr), 0);
}

static const char *first_next(const json_t *d, const char *kind, size_t rows)
{
	const json_t *a = json_object_get(d, kind);

	ck_assert_msg(json_array_size(a) == rows, "%s: %zu rows", kind, json_array_size(a));
	return str(json_array_get(a, 0), "next");
}

/* What waits for the admin, each with what to do next. */
START_TEST(status_next)
{
	const int64_t day = 86400;
	json_t *d;

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	believed("clinic.example", "aaaaaaaa11", "bbbbbbbbccccccccdd");
	revoke_it(lab.sha256);
	revoke_it("0000"); /* found only, and its owner is not listed */
	refused_bundle(TESTCERT_NOW - 100, "it leaves out 9 of 10 anchors");
	refused_bundle(TESTCERT_NOW, "it cannot be fetched");
	network_cert("far.example", TESTCERT_NOW + 61 * day);
	network_cert("near.example", TESTCERT_NOW + 59 * day);
	network_cert("over.example", TESTCERT_NOW - 2 * day);
	network_cert("gone.example", TESTCERT_NOW - 31 * day);
	network_cert("other.example", TESTCERT_NOW + 10 * day);
	believed("other.example", "cccc", ""); /* it has another by now */
	d = ask("status", json_pack("{}"));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_ptr_nonnull(
	    strstr(first_next(d, "waiting", 1), "postern cert accept clinic.example bbbbbbbbcccccccc"));
	ck_assert_ptr_nonnull(strstr(first_next(d, "revoked", 1), "postern cert import FILE --for lab.example"));
	ck_assert_ptr_nonnull(
	    strstr(first_next(d, "bundles", 1), "postern bundle refresh https://trust.example/b.p7m"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "bundles"), 0), "since"), "2026-11-22T01:58:20Z");
	ck_assert_ptr_nonnull(strstr(first_next(d, "expiring", 2), "postern cert show over.example"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "expiring"), 1), "owner"), "near.example");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "expiring"), 1), "kind"), "network");
	json_decref(d);
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	refused_bundle(TESTCERT_NOW + 1, "");
	d = ask("status", json_pack("{}"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "revoked")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "bundles")), 0);
	json_decref(d);
}
END_TEST

/* Whatever the store has it for. */
START_TEST(by_fingerprint)
{
	json_t *d, *rows;
	char eight[9];

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_cert(&fx, "bob@lab.example", &lab, false);
	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	revoke_it(lab.sha256);
	(void)snprintf(eight, sizeof eight, "%.8s", lab.sha256);
	d = ask("cert.show", json_pack("{s:s}", "sha256", eight));
	ck_assert_msg(d != NULL, "%s", error);
	rows = json_object_get(d, "certificates");
	ck_assert_uint_eq(json_array_size(rows), 2);
	ck_assert_str_eq(str(json_array_get(rows, 0), "owner"), "bob@lab.example");
	ck_assert_str_eq(str(json_array_get(rows, 1), "place"), "partner");
	ck_assert_ptr_nonnull(strstr(str(json_array_get(rows, 1), "revoked"), "keyCompromise"));
	ck_assert_ptr_nonnull(strstr(str(json_array_get(rows, 1), "pem"), "BEGIN CERTIFICATE"));
	json_decref(d);
	d = ask("cert.show", json_pack("{s:s}", "sha256", root.sha256));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "certificates"), 0), "place"), "anchor");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "certificates"), 0), "scope"), "*");
	json_decref(d);
	bad("cert.show", json_pack("{s:s}", "sha256", past.sha256), "not-found", "no certificate in the store");
	bad("cert.show", json_pack("{s:s}", "sha256", "1234567"), "usage", "at least 8");
	bad("cert.accept", json_pack("{s:s, s:s}", "owner", "lab.example", "sha256", "0123456789abcde"), "usage",
	    "too short to decide by");
	bad("cert.accept", json_pack("{s:s, s:s}", "owner", "lab.example", "sha256", "0123456789abcdef"), "not-found",
	    "no certificate");
}
END_TEST

/* ---- our own keys, with a keeper and the real clock ---- */

static struct fixture keeper;

static void keeper_setup(void)
{
	setup();
	fixture_start(&keeper);
	ja.keys = fixture_client(&keeper, KEEPER_FOR_JUDGE);
	ja.now = NULL;
}

static void keeper_teardown(void)
{
	keys_client_free(ja.keys);
	fixture_end(&keeper);
	teardown();
}

static const struct store_identity *find(const char *domain, enum store_use use)
{
	const struct store_identity *i;
	struct problem pr = {0};
	static char why[400];

	judge_cache_begin(fx.w.cache, fx.s);
	ck_assert_int_eq(
	    judge_identities_find(fx.w.cache, fx.s, domain, use, time(NULL), &i, why, sizeof why, &pr), 0);
	return i;
}

START_TEST(self_signed)
{
	json_t *d = ask("domain.add", json_pack("{s:s, s:s, s:s, s:s, s:i}", "domain", "hospital.example", "mode",
					  "self", "algo", "ec-p256", "organisation", "Hospital", "days", 30));
	json_t *keys = json_object_get(d, "keys"), *cert, *d2;
	const struct store_identity *sign, *dec;

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(keys), 2);
	cert = json_object_get(json_array_get(keys, 0), "certificate");
	ck_assert_str_eq(str(json_array_get(keys, 0), "use"), "sign");
	ck_assert_str_eq(str(json_array_get(keys, 0), "state"), "valid");
	ck_assert(
	    json_is_true(json_object_get(cert, "may_sign")) && json_is_false(json_object_get(cert, "may_encrypt")));
	ck_assert(strncmp(str(json_array_get(keys, 0), "pem"), "-----BEGIN CERTIFICATE-----", 27) == 0);
	cert = json_object_get(json_array_get(keys, 1), "certificate");
	ck_assert(
	    json_is_true(json_object_get(cert, "may_encrypt")) && json_is_false(json_object_get(cert, "may_sign")));
	ck_assert_msg(strncmp(str(json_array_get(keys, 1), "key_id"), "hospital.example-decrypt-20", 27) == 0, "%s",
	    str(json_array_get(keys, 1), "key_id"));
	d2 = ask("cert.show", json_pack("{s:s}", "sha256", str(cert, "sha256")));
	ck_assert_str_eq(str(json_array_get(json_object_get(d2, "certificates"), 0), "place"), "ours");
	ck_assert_str_eq(str(json_array_get(json_object_get(d2, "certificates"), 0), "serial"), str(cert, "serial"));
	json_decref(d2);
	sign = find("hospital.example", STORE_SIGN);
	dec = find("hospital.example", STORE_DECRYPT);
	ck_assert(sign && dec);
	ck_assert_str_eq(sign->key_id, str(json_array_get(keys, 0), "key_id"));
	json_decref(d);
	d = ask("domain.list", json_pack("{}"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "identities")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "without")), 1);
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "without"), 0), "domain"), "second.example");
	json_decref(d);
	d = ask("status", json_pack("{}"));
	ck_assert_str_eq(str(json_object_get(d, "keeper"), "state"), "ready");
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(d, "keeper"), "keys")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "expiring")), 2); /* within 60 days */
	json_decref(d);
}
END_TEST

/* A CA that signs our requests. */
static struct testcert certify(const char *csr_pem, struct testcert_spec s)
{
	BIO *b = BIO_new_mem_buf(csr_pem, -1);
	X509_REQ *rq = PEM_read_bio_X509_REQ(b, NULL, NULL, NULL);
	struct testcert c;
	EVP_PKEY *ca_key = root.key;

	ck_assert_ptr_nonnull(rq);
	ck_assert_int_eq(X509_REQ_verify(rq, X509_REQ_get0_pubkey(rq)), 1);
	s.issuer = root.x;
	s.issuer_key = ca_key;
	s.key = X509_REQ_get0_pubkey(rq);
	if (!s.from)
		s.from = (int64_t)time(NULL) - 1000;
	if (!s.until)
		s.until = (int64_t)time(NULL) + 86400 * 90;
	c = testcert_make(&s);
	X509_REQ_free(rq);
	BIO_free(b);
	return c;
}

START_TEST(request_and_install)
{
	json_t *d = ask("domain.add", json_pack("{s:s, s:s}", "domain", "hospital.example", "algo", "ec-p256")),
	       *keys = json_object_get(d, "keys"), *e;
	struct testcert sign, dec, wrong_use, other, old;
	const char *sign_csr, *dec_csr;

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_str_eq(str(json_array_get(keys, 0), "state"), "waits for its certificate");
	sign_csr = str(json_array_get(keys, 0), "csr");
	dec_csr = str(json_array_get(keys, 1), "csr");
	ck_assert_ptr_null(find("hospital.example", STORE_SIGN));
	sign = certify(
	    sign_csr, (struct testcert_spec){.cn = "s", .san = "DNS:hospital.example", .ku = "digitalSignature"});
	dec =
	    certify(dec_csr, (struct testcert_spec){.cn = "d", .san = "DNS:hospital.example", .ku = "keyAgreement"});
	wrong_use =
	    certify(sign_csr, (struct testcert_spec){.cn = "w", .san = "DNS:hospital.example", .ku = "keyAgreement"});
	other = certify(
	    sign_csr, (struct testcert_spec){.cn = "o", .san = "DNS:other.example", .ku = "digitalSignature"});
	old = certify(sign_csr, (struct testcert_spec){.cn = "old",
				    .san = "DNS:hospital.example",
				    .ku = "digitalSignature",
				    .until = (int64_t)time(NULL) - 5});
	bad("domain.install", json_pack("{s:o}", "content", file_of(&lab)), "refused", "belongs to a key of ours");
	bad("domain.install", json_pack("{s:o}", "content", file_of(&wrong_use)), "refused",
	    "cannot be used for signing mail: its key usage");
	bad("domain.install", json_pack("{s:o}", "content", file_of(&other)), "refused", "does not name the domain");
	bad("domain.install", json_pack("{s:o}", "content", file_of(&old)), "refused", "it ran out");
	bad("domain.install", json_pack("{s:o, s:s}", "content", file_of(&sign), "domain", "second.example"),
	    "refused", "belongs to a key");
	ck_assert_ptr_null(find("hospital.example", STORE_SIGN));
	e = ask("domain.install", json_pack("{s:o}", "content", pem_of(&sign, &root)));
	ck_assert_msg(e != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(json_object_get(e, "installed")), 1);
	json_decref(e);
	good("domain.install", json_pack("{s:o}", "content", file_of(&dec)));
	ck_assert_ptr_nonnull(find("hospital.example", STORE_SIGN));
	ck_assert_uint_eq(find("hospital.example", STORE_SIGN)->chain_len, 0); /* the root stays out of the chain */
	ck_assert_ptr_nonnull(find("hospital.example", STORE_DECRYPT));
	/* The file may hold both halves at once: a renewal. */
	e = ask("domain.install", json_pack("{s:o}", "content", pem_of(&dec, &sign)));
	ck_assert_uint_eq(json_array_size(json_object_get(e, "installed")), 2);
	json_decref(e);
	json_decref(d);
	testcert_free(&sign);
	testcert_free(&dec);
	testcert_free(&wrong_use);
	testcert_free(&other);
	testcert_free(&old);
}
END_TEST

static json_t *pkcs8_of(EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	json_t *v;

	ck_assert_int_gt(n, 0);
	v = b64(der, (size_t)n);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	return v;
}

static json_t *import_key(const struct testcert *c, const struct testcert *key_of, const struct testcert *next)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "domain", "hospital.example", "mode", "import", "key",
	    pkcs8_of(key_of->key), "certs", pem_of(c, next ? next : &root));
}

START_TEST(imported)
{
	int64_t now = (int64_t)time(NULL);
	struct testcert inter = testcert_make(&(struct testcert_spec){.cn = "inter",
	    .ku = "keyCertSign",
	    .eku = "",
	    .constraints = "CA:TRUE",
	    .issuer = root.x,
	    .issuer_key = root.key,
	    .from = now - 1000,
	    .until = now + 86400 * 300});
	struct testcert both = testcert_make(&(struct testcert_spec){.cn = "both",
	    .san = "email:securemail@hospital.example",
	    .issuer = inter.x,
	    .issuer_key = inter.key,
	    .from = now - 1000,
	    .until = now + 86400 * 90});
	json_t *d;

	bad("domain.add", import_key(&both, &lab, NULL), "refused", "does not belong to the first certificate");
	ck_assert_ptr_null(find("hospital.example", STORE_SIGN));
	bad("domain.add", json_pack("{s:s, s:s}", "domain", "hospital.example", "mode", "import"), "usage",
	    "\"key\" is missing");
	bad("domain.add", with(import_key(&both, &both, NULL), "use", json_string("tls")), "usage",
	    "\"use\" must be");
	d = ask("domain.add", import_key(&both, &both, &inter));
	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "keys")), 2); /* the certificate allows both */
	ck_assert_uint_ge(json_array_size(json_object_get(d, "warnings")), 1);
	ck_assert_msg(
	    strstr(json_string_value(json_array_get(json_object_get(d, "warnings"), 0)), "will have to pin it"), "%s",
	    json_string_value(json_array_get(json_object_get(d, "warnings"), 0)));
	json_decref(d);
	ck_assert_uint_eq(find("hospital.example", STORE_SIGN)->chain_len, inter.n);
	ck_assert_ptr_nonnull(find("hospital.example", STORE_DECRYPT));
	testcert_free(&inter);
	testcert_free(&both);
}
END_TEST

START_TEST(tls_server)
{
	json_t *d = ask("domain.tls", json_pack("{s:s, s:s}", "domain", "mx.hospital.example", "mode", "self"));
	struct store_identity *list;
	struct problem pr = {0};
	size_t n;

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_uint_eq(json_array_size(json_object_get(d, "keys")), 1);
	ck_assert_str_eq(
	    str(json_object_get(json_array_get(json_object_get(d, "keys"), 0), "certificate"), "key"), "EC P-256");
	json_decref(d);
	ck_assert_int_eq(store_identities(fx.s, "mx.hospital.example", &list, &n, &pr), 0);
	ck_assert(n == 1 && list[0].use == STORE_TLS && list[0].cert);
	store_identities_free(list, n);
	d = ask("domain.tls", json_pack("{s:s}", "domain", "mx2.hospital.example"));
	{
		const char *csr = str(json_array_get(json_object_get(d, "keys"), 0), "csr");
		struct testcert mail =
		    certify(csr, (struct testcert_spec){.cn = "m", .san = "DNS:mx2.hospital.example"});
		struct testcert host = certify(
		    csr, (struct testcert_spec){.cn = "h", .san = "DNS:mx3.hospital.example", .eku = "serverAuth"});
		struct testcert right = certify(
		    csr, (struct testcert_spec){.cn = "r", .san = "DNS:mx2.hospital.example", .eku = "serverAuth"});

		bad("domain.install", json_pack("{s:o}", "content", file_of(&mail)), "refused",
		    "not for a TLS server");
		bad("domain.install", json_pack("{s:o}", "content", file_of(&host)), "refused",
		    "does not name this host");
		good("domain.install", json_pack("{s:o}", "content", file_of(&right)));
		testcert_free(&mail);
		testcert_free(&host);
		testcert_free(&right);
	}
	json_decref(d);
}
END_TEST

/* The keeper cannot make the second key durable: neither of the two is ours then. */
START_TEST(keeper_fails)
{
	struct store_counts n;
	struct problem pr = {0};

	keeper.refuse = 1;
	bad("domain.add",
	    json_pack("{s:s, s:s, s:s}", "domain", "hospital.example", "mode", "self", "algo", "ec-p256"),
	    "unavailable", "no room");
	ck_assert_int_eq(store_count(fx.s, &n, &pr), 0);
	ck_assert(n.identities == 0 && n.audit == 0);
	keeper.refuse = 0;
	good("domain.add",
	    json_pack("{s:s, s:s, s:s}", "domain", "hospital.example", "mode", "self", "algo", "ec-p256"));
}
END_TEST

static const char *own_key(enum store_use use, bool in_use, json_t **list_r)
{
	json_t *row;
	size_t i;

	*list_r = ask("domain.list", json_pack("{s:s}", "domain", "hospital.example"));
	json_array_foreach(json_object_get(*list_r, "identities"), i, row)
	{
		const char *does = str(row, "does");
		bool used = strcmp(does, "signs") == 0 || strcmp(does, "opens") == 0;

		if (strcmp(str(row, "use"), store_use_word(use)) == 0 && used == in_use)
			return str(row, "key_id");
	}
	ck_abort_msg("no such key");
}

static void retire(const char *key, json_t *force, bool forgotten)
{
	json_t *d = ask("domain.retire", json_pack("{s:s, s:o}", "key", key, "force", force));

	ck_assert_msg(d != NULL, "%s", error);
	ck_assert_int_eq(json_is_true(json_object_get(d, "forgotten")), forgotten);
	json_decref(d);
}

static void self_made(const char *algo, int days)
{
	good("domain.add", json_pack("{s:s, s:s, s:s, s:i}", "domain", "hospital.example", "mode", "self", "algo",
			       algo, "days", days));
}

/* The one in use and the only one are refused; an older one goes, with its file, and the audit log has it. */
START_TEST(retired)
{
	struct store_identity *ids;
	json_t *list, *d;
	size_t n;
	struct problem pr = {0};
	char old[KEYS_ID_MAX + 1];

	self_made("ec-p256", 30);
	(void)snprintf(old, sizeof old, "%s", own_key(STORE_DECRYPT, true, &list));
	json_decref(list);
	bad("domain.retire", json_pack("{s:s}", "key", old), "refused", "encrypt to, and the only one");
	bad("domain.retire", json_pack("{s:s}", "key", "nobody"), "not-found", "domain list");
	sleep(1); /* the newest is told by its beginning, in seconds */
	self_made("ec-p256", 60);
	(void)snprintf(old, sizeof old, "%s", own_key(STORE_DECRYPT, false, &list));
	json_decref(list);
	d = ask("status", json_pack("{}"));
	ck_assert_msg(
	    strstr(str(json_array_get(json_object_get(d, "expiring"), 0), "next"), "postern domain"), "next");
	json_decref(d);
	bad("domain.retire", json_pack("{s:s}", "key", own_key(STORE_DECRYPT, true, &list)), "refused",
	    "takes its place");
	json_decref(list);
	ck_assert_int_eq(keeper.nfiles, 4);
	retire(old, json_false(), true);
	ck_assert_int_eq(keeper.nfiles, 3);
	bad("domain.retire", json_pack("{s:s}", "key", old), "not-found", old);
	retire(own_key(STORE_DECRYPT, true, &list), json_true(), true);
	json_decref(list);
	ck_assert_int_eq(store_identities(fx.s, NULL, &ids, &n, &pr), 0);
	ck_assert_uint_eq(n, 2);
	store_identities_free(ids, n);
	d = ask("audit.list", json_pack("{}"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rows"), 1), "what"), "identity.retire decrypt");
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "rows"), 0), "what"), "identity.forgotten");
	json_decref(d);
}
END_TEST

/* The keeper cannot remove the file: the key is out of use, status says so, and the rest is done later. */
START_TEST(retired_later)
{
	json_t *list, *d;
	char key[KEYS_ID_MAX + 1];
	struct judge_identity_list *told = calloc(1, sizeof *told);
	struct arena *a = arena_new(1 << 20);
	struct problem pr = {0};
	size_t at = 0;

	self_made("ec-p256", 30);
	(void)snprintf(key, sizeof key, "%s", own_key(STORE_DECRYPT, true, &list));
	json_decref(list);
	keeper.refuse = 1;
	retire(key, json_true(), false);
	keeper.refuse = 0;
	judge_cache_begin(fx.w.cache, fx.s);
	ck_assert_int_eq(judge_identities(fx.w.cache, fx.s, &at, a, told, &pr), 0);
	ck_assert_uint_eq(told->n, 0); /* nothing can be opened */
	d = ask("status", json_pack("{}"));
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "retired"), 0), "key_id"), key);
	json_decref(d);
	judge_admin_retire_rest(fx.s, fx.w.cache, NULL);
	judge_admin_retire_rest(fx.s, fx.w.cache, ja.keys);
	ck_assert_int_eq(keeper.nfiles, 1);
	bad("domain.retire", json_pack("{s:s}", "key", key), "not-found", key);
	arena_free(a);
	free(told);
}
END_TEST

static void times(const char *key, int64_t from, int64_t until)
{
	struct problem pr = {0};

	ck_assert_int_eq(store_identity_times(fx.s, key, from, until, &pr), 0);
}

/* What is only announced takes nobody's place, and no key of statements that signs now goes unasked. */
START_TEST(retired_announced)
{
	struct testcert a = testcert_make(&(struct testcert_spec){.cn = "a", .san = "DNS:hospital.example"});
	int64_t now = time(NULL);

	judge_fixture_identity(&fx, "hospital.example", STORE_TLS, "t1", &a, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_TLS, "t2", &a, true);
	times("t2", STORE_FROM_NEVER, 0);
	bad("domain.retire", json_pack("{s:s}", "key", "t1"), "refused", "the only one");
	times("t2", now - 60, now - 30);
	bad("domain.retire", json_pack("{s:s}", "key", "t1"), "refused", "the only one");
	judge_fixture_identity(&fx, "hospital.example", STORE_STATEMENT, "s1", &a, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_STATEMENT, "s2", &a, true);
	times("s1", now - 100, now + 1000);
	times("s2", now - 50, 0);
	bad("domain.retire", json_pack("{s:s}", "key", "s1"), "refused", "statements of");
	bad("domain.retire", json_pack("{s:s}", "key", "s2"), "refused", "statements of");
	testcert_free(&a);
}
END_TEST

/* One file that cannot be removed keeps no other key from going. */
START_TEST(retired_in_turn)
{
	json_t *list, *d;
	char key[KEYS_ID_MAX + 1], second[KEYS_ID_MAX + 1];

	self_made("ec-p256", 30);
	(void)snprintf(key, sizeof key, "%s", own_key(STORE_DECRYPT, true, &list));
	(void)snprintf(second, sizeof second, "%s", own_key(STORE_SIGN, true, &list));
	keeper.refuse = 1;
	retire(key, json_true(), false);
	retire(second, json_true(), false);
	judge_admin_retire_rest(fx.s, fx.w.cache, ja.keys);
	keeper.refuse = 0;
	judge_admin_retire_rest(fx.s, fx.w.cache, ja.keys);
	d = ask("status", json_pack("{}"));
	ck_assert_uint_eq(json_array_size(json_object_get(d, "retired")), 1);
	ck_assert_str_eq(str(json_array_get(json_object_get(d, "retired"), 0), "key_id"), key);
	json_decref(d);
	json_decref(list);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_admin");
	TCase *t = tcase_create("verbs"), *k = tcase_create("keys");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, broken_requests, 0, sizeof broken / sizeof *broken);
	tcase_add_test(t, partners);
	tcase_add_test(t, partner_format);
	tcase_add_test(t, import_good);
	tcase_add_test(t, import_refused);
	tcase_add_test(t, import_forced);
	tcase_add_test(t, concerns);
	tcase_add_test(t, import_wrong_file);
	tcase_add_test(t, pages);
	tcase_add_test(t, anchors);
	tcase_add_test(t, rules);
	tcase_add_test(t, explain_outbound);
	tcase_add_test(t, explain_edit);
	tcase_add_test(t, explain_edit_partner);
	tcase_add_test(t, explain_edit_inbound);
	tcase_add_loop_test(t, explain_edit_refused, 0, sizeof bad_edits / sizeof *bad_edits);
	tcase_add_test(t, explain_inbound);
	tcase_add_test(t, audit);
	tcase_add_test(t, snapshot);
	tcase_add_test(t, status);
	tcase_add_test(t, status_next);
	tcase_add_test(t, by_fingerprint);
	suite_add_tcase(s, t);
	tcase_set_timeout(k, 60);
	tcase_add_checked_fixture(k, keeper_setup, keeper_teardown);
	tcase_add_test(k, self_signed);
	tcase_add_test(k, request_and_install);
	tcase_add_test(k, imported);
	tcase_add_test(k, tls_server);
	tcase_add_test(k, keeper_fails);
	tcase_add_test(k, retired);
	tcase_add_test(k, retired_later);
	tcase_add_test(k, retired_announced);
	tcase_add_test(k, retired_in_turn);
	suite_add_tcase(s, k);
	return s;
}

int main(void)
{
	return fixture_run(suite(), 0);
}
