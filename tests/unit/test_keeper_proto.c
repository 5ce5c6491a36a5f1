/* The keeper's messages: what is written is read again; cut, extended or out of range, it is malformed. */
#include "gateway/keys/keeper_proto.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const uint8_t octets[8192] = {1, 2, 3};

static const struct keeper_request requests[] = {
    {.msg = KEEPER_MSG_STATUS, .seq = 1},
    {.msg = KEEPER_MSG_SIGN,
	.seq = 0xffffffff,
	.id = "a",
	.sign = {KEEPER_PAD_PSS, KEEPER_MD_SHA512, 64, {octets, 64}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b.c-1",
	.decrypt = {KEEPER_PAD_OAEP, KEEPER_MD_SHA1, KEEPER_MD_SHA256, 16, {octets, 3}, {octets, 512}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b",
	.decrypt = {KEEPER_PAD_PKCS1, KEEPER_MD_SHA256, KEEPER_MD_SHA256, 0, {octets, 0}, {octets, 0}}},
    {.msg = KEEPER_MSG_AGREE, .id = "b", .agree = {KEEPER_MD_SHA256, 32, {octets, 65}, {octets, 40}}},
    {.msg = KEEPER_MSG_WRAP, .key = {octets, KEYS_DATA_KEY}},
    {.msg = KEEPER_MSG_UNWRAP, .key = {octets, KEYS_WRAPPED_MAX}},
    {.msg = KEEPER_MSG_GENERATE, .id = "new", .make = {.use = KEYS_USE_TLS, .algo = KEYS_EC_P384}},
    {.msg = KEEPER_MSG_IMPORT, .id = "new", .make = {.use = KEYS_USE_SIGN, .pkcs8 = {octets, 1200}}},
    {.msg = KEEPER_MSG_CERTIFY,
	.id = "x",
	.certify = {KEYS_CERT_SELF, "Krankenhaus", "Org", "hospital.example", "gw@hospital.example", 365}},
    {.msg = KEEPER_MSG_STATEMENT, .id = "x", .attrs = {1, KEEPER_MD_SHA384, {octets, 300}}},
    {.msg = KEEPER_MSG_FORGET, .id = "old"},
};
#define NREQUESTS ((int)(sizeof(requests) / sizeof(requests[0])))

/* out of the limits, each in one field */
static const struct keeper_request bad_requests[] = {
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {KEEPER_PAD_OAEP, KEEPER_MD_SHA512, 64, {octets, 64}}},
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {0, KEEPER_MD_SHA512, 64, {octets, 64}}},
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {KEEPER_PAD_PSS, 0, 64, {octets, 64}}},
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {KEEPER_PAD_PSS, KEEPER_MD_SHA512 + 1, 64, {octets, 64}}},
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {KEEPER_PAD_PSS, KEEPER_MD_SHA512, 64, {octets, 65}}},
    {.msg = KEEPER_MSG_SIGN, .id = "a", .sign = {KEEPER_PAD_PSS, KEEPER_MD_SHA512, 64, {octets, 0}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b",
	.decrypt = {KEEPER_PAD_PSS, KEEPER_MD_SHA1, KEEPER_MD_SHA256, 16, {octets, 3}, {octets, 512}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b",
	.decrypt = {KEEPER_PAD_OAEP, KEEPER_MD_SHA1, KEEPER_MD_SHA256, 17, {octets, 3}, {octets, 512}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b",
	.decrypt = {KEEPER_PAD_OAEP, KEEPER_MD_SHA1, KEEPER_MD_SHA256, 16, {octets, 3},
	    {octets, KEEPER_CIPHERTEXT_MAX + 1}}},
    {.msg = KEEPER_MSG_DECRYPT,
	.id = "b",
	.decrypt = {KEEPER_PAD_OAEP, KEEPER_MD_SHA1, KEEPER_MD_SHA256, 16, {octets, KEEPER_LABEL_MAX + 1},
	    {octets, 512}}},
    {.msg = KEEPER_MSG_AGREE, .id = "b", .agree = {KEEPER_MD_SHA256, 0, {octets, 65}, {octets, 40}}},
    {.msg = KEEPER_MSG_AGREE, .id = "b", .agree = {KEEPER_MD_SHA256, 32, {octets, 0}, {octets, 40}}},
    {.msg = KEEPER_MSG_AGREE, .id = "b", .agree = {KEEPER_MD_SHA256, 32, {octets, 65}, {octets, KEEPER_UKM_MAX + 1}}},
    {.msg = KEEPER_MSG_STATEMENT, .id = "x", .attrs = {2, KEEPER_MD_SHA384, {octets, 300}}},
    {.msg = KEEPER_MSG_STATEMENT, .id = "x", .attrs = {1, 0, {octets, 300}}},
    {.msg = KEEPER_MSG_STATEMENT, .id = "x", .attrs = {1, KEEPER_MD_SHA384, {octets, KEEPER_ATTRS_MAX + 1}}},
    {.msg = KEEPER_MSG_WRAP, .key = {octets, KEYS_DATA_KEY - 1}},
    {.msg = KEEPER_MSG_WRAP, .key = {octets, KEYS_DATA_KEY + 1}},
    {.msg = KEEPER_MSG_UNWRAP, .key = {octets, KEYS_WRAPPED_MAX + 1}},
    {.msg = KEEPER_MSG_GENERATE, .id = "new", .make = {.use = 0, .algo = KEYS_EC_P384}},
    {.msg = KEEPER_MSG_GENERATE, .id = "new", .make = {.use = KEYS_USE_TLS, .algo = KEYS_EC_P521 + 1}},
    {.msg = KEEPER_MSG_IMPORT, .id = "new", .make = {.use = KEYS_USE_STATEMENT + 1, .pkcs8 = {octets, 1200}}},
    {.msg = KEEPER_MSG_IMPORT, .id = "new", .make = {.use = KEYS_USE_SIGN, .pkcs8 = {octets, 0}}},
    {.msg = KEEPER_MSG_CERTIFY, .id = "x", .certify = {KEYS_CERT_SELF + 1, "a", "b", "c", "d", 365}},
};
#define NBAD ((int)(sizeof(bad_requests) / sizeof(bad_requests[0])))

/* The packet of o as a receiver sees it, with n octets of fields. */
static struct ipc_in received(const struct ipc_out *o, size_t n)
{
	struct ipc_in in = {.type = (uint16_t)(o->b.p[2] << 8 | o->b.p[3]), .p = o->b.p + IPC_HEADER, .n = n};

	in.id = (uint32_t)o->b.p[4] << 24 | (uint32_t)o->b.p[5] << 16 | (uint32_t)o->b.p[6] << 8 | o->b.p[7];
	return in;
}

static void same(const struct keeper_octets *a, const struct keeper_octets *b)
{
	ck_assert_uint_eq(a->n, b->n);
	if (a->n)
		ck_assert_mem_eq(a->p, b->p, a->n);
}

START_TEST(round_trip)
{
	const struct keeper_request *want = &requests[_i];
	struct keeper_request got;
	struct ipc_out o;
	struct ipc_in in;
	size_t n;

	ck_assert_int_eq(keeper_proto_put_request(&o, want), 0);
	n = o.b.len - IPC_HEADER;
	in = received(&o, n);
	ck_assert_int_eq(keeper_proto_get_request(&in, &got), 0);
	ck_assert_int_eq(got.msg, want->msg);
	ck_assert_uint_eq(got.seq, want->seq);
	ck_assert_str_eq(got.id, want->id);
	switch (want->msg) {
	case KEEPER_MSG_SIGN:
		ck_assert_mem_eq(&got.sign, &want->sign, offsetof(struct keeper_sign, digest));
		same(&got.sign.digest, &want->sign.digest);
		break;
	case KEEPER_MSG_DECRYPT:
		ck_assert_mem_eq(&got.decrypt, &want->decrypt, offsetof(struct keeper_decrypt, want) + 1);
		same(&got.decrypt.label, &want->decrypt.label);
		same(&got.decrypt.ciphertext, &want->decrypt.ciphertext);
		break;
	case KEEPER_MSG_AGREE:
		ck_assert_mem_eq(&got.agree, &want->agree, 2);
		same(&got.agree.point, &want->agree.point);
		same(&got.agree.ukm, &want->agree.ukm);
		break;
	case KEEPER_MSG_WRAP:
	case KEEPER_MSG_UNWRAP:
		same(&got.key, &want->key);
		break;
	case KEEPER_MSG_IMPORT:
	case KEEPER_MSG_GENERATE:
		same(&got.make.pkcs8, &want->make.pkcs8);
		ck_assert_uint_eq(got.make.use, want->make.use);
		ck_assert_uint_eq(got.make.algo, want->make.algo);
		break;
	case KEEPER_MSG_CERTIFY:
		ck_assert_str_eq(got.certify.common_name, want->certify.common_name);
		ck_assert_str_eq(got.certify.organisation, want->certify.organisation);
		ck_assert_str_eq(got.certify.dns_name, want->certify.dns_name);
		ck_assert_str_eq(got.certify.rfc822_name, want->certify.rfc822_name);
		ck_assert_uint_eq(got.certify.days, want->certify.days);
		ck_assert_uint_eq(got.certify.kind, want->certify.kind);
		break;
	case KEEPER_MSG_STATEMENT:
		same(&got.attrs.der, &want->attrs.der);
		ck_assert_uint_eq(got.attrs.pss, want->attrs.pss);
		ck_assert_uint_eq(got.attrs.md, want->attrs.md);
		break;
	default:
		break;
	}
	ipc_out_clear(&o);
}
END_TEST

START_TEST(cut_and_extended)
{
	struct keeper_request got;
	struct ipc_out o;
	struct ipc_in in;
	size_t n;

	ck_assert_int_eq(keeper_proto_put_request(&o, &requests[_i]), 0);
	n = o.b.len - IPC_HEADER;
	for (size_t i = 0; i < n; i++) {
		in = received(&o, i);
		ck_assert_int_eq(keeper_proto_get_request(&in, &got), -1);
	}
	ipc_put_u8(&o, 0); /* left over */
	in = received(&o, n + 1);
	ck_assert_int_eq(keeper_proto_get_request(&in, &got), -1);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(out_of_range)
{
	struct ipc_out o;
	struct keeper_request got;
	struct ipc_in in;

	/* the writer refuses ... */
	ck_assert_int_eq(keeper_proto_put_request(&o, &bad_requests[_i]), -1);
	/* ... and a writer who does not care is refused by the reader */
	in = received(&o, o.b.len - IPC_HEADER);
	ck_assert_int_eq(keeper_proto_get_request(&in, &got), -1);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(unknown_types)
{
	static const uint16_t types[] = {0, KEEPER_MSG_END, 0x7fff, 0x8000, 0x8000 | KEEPER_MSG_STATUS, 0xffff};
	struct keeper_request rq;
	struct keeper_reply rp;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct ipc_in in = {.type = types[i], .p = octets, .n = 0};

		ck_assert_int_eq(keeper_proto_get_request(&in, &rq), -1);
		in = (struct ipc_in){.type = (uint16_t)(types[i] ^ 0x8000), .p = octets, .n = 0};
		ck_assert_int_eq(keeper_proto_get_reply(&in, &rp), -1);
	}
}
END_TEST

static void reply_trip(const struct keeper_reply *want, struct keeper_reply *got)
{
	struct ipc_out o;
	struct ipc_in in;
	size_t n;

	ck_assert_int_eq(keeper_proto_put_reply(&o, want), 0);
	n = o.b.len - IPC_HEADER;
	for (size_t i = 0; i < n; i++) {
		in = received(&o, i);
		ck_assert_int_eq(keeper_proto_get_reply(&in, got), -1);
	}
	in = received(&o, n);
	ck_assert_int_eq(keeper_proto_get_reply(&in, got), 0);
	ck_assert_int_eq(got->msg, want->msg);
	ck_assert_uint_eq(got->seq, want->seq);
	ck_assert_int_eq(got->ok, want->ok);
	ck_assert_uint_eq(got->data.n && want->ok && want->msg == KEEPER_MSG_SIGN ? got->data.p[0] : 1, 1);
	ipc_out_clear(&o);
}

START_TEST(replies)
{
	struct keeper_reply got,
	    status = {.msg = KEEPER_MSG_STATUS, .seq = 9, .ok = true, .status = {KEYS_SEALED, 70000}};
	struct keeper_reply sig = {.msg = KEEPER_MSG_SIGN, .seq = 10, .ok = true, .data = {octets, 256}};
	struct keeper_reply cek = {
	    .msg = KEEPER_MSG_DECRYPT, .ok = true, .cek = {16, "0123456789abcdefxxxxxxxxxxxxxxx"}};
	struct keeper_reply no = {.msg = KEEPER_MSG_DECRYPT};

	reply_trip(&status, &got);
	ck_assert_uint_eq(got.status.nkeys, 70000);
	ck_assert_uint_eq(got.status.state, KEYS_SEALED);
	reply_trip(&sig, &got);
	reply_trip(&cek, &got);
	ck_assert_uint_eq(got.cek.len, 16);
	ck_assert_mem_eq(got.cek.key, cek.cek.key, 32);
	problem_set(&no.problem, PROBLEM_TEMP, 451, "4.3.0", "RFC 1", "not %s", "now");
	reply_trip(&no, &got);
	ck_assert_int_eq(got.problem.cls, PROBLEM_TEMP);
	ck_assert_int_eq(got.problem.code, 451);
	ck_assert_str_eq(got.problem.enh, "4.3.0");
	ck_assert_str_eq(got.problem.rfc, "RFC 1");
	ck_assert_str_eq(got.problem.text, "not now");
}
END_TEST

/* The replies to a decryption have all the same size, whatever the key's length. */
START_TEST(reply_shape)
{
	size_t first = 0;

	for (uint8_t len = 16; len <= 32; len = (uint8_t)(len + 8)) {
		struct keeper_reply rp = {.msg = KEEPER_MSG_DECRYPT, .ok = true, .cek = {.len = len}};
		struct ipc_out o;

		ck_assert_int_eq(keeper_proto_put_reply(&o, &rp), 0);
		if (!first)
			first = o.b.len;
		ck_assert_uint_eq(o.b.len, first);
		ipc_out_clear(&o);
	}
}
END_TEST

START_TEST(ids)
{
	static const char *const good[] = {"a", "0", "-", "hospital.example-sign-20261122-1a2b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const bad[] = {"", ".", ".a", "..", "A", "a/b", "a b", "a\n", "\xc3\xa4", "a_b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(keeper_proto_id_ok(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!keeper_proto_id_ok(bad[i]), "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_proto");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, round_trip, 0, NREQUESTS);
	tcase_add_loop_test(t, cut_and_extended, 0, NREQUESTS);
	tcase_add_loop_test(t, out_of_range, 0, NBAD);
	tcase_add_test(t, unknown_types);
	tcase_add_test(t, replies);
	tcase_add_test(t, reply_shape);
	tcase_add_test(t, ids);
	suite_add_tcase(s, t);
	return suite_run(s);
}
