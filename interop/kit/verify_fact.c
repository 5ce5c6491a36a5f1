#include "interop/kit/verify_fact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/visible.h"

bool verify_fact(struct facts *f, bool holds, const char *format, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		die("out of memory");
	va_end(ap);
	buf_adds(f->say, holds ? "holds: " : "does not hold: ");
	if (f->about)
		buf_addf(f->say, "%s: ", f->about);
	visible_add(f->say, text, strlen(text));
	buf_adds(f->say, "\n");
	free(text);
	f->wrong += !holds;
	return holds;
}
