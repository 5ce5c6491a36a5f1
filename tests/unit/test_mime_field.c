/* mime_field.c through mime_type_parse: types and parameters as programs write them. */
#include "gateway/mail/mime_field.h"

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

static const struct {
	const char *in;
	const char *want; /* type/subtype;name=value;... NULL: refused */
} cases[] = {
    {" text/plain\r\n", "text/plain"},
    {"TEXT/HTML; Charset=UTF-8", "text/html;charset=UTF-8"},
    {"text/plain;charset=\"us-ascii\" (comment)", "text/plain;charset=us-ascii"},
    {"(a) text (b) / (c) plain (d) ; (e) charset (f) = (g) x (h)", "text/plain;charset=x"},
    {"multipart/mixed;\r\n\tboundary=\"a b\\\"c\"", "multipart/mixed;boundary=a b\"c"},
    {"multipart/mixed; boundary=----=_Part_1.2/3:4", "multipart/mixed;boundary=----=_Part_1.2/3:4"},
    {"text/plain; charset=utf-8;;  ; format=flowed;", "text/plain;charset=utf-8;format=flowed"},
    {"application/pdf; name=my file.pdf; x=y", "application/pdf;name=my file.pdf;x=y"},
    {"application/pdf; name=\"x;y.pdf\"", "application/pdf;name=x;y.pdf"},
    {"application/pdf; name*=utf-8'en'%C3%A4b%20c.pdf", "application/pdf;name=\xc3\xa4"
							"b c.pdf"},
    {"application/pdf; name*0=\"a\"; name*1=\"b\"; name*2=c", "application/pdf;name=abc"},
    {"application/pdf; name*2=c; name*0=a; name*1=b", "application/pdf;name=abc"},
    {"application/pdf; name*0*=utf-8''%41; name*1=%42; name*2*=%43", "application/pdf;name=A%42C"},
    {"application/pdf; name*0*=''it's", "application/pdf;name=it's"},
    {"application/pdf; name*=%zz%4", "application/pdf;name=%zz%4"},
    {"application/pdf; name*=%41", "application/pdf;name=A"},
    {"text/plain; charset=a; charset=b", "text/plain;charset=a"},
    {"multipart/mixed; boundary=a; BOUNDARY=a", "multipart/mixed;boundary=a"},
    {"text/plain; charset", "text/plain"},
    {"text/plain; =x; a=b", "text/plain;a=b"},
    {"text/plain junk; a=b", "text/plain;a=b"},
    {"text/plain; a=\"b\" junk \"; x=y\"; c=d", "text/plain;a=b;c=d"},
    {"text/plain; a=", "text/plain;a="},
    {"text/plain; a=\"\"", "text/plain;a="},
    {"attachment; filename=x", "attachment/;filename=x"},
    {"", "/"},
    {"text", "text/"},
    {"text/", "text/"},
    {"/plain", "/plain"},
    {"text/plain; name=\"\xc3\xa4\"", "text/plain;name=\xc3\xa4"},
    {"text/plain; *=x", "text/plain;*=x"},
    {"(\xc3\xa4;) text/plain; a=b", "text/plain;a=b"},
    /* refused */
    {"multipart/mixed; boundary=a; boundary=b", NULL},
    {"multipart/mixed; boundary=a; boundary*=b", NULL},
    {"multipart/mixed; boundary=a; boundary*0=b", NULL},
    {"multipart/mixed; boundary=\"a\" b", NULL},
    {"multipart/mixed; boundary=a\"b\"", NULL},
    {"multipart/mixed; boundary", NULL},
    {"application/pkcs7-mime; smime-type=signed-data; smime-type=enveloped-data", NULL},
    {"multipart/signed; protocol=a; protocol=b", NULL},
    {"application/pdf; name*1=b", NULL},
    {"application/pdf; name*0=a; name*2=c", NULL},
    {"application/pdf; name*0=a; name*0=b", NULL},
    {"application/pdf; name*00=a", NULL},
    {"application/pdf; name*x=a", NULL},
    {"application/pdf; name*999999999999999999999=a", NULL},
    {"application/pdf; name*=%00", NULL},
    {"text/plain; a=\"b", NULL},
    {"text/plain; a=b (c", NULL},
    {"text/plain (", NULL},
    {"text/pl\xc3\xa4in", NULL},
    {"text/plain \xc3\xa4; a=b", NULL},
    {"text/plain; a=b\rc", NULL},
    {"text/plain; a=\"b\nc\"", NULL},
    {"text/plain;\nboundary=a", NULL},
};

START_TEST(test_parse)
{
	const char *in = cases[_i].in;
	struct mime_type t;
	struct problem pr;
	struct buf got;

	buf_init(&got, 4096);
	problem_clear(&pr);
	ck_assert_int_eq(
	    mime_type_parse(arena, in, strlen(in), &mime_limits_default, &t, &pr), cases[_i].want ? 0 : -1);
	if (cases[_i].want) {
		ck_assert_int_eq(buf_addf(&got, "%s/%s", t.type, t.subtype), 0);
		for (size_t i = 0; i < t.nparams; i++)
			ck_assert_int_eq(buf_addf(&got, ";%s=%s", t.params[i].name, t.params[i].value), 0);
		ck_assert_str_eq(buf_str(&got), cases[_i].want);
	} else {
		ck_assert_int_eq(pr.code, 554);
	}
	buf_clear(&got);
}
END_TEST

START_TEST(test_limit)
{
	struct mime_limits lim = mime_limits_default;
	struct mime_type t;

	lim.params = 2;
	ck_assert_int_eq(mime_type_parse(arena, "a/b;c=d;e=f", 11, &lim, &t, NULL), 0);
	ck_assert_int_eq(mime_type_parse(arena, "a/b;c=d;e=f;g=h", 15, &lim, &t, NULL), -1);
	lim.params = 100000;
	{
		struct buf many;

		buf_init(&many, 4096);
		ck_assert_int_eq(buf_adds(&many, "a/b"), 0);
		for (int i = 0; i < 64; i++)
			ck_assert_int_eq(buf_addf(&many, ";p%d=v", i), 0);
		ck_assert_int_eq(mime_type_parse(arena, buf_str(&many), many.len, &lim, &t, NULL), 0);
		ck_assert_uint_eq(t.nparams, 64);
		ck_assert_int_eq(buf_adds(&many, ";x=y"), 0);
		ck_assert_int_eq(mime_type_parse(arena, buf_str(&many), many.len, &lim, &t, NULL), -1);
		buf_clear(&many);
	}
}
END_TEST

START_TEST(test_arena)
{
	struct arena *small = arena_new(8);
	struct mime_type t;
	struct problem pr;

	ck_assert_int_eq(mime_type_parse(small, "text/plain; charset=utf-8", 25, &mime_limits_default, &t, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	arena_free(small);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mime_field");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_parse, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_limit);
	tcase_add_test(t, test_arena);
	suite_add_tcase(s, t);
	return suite_run(s);
}
