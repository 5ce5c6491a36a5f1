/*
 * Templates are ours, values are strangers': whatever a value holds, a page has the same tags with it as without.
 * The first octet chooses a page; the rest is every text in its model. What is no UTF-8 goes the way of tmpl_text
 * alone, as JSON does not hold it; and a template of the fuzzer's own neither crashes nor runs on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_files.h"
#include "admin-ui/page/tmpl.h"
#include "admin-ui/page/tmpl_text.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *given;
static size_t given_n;

static const char *find(const char *name, size_t *n_r)
{
	if (strcmp(name, "given") != 0)
		return page_files_template(name, n_r);
	*n_r = given_n;
	return given;
}

static size_t count(const struct buf *b, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == (uint8_t)c;
	return n;
}

static void check_value(const char *p, size_t n)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	if (tmpl_text_html(p, n, n, TMPL_TEXT_ONE_LINE, &out) == 0)
		for (size_t i = 0; i < out.len; i++)
			REQUIRE(out.p[i] >= 0x20 && !strchr("<>\"'\177", out.p[i]));
	buf_reset(&out);
	if (tmpl_text_url(p, n, &out) == 0)
		for (size_t i = 0; i < out.len; i++)
			REQUIRE(out.p[i] > 0x20 && out.p[i] < 0x7f && !strchr("<>\"'&/?#:", out.p[i]));
	buf_clear(&out);
}

static json_t *model(const char *value, size_t n)
{
	json_t *text = json_stringn(value, n), *o, *row;

	if (!text)
		return NULL;
	row = json_pack("{s:O, s:O, s:O, s:O, s:O, s:O}", "domain", text, "note", text, "treatment", text, "strength",
	    text, "sha256", text, "address", text);
	o = json_pack("{s:O, s:O, s:O, s:{s:b, s:b}, s:{s:[O]}, s:[O], s:b, s:O, s:{s:O}}", "title", text, "segment",
	    text, "error", text, "can", "operator", 1, "trust", 1, "list", "partners", row, "messages", row,
	    "has_rows", 1, "q", text, "form", "note", text);
	json_decref(row);
	json_decref(text);
	return o;
}

static void check_page(const char *name, const char *value, size_t n)
{
	json_t *plain = model("x", 1), *m = model(value, n);
	struct buf with, without;

	buf_init(&with, 8 << 20);
	buf_init(&without, 8 << 20);
	if (m && n > 0 && tmpl_render(find, name, plain, &without, NULL) == 0) {
		REQUIRE(tmpl_render(find, name, m, &with, NULL) == 0);
		REQUIRE(count(&with, '<') == count(&without, '<') && count(&with, '"') == count(&without, '"'));
	}
	buf_clear(&with);
	buf_clear(&without);
	json_decref(plain);
	json_decref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *p = malloc(size ? size : 1); /* its own block */
	const char *name;
	struct buf out;
	json_t *m;

	if (size < 2 || size > 65536) {
		free(p);
		return 0;
	}
	memcpy(p, data + 1, size - 1);
	check_value(p, size - 1);
	name = page_files_template_at(data[0]);
	if (name)
		check_page(name, p, size - 1);
	given = p;
	given_n = size - 1;
	m = model("<x>", 3);
	buf_init(&out, 1 << 20);
	if (tmpl_render(find, "given", m, &out, NULL) == 0)
		REQUIRE(out.len <= 1 << 20);
	buf_clear(&out);
	json_decref(m);
	free(p);
	return 0;
}
