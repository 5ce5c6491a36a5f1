/* What the public listener gives: whole sets, one in place of the other; which certificates an attribute stands for;
 * and the packets that bring them. */
#include "gateway/proc/public_shelf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define NOW 1000

static struct public_shelf *shelf;

static void setup(void)
{
	shelf = public_shelf_new();
}

static void teardown(void)
{
	public_shelf_free(shelf);
}

/* Through the packet, as it comes from the judge. */
static void take(uint16_t msg, const char *domain, const char *name, int64_t expires, const char *body)
{
	struct public_item i = {.msg = msg,
			       .expires = expires,
			       .body = {(const uint8_t *)body, body ? strlen(body) : 0}},
			   got;
	struct ipc_out o;
	struct ipc_in in;

	snprintf(i.domain, sizeof i.domain, "%s", domain);
	snprintf(i.name, sizeof i.name, "%s", name);
	public_proto_put(&o, &i);
	in = (struct ipc_in){.type = msg, .p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER};
	ck_assert_int_eq(public_proto_get(&in, &got), 0);
	public_shelf_take(shelf, &got);
	ipc_out_clear(&o);
}

static void fill(const char *statement)
{
	take(PUBLIC_BEGIN, "", "", 0, NULL);
	take(PUBLIC_STATEMENT, "hospital.example", "id-1", 2000, statement);
	take(PUBLIC_CERT, "hospital.example", "", 0, "encrypt");
	take(PUBLIC_CERT, "hospital.example", "", 0, "sign");
	take(PUBLIC_CERT, "second.example", "", 0, "other");
	take(PUBLIC_TLS, "smg.hospital.example", "key", 0, "tls");
	take(PUBLIC_END, "", "", 0, NULL);
}

static int statement(const char *domain, int64_t now, const char *want)
{
	struct buf der;
	char id[64];
	int64_t expires;
	int found;

	buf_init(&der, 1000);
	found = public_shelf_statement(shelf, domain, now, id, &expires, &der);
	if (found) {
		ck_assert_str_eq(id, "id-1");
		ck_assert_int_eq(expires, 2000);
		ck_assert(der.len == strlen(want) && memcmp(der.p, want, der.len) == 0);
	}
	buf_clear(&der);
	return found;
}

START_TEST(sets)
{
	ck_assert(!statement("hospital.example", NOW, ""));
	fill("one");
	ck_assert(statement("hospital.example", NOW, "one"));
	ck_assert(statement("HOSPITAL.example", 1999, "one"));
	ck_assert(!statement("hospital.example", 2000, "one")); /* it has run out */
	ck_assert(!statement("second.example", NOW, ""));
	ck_assert(!statement("", NOW, ""));
	/* half a set is not given */
	take(PUBLIC_BEGIN, "", "", 0, NULL);
	ck_assert(statement("hospital.example", NOW, "one"));
	take(PUBLIC_STATEMENT, "hospital.example", "id-1", 2000, "two");
	ck_assert(statement("hospital.example", NOW, "one"));
	/* and one that is begun anew forgets what was told of it */
	fill("three");
	ck_assert(statement("hospital.example", NOW, "three"));
	take(PUBLIC_BEGIN, "", "", 0, NULL);
	take(PUBLIC_END, "", "", 0, NULL);
	ck_assert(!statement("hospital.example", NOW, ""));
}
END_TEST

static const struct {
	enum public_by by;
	const char *value, *first;
	size_t n;
} asked[] = {
    {PUBLIC_BY_EMAIL, "anna@hospital.example", "encrypt", 2},
    {PUBLIC_BY_EMAIL, "\"a@b\"@Hospital.Example", "encrypt", 2},
    {PUBLIC_BY_EMAIL, "x@second.example", "other", 1},
    {PUBLIC_BY_EMAIL, "@hospital.example", NULL, 0},
    {PUBLIC_BY_EMAIL, "hospital.example", NULL, 0},
    {PUBLIC_BY_EMAIL, "anna@lab.example", NULL, 0},
    {PUBLIC_BY_EMAIL, "", NULL, 0},
    {PUBLIC_BY_URI, "HOSPITAL.example", "encrypt", 2},
    {PUBLIC_BY_URI, "smg.hospital.example", NULL, 0},
    /* printf sign | openssl sha1 -binary | base64 */
    {PUBLIC_BY_CERTHASH, "gekgnmS906UvoB7OB16qlH24/Ek=", "sign", 1},
    {PUBLIC_BY_CERTHASH, "", NULL, 0},
};

START_TEST(find)
{
	struct public_found f;

	fill("one");
	public_shelf_find(shelf, asked[_i].by, asked[_i].value, &f);
	ck_assert_uint_eq(f.n, asked[_i].n);
	if (f.n)
		ck_assert(f.der[0].len == strlen(asked[_i].first) &&
			  memcmp(f.der[0].p, asked[_i].first, f.der[0].len) == 0);
	public_found_clear(&f);
	ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(malformed)
{
	static const uint8_t octets[] = {0, 0, 0, 1, 'a', 0, 0, 0, 0};
	struct public_item i;

	for (uint16_t type = 0; type < 8; type++)
		for (size_t n = 0; n <= sizeof octets; n++) {
			struct ipc_in in = {.type = type, .p = octets, .n = n};
			int bare = type == PUBLIC_BEGIN || type == PUBLIC_END;

			ck_assert_int_eq(public_proto_get(&in, &i), bare && n == 0 ? 0 : -1);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("public_shelf");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sets);
	tcase_add_loop_test(t, find, 0, (int)(sizeof asked / sizeof *asked));
	tcase_add_test(t, malformed);
	suite_add_tcase(s, t);
	return suite_run(s);
}
