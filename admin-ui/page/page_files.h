/* Templates (html/) and what browsers load (static/), which are in the binary. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_FILES_H
#define POSTERN_PAGE_PAGE_FILES_H

#include <stddef.h>

struct page_file {
	const char *name, *type, *text;
	size_t n;
	char etag[19]; /* with its quotes */
};

/* The template of this name ("partners.html") in *n_r octets, or NULL. */
const char *page_files_template(const char *name, size_t *n_r);
/* The file behind /static/NAME; NULL: there is none. Until the next call. */
const struct page_file *page_files_static(const char *name);
/* All templates, for tests: names, NULL at the end. */
const char *page_files_template_at(size_t i);

#endif
