/* Questions and answers between relay and scout: there and back, and everything that must not decode. */
#include "gateway/scout/scout_proto.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

/* The fields as a receiver gets them. */
static struct ipc_in as_in(const struct ipc_out *o, uint16_t type)
{
	return (struct ipc_in){.type = type, .id = 7, .p = o->b.p + IPC_HEADER, .n = o->b.len - IPC_HEADER};
}

static void fill_tlsa(struct scout_hosts *h, size_t i, size_t n)
{
	h->hosts[i].tlsa_state = SCOUT_TLSA_SOME;
	snprintf(h->hosts[i].tlsa_base, sizeof h->hosts[i].tlsa_base, "base%zu.lab.example", i);
	h->hosts[i].ntlsa = n;
	for (size_t k = 0; k < n; k++) {
		h->hosts[i].tlsa[k] = (struct scout_tlsa){
		    .usage = 3, .selector = 1, .matching = 1, .at = (uint16_t)h->noctets, .len = 32};
		memset(h->octets + h->noctets, (int)(i + k), 32);
		h->noctets += 32;
	}
}

static void fill(struct scout_hosts *h, size_t nhosts, size_t naddrs)
{
	*h = (struct scout_hosts){.status = SCOUT_OK, .secure = true, .sts = SCOUT_STS_ENFORCE, .nhosts = nhosts};
	if (naddrs == 1)
		h->sts = SCOUT_STS_UNKNOWN;
	snprintf(h->domain, sizeof h->domain, "lab2.example");
	for (size_t i = 0; i < nhosts; i++) {
		snprintf(h->hosts[i].name, sizeof h->hosts[i].name, "mx%zu.lab.example", i);
		h->hosts[i].pref = (unsigned)(i * 1000);
		h->hosts[i].naddrs = naddrs;
		h->hosts[i].sts_match = i % 2;
		if (i % 3 == 0)
			fill_tlsa(h, i, i == 0 ? SCOUT_TLSA_MAX : 1);
		else
			h->hosts[i].tlsa_state = i % 3 == 1 ? SCOUT_TLSA_TEMP : SCOUT_TLSA_NONE;
		for (size_t k = 0; k < naddrs; k++) {
			struct sockaddr_in *in4 = (struct sockaddr_in *)&h->hosts[i].addrs[k];
			struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&h->hosts[i].addrs[k];

			if (k % 2) {
				in6->sin6_family = AF_INET6;
				ck_assert_int_eq(inet_pton(AF_INET6, "2001:db8::1", &in6->sin6_addr), 1);
			} else {
				in4->sin_family = AF_INET;
				in4->sin_addr.s_addr = htonl(0xc0000200u + (unsigned)k);
			}
		}
	}
}

START_TEST(ask_there_and_back)
{
	for (int kind = SCOUT_KIND_MX; kind <= SCOUT_KIND_HOST; kind++) {
		struct scout_ask a = {.kind = (enum scout_kind)kind,
				     .name = "lab.example",
				     .tlsa_port = 25,
				     .sts = true},
				 b;
		struct ipc_out o;
		struct ipc_in in;

		scout_proto_put_ask(&o, 7, &a);
		ck_assert(!o.bad);
		in = as_in(&o, SCOUT_PROTO_ASK);
		ck_assert_int_eq(scout_proto_get_ask(&in, &b), 0);
		ck_assert_int_eq(b.kind, kind);
		ck_assert(b.tlsa_port == 25 && b.sts);
		ck_assert_str_eq(b.name, "lab.example");
		ipc_out_clear(&o);
	}
}
END_TEST

START_TEST(hosts_there_and_back)
{
	static const size_t sizes[][2] = {{1, 1}, {1, SCOUT_ADDRS_MAX}, {SCOUT_HOSTS_MAX, SCOUT_ADDRS_MAX}};
	struct scout_hosts a, b;
	struct ipc_out o;

	fill(&a, sizes[_i][0], sizes[_i][1]);
	scout_proto_put_hosts(&o, 7, &a);
	ck_assert(!o.bad);

	struct ipc_in in = as_in(&o, SCOUT_PROTO_HOSTS);

	ck_assert_int_eq(scout_proto_get_hosts(&in, &b), 0);
	ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(failures_there_and_back)
{
	static const enum scout_status states[] = {SCOUT_NULL_MX, SCOUT_PERM, SCOUT_TEMP};
	struct scout_hosts a = {.status = states[_i]}, b;
	struct ipc_out o;

	problem_set(&a.problem, a.status == SCOUT_TEMP ? PROBLEM_TEMP : PROBLEM_PERM, 550, "5.1.2", "RFC 5321 5.1",
	    "lab.example no");
	scout_proto_put_hosts(&o, 7, &a);

	struct ipc_in in = as_in(&o, SCOUT_PROTO_HOSTS);

	ck_assert_int_eq(scout_proto_get_hosts(&in, &b), 0);
	ck_assert_int_eq(b.status, a.status);
	ck_assert_str_eq(b.problem.text, "lab.example no");
	ck_assert_str_eq(b.problem.enh, "5.1.2");
	ck_assert_str_eq(b.problem.rfc, "RFC 5321 5.1");
	ck_assert_int_eq(b.problem.code, 550);
	ipc_out_clear(&o);
}
END_TEST

/* Cut anywhere, or with one octet more: not decoded. */
START_TEST(wrong_length)
{
	struct scout_hosts a, b;
	struct scout_ask ask = {.name = "lab.example"}, got;
	struct ipc_out o;
	struct ipc_in in;
	size_t whole;

	fill(&a, 2, 3);
	scout_proto_put_hosts(&o, 7, &a);
	ipc_put_u8(&o, 0);
	whole = o.b.len - IPC_HEADER - 1;
	for (size_t n = 0; n <= whole + 1; n++) {
		in = as_in(&o, SCOUT_PROTO_HOSTS);
		in.n = n;
		ck_assert_int_eq(scout_proto_get_hosts(&in, &b), n == whole ? 0 : -1);
	}
	ipc_out_clear(&o);

	scout_proto_put_ask(&o, 7, &ask);
	ipc_put_u8(&o, 0);
	whole = o.b.len - IPC_HEADER - 1;
	for (size_t n = 0; n <= whole + 1; n++) {
		in = as_in(&o, SCOUT_PROTO_ASK);
		in.n = n;
		ck_assert_int_eq(scout_proto_get_ask(&in, &got), n == whole ? 0 : -1);
	}
	ipc_out_clear(&o);
}
END_TEST

/* What the structs promise is checked again. */
static void break_it(struct scout_hosts *h, int how)
{
	switch (how) {
	case 0:
		h->status = (enum scout_status)4;
		break;
	case 1:
		h->nhosts = 0;
		break; /* OK without hosts */
	case 2:
		h->hosts[0].naddrs = 0;
		break;
	case 3:
		h->hosts[0].name[0] = 0;
		break;
	case 4:
		h->status = SCOUT_PERM;
		break; /* with hosts, without a problem */
	case 5:
		problem_set(&h->problem, PROBLEM_TEMP, 451, "4.4.3", "", "x");
		break; /* OK with a problem */
	case 6:
		h->nhosts = 0, h->status = SCOUT_TEMP;
		problem_set(&h->problem, PROBLEM_PERM, 550, "5.1.2", "", "x");
		break;
	case 7:
		h->problem.cls = (enum problem_class)9;
		break;
	case 8:
		h->problem.code = 600;
		break;
	case 9:
		h->hosts[0].tlsa_base[0] = 0;
		break;
	case 10:
		h->hosts[0].tlsa_state = SCOUT_TLSA_NONE;
		break; /* with records */
	case 11:
		h->hosts[0].tlsa_state = (enum scout_tlsa_state)3;
		break;
	case 12:
		h->sts = (enum scout_sts)4;
		break;
	default:
		break;
	}
}

START_TEST(inconsistent)
{
	struct scout_hosts a, b;
	struct ipc_out o;

	fill(&a, 2, 2);
	break_it(&a, _i);
	scout_proto_put_hosts(&o, 7, &a);

	struct ipc_in in = as_in(&o, SCOUT_PROTO_HOSTS);

	ck_assert_int_eq(scout_proto_get_hosts(&in, &b), -1);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(wrong_type_and_kind)
{
	struct scout_ask a = {.kind = (enum scout_kind)2, .name = "lab.example"}, got;
	struct scout_hosts h;
	struct ipc_out o;

	scout_proto_put_ask(&o, 7, &a);

	struct ipc_in in = as_in(&o, SCOUT_PROTO_ASK);

	ck_assert_int_eq(scout_proto_get_ask(&in, &got), -1);
	ipc_out_clear(&o);
	a = (struct scout_ask){.kind = SCOUT_KIND_MX};
	scout_proto_put_ask(&o, 7, &a);
	in = as_in(&o, SCOUT_PROTO_ASK);
	ck_assert_int_eq(scout_proto_get_ask(&in, &got), -1);
	in = as_in(&o, SCOUT_PROTO_HOSTS);
	ck_assert_int_eq(scout_proto_get_hosts(&in, &h), -1);
	in = as_in(&o, SCOUT_PROTO_HOSTS);
	ck_assert_int_eq(scout_proto_get_ask(&in, &got), -1);
	ipc_out_clear(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scout_proto");
	TCase *t = tcase_create("proto");

	tcase_add_test(t, ask_there_and_back);
	tcase_add_loop_test(t, hosts_there_and_back, 0, 3);
	tcase_add_loop_test(t, failures_there_and_back, 0, 3);
	tcase_add_test(t, wrong_length);
	tcase_add_loop_test(t, inconsistent, 0, 13);
	tcase_add_test(t, wrong_type_and_kind);
	suite_add_tcase(s, t);
	return suite_run(s);
}
