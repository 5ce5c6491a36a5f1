#include "interop/kit/requirements.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/result.h"
#include "interop/kit/visible.h"

#define TEXT_MAX (1024 * 1024)
#define ALL_MAX 2000
#define ID_MAX 60

static void clear(struct requirement *r)
{
	free(r->id);
	free(r->reference);
	free(r->must);
	free(r->failure);
	free(r->profile);
	*r = (struct requirement){0};
}

void requirements_free(struct requirement_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		clear(&l->all[i]);
	free(l->all);
	*l = (struct requirement_list){0};
}

static const struct requirement *find(const struct requirement_list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->all[i].id, id))
			return &l->all[i];
	return NULL;
}

/* "ID  RFC 8551 3.3" */
static int first_line(struct requirement *r, const char *p, size_t n, struct buf *why)
{
	size_t id = 0, gap;

	while (id < n && p[id] != ' ' && p[id] != '\t')
		id++;
	for (gap = id; gap < n && (p[gap] == ' ' || p[gap] == '\t');)
		gap++;
	if (gap == n)
		return fail(why, "an id, blanks and a reference are wanted");
	r->id = text_cut(p, id);
	r->reference = text_cut(p + gap, n - gap);
	if (id > ID_MAX ||
	    r->id[strspn(r->id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")] != 0)
		return fail(why, "an id has letters, digits and hyphens, %d at most", ID_MAX);
	return 0;
}

static bool begins(const char *p, size_t n, const char *word)
{
	return n >= strlen(word) && !strncmp(p, word, strlen(word));
}

static char *sentence(const char *p, size_t n, const char *word)
{
	size_t skip = strlen(word);

	while (skip < n && (p[skip] == ' ' || p[skip] == '\t'))
		skip++;
	return text_cut(p + skip, n - skip);
}

/* an indented line behind must or failure */
static int go_on(struct requirement *r, const char *p, size_t n, struct buf *why)
{
	char **last = r->failure ? &r->failure : r->must ? &r->must : NULL, *more;

	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	if (!last)
		return fail(why, "an indented line goes on with a sentence, and there is none above it");
	more = text_make("%s %.*s", *last, (int)n, p);
	free(*last);
	*last = more;
	return 0;
}

static int add_line(struct requirement *r, const char *p, size_t n, int line, struct buf *why)
{
	if (*p == ' ' || *p == '\t')
		return go_on(r, p, n, why);
	if (!r->id) {
		r->line = line;
		return first_line(r, p, n, why);
	}
	if (begins(p, n, "must:") && !r->must && !r->failure) {
		r->must = sentence(p, n, "must:");
		return 0;
	}
	if (begins(p, n, "failure:") && r->must && !r->failure) {
		r->failure = sentence(p, n, "failure:");
		return 0;
	}
	return fail(why, "%s, then \"must: ...\", then \"failure: ...\" are wanted, each once", r->id);
}

/* a block is over; it goes to the list, or it was none */
static int add_block(struct requirement_list *l, struct requirement *r, const char *profile, struct buf *why)
{
	int rc = 0;

	if (!r->id)
		return 0;
	if (!r->must || !r->failure || !*r->must || !*r->failure)
		rc = fail(why, "%s has no \"%s:\"", r->id, r->must && *r->must ? "failure" : "must");
	else if (find(l, r->id))
		rc = fail(why, "%s stands a second time (it is also in %s, line %d)", r->id, find(l, r->id)->profile,
		    find(l, r->id)->line);
	else if (l->n >= ALL_MAX)
		rc = fail(why, "there are more than %d requirements", ALL_MAX);
	if (rc < 0) {
		clear(r);
		return rc;
	}
	r->profile = text_copy(profile);
	l->all = need_more(l->all, (l->n + 1) * sizeof(*l->all));
	l->all[l->n++] = *r;
	*r = (struct requirement){0};
	return 0;
}

int requirements_parse(const char *profile, const char *text, size_t n, struct requirement_list *out, struct buf *why)
{
	struct requirement r = {0};
	int line = 0, rc = 0;
	bool skip = false; /* the rest of a block of which a line was wrong */

	if (n > TEXT_MAX || memchr(text, 0, n))
		return fail(why, "%s is larger than 1 MiB, or has a NUL octet in it", profile);
	for (const char *p = text, *end = text + n; p < end || r.id;) {
		const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL, *next = stop ? stop + 1 : end;
		size_t len = (size_t)((stop ? stop : end) - p), blank = 0;
		struct buf said = {0};

		line++;
		while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		blank = len == 0;
		if (!blank && *p != '#' && !skip && add_line(&r, p, len, line, &said) < 0)
			skip = true;
		else if (blank && !skip)
			add_block(out, &r, profile, &said);
		if (skip || blank)
			clear(&r);
		skip = skip && !blank;
		if (said.n > 0)
			rc = fail(why, "%s, line %d: %s", profile, line, said.p);
		buf_free(&said);
		p = next;
	}
	return rc;
}

static int is_profile(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 0 && e->d_name[n - 1] != '~' && !strchr(e->d_name, '.');
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int requirements_read(const char *dir, struct requirement_list *out, struct buf *why)
{
	struct dirent **found;
	int n = scandir(dir, &found, is_profile, by_name), rc = 0;

	if (n < 0)
		return fail(why, "%s: cannot be read", dir);
	for (int i = 0; i < n; i++) {
		char *path = text_make("%s/%s", dir, found[i]->d_name);
		struct buf text = {0};

		if (file_read(path, &text, why) < 0 ||
		    requirements_parse(found[i]->d_name, text.p, text.n, out, why) < 0)
			rc = -1;
		buf_free(&text);
		free(path);
		free(found[i]);
	}
	free(found);
	return rc == 0 && out->n == 0 ? fail(why, "there are no requirements in %s", dir) : rc;
}

static bool proves(const struct case_file *c, const char *id)
{
	for (size_t i = 0; i < c->n_proves; i++)
		if (!strcmp(c->proves[i], id))
			return true;
	return false;
}

static bool proved(const struct case_list *cases, const char *id)
{
	for (size_t i = 0; i < cases->n; i++)
		if (proves(&cases->cases[i], id))
			return true;
	return false;
}

static int check_case(const struct requirement_list *l, const struct case_file *c, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_proves; i++)
		if (!find(l, c->proves[i]))
			rc = fail(why, "case %s proves %s, which is no requirement", c->id, c->proves[i]);
	return rc;
}

int requirements_check(const struct requirement_list *l, const struct case_list *cases, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++)
		if (check_case(l, &cases->cases[i], why) < 0)
			rc = -1;
	for (size_t i = 0; i < l->n; i++)
		if (!proved(cases, l->all[i].id))
			rc = fail(
			    why, "no case proves %s (%s, line %d)", l->all[i].id, l->all[i].profile, l->all[i].line);
	return rc;
}

json_t *requirements_json(const struct requirement_list *l, const struct case_list *cases, struct buf *why)
{
	json_t *all = json_array();
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++)
		if (check_case(l, &cases->cases[i], why) < 0)
			rc = -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct requirement *r = &l->all[i];

		if (proved(cases, r->id))
			json_array_append_new(all,
			    json_pack("{s:o,s:o,s:o,s:o}", "id", result_text(r->id), "rfc", result_text(r->reference),
				"must", result_text(r->must), "failure", result_text(r->failure)));
	}
	if (rc == 0)
		return all;
	json_decref(all);
	return NULL;
}

static void add_proofs(const struct case_list *cases, const char *id, struct buf *out)
{
	for (size_t i = 0; i < cases->n; i++) {
		const struct case_file *c = &cases->cases[i];

		if (!proves(c, id))
			continue;
		buf_adds(out, "- `");
		visible_add(out, c->id, strlen(c->id));
		buf_adds(out, "`: ");
		markdown_add(out, c->title);
		for (size_t j = 0; j < c->n_needs; j++) {
			buf_adds(out, j ? ", `" : " (needs `");
			visible_add(out, c->needs[j], strlen(c->needs[j]));
			buf_adds(out, "`");
		}
		buf_adds(out, c->n_needs ? ")\n" : "\n");
	}
}

int profile_markdown(const struct requirement_list *l, const struct case_list *cases, const char *profile,
    struct buf *out, struct buf *why)
{
	size_t n = 0, n_cases = 0;

	for (size_t i = 0; i < l->n; i++)
		n += !strcmp(l->all[i].profile, profile);
	for (size_t i = 0; i < cases->n; i++)
		n_cases += !strcmp(cases->cases[i].profile, profile);
	if (n == 0)
		return fail(why, "there are no requirements of a profile %s", profile);
	buf_addf(out,
	    "# Profile %s\n\n%zu requirements, %zu cases. This text is made by `postern-interop profile %s` from "
	    "`interop/requirements/%s` and `interop/cases/%s/`; change those.\n",
	    profile, n, n_cases, profile, profile, profile);
	for (size_t i = 0; i < l->n; i++) {
		const struct requirement *r = &l->all[i];

		if (strcmp(r->profile, profile) != 0)
			continue;
		buf_addf(out, "\n## %s\n\n", r->id);
		markdown_add(out, r->must);
		buf_adds(out, "\n\n*Where it is said:* ");
		markdown_add(out, r->reference);
		buf_adds(out, "\n\n*If it is not so:* ");
		markdown_add(out, r->failure);
		buf_adds(out, "\n\n*Proved by:*\n\n");
		add_proofs(cases, r->id, out);
	}
	return 0;
}
