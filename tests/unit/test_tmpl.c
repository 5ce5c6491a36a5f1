/* tmpl.c and tmpl_text.c: what tags give, what they never let through, what is refused. */
#include "admin-ui/page/tmpl.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/tmpl_text.h"
#include "tests/unit/suite.h"

static const char *const files[][2] = {
    {"part", "[{{name}}]"},
    {"loop", "{{>loop}}"},
    {"list", "{{#rows}}{{>part}}{{/rows}}"},
    {"open", "{{#a}}x"},
    {"crossed", "{{#a}}{{#b}}{{/a}}{{/b}}"},
    {"unended", "x{{a"},
    {"nameless", "{{}}"},
    {"stray", "x{{/a}}"},
    {"lost", "{{>nowhere}}"},
};

static const char *given; /* the template "t" */

static const char *find(const char *name, size_t *n_r)
{
	const char *text = strcmp(name, "t") == 0 ? given : NULL;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (strcmp(files[i][0], name) == 0)
			text = files[i][1];
	if (text)
		*n_r = strlen(text);
	return text;
}

static const struct {
	const char *text, *model, *want;
} cases[] = {
    {"plain", "{}", "plain"},
    {"{{a}} {{a.b}} {{none}}", "{\"a\": {\"b\": \"x\"}}", " x "},
    {"{{a}}", "{\"a\": \"<script>alert('1')</script> & \\\"q\\\"\"}",
	"&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;q&quot;"},
    {"{{n}} {{r}} {{t}} {{f}} {{z}}", "{\"n\": -5, \"r\": 1.5, \"t\": true, \"f\": false, \"z\": null}",
	"-5 1.5 yes no "},
    {"{{a}}", "{\"a\": \"x\\r\\ny\\t\\u0007\\u007f\"}",
	"x\342\220\215\342\220\212y\342\220\211\342\220\207\342\220\241"},
    {"{{|a}}", "{\"a\": \"x\\r\\n<y>\\tz\\rw\"}", "x\n&lt;y&gt;\tz\342\220\215w"},
    {"{{a}}", "{\"a\": \"a\\u202egpj.exe\"}", "a[U+202E]gpj.exe"},
    {"{{a}}", "{\"a\": \"\\u200b\\u2066\\ufeff\\u0085\\u00ad\\u2028\"}",
	"[U+200B][U+2066][U+FEFF][U+0085][U+00AD][U+2028]"},
    {"{{a}}", "{\"a\": \"\\u0600\\u2800\\ue000\\udb40\\udc41\\udbff\\udffd\"}",
	"[U+0600][U+2800][U+E000][U+E0041][U+10FFFD]"},
    {"{{a}}", "{\"a\": \"M\\u00fcller \\u65e5\"}", "M\303\274ller \346\227\245"},
    {"{{%a}}", "{\"a\": \"a/b?c=d&e\\u00fc x.~-_\"}", "a%2Fb%3Fc%3Dd%26e%C3%BC%20x.~-_"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": true}", "yes"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": \"\"}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": []}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": {}}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": 0}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{}", "no"},
    {"{{#a}}{{.}},{{/a}}", "{\"a\": [1, \"<\", true]}", "1,&lt;,yes,"},
    {"{{#a}}{{x}}{{y}} {{/a}}", "{\"a\": [{\"x\": 1}, {\"x\": 2, \"y\": 3}], \"y\": 9}", "19 23 "},
    {"{{#a}}{{#b}}{{x}}{{/b}}{{/a}}", "{\"a\": [{\"b\": {\"x\": 1}}, {\"b\": {\"x\": 2}}]}", "12"},
    {"{{^a}}{{#b}}{{c}}{{/b}}{{/a}}|", "{\"a\": 1, \"b\": 1}", "|"},
    {"{{#a}}{{#a}}x{{/a}}{{/a}}", "{}", ""},
    {"a{{! nothing {{}}b", "{}", "ab"},
    {"{{#rows}}{{>part}}{{/rows}}", "{\"rows\": [{\"name\": \"a\"}, {\"name\": \"{{b}}\"}]}", "[a][{{b}}]"},
};

START_TEST(test_gives)
{
	json_t *model = json_loads(cases[_i].model, 0, NULL);
	struct problem pr = {0};
	struct buf out;

	ck_assert_ptr_nonnull(model);
	buf_init(&out, 4096);
	given = cases[_i].text;
	ck_assert_msg(tmpl_render(find, "t", model, &out, &pr) == 0, "%s", pr.text);
	ck_assert_str_eq(buf_str(&out), cases[_i].want);
	buf_clear(&out);
	json_decref(model);
}
END_TEST

static const char *const wrong[] = {"loop", "open", "crossed", "unended", "nameless", "stray", "lost", "nothing"};

START_TEST(test_wrong)
{
	json_t *model = json_loads("{\"a\": true, \"b\": true}", 0, NULL);
	struct problem pr = {0};
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(tmpl_render(find, wrong[_i], model, &out, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "template"));
	buf_clear(&out);
	json_decref(model);
}
END_TEST

/* Not even a value that is long fills a page, but what goes back in a form is whole. */
START_TEST(test_long)
{
	static char text[65537];
	json_t *model = json_object();
	struct problem pr = {0};
	struct buf out;

	memset(text, 'x', sizeof text - 1);
	json_object_set_new(model, "a", json_string(text));
	buf_init(&out, 100000);
	given = "{{a}}";
	ck_assert_int_eq(tmpl_render(find, "t", model, &out, &pr), 0);
	ck_assert_uint_lt(out.len, TMPL_SHOWN + 40);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "(65536 octets)"));
	buf_reset(&out);
	given = "{{|a}}";
	ck_assert_int_eq(tmpl_render(find, "t", model, &out, &pr), 0);
	ck_assert_uint_eq(out.len, 65536);
	buf_reset(&out);
	given = "{{|a}}{{|a}}";
	ck_assert_int_eq(tmpl_render(find, "t", model, &out, &pr), -1);
	buf_clear(&out);
	json_decref(model);
}
END_TEST

/* Cut within a character, overlong, surrogates, alone: never passed on as they are. */
START_TEST(test_no_utf8)
{
	static const char in[] = "\xc3|\xe2\x82|\xc0\xbc|\xed\xa0\x80|\xf5\x80\x80\x80|\xff";
	struct buf out;

	buf_init(&out, 400);
	ck_assert_int_eq(tmpl_text_html(in, sizeof in - 1, 400, TMPL_TEXT_ONE_LINE, &out), 0);
	for (size_t i = 0; i < out.len; i++)
		ck_assert(out.p[i] == '|' || out.p[i] == 0xef || out.p[i] == 0xbf || out.p[i] == 0xbd);
	buf_reset(&out);
	ck_assert_int_eq(tmpl_text_html("a\0b", 3, 400, TMPL_TEXT_LINES, &out), 0);
	ck_assert_str_eq(buf_str(&out), "a\342\220\200b");
	buf_clear(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tmpl");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_gives, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, test_wrong, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_no_utf8);
	suite_add_tcase(s, t);
	return suite_run(s);
}
