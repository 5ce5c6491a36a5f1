/*
 * The configuration file on libconfuse: grammar there, meaning here. Parent and every child before its sandbox.
 *
 * Every scalar is a string to libconfuse; its value callback runs while the line is known, checks the value by its
 * table row and says FILE:LINE and what is allowed. libconfuse would let a later assignment win without a word; here
 * giving a setting twice is refused, because the one that lost may be the one that protects. libconfuse's scanner is
 * global, so one thread parses at a time.
 */
#include "gateway/base/settings.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/settings_text.h"
#include "gateway/base/settings_value.h"

enum {
	SETTINGS_MEMORY_MAX = 64 * 1024 * 1024,
	SEEN = 1 << 28, /* ours in cfg_opt_t.flags; libconfuse uses the low bits only */
};

struct part {
	char *title;
	void *data;
};

/* All instances of one section, in file order. */
struct group {
	const struct settings_section *section;
	struct part *parts;
	size_t n;
	void *defaults; /* for an untitled section the file does not have */
};

struct settings {
	struct arena *arena;
	struct group *groups;
	size_t ngroups;
};

/* libconfuse's callbacks get no pointer of ours. */
static struct parse {
	const char *file;
	const struct settings_section *sections;
	size_t nsections;
	struct problem *pr;
	int failed;
} * parse;

static const struct settings_section *find_section(const char *name)
{
	if (strcmp(name, "root") == 0)
		name = "";
	for (size_t i = 0; i < parse->nsections; i++)
		if (strcmp(parse->sections[i].name, name) == 0)
			return &parse->sections[i];
	return NULL;
}

static const struct setting *find_row(const struct settings_section *s, const char *name)
{
	for (size_t i = 0; s && i < s->nrows; i++)
		if (strcmp(s->rows[i].name, name) == 0)
			return &s->rows[i];
	return NULL;
}

/* The first problem stays. */
static int wrong(cfg_t *cfg, const struct problem *why)
{
	if (!parse->failed)
		problem_perm(parse->pr, "%s:%d: %s", parse->file, cfg->line, why->text);
	parse->failed = 1;
	return -1;
}

static void name_place(const struct settings_section *s, char *out, size_t cap)
{
	if (!s || !*s->name)
		snprintf(out, cap, "at the top level");
	else
		snprintf(out, cap, "in section \"%s\"", s->name);
}

static int unknown_name(cfg_t *cfg, const char *name)
{
	const struct settings_section *s = find_section(cfg->name);
	struct problem why;
	char place[100];
	struct buf allowed;
	bool cut = false;

	buf_init(&allowed, 400);
	for (size_t i = 0; s && i < s->nrows && !cut; i++)
		cut = buf_addf(&allowed, "%s%s", allowed.len ? ", " : "", s->rows[i].name) < 0;
	for (size_t i = 0; (!s || !*s->name) && i < parse->nsections && !cut; i++)
		if (*parse->sections[i].name)
			cut =
			    buf_addf(&allowed, "%ssection %s", allowed.len ? ", " : "", parse->sections[i].name) < 0;
	name_place(s, place, sizeof place);
	problem_perm(&why, "setting \"%.60s\" is not known %s: allowed is %s%s", name, place, buf_str(&allowed),
	    cut ? " and more (posternd -H says all)" : "");
	buf_clear(&allowed);
	return wrong(cfg, &why);
}

/* libconfuse's own complaints. Its words are told apart by their formats (no translation is loaded: nobody calls
 * setlocale). */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct problem why;
	char words[200];

	if (strncmp(fmt, "no such option", 14) == 0 || strncmp(fmt, "no sub-section", 14) == 0) {
		unknown_name(cfg, va_arg(ap, const char *));
		return;
	}
	if (strncmp(fmt, "found duplicate title", 21) == 0) {
		problem_perm(&why, "the section \"%.80s\" is given twice: allowed is one with each title",
		    va_arg(ap, const char *));
		wrong(cfg, &why);
		return;
	}
	vsnprintf(words, sizeof words, fmt, ap);
	problem_perm(
	    &why, "%s: allowed is name = value, name = {a, b}, section {...} or section \"title\" {...}", words);
	wrong(cfg, &why);
}

/* `"section|name" = value` would set something in a section that was closed before. */
static int is_own(cfg_t *cfg, const cfg_opt_t *opt)
{
	for (const cfg_opt_t *o = cfg->opts; o->name; o++)
		if (o == opt)
			return 1;
	return 0;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct setting *row = find_row(find_section(cfg->name), opt->name);
	struct problem why;

	if (!is_own(cfg, opt) || !row)
		return unknown_name(cfg, opt->name);
	if (opt->nvalues == 1 && opt->flags & SEEN) {
		problem_perm(&why, "setting \"%s\" is given twice: allowed is once", row->name);
		return wrong(cfg, &why);
	}
	opt->flags |= SEEN;
	if (settings_value_check(row, value, &why) < 0)
		return wrong(cfg, &why);
	*(const char **)result = value;
	return 0;
}

/* What can be said only when all settings of a section are there. */
static int check_whole(cfg_t *cfg, const struct settings_section *s)
{
	char place[100];
	struct problem why;

	name_place(s, place, sizeof place);
	for (size_t i = 0; i < s->nrows; i++) {
		cfg_opt_t *opt = cfg_getopt(cfg, s->rows[i].name);

		if (opt->nvalues == 0 && opt->flags & SEEN) {
			problem_perm(&why, "setting \"%s\" is given twice: allowed is once", s->rows[i].name);
			return wrong(cfg, &why);
		}
		if (opt->nvalues == 0 && !s->rows[i].dflt) {
			char allowed[300];

			settings_value_allowed(&s->rows[i], allowed, sizeof allowed);
			problem_perm(
			    &why, "setting \"%s\" is missing %s: allowed is %s", s->rows[i].name, place, allowed);
			return wrong(cfg, &why);
		}
	}
	return 0;
}

static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct settings_section *s = find_section(opt->name);
	struct problem why;

	if (!s->titled && opt->nvalues > 1) {
		problem_perm(&why, "section \"%s\" is given twice: allowed is once", s->name);
		return wrong(cfg, &why);
	}

	cfg_t *section = opt->values[opt->nvalues - 1]->section;

	return check_whole(section, s);
}

static void put_rows(cfg_opt_t *to, const struct settings_section *s)
{
	for (size_t i = 0; i < s->nrows; i++) {
		if (s->rows[i].type == SETTING_LIST)
			to[i] = (cfg_opt_t)CFG_STR_LIST_CB(s->rows[i].name, NULL, CFGF_NODEFAULT, on_value);
		else
			to[i] = (cfg_opt_t)CFG_STR_CB(s->rows[i].name, NULL, CFGF_NODEFAULT, on_value);
	}
}

static cfg_opt_t *section_opts(const struct settings_section *s)
{
	cfg_opt_t *opts = mem_new((s->nrows + 1) * sizeof *opts);

	put_rows(opts, s);
	opts[s->nrows] = (cfg_opt_t)CFG_END();
	return opts;
}

/* libconfuse copies the table deeply; ours is freed again. */
static cfg_t *new_cfg(void)
{
	const struct settings_section *top = find_section("");
	size_t n = top ? top->nrows : 0;
	cfg_opt_t *opts = mem_new((n + parse->nsections + 1) * sizeof *opts);

	if (top)
		put_rows(opts, top);

	size_t first = n;

	for (size_t i = 0; i < parse->nsections; i++) {
		const struct settings_section *s = &parse->sections[i];

		if (!*s->name)
			continue;
		REQUIRE(strcmp(s->name, "root") != 0);
		opts[n] = (cfg_opt_t)CFG_SEC(
		    s->name, section_opts(s), CFGF_MULTI | (s->titled ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : 0));
		opts[n++].validcb = on_section;
	}
	opts[n] = (cfg_opt_t)CFG_END();

	cfg_t *cfg = cfg_init(opts, CFGF_NONE);

	for (size_t i = first; i < n; i++)
		free(opts[i].subopts);
	free(opts);
	if (!cfg)
		log_fatal("out of memory: configuration");
	cfg_set_error_function(cfg, on_error);
	return cfg;
}

static int store_given(const struct setting *row, const cfg_opt_t *opt, struct arena *a, void *data)
{
	char **values = mem_new((opt->nvalues + 1) * sizeof *values);

	for (unsigned i = 0; i < opt->nvalues; i++)
		values[i] = opt->values[i]->string;

	int r = settings_value_store(row, values, opt->nvalues, a, data);

	free(values);
	return r;
}

/* A module's struct from a section, or from the defaults alone (cfg NULL). NULL when the arena is full. */
static void *fill(struct arena *a, const struct settings_section *s, cfg_t *cfg)
{
	void *data = arena_alloc(a, s->size);

	for (size_t i = 0; data && i < s->nrows; i++) {
		const struct setting *row = &s->rows[i];
		cfg_opt_t *opt = cfg ? cfg_getopt(cfg, row->name) : NULL;
		int r = 0;

		if (opt && opt->flags & CFGF_MODIFIED) /* an empty list written out counts as given */
			r = store_given(row, opt, a, data);
		else if (row->dflt)
			r = settings_value_default(row, a, data);
		if (r < 0)
			return NULL;
	}
	return data;
}

static int fill_group(struct settings *s, struct group *g, cfg_t *cfg)
{
	unsigned n = *g->section->name ? cfg_size(cfg, g->section->name) : 1;

	g->parts = arena_alloc(s->arena, n * sizeof *g->parts);
	if (!g->parts || !(g->defaults = fill(s->arena, g->section, NULL)))
		return -1;
	for (unsigned i = 0; i < n; i++) {
		cfg_t *from = *g->section->name ? cfg_getnsec(cfg, g->section->name, i) : cfg;
		const char *title = cfg_title(from);

		g->parts[i].title = arena_str(s->arena, title ? title : "");
		g->parts[i].data = fill(s->arena, g->section, from);
		if (!g->parts[i].title || !g->parts[i].data)
			return -1;
		g->n++;
	}
	return 0;
}

static struct settings *collect(cfg_t *cfg)
{
	struct settings *s = mem_new(sizeof *s);

	s->arena = arena_new(SETTINGS_MEMORY_MAX);
	s->groups = mem_new(parse->nsections * sizeof *s->groups);
	s->ngroups = parse->nsections;
	for (size_t i = 0; i < s->ngroups; i++) {
		s->groups[i].section = &parse->sections[i];
		if (fill_group(s, &s->groups[i], cfg) == 0)
			continue;
		problem_perm(parse->pr, "%s:%d: the settings need more than %d octets: allowed is less", parse->file,
		    cfg->line, SETTINGS_MEMORY_MAX);
		settings_free(s);
		return NULL;
	}
	return s;
}

static struct settings *parse_clean(const char *text)
{
	const struct settings_section *top = find_section("");
	struct settings *s = NULL;
	cfg_t *cfg = new_cfg();
	int r = cfg_parse_buf(cfg, text);

	if (r == CFG_SUCCESS && !parse->failed && (!top || check_whole(cfg, top) == 0))
		s = collect(cfg);
	else if (!parse->failed) /* it says nothing about an empty name */
		problem_perm(parse->pr,
		    "%s:%d: not understood: allowed is name = value, name = {a, b}, section {...} or "
		    "section \"title\" {...}",
		    parse->file, cfg->line);
	cfg_free(cfg);
	return s;
}

int settings_parse(const char *file, const char *text, size_t n, const struct settings_section *sections,
    size_t nsections, struct settings **out_r, struct problem *pr)
{
	struct parse p = {.file = file, .sections = sections, .nsections = nsections, .pr = pr};
	char *clean = mem_new(n + 1);

	*out_r = NULL;
	REQUIRE(!parse);
	parse = &p;
	if (settings_text_clean(file, text, n, clean, pr) == 0)
		*out_r = parse_clean(clean);
	parse = NULL;
	mem_free_secret(clean, n);
	return *out_r ? 0 : -1;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	free(s->groups);
	free(s);
}

static const struct group *find_group(const struct settings *s, const char *section)
{
	for (size_t i = 0; i < s->ngroups; i++)
		if (strcmp(s->groups[i].section->name, section) == 0)
			return &s->groups[i];
	log_panic("no settings section \"%s\"", section);
}

const void *settings_get(const struct settings *s, const char *section)
{
	const struct group *g = find_group(s, section);

	REQUIRE(!g->section->titled);
	return g->n ? g->parts[0].data : g->defaults;
}

size_t settings_count(const struct settings *s, const char *section)
{
	return find_group(s, section)->n;
}

const void *settings_at(const struct settings *s, const char *section, size_t i, const char **title_r)
{
	const struct group *g = find_group(s, section);

	REQUIRE(i < g->n);
	if (title_r)
		*title_r = g->parts[i].title;
	return g->parts[i].data;
}
