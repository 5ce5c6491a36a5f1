/*
 * A partner's statements over weeks, each a day of the clock: met, followed, taken over by thieves or not, frozen,
 * withdrawn. What is looked at is what mail would get (judge_xsmg_use.h), the level and the audit log.
 */
#include "gateway/proc/judge_xsmg.h"

#include <check.h>

#include "certstore/judge_proto.h"
#include "gateway/proc/judge_resolve.h"
#include "gateway/proc/judge_signers.h"
#include "gateway/proc/judge_xsmg_relay.h"
#include "tests/unit/judge_xsmg_fixture.h"
#include "tests/unit/suite.h"

START_TEST(met_and_followed)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_WEBPKI);
	ck_assert_int_eq(seals_to(0), MAIL);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_CURRENT);
	/* by SMTP nothing but the key speaks for it, and that is enough */
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), NEXT_MAIL);
	ACTION(come(SAID(0, .by = KEY_A, .serial_off = 1)), XSMG_DO_OLD);
	ck_assert_int_eq(seals_to(1), NEXT_MAIL);
	ck_assert_uint_eq(audited("statement.trust"), 2);
}
END_TEST

START_TEST(new_key)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(6, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(6), MAIL);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->trusted.key, key_hex(KEY_B));
	ck_assert_str_eq(owner()->statement->through, key_hex(KEY_A));
	ACTION(come(SAID(9, .by = KEY_B, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->through, key_hex(KEY_A));
	/* what was trusted through it alone waits again */
	mark_bad(KEY_A, 10);
	ck_assert_int_eq(seals_to(10), -1);
	ck_assert_ptr_nonnull(owner()->statement->waiting.der);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
	ACTION(come(SAID(11, .by = KEY_A, .get = true, .where = "mx")), XSMG_DO_REFUSE);
	/* until something as good as before speaks for it by itself */
	ACTION(come(SAID(12, .by = KEY_B)), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->through, "");
	ck_assert_int_eq(seals_to(12), MAIL);
}
END_TEST

/* Three keys, each through the one before: what the first one is worth, all of them are. */
START_TEST(chain)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .announce = KEY_C, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(16, .by = KEY_C, .also = KEY_B, .get = true)), XSMG_DO_TRUST);
	mark_bad(KEY_B, 17);
	ck_assert_int_eq(seals_to(17), -1);
}
END_TEST

START_TEST(thieves)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	/* a key of his own, over the partner's mail host, with or without a signature copied from elsewhere */
	ACTION(come(SAID(1, .by = THIEF, .mail = THIEF, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), MAIL);
	ACTION(come(SAID(1, .by = THIEF, .mail = THIEF, .withdrawn = true, .get = true, .serial_off = 1)),
	    XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), MAIL);
	/* an equal serial by a key of his own freezes nothing */
	ACTION(come(SAID(0, .by = THIEF, .mail = THIEF, .get = true)), XSMG_DO_REFUSE);
	ck_assert(!holds(1));
	/* by the key itself it does */
	ACTION(come(SAID(0, .by = KEY_A, .mail = NEXT_MAIL, .get = true)), XSMG_DO_FREEZE);
	ck_assert(holds(1) && seals_to(1) == -1);
	ACTION(come(SAID(2, .by = KEY_A)), XSMG_DO_FREEZE);
	ck_assert_uint_eq(audited("statement.freeze"), 2);
}
END_TEST

/* The old key of a partner who has another one by now. */
START_TEST(old_key)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_B)), XSMG_DO_TRUST);
	/* whoever puts it holds up nobody's mail; got from the partner it does */
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF, .put = true, .where = "thief")), XSMG_DO_CONFIRM);
	ck_assert(!holds(2));
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF, .get = true)), XSMG_DO_FREEZE);
	ck_assert(holds(2));
	ck_assert_str_eq(owner()->statement->trusted.key, key_hex(KEY_B));
}
END_TEST

START_TEST(old_key_marked)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_B)), XSMG_DO_TRUST);
	mark_bad(KEY_A, 1);
	ck_assert_int_eq(seals_to(1), MAIL);
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF)), XSMG_DO_REFUSE);
	ck_assert(!holds(2) && seals_to(2) == MAIL);
	mark_bad(KEY_B, 3);
	ck_assert_int_eq(seals_to(3), -1);
	ACTION(come(SAID(4, .by = KEY_B)), XSMG_DO_REFUSE);
}
END_TEST

/* A hint makes nothing be kept of strangers, and nothing be believed of anybody. */
START_TEST(hints)
{
	struct store_statement *st;

	ACTION(come(SAID(0, .by = KEY_A, .put = true, .where = "192.0.2.1")), XSMG_DO_REFUSE);
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && !st);
	judge_fixture_partner(&j, "lab.example", "seal", "prefer");
	ACTION(come(SAID(0, .by = KEY_A, .put = true, .where = "192.0.2.1")), XSMG_DO_CONFIRM);
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && !st);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL, .put = true, .where = "192.0.2.1")), XSMG_DO_CONFIRM);
	ck_assert_int_eq(seals_to(1), MAIL);
}
END_TEST

START_TEST(withdrawal)
{
	ck_assert(store_seen_protected(j.s, "lab.example", FX_NOW, &pr) == 0);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_A, .withdrawn = true)), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), -1);
	ck_assert(store_was_protected(j.s, "lab.example") == 0);
	ck_assert_uint_eq(audited("statement.withdrawn"), 1);
}
END_TEST

/* Continuity carries a pin on from the key that is pinned, and from no other. */
START_TEST(pinned)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	pin(KEY_C, true);
	ACTION(come(SAID(1, .by = KEY_A, .announce = KEY_B, .get = true)), XSMG_DO_PENDING);
	ACTION(come(SAID(9, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_PENDING);
	pin(KEY_A, true);
	ACTION(come(SAID(10, .by = KEY_A, .announce = KEY_B, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(11, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(12, .by = KEY_B, .get = true)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_PINNED);
	/* what stands on a pin that is no more stands on nothing */
	pin(KEY_C, true);
	ACTION(come(SAID(13, .by = KEY_B, .get = true)), XSMG_DO_PENDING);
}
END_TEST

/* One of our domains wants revocation told: then nothing is believed before it is, whatever names are allowed. */
START_TEST(revocation_hard)
{
	struct testcert root = testcert_ca("root", NULL);

	certified(KEY_A, &root, "email:domain-signing-authority@lab.example", "URI:" CRL, NULL);
	testcert_free(&people[MAIL]);
	people[MAIL] = testcert_make(&(struct testcert_spec){
	    .cn = "mail", .san = "DNS:lab.example", .issuer = root.x, .issuer_key = root.key, .ski = true});
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	source_fixture_temp(&net, CRL, SOURCE_UNSIGNED);
	believe(REVOKE_HARD);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	ACTION(come(SAID(0, .by = KEY_A, .get = true)), XSMG_DO_LATER);
	ck_assert_ptr_null(owner()->statement);
	believe(REVOKE_SOFT);
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_ANCHORED);
	testcert_free(&root);
}
END_TEST

/* The issuer of the certificate that signs is not there, and may be fetched: until it is, nothing is concluded, and
 * nothing weaker is believed meanwhile. */
START_TEST(issuer_missing)
{
	struct testcert root = testcert_ca("root", NULL), middle = testcert_ca("middle", &root);
	struct testcert first;
	static int modes[] = {REVOKE_SOFT, REVOKE_SOFT};
	struct judge_believing b = {.revoke = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000},
	    .domains = judge_fixture_domains,
	    .modes = modes,
	    .ndomains = 2,
	    .fetch_issuers = true};

	judge_cache_believing_set(j.w.cache, &b);
	judge_fixture_partner(&j, "lab.example", "seal", "prefer");
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	for (int i = KEY_A; i <= MAIL; i++) {
		certified(i, &middle, "DNS:lab.example", NULL, "caIssuers;URI:http://root.example/middle");
	}
	source_fixture_temp(&net, "http://root.example/middle", SOURCE_UNSIGNED);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	ACTION(come(SAID(0, .by = KEY_A, .get = true)), XSMG_DO_LATER);
	ck_assert_ptr_null(owner()->statement);
	ck_assert_ptr_nonnull(strstr(net.asked, "http://root.example/middle"));
	/* each time it is asked for anew */
	memset(net.asked, 0, sizeof net.asked);
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_LATER);
	ck_assert_ptr_nonnull(strstr(net.asked, "http://root.example/middle"));
	/* it comes with the statement, or by its address */
	ACTION(come(SAID(2, .by = KEY_A, .ca = &middle)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_ANCHORED);
	ACTION(come(SAID(3, .by = KEY_B, .mail = NEXT_MAIL)), XSMG_DO_LATER);
	ck_assert_int_eq(seals_to(3), MAIL);
	ck_assert_int_eq(audited("statement.trust"), 1);
	first = people[KEY_B];
	source_answer_set(source_fixture_at(&net, "http://root.example/middle"), SOURCE_FOUND, "found");
	source_fixture_item(&net, "http://root.example/middle", "", middle.der, middle.n);
	ACTION(come(SAID(4, .by = KEY_B)), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->trusted.cert, first.sha256);
	testcert_free(&middle);
	testcert_free(&root);
}
END_TEST

/* A pin is a certificate: its key in a renewed certificate, then another key. */
START_TEST(pinned_certificate)
{
	struct store_statement *st;
	struct testcert renewed;

	for (int follow = 0; follow < 2; follow++) {
		ck_assert(store_statement_remove(j.s, "lab.example", "root", &pr) == 0);
		ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
		ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && st);
		memcpy(st->pin, people[KEY_A].sha256, sizeof st->pin);
		st->follow = follow;
		ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
		store_statements_free(st, 1);
		ACTION(come(SAID(1, .by = KEY_A, .announce = KEY_B, .mail = NEXT_MAIL)), XSMG_DO_TRUST);
		ck_assert_int_eq(owner()->statement->established, XSMG_PINNED);
		/* the same key in another certificate */
		renewed = testcert_make(
		    &(struct testcert_spec){.cn = "gateway", .san = "DNS:lab.example", .key = people[KEY_A].key});
		testcert_free(&people[KEY_C]);
		people[KEY_C] = renewed;
		ACTION(come(SAID(2, .by = KEY_C, .announce = KEY_B)), follow ? XSMG_DO_TRUST : XSMG_DO_PENDING);
		ck_assert_int_eq(seals_to(2), follow ? MAIL : NEXT_MAIL);
		if (!follow)
			continue;
		/* another key: announced, and signed by the one before too */
		ACTION(come(SAID(3, .by = THIEF, .also = KEY_C)), XSMG_DO_PENDING);
		ck_assert_int_eq(seals_to(3), MAIL);
		ACTION(come(SAID(9, .by = KEY_B, .also = KEY_C, .mail = NEXT_MAIL)), XSMG_DO_TRUST);
		ck_assert_int_eq(seals_to(9), NEXT_MAIL);
		ck_assert_int_eq(owner()->statement->established, XSMG_PINNED);
		/* and what follows it by itself */
		ACTION(come(SAID(10, .by = KEY_B)), XSMG_DO_TRUST);
		ACTION(come(SAID(11, .by = THIEF)), XSMG_DO_PENDING);
		ck_assert_int_eq(seals_to(11), MAIL);
	}
}
END_TEST

/* A name that the admin allowed is not better told than others. */
START_TEST(revocation_hard_other_name)
{
	struct testcert root = testcert_ca("root", NULL);
	struct store_statement *st = store_statement_new("lab.example");

	free(st->local_parts);
	st->local_parts = strdup("gateway");
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
	certified(KEY_A, &root, "email:gateway@lab.example", "URI:" CRL, NULL);
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	source_fixture_temp(&net, CRL, SOURCE_UNSIGNED);
	believe(REVOKE_HARD);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	testcert_free(&root);
}
END_TEST

/* A key that a statement was trusted through is found revoked when somebody shows it again. */
START_TEST(predecessor_revoked)
{
	struct store_revoked r = {.at = DAYS(9)};

	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
	memcpy(r.sha256, people[KEY_A].sha256, sizeof r.sha256);
	r.words = FIXTURE_STR("a test");
	ck_assert(store_revoked_add(j.s, &r, "lab.example", "test", &pr) == 0);
	ACTION(come(SAID(10, .by = KEY_A, .get = true)), XSMG_DO_REFUSE);
	ck_assert_int_eq(seals_to(10), -1);
	ck_assert_ptr_nonnull(owner()->statement->waiting.der);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
}
END_TEST

/* What the signed zone says of keys: not this one, or not to be told. */
START_TEST(signed_zone)
{
	static const char text[] = "v=smg1; url=https://smg.lab.example/.well-known/smg/lab.example; "
				   "key=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static uint8_t rd[sizeof text];

	source_fixture_temp(&net, SMG, SOURCE_BOGUS);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	rd[0] = sizeof text - 1;
	memcpy(rd + 1, text, sizeof text - 1);
	source_answer_set(source_fixture_at(&net, SMG), SOURCE_FOUND, "found");
	source_fixture_at(&net, SMG)->dnssec = SOURCE_SECURE;
	source_fixture_item(&net, SMG, "", rd, sizeof rd);
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), -1);
}
END_TEST

/* Trust is lost: what was said before is not newer because of it. */
START_TEST(serial_floor)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(4, .by = KEY_C)), XSMG_DO_TRUST);
	mark_bad(KEY_C, 5);
	ACTION(come(SAID(3, .by = KEY_B)), XSMG_DO_OLD);
	ck_assert_int_eq(seals_to(5), -1);
	ACTION(come(SAID(6, .by = KEY_B)), XSMG_DO_TRUST);
}
END_TEST

/* Announced, taken out of the list, put into it again: the seven days begin anew. */
START_TEST(announced_anew)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(5, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(6, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(9, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_PENDING);
	ACTION(come(SAID(14, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
}
END_TEST

START_TEST(first_contact)
{
	struct partner_statement_settings set = *partner_statement_settings_default();
	char why[400];

	j.w.statements = &set;
	ACTION(come(SAID(0, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_PENDING);
	ck_assert(judge_xsmg_use_waits(owner(), why, sizeof why) && seals_to(0) == -1);
	ACTION(come(SAID(0, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_PENDING);
	ck_assert_uint_eq(audited("statement.pending"), 1);
	set.first_contact = XSMG_ACCEPT;
	ACTION(come(SAID(1, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), MAIL);
	/* ran out: its certificates serve on, or nothing goes */
	ck_assert(!holds(30) && seals_to(30) == MAIL);
	set.strict_expiry = true;
	ck_assert(holds(30));
}
END_TEST

static void due(int day, bool get, const char *held)
{
	struct judge_xsmg_question q = {.partner = "lab.example"};
	struct judge_xsmg_duty d;

	judge_xsmg_relay_due(&j.w, j.s, &q, DAYS(day) + 120, &d);
	ck_assert(d.get == get);
	ck_assert_str_eq(d.held, held);
}

/* While one waits it is asked for whole, and weighed again: what speaks for its key may have come meanwhile. */
START_TEST(asked_while_it_waits)
{
	ACTION(come(SAID(0, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_PENDING);
	due(0, false, "");
	due(2, true, "");
	ACTION(come(SAID(0, .by = KEY_A, .get = true, .where = "mx", .at = 2)), XSMG_DO_PENDING);
	ck_assert_uint_eq(audited("statement.pending"), 1);
	due(2, false, ""); /* once a day is enough */
	ACTION(come(SAID(0, .by = KEY_A, .at = 3)), XSMG_DO_TRUST);
	due(3, false, owner()->statement->trusted.id);
	due(5, true, owner()->statement->trusted.id);
}
END_TEST

START_TEST(what_it_reads)
{
	struct format f = format_default();
	unsigned given;
	enum policy_treatment least;

	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	given = judge_xsmg_use_format(owner(), 128, &f);
	ck_assert_str_eq(format_cipher_word(f.cipher), "aes-256-gcm");
	ck_assert_int_eq(f.wrap, FORMAT_WRAP_FIELDS);
	ck_assert_int_eq(f.digest, FORMAT_SHA256);
	ck_assert(given & FORMAT_GIVEN(FORMAT_CIPHER));
	ck_assert(judge_xsmg_use_demands(owner(), &least) == JUDGE_XSMG_NO_DEMAND);
}
END_TEST

static uint8_t promises(int day)
{
	return judge_xsmg_use_promises(owner(), DAYS(day));
}

static bool demanded(void)
{
	enum policy_treatment least;

	return judge_xsmg_use_demands(owner(), &least) != JUDGE_XSMG_NO_DEMAND && least == POLICY_SEAL;
}

static void reset_said(void)
{
	promised = (struct statement_write){
	    .said = true, .signs = STATEMENT_PROMISES_ALL, .encrypts = STATEMENT_PROMISES_SOME, .until = DAYS(40)};
	demands = true;
}

/* What a partner promises holds as long as its statement is believed, and ends with that; when belief is lost,
 * encryption is demanded, whatever it said. */
START_TEST(end_with_belief)
{
	reset_said();
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert(promises(0) == JUDGE_PROMISE_SIGNS && demanded());
	/* ran out, or frozen: it is still what was said last */
	ck_assert(promises(30) == JUDGE_PROMISE_SIGNS && demanded());
	ck_assert_uint_eq(promises(40), 0);
	ACTION(come(SAID(0, .by = KEY_A, .mail = NEXT_MAIL)), XSMG_DO_FREEZE);
	ck_assert(owner()->statement->frozen && promises(0) == JUDGE_PROMISE_SIGNS && demanded());
	/* its key is in other hands: nothing it said counts, mail to it waits, and none goes in the clear */
	mark_bad(KEY_A, 1);
	ck_assert(promises(1) == 0 && demanded());
	{
		char why[400];

		ck_assert(judge_xsmg_use_waits(owner(), why, sizeof why));
	}
}
END_TEST

START_TEST(end_with_withdrawal)
{
	reset_said();
	promised.encrypts = STATEMENT_PROMISES_ALL;
	promised.test = true;
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert(promises(0) == (JUDGE_PROMISE_SIGNS | JUDGE_PROMISE_ENCRYPTS | JUDGE_PROMISE_TEST) && demanded());
	ACTION(come(SAID(1, .by = KEY_A, .withdrawn = true)), XSMG_DO_TRUST);
	ck_assert(promises(1) == 0 && !demanded());
}
END_TEST

/* One that waits says nothing yet; less is promised when a newer trusted one says less. */
START_TEST(change_with_statements)
{
	reset_said();
	ACTION(come(SAID(0, .by = KEY_A, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert(promises(0) == 0 && !demanded());
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert(promises(1) == JUDGE_PROMISE_SIGNS && demanded());
	promised.signs = STATEMENT_PROMISES_SOME;
	demands = false;
	ACTION(come(SAID(2, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert(promises(2) == 0 && !demanded());
}
END_TEST

START_TEST(forms)
{
	static const struct {
		struct statement_words formats;
		int rc;
		bool bare;
		enum judge_xsmg_signed form;
	} v[] = {{{{STATEMENT_SIGNED_ENVELOPED}, 1}, 0, false, JUDGE_XSMG_SIGNED_SEALED},
	    {{{STATEMENT_ENVELOPED, STATEMENT_SIGNED_ENVELOPED}, 2}, 0, false, JUDGE_XSMG_SIGNED_SEALED},
	    {{{STATEMENT_ENVELOPED}, 1}, 0, true, JUDGE_XSMG_SIGNED_NOT},
	    {{{STATEMENT_SIGNED}, 1}, -1, false, JUDGE_XSMG_SIGNED_ALONE},
	    {{{STATEMENT_ENVELOPED, STATEMENT_SIGNED}, 2}, 0, true, JUDGE_XSMG_SIGNED_ALONE}};

	ck_assert(judge_xsmg_use_signed(owner()) == JUDGE_XSMG_SIGNED_ALONE);

	for (int i = 0; i < (int)(sizeof v / sizeof *v); i++) {
		struct format f = format_default();
		uint64_t octets;
		char why[300] = "";

		reads_formats = v[i].formats;
		reads_octets = 10000 + (uint64_t)i;
		ACTION(come(SAID(i, .by = KEY_A)), XSMG_DO_TRUST);
		ck_assert_int_eq(judge_xsmg_use_reads(owner(), &octets, why, sizeof why), v[i].rc);
		ck_assert_uint_eq(octets, reads_octets);
		ck_assert((why[0] != 0) == (v[i].rc != 0));
		(void)judge_xsmg_use_format(owner(), 128, &f);
		ck_assert(f.bare == v[i].bare);
		ck_assert(judge_xsmg_use_signed(owner()) == v[i].form);
	}
	ACTION(come(SAID(9, .by = KEY_A, .withdrawn = true)), XSMG_DO_TRUST);
	ck_assert(judge_xsmg_use_signed(owner()) == JUDGE_XSMG_SIGNED_ALONE);
}

/* The verdict on mail from a user of ours, its rule as it is shown. */
static struct judge_verdict verdict_of(const char *treatment, const char *strength, int day)
{
	static struct judge_verdict v;
	struct store_partner p = {.domain = (char *)"lab.example",
	    .treatment = (char *)treatment,
	    .strength = (char *)strength,
	    .note = (char *)"",
	    .format = (char *)"",
	    .find = (char *)"",
	    .group = (char *)""};
	struct judge_resolve rq = {.sender = "anna@hospital.example", .recipient = "bob@lab.example"};
	struct arena *a = arena_new(1 << 20);

	ck_assert_msg(store_partner_put(j.s, &p, "root", &pr) == 0, "%s", pr.text);
	(void)judge_resolve(j.s, &j.w, NULL, &rq, DAYS(day) + 60, a, &v);
	arena_free(a);
	return v;
}

/* Mail that is to be signed, to partners that read signatures in some forms. */
START_TEST(signed_forms)
{
	struct judge_verdict v;

	demands = false;
	reads_formats = (struct statement_words){{STATEMENT_SIGNED_ENVELOPED}, 1};
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	v = verdict_of("sign", "require", 0);
	ck_assert(v.treatment == POLICY_SEAL && v.any_treatment == POLICY_SEAL && v.strength == POLICY_REQUIRE &&
		  v.no_signed);
	ck_assert_str_eq(v.rule,
	    "partner lab.example, sealed because its statement says that it reads no signature in another form");
	v = verdict_of("sign", "never", 0);
	ck_assert(v.treatment == POLICY_SIGN && strcmp(v.rule, "partner lab.example") == 0);
	v = verdict_of("clear", "prefer", 0);
	ck_assert(v.treatment == POLICY_CLEAR && strcmp(v.rule, "partner lab.example") == 0);
	reads_formats = (struct statement_words){{STATEMENT_ENVELOPED}, 1};
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_TRUST);
	v = verdict_of("sign", "require", 1);
	ck_assert(v.treatment == POLICY_SIGN && v.no_signed);
	reads_formats = (struct statement_words){{STATEMENT_SIGNED_ENVELOPED, STATEMENT_SIGNED}, 2};
	ACTION(come(SAID(2, .by = KEY_A)), XSMG_DO_TRUST);
	v = verdict_of("sign", "require", 2);
	ck_assert(v.treatment == POLICY_SIGN && !v.no_signed);
}
END_TEST

/* Whose word it is that encryption is demanded. */
START_TEST(demand_words)
{
	struct judge_verdict v;

	reset_said();
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	v = verdict_of("sign", "prefer", 0);
	ck_assert(v.treatment == POLICY_SEAL && v.strength == POLICY_REQUIRE);
	ck_assert_str_eq(v.rule, "partner lab.example, demanded by its statement");
	mark_bad(KEY_A, 1);
	v = verdict_of("sign", "prefer", 1);
	ck_assert(v.treatment == POLICY_SEAL && v.strength == POLICY_REQUIRE);
	ck_assert_str_eq(v.rule, "partner lab.example, demanded because trust in its statement was lost");
}
END_TEST

static void saw(enum judge_xsmg_seen seen, const char *host, int64_t now)
{
	struct judge_xsmg_note m = {.seen = seen, .partner = "lab.example", .words = "a test", .verified = true};

	(void)snprintf(m.remote, sizeof m.remote, "%s.lab.example[192.0.2.1]:25", host);
	judge_xsmg_relay_note(&j.w, j.s, &m, now);
}

/* A backup without the keyword is none; the host that had it and has it no more is one, whatever was said that day.
 */
START_TEST(downgrade)
{
	int64_t now = DAYS(1);

	reset_said();
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	saw(JUDGE_XSMG_OFFERED, "mx1", now);
	saw(JUDGE_XSMG_MISSING, "mx2", now + 60);
	ck_assert(owner()->statement->missed == 0 && audited("statement.downgrade") == 0);
	saw(JUDGE_XSMG_BROKEN, "mx2", now + 61);
	ck_assert_uint_eq(audited("statement.broken-promise"), 1);
	saw(JUDGE_XSMG_BROKEN, "mx2", now + 62);
	ck_assert_uint_eq(audited("statement.broken-promise"), 1);
	saw(JUDGE_XSMG_MISSING, "mx1", now + 120);
	ck_assert(owner()->statement->missed == now + 120 && audited("statement.downgrade") == 1);
	saw(JUDGE_XSMG_OFFERED, "mx1", now + 180);
	ck_assert(owner()->statement->missed == 0);
	/* nobody offered it for a day: the host that never did says enough */
	saw(JUDGE_XSMG_MISSING, "mx3", now + 180 + FX_DAY);
	ck_assert(owner()->statement->missed != 0 && audited("statement.downgrade") == 2);
}
END_TEST

/* Mail without one author: of the domains that it names, the one whose promise says most. */
START_TEST(named_promises)
{
	struct judge_signers rq = {.our_domain = "hospital.example",
	    .nnamed = 3,
	    .named = {"other.example", "lab.example", "hospital.example"}};
	struct judge_trust t;

	reset_said();
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	judge_signers(j.s, &j.w, NULL, &rq, DAYS(0) + 60, NULL, &t);
	ck_assert(t.promise == JUDGE_PROMISE_SIGNS && strcmp(t.promise_of, "lab.example") == 0);
	rq.nnamed = 1;
	judge_signers(j.s, &j.w, NULL, &rq, DAYS(0) + 60, NULL, &t);
	ck_assert(t.promise == 0 && t.promise_of[0] == 0);
	/* an author counts alone */
	rq.nnamed = 3;
	strcpy(rq.from, "x@other.example");
	judge_signers(j.s, &j.w, NULL, &rq, DAYS(0) + 60, NULL, &t);
	ck_assert_uint_eq(t.promise, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, met_and_followed);
	tcase_add_test(tc, new_key);
	tcase_add_test(tc, chain);
	tcase_add_test(tc, thieves);
	tcase_add_test(tc, old_key);
	tcase_add_test(tc, old_key_marked);
	tcase_add_test(tc, hints);
	tcase_add_test(tc, withdrawal);
	tcase_add_test(tc, pinned);
	tcase_add_test(tc, revocation_hard);
	tcase_add_test(tc, revocation_hard_other_name);
	tcase_add_test(tc, issuer_missing);
	tcase_add_test(tc, pinned_certificate);
	tcase_add_test(tc, predecessor_revoked);
	tcase_add_test(tc, signed_zone);
	tcase_add_test(tc, serial_floor);
	tcase_add_test(tc, announced_anew);
	tcase_add_test(tc, first_contact);
	tcase_add_test(tc, asked_while_it_waits);
	tcase_add_test(tc, what_it_reads);
	tcase_add_test(tc, end_with_belief);
	tcase_add_test(tc, end_with_withdrawal);
	tcase_add_test(tc, change_with_statements);
	tcase_add_test(tc, forms);
	tcase_add_test(tc, signed_forms);
	tcase_add_test(tc, demand_words);
	tcase_add_test(tc, named_promises);
	tcase_add_test(tc, downgrade);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
