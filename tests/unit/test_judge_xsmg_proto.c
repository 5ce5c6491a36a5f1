/* relay <-> judge about statements: what is put in comes out; whatever is cut, added or out of its range is refused.
 */
#include "certstore/judge_xsmg_proto.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define ID "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"

static uint8_t der[JUDGE_XSMG_OCTETS + 1];

struct packet {
	uint8_t *p;
	size_t n;
	struct arena *a;
};

static struct packet take(struct ipc_out *o)
{
	struct packet k = {malloc(o->b.len - IPC_HEADER + 1), o->b.len - IPC_HEADER, arena_new(1 << 20)};

	ck_assert(!o->bad && k.p);
	memcpy(k.p, o->b.p + IPC_HEADER, k.n);
	ipc_out_clear(o);
	return k;
}

static void drop(struct packet *k)
{
	free(k->p);
	arena_free(k->a);
}

enum kind { GET, FOUND, CAME, QUESTION, DUTY, NOTE, KINDS };

static int get(enum kind kind, const uint8_t *p, size_t n, struct arena *a)
{
	struct ipc_in in = {.p = p, .n = n};
	union {
		struct judge_statement_get get;
		struct judge_statement_found found;
		struct judge_statement_came came;
		struct judge_xsmg_question question;
		struct judge_xsmg_duty duty;
		struct judge_xsmg_note note;
	} m;

	switch (kind) {
	case GET:
		return judge_statement_get_get(&in, &m.get);
	case FOUND:
		return judge_statement_found_get(&in, a, &m.found);
	case CAME:
		return judge_statement_came_get(&in, a, &m.came);
	case QUESTION:
		return judge_xsmg_question_get(&in, &m.question);
	case DUTY:
		return judge_xsmg_duty_get(&in, a, &m.duty);
	default:
		return judge_xsmg_note_get(&in, &m.note);
	}
}

static const struct judge_statement_get one_get = {"hospital.example", ID};
static const struct judge_statement_found one_found = {JUDGE_STATEMENT_NEWER, ID, {der, 300}};
static const struct judge_statement_came one_came = {
    "lab.example", JUDGE_STATEMENT_ANSWER, true, "mx.lab.example[192.0.2.1]:25", {der, JUDGE_XSMG_OCTETS}};
static const struct judge_xsmg_question one_question = {"hospital.example", "lab.example"};
static const struct judge_xsmg_duty one_duty = {true, true, ID, true, ID, {der, 100}, 300};
static const struct judge_xsmg_note one_note = {
    JUDGE_XSMG_TAKEN, "hospital.example", "lab.example", ID, true, "mx[192.0.2.1]:25", "250 2.0.0 received"};

static struct packet make(enum kind kind)
{
	struct ipc_out o;

	ipc_out_init(&o, 1, 1);
	if (kind == GET)
		judge_statement_get_put(&o, &one_get);
	if (kind == FOUND)
		judge_statement_found_put(&o, &one_found);
	if (kind == CAME)
		judge_statement_came_put(&o, &one_came);
	if (kind == QUESTION)
		judge_xsmg_question_put(&o, &one_question);
	if (kind == DUTY)
		judge_xsmg_duty_put(&o, &one_duty);
	if (kind == NOTE)
		judge_xsmg_note_put(&o, &one_note);
	return take(&o);
}

START_TEST(cut_and_added)
{
	struct packet k = make((enum kind)_i);

	ck_assert_int_eq(get((enum kind)_i, k.p, k.n, k.a), 0);
	for (size_t n = 0; n<k.n; n += k.n> 2000 ? 997 : 1)
		ck_assert_int_eq(get((enum kind)_i, k.p, n, k.a), -1);
	k.p[k.n] = 0;
	ck_assert_int_eq(get((enum kind)_i, k.p, k.n + 1, k.a), -1);
	drop(&k);
}
END_TEST

START_TEST(round_trip)
{
	struct judge_statement_came came;
	struct judge_xsmg_duty duty;
	struct judge_xsmg_note note;
	struct packet k = make(CAME);
	struct ipc_in in = {.p = k.p, .n = k.n};

	ck_assert_int_eq(judge_statement_came_get(&in, k.a, &came), 0);
	ck_assert_str_eq(came.domain, one_came.domain);
	ck_assert_str_eq(came.remote, one_came.remote);
	ck_assert(came.how == JUDGE_STATEMENT_ANSWER && came.verified && came.der.n == JUDGE_XSMG_OCTETS);
	ck_assert_int_eq(memcmp(came.der.p, der, came.der.n), 0);
	drop(&k);
	k = make(DUTY);
	in = (struct ipc_in){.p = k.p, .n = k.n};
	ck_assert_int_eq(judge_xsmg_duty_get(&in, k.a, &duty), 0);
	ck_assert(duty.expected && duty.get && duty.put && duty.keep_s == 300 && duty.der.n == 100);
	ck_assert_str_eq(duty.held, ID);
	ck_assert_str_eq(duty.own, ID);
	drop(&k);
	k = make(NOTE);
	in = (struct ipc_in){.p = k.p, .n = k.n};
	ck_assert_int_eq(judge_xsmg_note_get(&in, &note), 0);
	ck_assert(note.seen == JUDGE_XSMG_TAKEN && note.verified);
	ck_assert_str_eq(note.ours, one_note.ours);
	ck_assert_str_eq(note.partner, one_note.partner);
	ck_assert_str_eq(note.id, ID);
	ck_assert_str_eq(note.words, one_note.words);
	drop(&k);
}
END_TEST

static int found(const struct judge_statement_found *m)
{
	struct ipc_out o;
	struct packet k;
	int r;

	ipc_out_init(&o, 1, 1);
	judge_statement_found_put(&o, m);
	k = take(&o);
	r = get(FOUND, k.p, k.n, k.a);
	drop(&k);
	return r;
}

static int duty_of(const struct judge_xsmg_duty *m)
{
	struct ipc_out o;
	struct packet k;
	int r;

	ipc_out_init(&o, 1, 1);
	judge_xsmg_duty_put(&o, m);
	k = take(&o);
	r = get(DUTY, k.p, k.n, k.a);
	drop(&k);
	return r;
}

/* What an answer says has to fit together. */
START_TEST(sense)
{
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_LATER, "", {NULL, 0}}), 0);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_NOT_OURS, "", {NULL, 0}}), 0);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_CURRENT, ID, {NULL, 0}}), 0);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_CURRENT, "", {NULL, 0}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_CURRENT, ID, {der, 1}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_NEWER, ID, {NULL, 0}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_NEWER, "", {der, 1}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_NEWER, "short", {der, 1}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){JUDGE_STATEMENT_LATER, ID, {NULL, 0}}), -1);
	ck_assert_int_eq(
	    found(&(struct judge_statement_found){JUDGE_STATEMENT_NEWER, ID, {der, JUDGE_XSMG_OCTETS}}), 0);
	ck_assert_int_eq(
	    found(&(struct judge_statement_found){JUDGE_STATEMENT_NEWER, ID, {der, JUDGE_XSMG_OCTETS + 1}}), -1);
	ck_assert_int_eq(found(&(struct judge_statement_found){4, "", {NULL, 0}}), -1);
	ck_assert_int_eq(duty_of(&(struct judge_xsmg_duty){0}), 0);
	ck_assert_int_eq(duty_of(&(struct judge_xsmg_duty){.put = true, .own = ID}), -1);
	ck_assert_int_eq(duty_of(&(struct judge_xsmg_duty){.put = true, .der = {der, 5}}), -1);
	ck_assert_int_eq(duty_of(&(struct judge_xsmg_duty){.der = {der, 5}}), -1);
}
END_TEST

START_TEST(names)
{
	static const char *const bad[] = {"", "Lab.example", "lab example", "lab.example/", "l\303\251"};
	static const char *const good[] = {"lab.example", "xn--lb-xka.example", "a"};
	struct judge_xsmg_question q = one_question;
	struct ipc_out o;
	struct packet k;

	for (size_t i = 0; i < 8; i++) {
		snprintf(q.partner, sizeof q.partner, "%s", i < 5 ? bad[i] : good[i - 5]);
		ipc_out_init(&o, 1, 1);
		judge_xsmg_question_put(&o, &q);
		k = take(&o);
		ck_assert_int_eq(get(QUESTION, k.p, k.n, k.a), i < 5 ? -1 : 0);
		drop(&k);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_proto");
	TCase *t = tcase_create("judge_xsmg_proto");

	for (size_t i = 0; i < sizeof der; i++)
		der[i] = (uint8_t)(i * 7);
	tcase_add_loop_test(t, cut_and_added, 0, KINDS);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, sense);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	return suite_run(s);
}
