/* The steps of one question. Role judge. No I/O. */
#include "certstore/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

enum { FIRST = 16 };

void trace_clear(struct trace *t)
{
	free(t->v);
	*t = (struct trace){0};
}

void trace_restart(struct trace *t)
{
	t->n = 0;
	t->more = false;
}

static void grow(struct trace *t)
{
	t->cap = t->cap == 0 ? FIRST : t->cap * 2;
	if (t->cap > TRACE_STEPS_MAX)
		t->cap = TRACE_STEPS_MAX;
	t->v = mem_resize(t->v, t->cap * sizeof(*t->v));
}

struct trace_step *trace_add(struct trace *t, const char *place, const char *fmt, ...)
{
	struct trace_step *s;
	va_list ap;

	if (t == NULL)
		return NULL;
	if (t->n == TRACE_STEPS_MAX) {
		t->more = true;
		return NULL;
	}
	if (t->n == t->cap)
		grow(t);
	s = &t->v[t->n++];
	memset(s, 0, sizeof(*s));
	(void)snprintf(s->place, sizeof(s->place), "%s", place);
	va_start(ap, fmt);
	(void)vsnprintf(s->query, sizeof(s->query), fmt, ap);
	va_end(ap);
	return s;
}
