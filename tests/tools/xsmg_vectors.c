/*
 * Makes the test vectors of XSMG: xsmg_vectors DIR writes keys (when they are not there yet), certificates,
 * statements and the list vectors.json. Not part of the gateway. The statements are made with the code of the unit
 * tests, the wrong ones wrong in one thing; what becomes of them is written down here by hand and checked by
 * tests/unit/test_xsmg_vectors.c, with the openssl command by tests/e2e/test_xsmg_vectors.py.
 */
#include <inttypes.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/log.h"

/* the fixture's checks, without Check */
#define ck_assert(x) REQUIRE(x)
#define ck_assert_msg(x, ...) REQUIRE(x)
#define ck_assert_int_eq(a, b) REQUIRE((a) == (b))
#define ck_assert_uint_eq(a, b) REQUIRE((a) == (b))
#define ck_assert_int_gt(a, b) REQUIRE((a) > (b))
#include "tests/unit/statement_fixture.h"

#define WARNING "# A TEST KEY of the XSMG test vectors. Everybody has it; it must not be used for anything else.\n"

enum who { CA, EC, RSA_, P384, PREVIOUS, MAIL, NEXT, THIEF, STUDENT, WEB, EVIL, PEOPLE };
static const struct person {
	const char *name, *kind;
	struct testcert_spec spec;
} people_spec[PEOPLE] = {
    [CA] = {"ca", "P-256",
	{.cn = "XSMG test CA", .ku = "critical,keyCertSign,cRLSign", .eku = "", .constraints = "critical,CA:TRUE"}},
    [EC] = {"statement-p256", "P-256", {.cn = "statement key of lab.example", .san = "DNS:lab.example"}},
    [RSA_] = {"statement-rsa", "RSA", {.cn = "RSA statement key of lab.example", .san = "DNS:lab.example"}},
    [P384] = {"statement-p384", "P-384", {.cn = "P-384 statement key of lab.example", .san = "DNS:lab.example"}},
    [PREVIOUS] = {"statement-previous", "P-256",
	{.cn = "previous statement key of lab.example", .san = "email:domain-signing-authority@lab.example"}},
    [MAIL] = {"mail", "RSA", {.cn = "mail of lab.example", .san = "DNS:lab.example"}},
    [NEXT] = {"mail-next", "P-256", {.cn = "next mail key of lab.example", .san = "DNS:lab.example"}},
    [THIEF] = {"thief", "P-256", {.cn = "statement key of lab.example", .san = "DNS:lab.example"}},
    [STUDENT] = {"student", "P-256", {.cn = "a student", .san = "email:secure@lab.example"}},
    [WEB] = {"web", "P-256", {.cn = "lab.example", .san = "DNS:lab.example", .eku = "serverAuth"}},
    [EVIL] = {"evil", "P-256", {.cn = "evil.example", .san = "DNS:evil.example"}},
};
static struct testcert people[PEOPLE];
static const char *dir;

static FILE *open_in(const char *name, const char *ext, const char *mode)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s%s", dir, name, ext);
	return fopen(path, mode);
}

static FILE *create(const char *name, const char *ext)
{
	FILE *f = open_in(name, ext, "w");

	if (!f)
		log_fatal("cannot write %s%s in %s", name, ext, dir);
	return f;
}

static EVP_PKEY *key_of(const struct person *p)
{
	FILE *f = open_in(p->name, ".key.pem", "r");
	EVP_PKEY *key;

	if (f) {
		key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	} else {
		key = strcmp(p->kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(p->kind);
		f = create(p->name, ".key.pem");
		fputs(WARNING, f);
		REQUIRE(key && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	}
	REQUIRE(key && fclose(f) == 0);
	return key;
}

static void make_people(void)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct testcert_spec spec = people_spec[i].spec;
		FILE *f;

		spec.key = key_of(&people_spec[i]);
		spec.serial = 0x1001 + (long)i;
		if (i != CA && i != THIEF) {
			spec.issuer = people[CA].x;
			spec.issuer_key = people[CA].key;
		}
		people[i] = testcert_make(&spec);
		EVP_PKEY_free(spec.key);
		f = create(people_spec[i].name, ".cert.pem");
		REQUIRE(PEM_write_X509(f, people[i].x) == 1 && fclose(f) == 0);
	}
}

/* ---- vectors ---- */

struct vector {
	const char *name, *what, *result, *step;
	enum who listed, by;
	int also; /* who signs besides; 0: nobody */
	enum fx_twist twist;
	const char *from, *to; /* replaced in the JSON */
	bool plain;	       /* without the members that may be left out */
	bool ignored;	       /* with the certificates of others in it */
	bool next;	       /* with the next mail certificate, announced */
	bool withdrawn;
	const char *raw;   /* content, in place of JSON */
	size_t repeat;	   /* the first half of raw so often, then the second */
	const char *asked; /* domain; NULL: lab.example */
	int64_t now_off, trusted_serial_off;
	const char *trusted; /* name of the vector that is trusted */
	int64_t trusted_issued_off;
};
static const struct vector vectors[] = {
    {"good-p256", "ECDSA P-256 with SHA-256; every member", "ok", "", EC, EC, .next = true},
    {"good-p384", "ECDSA P-384", "ok", "", P384, P384, .plain = true},
    {"good-rsa", "RSA PKCS#1 v1.5 with SHA-256", "ok", "", RSA_, RSA_, .plain = true},
    {"good-rsa-pss", "RSASSA-PSS with SHA-256", "ok", "", RSA_, RSA_, .twist = FX_PSS, .plain = true},
    {"good-rollover", "the previous statement key signs too", "ok", "", EC, EC, PREVIOUS, .plain = true},
    {"good-stripped", "good-rollover without the SignerInfo of the previous key: the same id", "ok", "", EC, EC,
	.twist = FX_DIGESTS_MORE, .plain = true},
    {"good-appended", "a stranger's SignerInfo was added on the way: passed over", "ok", "", EC, EC, THIEF,
	.plain = true},
    {"good-withdrawn", "status withdrawn", "ok", "", EC, EC, .withdrawn = true, .plain = true},
    {"good-ignored", "certificates of a student, a web server and another domain: passed over", "ok", "", EC, EC,
	.plain = true, .ignored = true},
    {"good-unknown", "unknown members and words: passed over", "ok", "", EC, EC, .plain = true,
	.from = "\"aes-256-gcm\"", .to = "\"kyber-1024-gcm\",\"aes-256-gcm\""},
    {"good-current", "good-p256 is held already", "current", "", EC, EC, .next = true, .trusted = "good-p256"},
    {"bad-size", "65,537 octets or more", "refused", "size", EC, EC, .raw = " ", .repeat = 65537},
    {"bad-trailing", "octets behind the end", "refused", "der", EC, EC, .twist = FX_TRAILING, .plain = true},
    {"bad-indefinite", "BER: an indefinite length", "refused", "der", EC, EC, .twist = FX_INDEFINITE, .plain = true},
    {"bad-id-data", "a mail of a user: content type id-data", "refused", "type", EC, EC, .twist = FX_ID_DATA,
	.plain = true},
    {"bad-crls", "crls, although empty", "refused", "signers", EC, EC, .twist = FX_CRLS, .plain = true},
    {"bad-unsigned", "unsigned attributes", "refused", "signers", EC, EC, .twist = FX_UNSIGNED, .plain = true},
    {"bad-attribute-twice", "signingTime twice", "refused", "signers", EC, EC, .twist = FX_ATTR_TWO_TIMES,
	.plain = true},
    {"bad-attribute-values", "contentType with two values", "refused", "signers", EC, EC, .twist = FX_ATTR_TWO_VALUES,
	.plain = true},
    {"bad-attribute-more", "an attribute more", "refused", "signers", EC, EC, .twist = FX_ATTR_MORE, .plain = true},
    {"bad-attribute-less", "no signingCertificateV2", "refused", "signers", EC, EC, .twist = FX_ATTR_NO_CERT,
	.plain = true},
    {"bad-sha1", "SHA-1", "refused", "signers", EC, EC, .twist = FX_INFO_SHA1, .plain = true},
    {"bad-no-signer", "every SignerInfo was taken away", "refused", "signers", EC, EC, .twist = FX_NO_SIGNER,
	.plain = true},
    {"bad-signature", "one bit of the signature is wrong", "refused", "signature", EC, EC,
	.twist = FX_SIGNATURE_BROKEN, .plain = true},
    {"bad-digest", "messageDigest is of other content", "refused", "signature", EC, EC, .twist = FX_DIGEST_OTHER,
	.plain = true},
    {"bad-swapped", "signed by a stranger, whose certificate is there", "refused", "signature", EC, THIEF,
	.plain = true},
    {"bad-previous", "signed by the previous statement key alone", "refused", "signature", EC, PREVIOUS,
	.plain = true},
    {"bad-depth", "10,000 levels", "refused", "json", EC, EC, .raw = "[]", .repeat = 10000},
    {"bad-duplicate", "serial twice", "refused", "json", EC, EC, .plain = true, .from = "\"status\"",
	.to = "\"serial\":1,\"status\""},
    {"bad-number", "serial with a fraction", "refused", "json", EC, EC, .plain = true, .from = "0000,\"issued\"",
	.to = "0000.0,\"issued\""},
    {"bad-time", "expires without seconds", "refused", "json", EC, EC, .plain = true, .from = "11-29T02:00:00Z",
	.to = "11-29T02:00Z"},
    {"bad-critical", "a critical member that is not known", "refused", "json", EC, EC, .plain = true,
	.from = "\"status\"", .to = "\"critical\":[\"quantum\"],\"quantum\":true,\"status\""},
    {"bad-life", "31 days", "refused", "json", EC, EC, .plain = true, .from = "2026-11-29", .to = "2026-12-23"},
    {"bad-domain", "of lab.example, asked for hospital.example", "refused", "domain", EC, EC, .plain = true,
	.asked = "hospital.example"},
    {"bad-future", "the reader's clock is 10 minutes behind", "clock", "issued", EC, EC, .plain = true,
	.now_off = -600},
    {"bad-expired", "a week old", "refused", "expires", EC, EC, .plain = true, .now_off = 7 * FX_DAY},
    {"bad-serial", "serial 2^53 - 1", "clock", "serial", EC, EC, .plain = true, .from = "1795312800000",
	.to = "9007199254740991"},
    {"bad-old", "older than what is trusted", "old", "serial", EC, EC, .plain = true, .trusted = "good-p256",
	.trusted_serial_off = 1},
    {"bad-conflict", "the serial of good-p256, other content", "conflict", "serial", EC, EC, .plain = true,
	.trusted = "good-p256"},
    {"bad-student", "signed with a certificate for secure@lab.example", "refused", "certificate", STUDENT, STUDENT,
	.plain = true},
    {"bad-web", "signed with a web server's certificate", "refused", "certificate", WEB, WEB, .plain = true},
    {"bad-evil", "signed with a certificate of another domain", "refused", "certificate", EVIL, EVIL, .plain = true},
    {"bad-use", "the signer is listed for mail only", "refused", "certificate", EC, EC, .plain = true,
	.from = "\"use\":\"statement\"", .to = "\"use\":\"sign\""},
};
enum { VECTORS = sizeof vectors / sizeof *vectors };

static void fill(struct statement *s)
{
	s->write = (struct statement_write){
	    true, STATEMENT_PROMISES_ALL, STATEMENT_PROMISES_SOME, FX_NOW + 90 * FX_DAY, false};
	s->demand_encrypted = true;
	s->asserts = STATEMENT_SUBMISSION_AUTHENTICATED | STATEMENT_MALWARE_SCANNED;
	s->notices = STATEMENT_DSN;
	s->urls[s->nurls++] = "https://smg.lab.example/.well-known/smg/lab.example";
}

static struct buf replaced(struct buf b, const char *from, const char *to)
{
	char *at = strstr((char *)b.p, from);
	struct buf out;

	REQUIRE(at != NULL);
	buf_init(&out, 1 << 20);
	fx_raw(&out, b.p, (size_t)((uint8_t *)at - b.p));
	fx_raw(&out, to, strlen(to));
	fx_raw(&out, at + strlen(from), strlen(at + strlen(from)));
	buf_clear(&b);
	return out;
}

static struct buf raw_content(const struct vector *v)
{
	size_t half = strlen(v->raw) > 1 ? strlen(v->raw) / 2 : 1;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < v->repeat; i++)
		fx_raw(&b, v->raw, half);
	for (size_t i = 0; i < v->repeat && v->raw[half]; i++)
		fx_raw(&b, v->raw + half, strlen(v->raw) - half);
	return b;
}

static struct buf content(const struct vector *v)
{
	struct statement s = fx_statement(&people[v->listed]);
	struct buf b;

	if (v->raw)
		return raw_content(v);
	s.withdrawn = v->withdrawn;
	if (strncmp(v->name, "good-rollover", 13) == 0 || strcmp(v->name, "good-stripped") == 0)
		s.certs[s.ncerts++] = fx_cert(STATEMENT_FOR_STATEMENT, &people[PREVIOUS]);
	s.certs[s.ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &people[MAIL]);
	if (v->next) {
		s.certs[s.ncerts] = fx_cert(STATEMENT_FOR_BOTH, &people[NEXT]);
		s.certs[s.ncerts++].from = FX_NOW + 14 * FX_DAY;
	}
	for (size_t i = STUDENT; v->ignored && i < PEOPLE; i++)
		s.certs[s.ncerts++] = fx_cert(STATEMENT_FOR_ENCRYPT, &people[i]);
	if (!v->plain)
		fill(&s);
	b = fx_json(&s);
	return v->from ? replaced(b, v->from, v->to) : b;
}

static void put_file(const char *name, const char *ext, const struct buf *b)
{
	FILE *f = create(name, ext);

	REQUIRE(fwrite(b->p, 1, b->len, f) == b->len && fclose(f) == 0);
}

static void id_of(const char *name, char id[STATEMENT_ID + 1])
{
	for (size_t i = 0; i < VECTORS; i++)
		if (strcmp(vectors[i].name, name) == 0) {
			struct buf b = content(&vectors[i]);

			statement_id(b.p, b.len, id);
			buf_clear(&b);
			return;
		}
	log_panic("no vector %s", name);
}

static void list(FILE *f, const struct vector *v, const struct buf *json, bool last)
{
	char id[STATEMENT_ID + 1], now[21], issued[21];

	statement_id(json->p, json->len, id);
	encode_time(FX_NOW + v->now_off, now);
	encode_time(FX_NOW, issued);
	fprintf(f, " {\"name\": \"%s\", \"what\": \"%s\",\n  \"domain\": \"%s\", \"now\": \"%s\", \"id\": \"%s\",\n",
	    v->name, v->what, v->asked ? v->asked : "lab.example", now, id);
	if (v->trusted) {
		char held[STATEMENT_ID + 1];

		id_of(v->trusted, held);
		fprintf(f, "  \"trusted\": {\"id\": \"%s\", \"serial\": %" PRId64 ", \"issued\": \"%s\"},\n", held,
		    FX_NOW * 1000 + v->trusted_serial_off, issued);
	}
	fprintf(f, "  \"result\": \"%s\", \"check\": \"%s\"}%s\n", v->result, v->step, last ? "" : ",");
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc != 2) {
		fprintf(stderr, "usage: xsmg_vectors DIR\n");
		return 2;
	}
	dir = argv[1];
	make_people();
	f = create("vectors", ".json");
	fputs("[\n", f);
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		struct fx_signed around = {.by = {&people[v->by], v->also ? &people[v->also] : NULL},
		    .more = {&people[CA]},
		    .twist = v->twist};
		struct buf json = content(v), der = fx_signed(json.p, json.len, &around);

		put_file(v->name, ".der", &der);
		list(f, v, &json, i + 1 == VECTORS);
		buf_clear(&json);
		buf_clear(&der);
	}
	fputs("]\n", f);
	REQUIRE(fclose(f) == 0);
	for (size_t i = 0; i < PEOPLE; i++)
		testcert_free(&people[i]);
	return 0;
}
