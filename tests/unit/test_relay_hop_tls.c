/* What TLS each host of a next hop gets, as a table: setting, what DNS said of its TLSA records, the MTA-STS policy.
 */
#include "gateway/proc/relay_hop_tls.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/smtp/smtpc_dane.h"
#include "tests/unit/suite.h"

/* of a host: TLSA usable, TLSA of no use, TLSA unknown, none; s: listed by the policy */
enum { N, U, X, T, S = 8 };

static const struct row {
	const char *name;
	enum conf_tls mode;
	enum scout_sts sts;
	bool secure;  /* the MX answer */
	int hosts[3]; /* ended by -1 */
	const char
	    *want; /* "0D 1M": host 0 by DANE, host 1 by the destination's demand; E encrypt, V verify; "!": none */
	const char *text; /* of the problem */
} rows[] = {
    {"dane, none anywhere", CONF_TLS_DANE, SCOUT_STS_NONE, false, {N, N, -1}, "0- 1-", ""},
    {"dane, usable", CONF_TLS_DANE, SCOUT_STS_NONE, true, {U, -1}, "0D!", ""},
    {"dane, one with and one without", CONF_TLS_DANE, SCOUT_STS_NONE, true, {U, N, -1}, "0D! 1-!", ""},
    {"dane, records of no use", CONF_TLS_DANE, SCOUT_STS_NONE, true, {X, -1}, "0E!", ""},
    {"dane, unknown alone", CONF_TLS_DANE, SCOUT_STS_NONE, true, {T, -1}, "", "cannot be had or do not validate"},
    {"dane, unknown and unprotected", CONF_TLS_DANE, SCOUT_STS_NONE, true, {T, N, -1}, "", "cannot be had"},
    {"dane, unprotected and unknown", CONF_TLS_DANE, SCOUT_STS_NONE, true, {N, T, -1}, "", "cannot be had"},
    {"dane, unknown and usable", CONF_TLS_DANE, SCOUT_STS_NONE, true, {T, U, -1}, "1D!", "cannot be had"},
    {"dane, unknown and TLS at least", CONF_TLS_DANE, SCOUT_STS_NONE, true, {T, X, -1}, "1E!", "cannot be had"},
    {"dane-only", CONF_TLS_DANE_ONLY, SCOUT_STS_NONE, true, {N, U, X}, "1D!", "TLSA"},
    {"dane-only, none", CONF_TLS_DANE_ONLY, SCOUT_STS_NONE, true, {N, -1}, "", "has no TLSA records"},
    {"dane-only, of no use", CONF_TLS_DANE_ONLY, SCOUT_STS_NONE, true, {X, -1}, "", "usage 2 or 3"},
    {"may looks at no TLSA", CONF_TLS_MAY, SCOUT_STS_NONE, true, {U, -1}, "0-!", ""},
    {"enforce", CONF_TLS_DANE, SCOUT_STS_ENFORCE, false, {N | S, N, -1}, "0V!", "does not list its mail host h1"},
    {"records of no use do not end a policy", CONF_TLS_DANE, SCOUT_STS_ENFORCE, true, {X | S, X, -1}, "0V!",
	"does not list its mail host h1"},
    {"enforce with may", CONF_TLS_MAY, SCOUT_STS_ENFORCE, false, {N | S, -1}, "0V!", ""},
    {"enforce, none listed", CONF_TLS_DANE, SCOUT_STS_ENFORCE, false, {N, N, -1}, "", "does not list"},
    {"testing", CONF_TLS_DANE, SCOUT_STS_TESTING, false, {N | S, N, -1}, "0-! 1-", ""},
    {"DANE goes before a policy that does not list", CONF_TLS_DANE, SCOUT_STS_ENFORCE, true, {U, N | S, -1},
	"0D! 1V!", ""},
    {"a policy does not save an unknown one", CONF_TLS_DANE, SCOUT_STS_ENFORCE, true, {T | S, -1}, "",
	"cannot be had"},
    {"listed by a policy of mode none: nobody's word", CONF_TLS_VERIFY, SCOUT_STS_NONE, false, {N | S, -1}, "0-", ""},
};

static void fill(const struct row *r, struct scout_hosts *got, struct smtpc_host *v)
{
	got->sts = r->sts;
	got->secure = r->secure;
	for (size_t i = 0; i < 3 && r->hosts[i] >= 0; i++) {
		struct scout_host *h = &got->hosts[i];
		int what = r->hosts[i] & 7;

		snprintf(h->name, sizeof h->name, "h%zu", i);
		snprintf(v[i].name, sizeof v[i].name, "h%zu", i);
		h->sts_match = r->hosts[i] & S;
		h->tlsa_state = what == T ? SCOUT_TLSA_TEMP : what == N ? SCOUT_TLSA_NONE : SCOUT_TLSA_SOME;
		if (h->tlsa_state == SCOUT_TLSA_SOME)
			snprintf(h->tlsa_base, sizeof h->tlsa_base, "h%zu", i);
		if (what == U) {
			h->tlsa[h->ntlsa++] = (struct scout_tlsa){3, 1, 1, (uint16_t)got->noctets, 32};
			got->noctets += 32;
		}
		if (what == X) {
			h->tlsa[h->ntlsa++] = (struct scout_tlsa){3, 1, 9, (uint16_t)got->noctets, 32};
			got->noctets += 32;
		}
		got->nhosts++;
	}
}

static void words(const struct smtpc_host *v, size_t n, char *out, size_t cap)
{
	static const char letters[] = {[SMTPC_TLS_ENCRYPT] = 'E', [SMTPC_TLS_VERIFY] = 'V', [SMTPC_TLS_DANE] = 'D'};
	size_t at = 0;

	out[0] = 0;
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(v[i].own_tls && v[i].tls == SMTPC_TLS_DANE, v[i].dane != NULL);
		at += (size_t)snprintf(out + at, cap - at, "%s%c%c%s", i ? " " : "", v[i].name[1],
		    v[i].own_tls ? letters[v[i].tls] : '-', v[i].name_sure ? "!" : "");
	}
}

/* Those whose certificate is verified, with a name that is nobody's forgery. */
static void sure(const struct smtpc_host *v, size_t n, enum smtpc_tls least, const char *text)
{
	struct smtpc_host out[SCOUT_HOSTS_MAX];
	struct smtpc_dest d = {.hosts = v, .nhosts = n, .tls = least};
	size_t want = 0, got = relay_hop_tls_sure(&d, out);

	for (const char *p = text; *p; p++)
		want += (*p == 'D' || *p == 'V' || (*p == '-' && least == SMTPC_TLS_VERIFY)) && p[1] == '!';
	ck_assert_msg(got == want && relay_hop_tls_sure(&d, NULL) == want, "%zu %s", got, text);
	for (size_t i = 0, k = 0; i < got; i++, k++) {
		while (strcmp(out[i].name, v[k].name) != 0)
			k++;
		ck_assert_uint_lt(k, n);
	}
}

START_TEST(row)
{
	struct scout_hosts *got = calloc(1, sizeof *got);
	struct smtpc_host *v = calloc(SCOUT_HOSTS_MAX, sizeof *v);
	struct relay r = {.tls_any = SSL_CTX_new(TLS_client_method()), .tls_sts = SSL_CTX_new(TLS_client_method())};
	struct problem pr;
	char text[200];

	ck_assert(got && v && r.tls_any && r.tls_sts);
	fill(&rows[_i], got, v);

	size_t n = relay_hop_tls_choose(&r, rows[_i].mode, SCOUT_KIND_MX, "lab.example", got, v, got->nhosts, &pr);

	words(v, n, text, sizeof text);
	sure(v, n, relay_hop_tls_least(rows[_i].mode), text);
	ck_assert_msg(strcmp(text, rows[_i].want) == 0, "%s: %s", rows[_i].name, text);
	ck_assert_msg(!rows[_i].text[0] || strstr(pr.text, rows[_i].text), "%s: %s", rows[_i].name, pr.text);
	ck_assert(n > 0 || (pr.cls == PROBLEM_TEMP && strcmp(pr.enh, "4.7.5") == 0));
	for (size_t i = 0; i < SCOUT_HOSTS_MAX; i++)
		smtpc_dane_free(v[i].dane);
	SSL_CTX_free(r.tls_any);
	SSL_CTX_free(r.tls_sts);
	free(got);
	free(v);
}
END_TEST

/* What could not be told is no "no". To mail that demands nothing an unknown policy is none. */
START_TEST(unsure)
{
	static const struct {
		enum scout_sts sts;
		int host;
		bool want;
	} all[] = {{SCOUT_STS_NONE, N, false}, {SCOUT_STS_TESTING, N, false}, {SCOUT_STS_UNKNOWN, N, true},
	    {SCOUT_STS_NONE, T, true}, {SCOUT_STS_NONE, X, false}};
	struct relay r = {.tls_any = SSL_CTX_new(TLS_client_method())};
	struct problem pr;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct scout_hosts *got = calloc(1, sizeof *got);
		struct smtpc_host *v = calloc(SCOUT_HOSTS_MAX, sizeof *v);
		const struct row one = {"", CONF_TLS_DANE, all[i].sts, false, {N, all[i].host, -1}, "", ""};

		ck_assert(got && v);
		fill(&one, got, v);
		ck_assert(relay_hop_tls_unsure(got) == all[i].want);
		if (all[i].sts == SCOUT_STS_UNKNOWN) {
			struct smtpc_dest d = {.hosts = v, .nhosts = 2, .tls = SMTPC_TLS_MAY};

			ck_assert_uint_eq(
			    relay_hop_tls_choose(&r, CONF_TLS_DANE, SCOUT_KIND_MX, "lab.example", got, v, 2, &pr), 2);
			ck_assert(!v[0].own_tls && !v[1].own_tls && !v[0].name_sure);
			ck_assert_uint_eq(relay_hop_tls_sure(&d, NULL), 0);
		}
		free(got);
		free(v);
	}
	SSL_CTX_free(r.tls_any);
}
END_TEST

/* Without CAs a policy is not kept to by using less. */
START_TEST(no_authorities)
{
	struct scout_hosts *got = calloc(1, sizeof *got);
	struct smtpc_host *v = calloc(SCOUT_HOSTS_MAX, sizeof *v);
	const struct row one = {"", CONF_TLS_DANE, SCOUT_STS_ENFORCE, false, {N | S, -1}, "", ""};
	struct relay r = {0};
	struct problem pr;

	ck_assert(got && v);
	fill(&one, got, v);
	ck_assert_uint_eq(relay_hop_tls_choose(&r, one.mode, SCOUT_KIND_MX, "lab.example", got, v, 1, &pr), 0);
	ck_assert_ptr_nonnull(strstr(pr.text, "tls-ca-file"));
	free(got);
	free(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_hop_tls");
	TCase *t = tcase_create("relay_hop_tls");

	tcase_add_loop_test(t, row, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(t, unsure);
	tcase_add_test(t, no_authorities);
	suite_add_tcase(s, t);
	return suite_run(s);
}
