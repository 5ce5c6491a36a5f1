/* The whole way of a configuration file: cleaning, libconfuse, values. After each input a good file must still be
 * read. */
#include "gateway/base/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	int64_t n, size, time;
	bool yes;
	char *text;
	int word;
	struct settings_list list;
};

static const char *const words[] = {"red", "green", NULL};

#define ROW(n, t, d)                                                                                                 \
	{                                                                                                            \
		.name = #n, .type = t, .offset = offsetof(struct values, n), .dflt = d, .words = words               \
	}
static const struct setting rows[] = {ROW(n, SETTING_INT, "1"), ROW(size, SETTING_SIZE, "1k"),
    ROW(time, SETTING_DURATION, "1s"), ROW(yes, SETTING_BOOL, "no"), ROW(text, SETTING_STR, ""),
    ROW(word, SETTING_ENUM, "red"), ROW(list, SETTING_LIST, "a, b")};
static const struct setting needed[] = {ROW(text, SETTING_STR, NULL), ROW(list, SETTING_LIST, "")};

#define ROWS(r) .rows = r, .nrows = sizeof r / sizeof *r, .size = sizeof(struct values)
static const struct settings_section sections[] = {
    {.name = "", ROWS(rows)}, {.name = "one", ROWS(rows)}, {.name = "many", ROWS(needed), .titled = true}};
enum { SECTIONS = sizeof sections / sizeof *sections };

static int parse(const char *text, size_t n, struct settings **s)
{
	struct problem pr;

	problem_clear(&pr);
	if (settings_parse("f", text, n, sections, SECTIONS, s, &pr) == 0)
		return 0;
	if (strncmp(pr.text, "f:", 2) != 0 || !strstr(pr.text, "allowed"))
		abort();
	return -1;
}

static void walk(const struct settings *s)
{
	const struct values *v = settings_get(s, "one");

	if (v->n < 0 || v->size < 0 || v->time < 0 || (v->word != 0 && v->word != 1) || strlen(v->text) > 1024)
		abort();
	for (size_t i = 0; i < settings_count(s, "many"); i++) {
		const char *title;

		v = settings_at(s, "many", i, &title);
		if (!v->text || !title)
			abort();
		for (size_t k = 0; k < v->list.n; k++)
			if (strlen(v->list.v[k]) > 1024)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "n = 5\none { size = 7 }\n";
	struct settings *s;

	if (parse((const char *)data, size, &s) == 0)
		walk(s);
	settings_free(s);
	if (parse(good, sizeof good - 1, &s) < 0 || ((const struct values *)settings_get(s, "one"))->size != 7)
		abort();
	settings_free(s);
	return 0;
}
