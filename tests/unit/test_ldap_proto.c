/* relay <-> scout about directories: there and back, cut, too long, out of range. */
#include "gateway/scout/ldap_proto.h"

#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct ipc_in as_in(const struct ipc_out *o, uint16_t type)
{
	return (struct ipc_in){.type = type, .id = 7, .p = o->b.p + IPC_HEADER, .n = o->b.len - IPC_HEADER};
}

START_TEST(there_and_back)
{
	struct ldap_proto_ask a = {"house", "anna*()", "hospital.example"}, b;
	struct ldap_proto_answer c = {LDAP_PROTO_WRONG, "ldap://x: bind: no\n\x1b[2J"}, d;
	struct ipc_out o;
	struct ipc_in in;

	ldap_proto_put_ask(&o, 7, &a);
	in = as_in(&o, LDAP_PROTO_ASK);
	ck_assert_int_eq(ldap_proto_get_ask(&in, &b), 0);
	ck_assert_str_eq(b.directory, a.directory);
	ck_assert_str_eq(b.local, a.local);
	ck_assert_str_eq(b.domain, a.domain);
	in = as_in(&o, LDAP_PROTO_ANSWER);
	ck_assert_int_eq(ldap_proto_get_answer(&in, &d), -1);
	ipc_out_clear(&o);

	ldap_proto_put_answer(&o, 7, &c);
	in = as_in(&o, LDAP_PROTO_ANSWER);
	ck_assert_int_eq(ldap_proto_get_answer(&in, &d), 0);
	ck_assert_int_eq(d.status, LDAP_PROTO_WRONG);
	ck_assert_str_eq(d.said, "ldap://x: bind: no??[2J");
	in = as_in(&o, LDAP_PROTO_ASK);
	ck_assert_int_eq(ldap_proto_get_ask(&in, &b), -1);
	ipc_out_clear(&o);
}
END_TEST

/* Cut anywhere, or with one octet more: not decoded. */
START_TEST(wrong_length)
{
	struct ldap_proto_ask a = {"house", "anna", "hospital.example"}, b;
	struct ldap_proto_answer c = {LDAP_PROTO_FOUND, "words"}, d;
	struct ipc_out o;
	size_t whole;

	for (int kind = 0; kind < 2; kind++) {
		if (kind == 0)
			ldap_proto_put_ask(&o, 7, &a);
		else
			ldap_proto_put_answer(&o, 7, &c);
		ipc_put_u8(&o, 0);
		whole = o.b.len - IPC_HEADER - 1;
		for (size_t n = 0; n <= whole + 1; n++) {
			struct ipc_in in = as_in(&o, kind == 0 ? LDAP_PROTO_ASK : LDAP_PROTO_ANSWER);

			in.n = n;
			ck_assert_int_eq(kind == 0 ? ldap_proto_get_ask(&in, &b) : ldap_proto_get_answer(&in, &d),
			    n == whole ? 0 : -1);
		}
		ipc_out_clear(&o);
	}
}
END_TEST

START_TEST(out_of_range)
{
	struct ldap_proto_ask a = {"house", "", "hospital.example"};
	struct ldap_proto_answer c = {(enum ldap_proto_status)4, "words"};
	struct ipc_out o;
	struct ipc_in in;

	ldap_proto_put_ask(&o, 7, &a);
	in = as_in(&o, LDAP_PROTO_ASK);
	ck_assert_int_eq(ldap_proto_get_ask(&in, &a), -1);
	ipc_out_clear(&o);
	ldap_proto_put_answer(&o, 7, &c);
	in = as_in(&o, LDAP_PROTO_ANSWER);
	ck_assert_int_eq(ldap_proto_get_answer(&in, &c), -1);
	ipc_out_clear(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ldap_proto");
	TCase *t = tcase_create("proto");

	tcase_add_test(t, there_and_back);
	tcase_add_test(t, wrong_length);
	tcase_add_test(t, out_of_range);
	suite_add_tcase(s, t);
	return suite_run(s);
}
