#include "interop/kit/compare.h"

#include <string.h>

#include "interop/kit/result.h"
#include "interop/kit/visible.h"

static void add_text(struct buf *b, const char *text)
{
	visible_add(b, text, strlen(text));
}

static void add_run(struct buf *b, const char *word, const json_t *r)
{
	const json_t *gateway = json_object_get(r, "gateway");
	size_t count[3];

	result_count(r, NULL, count);
	buf_addf(b, "%s: ", word);
	add_text(b, result_member(gateway, "name"));
	buf_adds(b, " ");
	add_text(b, result_member(gateway, "version"));
	buf_addf(b, ", %s, run %s, cases %.12s: %zu passed, %zu failed, %zu not run\n", result_member(r, "began"),
	    result_member(r, "run"), result_member(r, "cases-hash"), count[PASSED], count[FAILED], count[NOT_RUN]);
}

/* the results of all cases by their ids */
static json_t *by_id(const json_t *r)
{
	const json_t *cases = json_object_get(r, "cases");
	json_t *all = json_object();

	for (size_t i = 0; i < json_array_size(cases); i++) {
		json_t *c = json_array_get(cases, i);

		json_object_set(all, result_member(c, "id"), c);
	}
	return all;
}

/* why it is not passed: the first finding of that verdict */
static void add_reason(struct buf *b, const json_t *c)
{
	const json_t *findings = json_object_get(c, "findings");
	const char *is = result_member(c, "result");

	for (size_t i = 0; strcmp(is, "passed") != 0 && i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);

		if (strcmp(result_member(f, "result"), is) != 0)
			continue;
		buf_adds(b, " (");
		add_text(b, result_member(f, "sentence"));
		buf_adds(b, ")");
		return;
	}
}

static size_t compare(const json_t *old, const json_t *new, struct buf *say)
{
	json_t *before = by_id(old), *one;
	const json_t *cases = json_object_get(new, "cases");
	size_t same = 0, worse = 0;
	const char *id;

	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *now = json_array_get(cases, i),
			     *was = json_object_get(before, result_member(now, "id"));
		const char *is = result_member(now, "result");

		id = result_member(now, "id");
		if (was && !strcmp(result_member(was, "result"), is)) {
			same++;
		} else {
			buf_addf(say, "%s: %s%s, %s now", id, was ? result_member(was, "result") : "new",
			    was ? " before" : "", is);
			add_reason(say, now);
			buf_adds(say, "\n");
		}
		worse += was && !strcmp(result_member(was, "result"), "passed") && strcmp(is, "passed") != 0;
		json_object_del(before, id);
	}
	/* what is left out is not better than what failed */
	json_object_foreach(before, id, one)
	{
		buf_addf(say, "%s: %s before, gone now\n", id, result_member(one, "result"));
		worse += !strcmp(result_member(one, "result"), "passed");
	}
	buf_addf(
	    say, "%zu cases have the result they had before; %zu that passed before do not pass now\n", same, worse);
	json_decref(before);
	return worse;
}

int compare_runs(const char *old_dir, const char *new_dir, struct buf *say, size_t *worse, struct buf *why)
{
	json_t *old = result_read(old_dir, why), *new = result_read(new_dir, why);
	size_t n = 0;
	int rc = -1;

	if (old && new) {
		add_run(say, "before", old);
		add_run(say, "now", new);
		n = compare(old, new, say);
		rc = 0;
	}
	if (worse)
		*worse = n;
	json_decref(old);
	json_decref(new);
	return rc;
}
