/* The kit's reader of mail: an answer for whatever it is, and parts that lie inside. */
#include "interop/kit/mime.h"

#include "tests/fuzz/fuzz_kit.h"

static size_t nodes, leaves;

static void node(const struct mime *m, void *arg)
{
	char *name = mime_type_parameter(m, "name");
	bool twice;

	(void)arg;
	free(name);
	free(mime_parameter(mime_value(m, "Content-Disposition"), "filename", &twice));
	nodes += 1 + mime_is_cms(m) + mime_is_signed(m) + mime_count(m, "Content-Type");
}

static void leaf(const struct mime *m, const struct buf *body, void *arg)
{
	(void)m;
	(void)arg;
	REQUIRE(body->p != NULL && body->p[body->n] == 0);
	leaves++;
}

static void whole(const struct mime *m)
{
	struct mime_range parts[20];
	struct buf out = {0}, why = {0};
	int n;

	REQUIRE(m->body >= m->all && m->body + m->body_n == m->all + m->all_n);
	n = mime_parts(m, parts, 20, &why);
	REQUIRE(n >= 0 || why.n > 0);
	for (int i = 0; i < n && i < 20; i++)
		REQUIRE(parts[i].p >= m->body && parts[i].p + parts[i].n <= m->body + m->body_n);
	buf_clear(&why);
	REQUIRE(mime_decode(m, &out, &why) == 0 || why.n > 0);
	buf_clear(&out);
	mime_canonical(m->body, m->body_n, &out);
	for (size_t i = 0; i < out.n; i++)
		REQUIRE(out.p[i] != '\n' || (i > 0 && out.p[i - 1] == '\r'));
	for (size_t i = 0; i < m->n; i++) {
		REQUIRE(m->fields[i].at >= m->all && m->fields[i].at + m->fields[i].n <= m->body);
		buf_clear(&out);
		mime_words(m->fields[i].value, &out);
	}
	buf_free(&out);
	buf_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	struct buf flat = {0};
	struct mime m;

	memcpy(copy, data, size);
	nodes = leaves = 0;
	mime_read(copy, size, &m);
	whole(&m);
	mime_free(&m);
	mime_walk(copy, size, node, leaf, NULL);
	REQUIRE(nodes > 0 && leaves > 0);
	mime_leaves(copy, size, leaf, NULL);
	mime_flatten(copy, size, &flat);
	REQUIRE(flat.p != NULL);
	buf_free(&flat);
	free(copy);
	return 0;
}
