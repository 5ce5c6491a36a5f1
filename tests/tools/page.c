/*
 * A page of the web UI as a file, without a gateway:
 *
 *   page PATH[?QUERY] [ROLE 0..4] < answers.json > page.html   answers: an object by the keys of the page's questions
 *   page asks PATH[?QUERY] [ROLE]                              which questions these are
 *   page tables                                                the paths of all pages and actions, and who may
 *   page static NAME                                           a file that browsers load
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_files.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_render.h"

static int give(const char *name)
{
	const struct page_file *f = page_files_static(name);

	if (!f)
		return 1;
	(void)fwrite(f->text, 1, f->n, stdout);
	return 0;
}

static json_t *query(char *s)
{
	json_t *o = json_object();

	for (char *save = NULL, *p = strtok_r(s, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
		char *value = strchr(p, '=');

		if (value)
			*value++ = '\0';
		page_json_set(o, p, page_json_text(value ? value : ""));
	}
	return o;
}

static int asks(const struct page *p, const struct page_request *rq)
{
	json_t *list = json_array();
	struct problem pr = {0};
	int rc;

	for (const struct page_question *q = p ? p->questions : NULL; q && q->verb; q++) {
		json_t *args = page_args_asked(q, rq) ? page_args(q, rq, &pr) : NULL;

		if (args)
			page_json_add(
			    list, json_pack("{s:b, s:s, s:o, s:s, s:b}", "relay", q->whom == PAGE_RELAY, "verb",
				      q->verb, "args", args, "key", q->key, "may", q->may == PAGE_MAY_FAIL));
	}
	rc = json_dumpf(list, stdout, 0);
	json_decref(list);
	return rc;
}

static int tables(void)
{
	json_t *pages = json_array(), *actions = json_array(), *o;
	const struct page_action *a;
	const struct page *p;
	int rc;

	for (size_t i = 0; (p = page_at(i)); i++)
		page_json_add(pages, json_pack("{s:s, s:i}", "path", p->path, "least", (int)p->least));
	for (size_t i = 0; (a = page_action_at(i)); i++)
		page_json_add(actions, json_pack("{s:s, s:i}", "path", a->path, "least", (int)a->least));
	o = json_pack("{s:o, s:o}", "pages", pages, "actions", actions);
	rc = json_dumpf(o, stdout, 0);
	json_decref(o);
	return rc;
}

int main(int argc, char **argv)
{
	struct page_request rq = {.user = "anna", .role = PAGE_ADMIN, .csrf = "token", .now = (int64_t)time(NULL)};
	struct problem pr = {0};
	const struct page *p;
	json_t *answers;
	bool asking = argc > 2 && strcmp(argv[1], "asks") == 0;
	struct buf out;
	char *mark;
	int rc;

	argc -= asking;
	argv += asking;
	if (argc == 3 && strcmp(argv[1], "static") == 0)
		return give(argv[2]);
	if (argc == 2 && strcmp(argv[1], "tables") == 0)
		return tables();
	if (argc < 2 || !(answers = asking ? json_object() : json_loadf(stdin, 0, NULL)))
		return 2;
	mark = strchr(argv[1], '?');
	if (mark)
		*mark++ = '\0';
	rq.path = argv[1];
	rq.query = query(mark ? mark : (char[]){""});
	if (argc > 2)
		rq.role = (enum page_role)strtol(argv[2], NULL, 10);
	buf_init(&out, PAGE_OCTETS_MAX);
	p = page_find(rq.path, rq.segments);
	if (asking) {
		rc = asks(p, &rq);
	} else {
		rc = p ? page_render(p, &rq, answers, &out, &pr)
		       : page_render_error(&rq, 404, "There is no such page.", &out, &pr);
		if (rc == 0)
			(void)fwrite(out.p, 1, out.len, stdout);
		else
			(void)fprintf(stderr, "%s\n", pr.text);
	}
	buf_clear(&out);
	json_decref(answers);
	json_decref((json_t *)(uintptr_t)rq.query);
	return rc == 0 ? 0 : 1;
}
