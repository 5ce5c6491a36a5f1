/* A configuration, setting by setting. Pure. */
#include "gateway/base/settings_show.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/mem.h"
#include "gateway/base/settings_value.h"

enum { VALUE_MAX = 1024 * 1024 };

struct show {
	void (*one)(void *ctx, const struct settings_shown *shown);
	void *ctx;
	struct arena *arena; /* of the defaults */
	void *dflt;	     /* a struct of the section with them */
};

static bool is_secret(const char *name)
{
	static const char *const words[] = {"password", "passphrase", "secret", "token"};
	size_t n = strlen(name);

	if (n > 5 && strcmp(name + n - 5, "-file") == 0)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

/* given: the section stands in the file. */
static int show_row(const struct show *sh, const struct settings_section *sec, const struct setting *row,
    const char *title, const void *data, bool given)
{
	struct settings_shown shown = {.section = sec->name,
	    .title = title,
	    .name = row->name,
	    .help = row->help,
	    .hidden = is_secret(row->name)};
	struct buf value, dflt;
	int rc = 0;

	buf_init(&value, VALUE_MAX);
	buf_init(&dflt, VALUE_MAX);
	if (row->dflt || given) /* otherwise it reads as zero and means nothing */
		rc = settings_value_text(row, data, &value);
	if (rc == 0 && row->dflt)
		rc = settings_value_default(row, sh->arena, sh->dflt) < 0 ? -1
									  : settings_value_text(row, sh->dflt, &dflt);
	if (rc == 0) {
		shown.changed = row->dflt ? strcmp(buf_str(&value), buf_str(&dflt)) != 0 : given;
		shown.dflt = row->dflt ? buf_str(&dflt) : NULL;
		shown.value = shown.hidden ? "" : buf_str(&value);
		sh->one(sh->ctx, &shown);
	}
	if (shown.hidden && value.p)
		mem_wipe(value.p, value.len);
	buf_clear(&value);
	buf_clear(&dflt);
	return rc;
}

static int show_part(
    const struct show *sh, const struct settings_section *sec, const char *title, const void *data, bool given)
{
	for (size_t i = 0; i < sec->nrows; i++)
		if (show_row(sh, sec, &sec->rows[i], title, data, given) < 0)
			return -1;
	return 0;
}

static int show_section(struct show *sh, const struct settings *s, const struct settings_section *sec)
{
	size_t n = settings_count(s, sec->name);
	const char *title;
	int rc = 0;

	sh->dflt = mem_new(sec->size);
	if (!sec->titled)
		rc = show_part(sh, sec, "", settings_get(s, sec->name), n > 0 || !*sec->name);
	for (size_t i = 0; rc == 0 && sec->titled && i < n; i++) {
		const void *data = settings_at(s, sec->name, i, &title);

		rc = show_part(sh, sec, title, data, true);
	}
	free(sh->dflt);
	return rc;
}

int settings_show(const struct settings *s, const struct settings_section *sections, size_t nsections,
    void (*one)(void *ctx, const struct settings_shown *shown), void *ctx)
{
	struct show sh = {.one = one, .ctx = ctx, .arena = arena_new((size_t)64 * 1024 * 1024)};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < nsections; i++)
		rc = show_section(&sh, s, &sections[i]);
	arena_free(sh.arena);
	return rc;
}
