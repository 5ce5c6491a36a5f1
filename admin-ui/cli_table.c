/* Tables that stay within the terminal. */
#include "admin-ui/cli_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin-ui/cli_out.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { GAP = 2, SHORTEST = 8, WIDTH_MAX = 400 };

struct row {
	struct row *next;
	char *values[CLI_TABLE_COLUMNS_MAX];
};
struct cli_table {
	const char *heads[CLI_TABLE_COLUMNS_MAX];
	bool right[CLI_TABLE_COLUMNS_MAX], may_shrink[CLI_TABLE_COLUMNS_MAX];
	size_t width[CLI_TABLE_COLUMNS_MAX], n;
	struct row *first, **end;
};

struct cli_table *cli_table_new(const char *const *heads)
{
	struct cli_table *t = mem_new(sizeof *t);

	t->end = &t->first;
	for (; heads[t->n] != NULL; t->n++) {
		const char *h = heads[t->n];

		REQUIRE(t->n < CLI_TABLE_COLUMNS_MAX);
		t->right[t->n] = h[0] == '>';
		t->may_shrink[t->n] = h[0] == '~';
		t->heads[t->n] = h + (h[0] == '>' || h[0] == '~');
		t->width[t->n] = cli_out_width(t->heads[t->n]);
	}
	return t;
}

void cli_table_row(struct cli_table *t, const char *const *values)
{
	struct row *r = mem_new(sizeof *r);

	for (size_t i = 0; i < t->n; i++) {
		size_t w;

		r->values[i] = cli_out_clean(values[i]);
		for (char *p = r->values[i]; *p; p++)
			if (*p == '\n')
				*p = ' ';
		w = cli_out_width(r->values[i]);
		if (w > t->width[i])
			t->width[i] = w;
	}
	*t->end = r;
	t->end = &r->next;
}

static size_t columns(void)
{
	struct winsize ws;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > CLI_OUT_COLUMNS)
		return ws.ws_col < WIDTH_MAX ? ws.ws_col : WIDTH_MAX;
	return CLI_OUT_COLUMNS;
}

/* Takes from the widest column that may shrink until all fit. */
static void shrink(struct cli_table *t)
{
	size_t sum = (t->n - 1) * GAP, room = columns();

	for (size_t i = 0; i < t->n; i++)
		sum += t->width[i];
	while (sum > room) {
		size_t widest = t->n;

		for (size_t i = 0; i < t->n; i++)
			if (t->may_shrink[i] && t->width[i] > SHORTEST &&
			    (widest == t->n || t->width[i] > t->width[widest]))
				widest = i;
		if (widest == t->n)
			return;
		t->width[widest]--;
		sum--;
	}
}

static void print_cell(const struct cli_table *t, size_t i, const char *s)
{
	size_t w = cli_out_width(s), octets = strlen(s);
	const char *more = "";

	if (w > t->width[i]) {
		octets = cli_out_fit(s, t->width[i] - 1);
		more = "…";
		w = t->width[i];
	}
	if (t->right[i])
		printf("%*s", (int)(t->width[i] - w), "");
	printf("%.*s%s", (int)octets, s, more);
	if (i + 1 == t->n)
		putchar('\n');
	else
		printf("%*s", (int)(GAP + (t->right[i] ? 0 : t->width[i] - w)), "");
}

void cli_table_print(struct cli_table *t, const char *none)
{
	if (t->first == NULL)
		cli_out_line("%s", none);
	shrink(t);
	for (size_t i = 0; t->first != NULL && i < t->n; i++)
		print_cell(t, i, t->heads[i]);
	for (struct row *r = t->first, *next; r != NULL; r = next) {
		next = r->next;
		for (size_t i = 0; i < t->n; i++) {
			print_cell(t, i, r->values[i]);
			free(r->values[i]);
		}
		free(r);
	}
	free(t);
}
