/* relay <-> judge: what is put in comes out, whatever is cut or added is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/judge_proto.h"

#include "tests/unit/suite.h"

static const uint8_t der[] = "some octets\0with a NUL";

static void fill_verdict(struct judge_verdict *m)
{
	memset(m, 0, sizeof *m);
	problem_temp(&m->pr, "store away");
	m->temp = true;
	memcpy(m->rule, "rule \"x\"", 9);
	m->treatment = 3;
	m->strength = 2;
	m->certs = 3;
	m->exempt = 1;
	m->any_exempt = 2;
	m->listed = m->seen_protected = m->have_signer = m->personal = m->sign_domain = true;
	memcpy(m->cert_why, "why", 4);
	memcpy(m->signer_why, "who", 4);
	m->nrcpt_certs = 2;
	m->rcpt_certs[0] = (struct judge_octets){der, sizeof der};
	m->rcpt_certs[1] = (struct judge_octets){der, 3};
	memcpy(m->sign_key, "hospital.example-sign-1", 24);
	m->sign_cert = (struct judge_octets){der, 5};
	m->enc_cert = (struct judge_octets){der, 6};
	m->format.cipher = 3;
	m->format.keymode = 2;
	m->format.digest = FORMAT_SHA384;
	m->format.inside = FORMAT_MULTIPART;
	m->format.alone = FORMAT_OPAQUE;
	m->format.wrap = FORMAT_WRAP_MESSAGE;
	m->format.calendar = FORMAT_MULTIPART;
	memcpy(m->statement, "XSMG-Statement: x\r\n", 20);
	m->octets_max = 1234567890123;
	m->no_signed = true;
	m->format.bare = true;
	memcpy(m->trace, "0123abcd", 9);
	m->format.pss = m->format.triple = m->format.legacy_display = true;
}

static bool same(const struct judge_octets *a, const struct judge_octets *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Packets of each kind in a table, so that cutting and adding is tried on all. */
static void put_resolve(struct ipc_out *o)
{
	struct judge_resolve m = {.sender = "a@hospital.example", .recipient = "b@lab.example"};

	judge_resolve_put(o, &m);
}
static int get_resolve(struct ipc_in *in, struct arena *a)
{
	struct judge_resolve m;

	(void)a;
	return judge_resolve_get(in, &m);
}
static void put_verdict(struct ipc_out *o)
{
	static struct judge_verdict m;

	fill_verdict(&m);
	judge_verdict_put(o, &m);
}
static int get_verdict(struct ipc_in *in, struct arena *a)
{
	static struct judge_verdict m;

	return judge_verdict_get(in, a, &m);
}
static void put_list(struct ipc_out *o)
{
	static struct judge_identity_list m = {.more = true,
	    .n = 2,
	    .v = {{.domain = "hospital.example", .use = 2, .key_id = "k", .cert = {der, 4}},
		{.domain = "mx", .use = 3, .key_id = "l"}}};

	judge_identity_list_put(o, &m);
}
static int get_list(struct ipc_in *in, struct arena *a)
{
	static struct judge_identity_list m;

	return judge_identity_list_get(in, a, &m);
}
static void put_signers(struct ipc_out *o)
{
	struct judge_signers m = {.our_domain = "hospital.example",
	    .nnamed = 2,
	    .named = {"lab.example", "clinic.example"},
	    .from = "b@lab.example",
	    .n = 3,
	    .v = {{.cert = {der, 4}, .enc = {der, 6}, .caps = {der, 3}, .signing_time = -5},
		{.id = {.issuer = {der, 5}, .serial = {der, 2}}}, {.id = {.ski = {der, 6}}}},
	    .extra = {{der, 7}},
	    .nextra = 1};

	judge_signers_put(o, &m);
}
static int get_signers(struct ipc_in *in, struct arena *a)
{
	struct judge_signers m;

	return judge_signers_get(in, a, &m);
}
static void put_trust(struct ipc_out *o)
{
	struct judge_trust m = {.promise = JUDGE_PROMISE_SIGNS | JUDGE_PROMISE_TEST,
	    .promise_of = "lab.example",
	    .n = 2,
	    .v = {{JUDGE_TRUST_GOOD, "00", "11", "good"}, {JUDGE_TRUST_TEMP, "", "", "later"}},
	    .nknown = 1,
	    .known = {{{der, 4}, JUDGE_TRUST_EXPIRED, "was good"}}};

	judge_trust_put(o, &m);
}
static int get_trust(struct ipc_in *in, struct arena *a)
{
	struct judge_trust m;

	return judge_trust_get(in, a, &m);
}
static void put_seen(struct ipc_out *o)
{
	judge_seen_put(o, "lab.example");
}
static int get_seen(struct ipc_in *in, struct arena *a)
{
	char d[256];

	(void)a;
	return judge_seen_get(in, d);
}
static void put_changed(struct ipc_out *o)
{
	judge_changed_put(o, "lab.example");
}
static int get_changed(struct ipc_in *in, struct arena *a)
{
	char d[256];

	(void)a;
	return judge_changed_get(in, d);
}
static const struct {
	const char *what;
	void (*put)(struct ipc_out *o);
	int (*get)(struct ipc_in *in, struct arena *a);
} kinds[] = {{"resolve", put_resolve, get_resolve}, {"verdict", put_verdict, get_verdict},
    {"list", put_list, get_list}, {"signers", put_signers, get_signers}, {"trust", put_trust, get_trust},
    {"seen", put_seen, get_seen}, {"changed", put_changed, get_changed}};

static int decode(const uint8_t *p, size_t n, int (*get)(struct ipc_in *in, struct arena *a))
{
	struct ipc_in in = {.p = p, .n = n};
	struct arena *a = arena_new(1 << 20);
	int rc = get(&in, a);

	arena_free(a);
	return rc;
}

START_TEST(cut_and_added)
{
	struct ipc_out o;
	uint8_t *p;
	size_t n;

	ipc_out_init(&o, 1, 1);
	kinds[_i].put(&o);
	ck_assert(!o.bad);
	n = o.b.len - IPC_HEADER;
	p = malloc(n + 1);
	memcpy(p, o.b.p + IPC_HEADER, n);
	p[n] = 0;
	ck_assert_int_eq(decode(p, n, kinds[_i].get), 0);
	ck_assert_int_eq(decode(p, n + 1, kinds[_i].get), -1);
	for (size_t k = 0; k < n; k++) {
		uint8_t *q = malloc(k ? k : 1); /* exactly as long: reading past it shows */

		memcpy(q, p, k);
		ck_assert_msg(decode(q, k, kinds[_i].get) == -1, "%s cut at %zu", kinds[_i].what, k);
		free(q);
	}
	/* Any octet changed: an answer or a refusal, nothing else. */
	for (size_t k = 0; k < n; k++)
		for (unsigned v = 0; v < 256; v += 85) {
			uint8_t was = p[k];

			p[k] = (uint8_t)v;
			(void)decode(p, n, kinds[_i].get);
			p[k] = was;
		}
	free(p);
	ipc_out_clear(&o);
}
END_TEST

/* Known certificates are bounded together; a copy outlives the packet. */
START_TEST(trust_known)
{
	static uint8_t octets[JUDGE_KNOWN_OCTETS + 1] = {0x30};
	struct judge_trust *m = calloc(1, sizeof *m), *g = calloc(1, sizeof *g), *copy = calloc(1, sizeof *copy);
	struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);
	struct ipc_in in = {0};
	struct ipc_out o;

	for (size_t second = 6000; second <= JUDGE_KNOWN_OCTETS;
	     second = second == 6000 ? JUDGE_KNOWN_OCTETS : second + 1) {
		m->nknown = 2;
		m->known[0] = (struct judge_known){{octets, 6000}, JUDGE_TRUST_GOOD, "one"};
		m->known[1] = (struct judge_known){{octets, second}, JUDGE_TRUST_UNTRUSTED, "two"};
		ipc_out_init(&o, JUDGE_TRUST, 1);
		judge_trust_put(&o, m);
		in = (struct ipc_in){.p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER};
		ck_assert_int_eq(judge_trust_get(&in, a, g), second == 6000 ? 0 : -1);
		if (second == 6000)
			ck_assert_int_eq(judge_trust_copy(b, g, copy), 0);
		ipc_out_clear(&o);
	}
	arena_free(a);
	ck_assert_uint_eq(copy->nknown, 2);
	ck_assert_uint_eq(copy->known[1].cert.n, 6000);
	ck_assert_mem_eq(copy->known[1].cert.p, octets, 6000);
	ck_assert_str_eq(copy->known[1].why, "two");
	ck_assert_uint_eq(copy->known[1].state, JUDGE_TRUST_UNTRUSTED);
	arena_free(b);
	free(m);
	free(g);
	free(copy);
}
END_TEST

START_TEST(verdict_round)
{
	static struct judge_verdict m, g;
	struct ipc_out o;
	struct ipc_in in = {0};
	struct arena *a = arena_new(1 << 16);

	fill_verdict(&m);
	ipc_out_init(&o, JUDGE_VERDICT, 1);
	judge_verdict_put(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(judge_verdict_get(&in, a, &g), 0);
	ck_assert(g.temp && g.pr.cls == PROBLEM_TEMP && g.pr.code == 451);
	ck_assert_str_eq(g.pr.text, m.pr.text);
	ck_assert_str_eq(g.rule, m.rule);
	ck_assert(
	    g.treatment == 3 && g.strength == 2 && g.certs == 3 && g.listed && g.seen_protected && g.have_signer);
	ck_assert(g.exempt == 1 && g.any_exempt == 2);
	ck_assert_uint_eq(g.nrcpt_certs, 2);
	ck_assert(same(&g.rcpt_certs[0], &m.rcpt_certs[0]) && same(&g.rcpt_certs[1], &m.rcpt_certs[1]));
	ck_assert(
	    same(&g.sign_cert, &m.sign_cert) && same(&g.sign_chain, &m.sign_chain) && same(&g.enc_cert, &m.enc_cert));
	ck_assert_str_eq(g.sign_key, m.sign_key);
	ck_assert_str_eq(g.trace, m.trace);
	ck_assert_str_eq(g.statement, m.statement);
	ck_assert_uint_eq(g.octets_max, m.octets_max);
	ck_assert(g.no_signed == m.no_signed);
	ck_assert(g.personal && g.sign_domain && memcmp(&g.format, &m.format, sizeof(g.format)) == 0);
	/* An arena too small: refused, not cut. */
	arena_free(a);
	a = arena_new(8);
	in = (struct ipc_in){.p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER};
	ck_assert_int_eq(judge_verdict_get(&in, a, &g), -1);
	arena_free(a);
	ipc_out_clear(&o);
}
END_TEST

static int try_verdict(void (*change)(struct judge_verdict *m))
{
	static struct judge_verdict m, g;
	struct ipc_out o;
	struct ipc_in in = {0};
	struct arena *a = arena_new(1 << 18);
	int rc;

	fill_verdict(&m);
	change(&m);
	ipc_out_init(&o, JUDGE_VERDICT, 1);
	judge_verdict_put(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	rc = o.bad ? 1 : judge_verdict_get(&in, a, &g);
	arena_free(a);
	ipc_out_clear(&o);
	return rc;
}

static const uint8_t large[65537]; /* one more than a certificate may have */

static void bad_treatment(struct judge_verdict *m)
{
	m->treatment = 4;
}
static void bad_strength(struct judge_verdict *m)
{
	m->strength = 3;
}
static void bad_certs(struct judge_verdict *m)
{
	m->certs = 4;
}
static void bad_exempt(struct judge_verdict *m)
{
	m->exempt = 4;
}
static void bad_cipher(struct judge_verdict *m)
{
	m->format.cipher = 6;
}
static void bad_keymode(struct judge_verdict *m)
{
	m->format.keymode = 4;
}
static void bad_code(struct judge_verdict *m)
{
	m->pr.code = 250;
}
static void bad_size(struct judge_verdict *m)
{
	m->rcpt_certs[0] = (struct judge_octets){large, sizeof large};
}

static void (*const changes[])(struct judge_verdict *m) = {
    bad_treatment, bad_strength, bad_certs, bad_exempt, bad_cipher, bad_keymode, bad_code, bad_size};

START_TEST(out_of_range)
{
	ck_assert_int_eq(try_verdict(changes[_i]), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_proto");
	TCase *t = tcase_create("judge_proto");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, cut_and_added, 0, sizeof kinds / sizeof *kinds);
	tcase_add_test(t, trust_known);
	tcase_add_test(t, verdict_round);
	tcase_add_loop_test(t, out_of_range, 0, sizeof changes / sizeof *changes);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
