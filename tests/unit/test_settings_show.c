/* What a configuration comes to: values, defaults, what is changed, what is never told. */
#include "gateway/base/settings_show.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

struct part {
	char *name, *password, *password_file;
	int64_t size, wait;
	bool on;
	int word;
	struct settings_list list;
};
#define AT(f) offsetof(struct part, f)
static const char *const words[] = {"low", "high", NULL};
static const struct setting rows[] = {
    {"name", SETTING_STR, AT(name), NULL, 0, 80, NULL, "Needed.", NULL},
    {"password", SETTING_STR, AT(password), "", 0, 80, NULL, "Secret.", NULL},
    {"password-file", SETTING_STR, AT(password_file), "", 0, 80, NULL, "Where it lies.", NULL},
    {"size", SETTING_SIZE, AT(size), "64k", 1, 1 << 30, NULL, "Size.", NULL},
    {"wait", SETTING_DURATION, AT(wait), "5m", 1, 1 << 30, NULL, "Wait.", NULL},
    {"on", SETTING_BOOL, AT(on), "no", 0, 0, NULL, "On.", NULL},
    {"word", SETTING_ENUM, AT(word), "low", 0, 0, words, "Word.", NULL},
    {"list", SETTING_LIST, AT(list), "a, b", 0, 0, NULL, "List.", NULL},
};
static const struct settings_section sections[] = {
    {"one", rows, sizeof rows / sizeof *rows, sizeof(struct part), false},
    {"many", rows, sizeof rows / sizeof *rows, sizeof(struct part), true},
};

static char said[4000];

static void note(void *ctx, const struct settings_shown *s)
{
	size_t n = strlen(said);

	ck_assert_ptr_eq(ctx, said);
	ck_assert(s->help[0] != '\0');
	(void)snprintf(said + n, sizeof said - n, "%s/%s/%s=%s (%s)%s%s\n", s->section, s->title, s->name, s->value,
	    s->dflt ? s->dflt : "none", s->changed ? " changed" : "", s->hidden ? " hidden" : "");
}

static const struct {
	const char *text, *want;
} files[] = {
    {"", "one//name= (none)\none//password= () hidden\none//password-file= ()\none//size=64k (64k)\n"
	 "one//wait=5m (5m)\none//on=no (no)\none//word=low (low)\none//list=a, b (a, b)\n"},
    {"one { name = x\n password = hunter2\n password-file = /p\n size = 65536\n wait = 300s\n on = yes\n word = "
     "high\n "
     "list = {c} }\n",
	"one//name=x (none) changed\none//password= () changed hidden\none//password-file=/p () changed\n"
	"one//size=64k (64k)\none//wait=5m (5m)\none//on=yes (no) changed\none//word=high (low) changed\n"
	"one//list=c (a, b) changed\n"},
};

START_TEST(shown)
{
	struct settings *s;
	struct problem pr = {0};

	ck_assert_msg(
	    settings_parse("f", files[_i].text, strlen(files[_i].text), sections, 2, &s, &pr) == 0, "%s", pr.text);
	said[0] = '\0';
	ck_assert_int_eq(settings_show(s, sections, 2, note, said), 0);
	ck_assert_str_eq(said, files[_i].want);
	settings_free(s);
}
END_TEST

START_TEST(titled)
{
	static const char text[] = "many \"a\" { name = x\n }\nmany \"b\" { name = y\n on = yes\n }\n";
	struct settings *s;
	struct problem pr = {0};

	ck_assert_msg(settings_parse("f", text, strlen(text), sections, 2, &s, &pr) == 0, "%s", pr.text);
	said[0] = '\0';
	ck_assert_int_eq(settings_show(s, sections, 2, note, said), 0);
	ck_assert_ptr_nonnull(strstr(said, "many/a/name=x (none) changed\n"));
	ck_assert_ptr_nonnull(strstr(said, "many/a/on=no (no)\n"));
	ck_assert_ptr_nonnull(strstr(said, "many/b/on=yes (no) changed\n"));
	settings_free(s);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("settings_show");
	TCase *t = tcase_create("settings_show");

	tcase_add_loop_test(t, shown, 0, sizeof files / sizeof *files);
	tcase_add_test(t, titled);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
