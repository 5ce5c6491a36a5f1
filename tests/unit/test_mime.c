/* mime.c: one entity, its parts octet for octet, and what it is to S/MIME. */
#include "gateway/mail/mime.h"

#include "tests/unit/slow_reader.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new(1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

static int read_entity(
    const char *text, size_t step, struct slow_reader *s, struct mime_entity *e, struct problem *pr)
{
	slow_init(s, text, strlen(text), step);
	return mime_entity_read(arena, &s->reader, 0, strlen(text), &mime_limits_default, e, pr);
}

static const struct {
	const char *in;
	const char *type, *subtype; /* NULL: refused */
	enum mime_cte cte;
	const char *filename;
	enum mime_smime smime;
} entities[] = {
    {"\r\nbody", "text", "plain", MIME_CTE_7BIT, NULL, MIME_SMIME_NONE},
    {"", "text", "plain", MIME_CTE_7BIT, NULL, MIME_SMIME_NONE},
    {"Content-Type: TEXT/Html\r\nContent-Transfer-Encoding: 8BIT\r\n\r\n", "text", "html", MIME_CTE_8BIT, NULL,
	MIME_SMIME_NONE},
    {"Content-Type:\r\n\r\n", "text", "plain", MIME_CTE_7BIT, NULL, MIME_SMIME_NONE},
    {"Content-Type: text\r\n\r\n", "text", "plain", MIME_CTE_7BIT, NULL, MIME_SMIME_NONE},
    {"Content-Transfer-Encoding: (x) base64 (y)\r\n\r\n", "text", "plain", MIME_CTE_BASE64, NULL, MIME_SMIME_NONE},
    {"Content-Transfer-Encoding: Quoted-Printable\r\n\r\n", "text", "plain", MIME_CTE_QP, NULL, MIME_SMIME_NONE},
    {"Content-Transfer-Encoding: binary\r\n\r\n", "text", "plain", MIME_CTE_BINARY, NULL, MIME_SMIME_NONE},
    {"Content-Transfer-Encoding: x-uuencode\r\n\r\n", "text", "plain", MIME_CTE_OTHER, NULL, MIME_SMIME_NONE},
    {"Content-Transfer-Encoding: base64x\r\n\r\n", "text", "plain", MIME_CTE_OTHER, NULL, MIME_SMIME_NONE},
    {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\n", "application",
	"pkcs7-mime", MIME_CTE_7BIT, "smime.p7m", MIME_SMIME_PKCS7},
    {"Content-Type: Application/X-PKCS7-MIME\r\n\r\n", "application", "x-pkcs7-mime", MIME_CTE_7BIT, NULL,
	MIME_SMIME_PKCS7},
    {"Content-Type: application/octet-stream; name=SMIME.P7M\r\n\r\n", "application", "octet-stream", MIME_CTE_7BIT,
	"SMIME.P7M", MIME_SMIME_PKCS7},
    {"Content-Type: application/pkcs7-mime; smime-type=Certs-Only; name=smime.p7c\r\n\r\n", "application",
	"pkcs7-mime", MIME_CTE_7BIT, "smime.p7c", MIME_SMIME_NONE},
    {"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n",
	"application", "octet-stream", MIME_CTE_7BIT, "smime.p7m", MIME_SMIME_PKCS7},
    {"Content-Type: application/octet-stream; name=smime.p7m\r\nContent-Disposition: attachment; "
     "filename=x.bin\r\n\r\n",
	"application", "octet-stream", MIME_CTE_7BIT, "x.bin", MIME_SMIME_PKCS7},
    {"Content-Type: application/octet-stream; name=.p7m\r\n\r\n", "application", "octet-stream", MIME_CTE_7BIT,
	".p7m", MIME_SMIME_NONE},
    {"Content-Type: application/octet-stream; name=x.p7s\r\n\r\n", "application", "octet-stream", MIME_CTE_7BIT,
	"x.p7s", MIME_SMIME_NONE},
    {"Content-Type: text/plain; name=smime.p7m\r\n\r\n", "text", "plain", MIME_CTE_7BIT, "smime.p7m",
	MIME_SMIME_NONE},
    {"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n", "multipart",
	"signed", MIME_CTE_7BIT, NULL, MIME_SMIME_DETACHED},
    {"Content-Type: multipart/signed; protocol=Application/X-PKCS7-Signature; boundary=b\r\n\r\n", "multipart",
	"signed", MIME_CTE_7BIT, NULL, MIME_SMIME_DETACHED},
    {"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n", "multipart",
	"signed", MIME_CTE_7BIT, NULL, MIME_SMIME_NONE},
    {"Content-Type: multipart/signed; boundary=b\r\n\r\n", "multipart", "signed", MIME_CTE_7BIT, NULL,
	MIME_SMIME_NONE},
    {"Content-Type: text/plain\r\nContent-Type: text/plain\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Type: text/plain\r\ncontent-type: multipart/mixed; boundary=b\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Type: multipart\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Type: multipart/ mixed/x\r\nbad line\r\n\r\n", NULL, NULL, 0, NULL, 0},
    {"Content-Type: message/\r\n\r\n", NULL, NULL, 0, NULL, 0},
};

START_TEST(test_entity)
{
	struct mime_entity e;
	struct slow_reader s;
	struct problem pr;

	ck_assert_int_eq(read_entity(entities[_i].in, 65536, &s, &e, &pr), entities[_i].type ? 0 : -1);
	if (!entities[_i].type) {
		ck_assert_int_eq(pr.code, 554);
		return;
	}
	ck_assert(mime_is(&e.type, entities[_i].type, entities[_i].subtype));
	ck_assert_int_eq(e.cte, entities[_i].cte);
	ck_assert_pstr_eq(e.filename, entities[_i].filename);
	ck_assert_int_eq(mime_smime(&e), entities[_i].smime);
	ck_assert_uint_eq(e.body_off + e.body_len, strlen(entities[_i].in));
}
END_TEST

#define MULTI "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
static const struct {
	const char *in;
	const char *want; /* parts in brackets; NULL: refused */
} multis[] = {
    {MULTI "--b\r\n\r\none\r\n--b--\r\n", "[\r\none]"},
    {MULTI "--b\r\nA: b\r\n\r\none\r\n\r\n--b\r\n\r\ntwo\r\n--b--", "[A: b\r\n\r\none\r\n][\r\ntwo]"},
    {MULTI "preamble\r\n--b \t\r\n\r\none\r\n--b--  \r\nepilogue\r\n--b\r\nno part\r\n", "[\r\none]"},
    {MULTI "--b\r\n--b--", "[]"},
    {MULTI "--b\r\n\r\n--b--", "[]"},
    {MULTI "--b\r\n\r\n\r\n--b--", "[\r\n]"},
    {MULTI "--b\r\nx\r\n--b\r\n--b\r\n\r\n--b--", "[x][][]"},
    {MULTI "--b\r\n\r\n--bb\r\n --b\r\n-b\r\n--b-\r\n--B\r\n--b--x\r\n--b--",
	"[\r\n--bb\r\n --b\r\n-b\r\n--b-\r\n--B\r\n--b--x]"},
    {MULTI "--b\r\n\r\na\n--b\n--b--\r--b--\r\n--b--", "[\r\na\n--b\n--b--\r--b--]"},
    {MULTI "x--b\r\n--b\r\n\r\n1\r\n--b--", "[\r\n1]"},
    {MULTI "", NULL},
    {MULTI "text\r\n", NULL},
    {MULTI "--b\r\n\r\none\r\n", NULL},
    {MULTI "--b\r\n\r\none\r\n--b\r\n", NULL},
    {MULTI "--b--\r\n", NULL},
    {MULTI "--b--\r\n--b\r\n\r\none\r\n--b--\r\n", NULL},
    {"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n--b--\r\n", NULL},
    {"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\none\r\n----\r\n", NULL},
    {"Content-Type: multipart/mixed; boundary=\"b \"\r\n\r\n--b \r\n\r\none\r\n--b --\r\n", NULL},
};

START_TEST(test_parts)
{
	const char *in = multis[_i].in;

	for (size_t step = 1; step <= strlen(in); step++) {
		struct mime_range *parts;
		struct mime_entity e;
		struct slow_reader s;
		struct buf got;
		size_t n;

		buf_init(&got, 4096);
		ck_assert_int_eq(read_entity(in, step, &s, &e, NULL), 0);
		ck_assert_int_eq(mime_parts(arena, &s.reader, &e, &mime_limits_default, &parts, &n, NULL),
		    multis[_i].want ? 0 : -1);
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(buf_addc(&got, '[') || buf_add(&got, in + parts[i].off, parts[i].len) ||
					     buf_addc(&got, ']'),
			    0);
		ck_assert_str_eq(buf_str(&got), multis[_i].want ? multis[_i].want : "");
		buf_clear(&got);
	}
}
END_TEST

START_TEST(test_part_limit)
{
	struct mime_limits lim = mime_limits_default;
	struct mime_range *parts;
	struct mime_entity e;
	struct slow_reader s;
	struct buf text;
	size_t n;

	buf_init(&text, 65536);
	ck_assert_int_eq(buf_adds(&text, MULTI), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(buf_adds(&text, "--b\r\n\r\nx\r\n"), 0);
	ck_assert_int_eq(buf_adds(&text, "--b--\r\n"), 0);
	ck_assert_int_eq(read_entity(buf_str(&text), 65536, &s, &e, NULL), 0);
	lim.parts = 20;
	ck_assert_int_eq(mime_parts(arena, &s.reader, &e, &lim, &parts, &n, NULL), 0);
	ck_assert_uint_eq(n, 20);
	lim.parts = 19;
	ck_assert_int_eq(mime_parts(arena, &s.reader, &e, &lim, &parts, &n, NULL), -1);
	buf_clear(&text);
}
END_TEST

#define SIGNED "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n"
#define SIGNATURE "Content-Type: application/pkcs7-signature\r\n\r\nAAAA"
static const struct {
	const char *in;
	const char *content; /* NULL: refused */
} detached[] = {
    {SIGNED "--b\r\n\r\ntext\r\n\r\n--b\r\n" SIGNATURE "\r\n--b--\r\n", "\r\ntext\r\n"},
    {SIGNED "pre\r\n--b\r\nA: b\r\n\r\ntext\r\n--b\r\n" SIGNATURE "\r\n--b--\r\npost\r\n", "A: b\r\n\r\ntext"},
    {SIGNED "--b\r\n\r\ntext\r\n--b\r\n" SIGNATURE "\r\n--b\r\n\r\nthird\r\n--b--\r\n", NULL},
    {SIGNED "--b\r\n\r\ntext\r\n--b--\r\n", NULL},
    {SIGNED "--b\r\n" SIGNATURE "\r\n--b\r\n\r\ntext\r\n--b--\r\n", NULL},
    {SIGNED "--b\r\n\r\ntext\r\n--bad\r\n\r\nshown elsewhere\r\n--b\r\n" SIGNATURE "\r\n--b--\r\n", NULL},
    {SIGNED "--b\r\n\r\ntext\r\n--b\r\n" SIGNATURE "\r\n--b--\r\n--b\r\n\r\nmore\r\n--b--\r\n", NULL},
    {SIGNED "--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nAAAA\r\n--b--\r\n", NULL},
};

START_TEST(test_detached)
{
	struct mime_entity e, signature;
	struct mime_range content;
	struct slow_reader s;
	int result;

	ck_assert_int_eq(read_entity(detached[_i].in, 7, &s, &e, NULL), 0);
	result = mime_detached(arena, &s.reader, &e, &mime_limits_default, &content, &signature, NULL);
	ck_assert_int_eq(result, detached[_i].content ? 0 : -1);
	if (result == 0) {
		ck_assert_uint_eq(content.len, strlen(detached[_i].content));
		ck_assert_mem_eq(detached[_i].in + content.off, detached[_i].content, content.len);
		ck_assert_uint_eq(signature.body_len, 4);
		ck_assert_mem_eq(detached[_i].in + signature.body_off, "AAAA", 4);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mime");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_entity, 0, (int)(sizeof(entities) / sizeof(entities[0])));
	tcase_add_loop_test(t, test_parts, 0, (int)(sizeof(multis) / sizeof(multis[0])));
	tcase_add_test(t, test_part_limit);
	tcase_add_loop_test(t, test_detached, 0, (int)(sizeof(detached) / sizeof(detached[0])));
	suite_add_tcase(s, t);
	return suite_run(s);
}
