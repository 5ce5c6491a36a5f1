/*
 * Where a certificate is looked for and what is concluded: every situation of Direct, the order of strength, the
 * table of promise P1. The network is a table (source_fixture.h); a certificate is a short text whose letters say
 * what it is worth, so that every place and every worth can meet.
 */
#include "certstore/find.h"

#include <check.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert_record.h"
#include "tests/unit/source_fixture.h"
#include "tests/unit/suite.h"

static struct source_fixture net;
static struct arena *arena;
static struct find_result r;
static struct find_options o;
static struct problem pr;
static struct address who;
static bool listed, strict, with_network;
static struct find_cert kept[4];
static const struct find_cert *more_kept; /* instead of kept */
static size_t nkept;
static unsigned weighed;

/* "good:NAME:AGE": usable, the higher AGE the newer; "bad", "other", "doubt" the same. Whatever else: unreadable.
 * With dane it is usable when "dane:" stands in front of "good". */
static int weigh(void *ctx, const struct find_cert *c, struct find_weight *w, struct problem *p)
{
	static const char *const words[] = {
	    [FIND_GOOD] = "good:", [FIND_BAD] = "bad:", [FIND_OTHER] = "other:", [FIND_DOUBT] = "doubt:"};
	char text[200];

	ck_assert_ptr_eq(ctx, &net);
	(void)p;
	weighed++;
	snprintf(text, sizeof text, "%.*s", (int)(c->der.n < 199 ? c->der.n : 199), (const char *)c->der.p);
	snprintf(w->why, sizeof w->why, "%s at %s of %s", text, c->place, c->owner);
	w->worth = FIND_BAD;
	if (strcmp(text, "broken") == 0)
		return problem_temp(p, "the store is away");
	for (size_t i = 0; i < 4; i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			w->worth = (enum find_worth)i;
	if (c->dane && c->dane->matching == 1 && memcmp(text + 5, c->dane->data, 1) != 0)
		w->worth = FIND_BAD;
	w->vouched = strncmp(text, "bad:revoked", 11) == 0;
	w->not_before = strrchr(text, ':') ? atoi(strrchr(text, ':') + 1) : 0;
	w->personal = strchr(c->owner, '@') != NULL;
	return 0;
}

/* The octets of a statement: "waits", "none" or certificates as above. */
static void statement(void *ctx, const struct find_octets *octets, const char *where, struct find_statement *st)
{
	ck_assert_ptr_eq(ctx, &net);
	ck_assert_ptr_nonnull(where);
	snprintf(st->why, sizeof st->why, "%.*s", (int)octets->n, (const char *)octets->p);
	st->answer = FIND_STATEMENT_TRUSTED;
	if (strcmp(st->why, "waits") == 0)
		st->answer = FIND_STATEMENT_UNSURE;
	else if (strcmp(st->why, "declined") == 0)
		st->answer = FIND_STATEMENT_NONE;
	else if (strcmp(st->why, "empty") != 0)
		st->certs[st->n++] = *octets;
}

static void setup(void)
{
	source_fixture_start(&net);
	arena = arena_new(1 << 20);
	o = find_options_default();
	o.tiers |= FIND_TIER(FIND_HTTP);
	listed = true;
	strict = true;
	with_network = true;
	nkept = 0;
	weighed = 0;
	ck_assert_int_eq(address_parse("bob@lab.example", 15, &who, NULL), 0);
}

static void teardown(void)
{
	arena_free(arena);
	source_fixture_end(&net);
}

static void keep(const char *owner, const char *text, enum find_source source)
{
	kept[nkept++] = (struct find_cert){.der = {(const uint8_t *)text, strlen(text)},
	    .owner = owner,
	    .place = "store",
	    .source = source,
	    .pinned = source == FIND_BY_ADMIN};
}

/* Once as things are, without a run left pending. */
static int look_once(void)
{
	static const struct find_limits limits = {.timeout_ms = 1000, .octets_max = 65536, .weigh_max = 6};
	struct find_question q = {.who = &who,
	    .options = &o,
	    .limits = &limits,
	    .listed = listed,
	    .strict = strict,
	    .kept = more_kept ? more_kept : kept,
	    .nkept = nkept,
	    .run = with_network ? source_fixture_run(&net, 1000) : NULL,
	    .weigh = weigh,
	    .statement = statement,
	    .ctx = &net};

	return find_certificate(&q, arena, &r, &pr);
}

static enum find_state look(void)
{
	ck_assert_msg(look_once() == 0, "%s", pr.text);
	ck_assert_uint_eq(net.run.pending, 0);
	ck_assert(r.why[0]);
	return r.state;
}

static bool uses(const char *text)
{
	return r.state == FIND_USABLE && r.best.n == strlen(text) && memcmp(r.best.p, text, r.best.n) == 0;
}

/* ---- answers ---- */

static uint8_t octets[40][1200];
static size_t noctets;

static const uint8_t *record(const void *head, size_t nhead, const void *p, size_t n)
{
	uint8_t *at = octets[noctets++ % 40];

	memcpy(at, head, nhead);
	memcpy(at + nhead, p, n);
	return at;
}

static void dns_cert(const char *owner, const char *text)
{
	char key[300];

	snprintf(key, sizeof key, "%s CERT", owner);
	source_fixture_item(&net, key, "", record("\0\1\0\0\0", 5, text, strlen(text)), 5 + strlen(text));
}

static void dns_url(const char *owner, const char *url, const char *hashed)
{
	uint8_t rd[400] = {0};
	char key[300];
	size_t n = 1;

	(void)SHA256((const uint8_t *)hashed, strlen(hashed), rd + 1);
	rd[0] = 32;
	n += 32;
	memcpy(rd + n, url, strlen(url));
	n += strlen(url);
	snprintf(key, sizeof key, "%s CERT", owner);
	source_fixture_item(&net, key, "", record("\0\4\0\0\0", 5, rd, n), 5 + n);
}

static void srv(const char *service, uint8_t priority, uint8_t weight, uint16_t port, const char *host)
{
	uint8_t rd[300] = {0, priority, 0, weight, (uint8_t)(port >> 8), (uint8_t)port};
	size_t at = 6, label;
	char key[300];

	for (const char *p = host; *p; p += label + (p[label] == '.')) {
		label = strcspn(p, ".");
		rd[at++] = (uint8_t)label;
		memcpy(rd + at, p, label);
		at += label;
	}
	at++;
	snprintf(key, sizeof key, "%s.lab.example SRV", service);
	source_fixture_item(&net, key, "", record("", 0, rd, at), at);
}

static void in_ldap(const char *key, const char *attribute, const char *text)
{
	source_fixture_item(&net, key, attribute, text, strlen(text));
}

/* hash: usage 3, selector 0, a hash whose first octet is the letter behind "good:" */
#define SMIMEA "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd._smimecert.lab.example SMIMEA"

static void smimea(const char *text, enum source_dnssec dnssec)
{
	source_fixture_item(&net, SMIMEA, "", record("\3\0\0", 3, text, strlen(text)), 3 + strlen(text));
	source_fixture_at(&net, SMIMEA)->dnssec = dnssec;
}

static void smimea_hash(char letter)
{
	char h[32];

	memset(h, letter, sizeof h);
	source_fixture_item(&net, SMIMEA, "", record("\3\0\1", 3, h, 32), 35);
	source_fixture_at(&net, SMIMEA)->dnssec = SOURCE_SECURE;
}

/* ---- the store ---- */

START_TEST(store_first)
{
	keep("bob@lab.example", "good:a:5", FIND_BY_ADMIN);
	keep("lab.example", "good:d:9", FIND_BY_ADMIN);
	dns_cert("lab.example", "good:x:9");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:a:5") && r.seen[r.chosen].w.personal);
	ck_assert_str_eq(net.asked, "");
	kept[0].der = (struct find_octets){(const uint8_t *)"bad:a:5", 7};
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:d:9"));
	kept[1].der = (struct find_octets){(const uint8_t *)"bad:d:9", 7};
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:x:9"));
	ck_assert(r.nseen == 3);
}
END_TEST

/* A harvested one of the person does not take the place of what the admin chose for the domain. */
START_TEST(harvest_is_weaker)
{
	keep("bob@lab.example", "good:h:9", FIND_HARVESTED);
	keep("lab.example", "good:d:1", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:d:1"));
	kept[1].der = (struct find_octets){(const uint8_t *)"bad:d:1", 7};
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:h:9"));
	o.order = FIND_DIRECT;
	ck_assert_int_eq(look(), FIND_UNUSABLE);
}
END_TEST

START_TEST(newest_of_equals)
{
	keep("lab.example", "good:a:3", FIND_BY_ADMIN);
	keep("lab.example", "bad:c:9", FIND_BY_ADMIN);
	keep("lab.example", "good:b:7", FIND_BY_ADMIN);
	keep("lab.example", "good:d:5", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:b:7") && r.nseen == 4);
}
END_TEST

START_TEST(without_network)
{
	with_network = false;
	ck_assert_int_eq(look(), FIND_NONE);
	ck_assert_str_eq(r.why, "there is no certificate for lab.example in the store");
	keep("lab.example", "other:s:1", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_NONE);
	ck_assert_str_eq(r.why, "there is no certificate for lab.example to encrypt to, only for signing (1)");
	keep("lab.example", "bad:s:1", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	ck_assert_str_eq(r.why, "bad:s:1 at store of lab.example");
	keep("lab.example", "doubt:s:1", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	keep("lab.example", "broken", FIND_BY_ADMIN);
	ck_assert_int_eq(look_once(), -1);
	ck_assert_str_eq(pr.text, "the store is away");
}
END_TEST

/* ---- order own ---- */

START_TEST(nothing_anywhere)
{
	ck_assert_int_eq(look(), FIND_NONE);
	ck_assert_str_eq(
	    r.why, "there is no certificate for lab.example (looked in the store, smimea, smg, cert, ldap, http)");
	ck_assert_str_eq(net.asked,
	    "\n" SMIMEA "\n_smg.lab.example TXT\nbob.lab.example CERT\nlab.example CERT\n_ldap._tcp.lab.example SRV\n"
	    "_certificates._tcp.lab.example SRV\n");
	ck_assert(source_fixture_traced(&net, "none: there is no certificate"));
}
END_TEST

/* Each tier alone is used; with a stronger one there, the stronger. */
START_TEST(by_strength)
{
	srv("_certificates._tcp", 0, 0, 80, "h.lab.example");
	source_fixture_item(
	    &net, "http://h.lab.example:80/certificates/search.cgi?uri=lab.example", "", "good:h:9", 8);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:h:9"));
	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	in_ldap("ldap://l.lab.example:389 lab.example", "usercertificate", "good:l:8");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:l:8"));
	dns_cert("lab.example", "good:c:7");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:c:7"));
	dns_cert("bob.lab.example", "good:a:6");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:a:6") && r.seen[r.chosen].w.personal);
	smimea("good:s:5", SOURCE_SECURE);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:s:5"));
}
END_TEST

START_TEST(invalid_passed_over)
{
	smimea("bad:s:5", SOURCE_SECURE);
	dns_cert("bob.lab.example", "bad:a:6");
	dns_cert("lab.example", "other:c:7");
	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	in_ldap("ldap://l.lab.example:389 bob@lab.example", "usercertificate;binary", "bad:l:8");
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	ck_assert_str_eq(r.why, "bad:s:5 at dns SMIMEA of bob@lab.example; bad:a:6 at dns CERT of bob@lab.example; "
				"bad:l:8 at ldap of bob@lab.example");
	in_ldap("ldap://l.lab.example:389 lab.example", "usersmimecertificate", "good:m:8");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:m:8") && r.nseen == 5);
}
END_TEST

START_TEST(smimea_secure_only)
{
	smimea("good:s:5", SOURCE_UNSIGNED);
	ck_assert_int_eq(look(), FIND_NONE);
	ck_assert(source_fixture_traced(&net, "passed over: SMIMEA records count in a signed zone alone"));
}
END_TEST

/* What anybody can publish binds nobody who was never heard of. */
START_TEST(nobody_vouches)
{
	strict = false;
	dns_cert("lab.example", "bad:c:7");
	ck_assert_int_eq(look(), FIND_NONE);
	ck_assert(strstr(r.why, "bad:c:7 at dns CERT of lab.example; there is no certificate for lab.example"));
	ck_assert(
	    source_fixture_traced(&net, "count as none: the partner is not listed and was never seen protected"));
	strict = true;
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	strict = false;
	o.order = FIND_DIRECT;
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	o.order = FIND_OWN;
	smimea("bad:s:5", SOURCE_SECURE);
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	smimea("bad:s:5", SOURCE_UNSIGNED);
	ck_assert_int_eq(look(), FIND_NONE);
	keep("lab.example", "bad:k:1", FIND_BY_ADMIN);
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	nkept = 0;
	ck_assert_int_eq(look(), FIND_NONE);
	dns_cert("lab.example", "bad:revoked:7");
	ck_assert_int_eq(look(), FIND_UNUSABLE);
}
END_TEST

/* A record with a hash says which of the certificates found elsewhere counts. */
START_TEST(smimea_hash_elsewhere)
{
	smimea_hash('b');
	dns_cert("lab.example", "good:a:9");
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	dns_cert("lab.example", "good:b:1");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:b:1"));
	smimea_hash('a');
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:a:9"));
}
END_TEST

START_TEST(by_address)
{
	static const struct {
		enum find_by_address by;
		bool listed, dns, ldap;
	} t[] = {
	    {FIND_ADDRESS_LISTED, true, true, true},
	    {FIND_ADDRESS_LISTED, false, false, true},
	    {FIND_ADDRESS_ALWAYS, false, true, true},
	    {FIND_ADDRESS_NEVER, true, false, false},
	};

	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		net.asked[0] = '\0';
		o.by_address = t[i].by;
		listed = t[i].listed;
		ck_assert_int_eq(look(), FIND_NONE);
		ck_assert(!!strstr(net.asked, "bob.lab.example") == t[i].dns);
		ck_assert(!!strstr(net.asked, "_smimecert") == t[i].dns);
		ck_assert(!!strstr(net.asked, ":389 bob@") == t[i].ldap);
		ck_assert(
		    strstr(net.asked, "\nlab.example CERT") || strstr(net.asked, "lab.example CERT") == net.asked);
		ck_assert(source_fixture_traced(&net, "not asked: by-address") == !(t[i].dns && t[i].ldap));
	}
}
END_TEST

START_TEST(ipkix)
{
	dns_url("lab.example", "http://w.lab.example/c", "good:u:1");
	source_fixture_item(&net, "http://w.lab.example/c", "", "good:u:1", 8);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:u:1"));
	source_fixture_at(&net, "http://w.lab.example/c")->items[0].n = 7;
	strict = false;
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert(strstr(r.why, "is not what the CERT record of lab.example announces (another hash)"));
	source_answer_set(source_fixture_at(&net, "http://w.lab.example/c"), SOURCE_NONE, "404");
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	dns_cert("lab.example", "good:c:1");
	ck_assert_int_eq(look(), FIND_USABLE);
}
END_TEST

START_TEST(smg)
{
	static const char txt[] = "\x29v=smg1; url=https://smg.lab.example/smg/x";

	o.tiers |= FIND_TIER(FIND_SMG);
	strict = false;
	source_fixture_item(&net, "_smg.lab.example TXT", "", txt, sizeof txt - 1);
	source_fixture_item(&net, "https://smg.lab.example/smg/x", "", "good:t:1", 8);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:t:1"));
	source_fixture_start(&net);
	source_fixture_item(&net, "_smg.lab.example TXT", "", txt, sizeof txt - 1);
	source_fixture_item(&net, "https://smg.lab.example/smg/x", "", "waits", 5);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert_msg(strstr(r.why, "the statement of lab.example: waits") != NULL, "%s", r.why);
	source_fixture_start(&net);
	source_fixture_item(&net, "_smg.lab.example TXT", "", txt, sizeof txt - 1);
	source_fixture_item(&net, "https://smg.lab.example/smg/x", "", "declined", 8);
	ck_assert_int_eq(look(), FIND_NONE);
	source_fixture_start(&net);
	source_fixture_item(&net, "_smg.lab.example TXT", "", txt, sizeof txt - 1);
	source_fixture_item(&net, "https://smg.lab.example/smg/x", "", "empty", 5);
	ck_assert_int_eq(look(), FIND_NONE);
	source_fixture_temp(&net, "https://smg.lab.example/smg/x", SOURCE_UNSIGNED);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	source_fixture_item(&net, "_smg.lab.example TXT", "", txt, sizeof txt - 1);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert(strstr(r.why, "there are 2 records where there must be one"));
}
END_TEST

START_TEST(configured)
{
	o = find_options_default();
	strcpy(o.directories[o.ndirectories++], "state");
	strcpy(o.http_stores[o.nhttp_stores++], "https://c.example/x");
	o.tiers |= FIND_TIER(FIND_HTTP);
	source_fixture_item(&net, "https://c.example/x?email=bob%40lab.example", "", "good:h:1", 8);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:h:1"));
	in_ldap("state bob@lab.example", "usercertificate;binary", "good:d:1");
	in_ldap("state bob@lab.example", "usercertificate", "good:e:2");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:d:1") && r.nseen == 1);
	source_fixture_temp(&net, "state bob@lab.example", SOURCE_UNSIGNED);
	strict = false;
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert(strstr(r.why, "ldap state: no answer in time"));
}
END_TEST

START_TEST(several_over_http)
{
	static const char body[] =
	    "--x\r\nContent-Type: application/pkix-cert\r\n\r\nbad:a:9\r\n--x\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nZ29v\r\nZDpiOjI=\r\n--x\r\n\r\ngood:c:1\r\n--x--\r\n";

	strcpy(o.http_stores[o.nhttp_stores++], "https://c.example/x");
	source_fixture_item(&net, "https://c.example/x?uri=lab.example", "", body, sizeof body - 1);
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:b:2") && r.nseen == 3);
}
END_TEST

START_TEST(bounds)
{
	static char text[20][16];

	for (int i = 0; i < 20; i++) {
		snprintf(text[i], sizeof text[i], "bad:%c:1", 'a' + i);
		dns_cert("lab.example", text[i]);
	}
	dns_cert("lab.example", text[0]);
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	ck_assert_uint_eq(weighed, 6);
	ck_assert(source_fixture_traced(&net, "the certificates from the 7th on are not looked at"));
}
END_TEST

/* Of what was not looked at nobody knows: to whom mail must be protected it is never "none". */
START_TEST(cut_off)
{
	static char text[7][16];

	for (int i = 0; i < 6; i++) {
		snprintf(text[i], sizeof text[i], "other:%c:1", 'a' + i);
		dns_cert("lab.example", text[i]);
	}
	ck_assert_int_eq(look(), FIND_NONE);
	source_fixture_at(&net, "lab.example CERT")->more = true;
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert_msg(strstr(r.why, "dns CERT of lab.example has more than is looked at") != NULL, "%s", r.why);
	source_fixture_at(&net, "lab.example CERT")->more = false;
	dns_cert("lab.example", "good:z:1");
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	strict = false;
	ck_assert_int_eq(look(), FIND_NONE);
}
END_TEST

/* A signed zone says that there is one; no place has it. */
START_TEST(smimea_hash_nowhere)
{
	smimea_hash('b');
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	ck_assert_msg(strstr(r.why, "found in none of the places") != NULL, "%s", r.why);
	strict = false;
	o.by_address = FIND_ADDRESS_ALWAYS;
	ck_assert_int_eq(look(), FIND_UNUSABLE);
}
END_TEST

/* Servers that are named so that nobody can ask them are not "no servers". */
START_TEST(servers_unreadable)
{
	srv("_ldap._tcp", 0, 0, 0, "l.lab.example");
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert_msg(strstr(r.why, "none of its records can be read") != NULL, "%s", r.why);
	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	ck_assert_int_eq(look(), FIND_NONE);
}
END_TEST

/* More than can be shown: what cannot be told, and what was revoked, still counts. */
START_TEST(beyond_what_is_shown)
{
	static struct find_cert many[FIND_SEEN_MAX + 1];

	for (size_t i = 0; i < FIND_SEEN_MAX; i++)
		many[i] = (struct find_cert){
		    .der = {(const uint8_t *)"other:a:1", 9}, .owner = "lab.example", .place = "store"};
	many[FIND_SEEN_MAX] = many[0];
	many[FIND_SEEN_MAX].der = (struct find_octets){(const uint8_t *)"doubt:b:1", 9};
	more_kept = many;
	nkept = FIND_SEEN_MAX + 1;
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	ck_assert_ptr_nonnull(strstr(r.why, "doubt:b:1"));
	many[FIND_SEEN_MAX].der = (struct find_octets){(const uint8_t *)"bad:b:1", 7};
	ck_assert_int_eq(look(), FIND_UNUSABLE);
	more_kept = NULL;
}
END_TEST

/* Asked at once; what a weaker place will say is not waited for, what a stronger one will say is. */
START_TEST(pending)
{
	source_fixture_late(&net, "lab.example CERT");
	source_fixture_late(&net, "_ldap._tcp.lab.example SRV");
	ck_assert_int_eq(look_once(), 0);
	ck_assert_uint_eq(net.run.pending, 2);
	ck_assert(strstr(net.asked, "_certificates._tcp"));
	smimea("good:s:1", SOURCE_SECURE);
	ck_assert_int_eq(look(), FIND_USABLE);
	source_fixture_late(&net, SMIMEA);
	dns_cert("bob.lab.example", "good:c:1");
	ck_assert_int_eq(look_once(), 0);
	ck_assert_uint_eq(net.run.pending, 3);
	net.runs = 1;
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:s:1"));
}
END_TEST

/* ---- promise P1 ---- */

enum p1_what { SILENT, SILENT_SIGNED, BOGUS, POINTER_FAILED };

static void p1_set(enum p1_what what, const char *key)
{
	if (what == POINTER_FAILED)
		return;
	source_fixture_temp(&net, key,
	    what == SILENT  ? SOURCE_UNSIGNED
	    : what == BOGUS ? SOURCE_BOGUS
			    : SOURCE_SIGNED_SILENT);
}

START_TEST(uncertain)
{
	static const char *const keys[] = {SMIMEA, "bob.lab.example CERT", "lab.example CERT",
	    "_ldap._tcp.lab.example SRV", "_certificates._tcp.lab.example SRV"};
	static const struct {
		enum p1_what what;
		bool strict;
		enum find_state state;
	} t[] = {
	    {SILENT, true, FIND_UNCERTAIN},
	    {SILENT, false, FIND_NONE},
	    {SILENT_SIGNED, true, FIND_UNCERTAIN},
	    {SILENT_SIGNED, false, FIND_UNCERTAIN},
	    {BOGUS, true, FIND_UNCERTAIN},
	    {BOGUS, false, FIND_UNCERTAIN},
	};

	for (int order = FIND_OWN; order <= FIND_DIRECT; order++)
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
				source_fixture_end(&net);
				source_fixture_start(&net);
				o.order = (uint8_t)order;
				strict = t[i].strict;
				p1_set(t[i].what, keys[k]);
				ck_assert_msg(
				    look() == t[i].state, "order %d, %s, row %zu: %s", order, keys[k], i, r.why);
				ck_assert(t[i].state != FIND_UNCERTAIN || strstr(r.why, "no answer in time"));
				ck_assert(
				    t[i].state == FIND_UNCERTAIN || source_fixture_traced(&net, "counts as none"));
			}
}
END_TEST

/* What is uncertain lets no weaker place speak, but a usable certificate of the same or a stronger one counts. */
START_TEST(uncertain_and_found)
{
	source_fixture_temp(&net, "bob.lab.example CERT", SOURCE_UNSIGNED);
	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	in_ldap("ldap://l.lab.example:389 lab.example", "usercertificate", "good:l:8");
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	strict = false;
	ck_assert_int_eq(look(), FIND_USABLE);
	strict = true;
	smimea("good:s:1", SOURCE_SECURE);
	ck_assert_int_eq(look(), FIND_USABLE);
	source_fixture_at(&net, SMIMEA)->items[0].p = (const uint8_t *)"\3\0\0doubt:s";
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
}
END_TEST

START_TEST(pointers)
{
	strict = false;
	srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
	source_fixture_temp(&net, "ldap://l.lab.example:389 lab.example", SOURCE_UNSIGNED);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	srv("_ldap._tcp", 1, 0, 390, "m.lab.example");
	ck_assert_int_eq(look(), FIND_NONE); /* the next server answers for it */
	source_fixture_end(&net);
	source_fixture_start(&net);
	srv("_certificates._tcp", 0, 0, 443, "h.lab.example");
	source_fixture_temp(&net, "https://h.lab.example/certificates/search.cgi?uri=lab.example", SOURCE_UNSIGNED);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
}
END_TEST

/* ---- order direct ---- */

/* Address and domain certificates valid, expired, both, in DNS and in LDAP: what is used. */
START_TEST(direct)
{
	static const struct {
		const char *dns_a, *dns_d, *ldap_a, *ldap_d, *used; /* NULL: none */
		enum find_state state;
	} t[] = {
	    {NULL, NULL, NULL, NULL, NULL, FIND_NONE},
	    {"good:a:1", NULL, NULL, NULL, "good:a:1", FIND_USABLE},
	    {NULL, "good:d:1", NULL, NULL, "good:d:1", FIND_USABLE},
	    {"good:a:1", "good:d:2", "good:x:3", "good:y:4", "good:a:1", FIND_USABLE},
	    {"bad:a:1", "good:d:2", NULL, NULL, NULL, FIND_UNUSABLE},
	    {"bad:a:1", NULL, "good:x:1", "good:y:1", NULL, FIND_UNUSABLE},
	    {NULL, "bad:d:1", "good:x:1", "good:y:1", NULL, FIND_UNUSABLE},
	    {"bad:a:1", "bad:d:1", "bad:x:1", "bad:y:1", NULL, FIND_UNUSABLE},
	    {"other:a:1", "good:d:1", NULL, NULL, NULL, FIND_NONE},
	    {"doubt:a:1", "good:d:1", NULL, NULL, NULL, FIND_UNCERTAIN},
	    {NULL, NULL, "good:x:1", NULL, "good:x:1", FIND_USABLE},
	    {NULL, NULL, NULL, "good:y:1", "good:y:1", FIND_USABLE},
	    {NULL, NULL, "good:x:1", "good:y:2", "good:x:1", FIND_USABLE},
	    {NULL, NULL, "bad:x:1", "good:y:2", NULL, FIND_UNUSABLE},
	    {NULL, NULL, NULL, "bad:y:2", NULL, FIND_UNUSABLE},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		source_fixture_end(&net);
		source_fixture_start(&net);
		o = (struct find_options){.order = FIND_DIRECT,
		    .tiers = FIND_TIER(FIND_STORE) | FIND_TIER(FIND_CERT) | FIND_TIER(FIND_LDAP)};
		srv("_ldap._tcp", 0, 0, 389, "l.lab.example");
		if (t[i].dns_a)
			dns_cert("bob.lab.example", t[i].dns_a);
		if (t[i].dns_d)
			dns_cert("lab.example", t[i].dns_d);
		if (t[i].ldap_a)
			in_ldap("ldap://l.lab.example:389 bob@lab.example", "usercertificate;binary", t[i].ldap_a);
		if (t[i].ldap_d)
			in_ldap("ldap://l.lab.example:389 lab.example", "usercertificate", t[i].ldap_d);
		ck_assert_msg(look() == t[i].state, "row %zu: %s", i, r.why);
		ck_assert_msg(!t[i].used || uses(t[i].used), "row %zu: %s", i, r.why);
	}
}
END_TEST

/* Among several of one tier a valid one is taken. */
START_TEST(direct_several)
{
	o.order = FIND_DIRECT;
	dns_cert("bob.lab.example", "bad:a:9");
	dns_cert("bob.lab.example", "good:b:1");
	dns_cert("bob.lab.example", "good:c:3");
	ck_assert_int_eq(look(), FIND_USABLE);
	ck_assert(uses("good:c:3"));
}
END_TEST

/* Servers: priority ascending, weight descending; one that is down or does not exist is followed by the next. */
START_TEST(direct_servers)
{
	static const struct {
		bool down1, down2, down3;
		const char *used;
		enum find_state state;
	} t[] = {
	    {false, false, false, "good:1:1", FIND_USABLE},
	    {true, false, false, "good:2:1", FIND_USABLE},
	    {true, true, false, "good:3:1", FIND_USABLE},
	    {true, true, true, NULL, FIND_UNCERTAIN},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		source_fixture_end(&net);
		source_fixture_start(&net);
		o = (struct find_options){.order = FIND_DIRECT, .tiers = FIND_TIER(FIND_CERT) | FIND_TIER(FIND_LDAP)};
		strict = i % 2;
		srv("_ldap._tcp", 1, 99, 389, "c.lab.example");
		srv("_ldap._tcp", 0, 10, 389, "b.lab.example");
		srv("_ldap._tcp", 0, 20, 1389, "a.lab.example");
		in_ldap("ldap://a.lab.example:1389 bob@lab.example", "usercertificate", "good:1:1");
		in_ldap("ldap://b.lab.example:389 bob@lab.example", "usercertificate", "good:2:1");
		in_ldap("ldap://c.lab.example:389 lab.example", "usercertificate", "good:3:1");
		if (t[i].down1)
			source_fixture_temp(&net, "ldap://a.lab.example:1389 bob@lab.example", SOURCE_UNSIGNED);
		if (t[i].down2)
			source_fixture_temp(&net, "ldap://b.lab.example:389 bob@lab.example", SOURCE_UNSIGNED);
		if (t[i].down3)
			source_fixture_temp(&net, "ldap://c.lab.example:389 lab.example", SOURCE_UNSIGNED);
		ck_assert_msg(look() == t[i].state, "row %zu: %s", i, r.why);
		ck_assert(!t[i].used || uses(t[i].used));
		ck_assert(!!strstr(net.asked, "/b.lab.example") == t[i].down1);
		ck_assert(!!strstr(net.asked, "/c.lab.example") == t[i].down2);
	}
}
END_TEST

/* A server that answers "no such entry" speaks for all of them. */
START_TEST(direct_server_without)
{
	o = (struct find_options){.order = FIND_DIRECT, .tiers = FIND_TIER(FIND_CERT) | FIND_TIER(FIND_LDAP)};
	srv("_ldap._tcp", 0, 0, 389, "a.lab.example");
	srv("_ldap._tcp", 1, 0, 389, "b.lab.example");
	in_ldap("ldap://b.lab.example:389 bob@lab.example", "usercertificate", "good:2:1");
	ck_assert_int_eq(look(), FIND_NONE);
}
END_TEST

/* The address's answer is missing: the domain's is not used in its place. */
START_TEST(direct_uncertain)
{
	o.order = FIND_DIRECT;
	source_fixture_temp(&net, "bob.lab.example CERT", SOURCE_UNSIGNED);
	dns_cert("lab.example", "good:d:1");
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
	strict = false;
	ck_assert_int_eq(look(), FIND_USABLE);
	source_fixture_temp(&net, "bob.lab.example CERT", SOURCE_BOGUS);
	ck_assert_int_eq(look(), FIND_UNCERTAIN);
}
END_TEST

/* userSMIMECertificate is unknown to Direct. */
START_TEST(direct_attributes)
{
	o = (struct find_options){.order = FIND_DIRECT, .tiers = FIND_TIER(FIND_LDAP)};
	srv("_ldap._tcp", 0, 0, 636, "a.lab.example");
	in_ldap("ldaps://a.lab.example:636 bob@lab.example", "usersmimecertificate;binary", "good:2:1");
	ck_assert_int_eq(look(), FIND_NONE);
	o.order = FIND_OWN;
	ck_assert_int_eq(look(), FIND_USABLE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("find");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, store_first);
	tcase_add_test(tc, harvest_is_weaker);
	tcase_add_test(tc, newest_of_equals);
	tcase_add_test(tc, without_network);
	tcase_add_test(tc, nothing_anywhere);
	tcase_add_test(tc, by_strength);
	tcase_add_test(tc, invalid_passed_over);
	tcase_add_test(tc, smimea_secure_only);
	tcase_add_test(tc, nobody_vouches);
	tcase_add_test(tc, smimea_hash_elsewhere);
	tcase_add_test(tc, by_address);
	tcase_add_test(tc, ipkix);
	tcase_add_test(tc, smg);
	tcase_add_test(tc, configured);
	tcase_add_test(tc, several_over_http);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, cut_off);
	tcase_add_test(tc, smimea_hash_nowhere);
	tcase_add_test(tc, servers_unreadable);
	tcase_add_test(tc, beyond_what_is_shown);
	tcase_add_test(tc, pending);
	tcase_add_test(tc, uncertain);
	tcase_add_test(tc, uncertain_and_found);
	tcase_add_test(tc, pointers);
	tcase_add_test(tc, direct);
	tcase_add_test(tc, direct_several);
	tcase_add_test(tc, direct_servers);
	tcase_add_test(tc, direct_server_without);
	tcase_add_test(tc, direct_uncertain);
	tcase_add_test(tc, direct_attributes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
