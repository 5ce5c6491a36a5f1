/* A partner lab.example whose statements come day by day, and what mail to it would get. Header only; one in a test
 * program. */
#ifndef POSTERN_TESTS_UNIT_JUDGE_XSMG_FIXTURE_H
#define POSTERN_TESTS_UNIT_JUDGE_XSMG_FIXTURE_H

#include "gateway/proc/judge_xsmg.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/encode.h"
#include "gateway/proc/judge_xsmg_keep.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/proc/partner_statement_settings.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/source_fixture.h"
#include "tests/unit/statement_fixture.h"

#define URL "https://smg.lab.example/.well-known/smg/lab.example"
#define DAYS(n) (FX_NOW + (int64_t)(n)*FX_DAY)

enum who { NOBODY, KEY_A, KEY_B, KEY_C, THIEF, MAIL, NEXT_MAIL, PEOPLE };
static struct testcert people[PEOPLE];
static struct judge_fixture j;
static struct source_fixture net;
static struct problem pr;

static inline void setup(void)
{
	judge_fixture_start(&j);
	source_fixture_start(&net);
	for (int i = 1; i < PEOPLE; i++)
		people[i] = fx_gateway("gateway");
}

static inline void teardown(void)
{
	for (int i = 1; i < PEOPLE; i++)
		testcert_free(&people[i]);
	judge_fixture_end(&j);
}

/* What another node does with the same store while a statement is weighed here: once, when the network is asked, in a
 * process of its own. */
static void (*meanwhile)(struct store *s);

static inline const struct source_answer *get_meanwhile(struct source_run *r, const struct source_ask *a)
{
	pid_t pid;
	int status;

	if (meanwhile) {
		pid = fork();
		if (pid == 0) {
			struct store *s = store_open(j.dir, &pr);

			if (s)
				meanwhile(s);
			_exit(s == NULL);
		}
		ck_assert(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
		meanwhile = NULL;
	}
	return source_fixture_get(r, a);
}

/* From now on their certificate is one of this authority. crl, aia: NULL none. */
static inline void certified(enum who w, const struct testcert *ca, const char *san, const char *crl, const char *aia)
{
	testcert_free(&people[w]);
	people[w] = testcert_make(&(struct testcert_spec){.cn = "gateway",
	    .san = san,
	    .crl = crl,
	    .aia = aia,
	    .issuer = ca->x,
	    .issuer_key = ca->key,
	    .ski = true});
}

/* What a statement says and who signed it. */
struct said {
	int day;
	int at;		   /* the day when it comes, 0: the same */
	enum who by, mail; /* mail NOBODY: MAIL */
	enum who also;	   /* a second signer */
	enum who announce; /* a further statement key */
	int64_t serial_off;
	bool withdrawn;
	bool put, get;		   /* it came so; else fetched */
	const char *where;	   /* NULL: the well-known place */
	const struct testcert *ca; /* a certificate of an authority beside */
};
#define SAID(d, ...) ((struct said){.day = (d), __VA_ARGS__})

/* What the statements that come promise, demand and read, beside what fx_statement gives. */
static struct statement_write promised;
static bool demands;
static struct statement_words reads_formats;
static uint64_t reads_octets;

static inline struct judge_xsmg_result come(struct said s)
{
	struct statement st = fx_statement(&people[s.by]);
	struct fx_signed sig = {.by = {&people[s.by], s.also ? &people[s.also] : NULL}, .more = {s.ca}};
	struct judge_xsmg_result r;
	struct judge_xsmg_octets o = {.domain = "lab.example",
	    .way = s.put   ? JUDGE_XSMG_BY_PUT
		   : s.get ? JUDGE_XSMG_BY_GET
			   : JUDGE_XSMG_BY_URL,
	    .where = s.where	      ? s.where
		     : s.put || s.get ? "mx.lab.example"
				      : URL};
	struct source_run *run = source_fixture_run(&net, DAYS(s.at ? s.at : s.day));
	struct buf json, der;

	st.serial = DAYS(s.day) * 1000 + s.serial_off;
	st.issued = DAYS(s.day);
	st.expires = DAYS(s.day) + 7 * FX_DAY;
	st.withdrawn = s.withdrawn;
	st.write = promised;
	st.demand_encrypted = demands;
	if (reads_formats.n > 0)
		st.read.formats = reads_formats;
	st.read.octets = reads_octets;
	st.certs[st.ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &people[s.mail ? s.mail : MAIL]);
	if (s.announce)
		st.certs[st.ncerts++] = fx_cert(STATEMENT_FOR_STATEMENT, &people[s.announce]);
	json = fx_json(&st);
	der = fx_signed(json.p, json.len, &sig);
	o.der = der.p;
	o.n = der.len;
	if (meanwhile)
		run->get = get_meanwhile;
	ck_assert_msg(
	    judge_xsmg_take(&j.w, j.s, run, &o, DAYS(s.at ? s.at : s.day) + 60, &r, &pr) == 0, "%s", pr.text);
	buf_clear(&json);
	buf_clear(&der);
	return r;
}

#define ACTION(r, a)                                                                                                 \
	do {                                                                                                         \
		struct judge_xsmg_result r_ = (r);                                                                   \
		ck_assert_msg(r_.action == (a), "%s: %s", xsmg_trust_action_word(r_.action), r_.why);                \
	} while (0)

static inline const struct judge_owner *owner(void)
{
	const struct judge_owner *o;

	judge_cache_begin(j.w.cache, j.s);
	ck_assert(judge_cache_owner(j.w.cache, j.s, "lab.example", &o, &pr) == 0);
	return o;
}

/* The certificate that mail of this day is encrypted to; -1 none. */
static inline int seals_to(int day)
{
	struct find_octets v[FIND_CERTS_MAX], issuers[FIND_ISSUERS_MAX];
	size_t n, k;

	judge_xsmg_use_certs(owner(), DAYS(day), v, &n, issuers, &k);
	for (int i = 1; n > 0 && i < PEOPLE; i++)
		if (people[i].n == v[0].n && memcmp(people[i].der, v[0].p, v[0].n) == 0)
			return i;
	return -1;
}

static inline bool holds(int day)
{
	char why[400];

	return judge_xsmg_use_holds(&j.w, owner(), DAYS(day), why, sizeof why);
}

static inline const char *key_hex(enum who w)
{
	static char hex[65];
	uint8_t md[32];
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(people[w].x), &spki);

	ck_assert(n > 0 && EVP_Digest(spki, (size_t)n, md, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(spki);
	encode_hex(md, 32, hex);
	return hex;
}

static inline void mark_bad(enum who w, int day)
{
	struct store_statement *st;

	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && st);
	ck_assert(judge_xsmg_keep_bad_key(j.s, st, key_hex(w), "a test", DAYS(day), "root", &pr) == 0);
	store_statements_free(st, 1);
}

static inline size_t audited(const char *what)
{
	struct store_audit *l;
	size_t n, found = 0;

	ck_assert(store_audit_list(j.s, 0, 1000, &l, &n, &pr) == 0);
	for (size_t i = 0; i < n; i++)
		found += strcmp(l[i].what, what) == 0;
	store_audit_free(l, n);
	ck_assert(store_audit_verify(j.s, &pr) == 0);
	return found;
}

static inline void pin(enum who w, bool follow)
{
	struct store_statement *st;

	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && st);
	memcpy(st->pin, key_hex(w), sizeof st->pin);
	st->follow = follow;
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
}

#define CRL "http://root.example/crl"
#define SMG "_smg.lab.example TXT"

static inline void believe(enum revoke_mode second)
{
	static int modes[] = {REVOKE_SOFT, REVOKE_SOFT};
	static const struct judge_believing b = {
	    .revoke = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000},
	    .domains = judge_fixture_domains,
	    .modes = modes,
	    .ndomains = 2};

	modes[1] = (int)second;
	judge_cache_believing_set(j.w.cache, &b);
}

#endif
