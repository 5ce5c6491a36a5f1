/*
 * One request for a page of the web UI, or of a form that does something: finds it in the tables of
 * admin-ui/page/page.c, asks the judge and the relay one question after the other, draws the page or says where to
 * go. Role web, loop thread; does not block. It knows nothing of HTTP connections: the other side gives it a door.
 */
#ifndef POSTERN_PROC_WEB_PAGE_H
#define POSTERN_PROC_WEB_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "admin-ui/page/page.h"
#include "gateway/base/buf.h"

struct web_page;

/* What the other side does for a request; ctx is its own. */
struct web_page_door {
	/* Asks for it as the request's user; takes args. Answers later, or at once, by web_page_said. */
	void (*ask)(void *ctx, enum page_whom whom, const char *verb, json_t *args);
	/* The answer, once: a page, or 303 to a path of ours. */
	void (*finish)(void *ctx, unsigned status, const struct buf *html);
	void (*redirect)(void *ctx, const char *where);
};

/* All of it must stay until web_page_free. Objects as in struct page_request. */
struct web_page_asked {
	bool post;
	const char *path; /* decoded */
	const json_t *query, *form;
	const char *user; /* "" and PAGE_ANYBODY: nobody has signed in */
	enum page_role role;
	const char *csrf; /* what the form's field must hold */
	int64_t now;
};

struct web_page *web_page_new(const struct web_page_asked *a, const struct web_page_door *door, void *ctx);
/* Begins; the door may be used before it returns. */
void web_page_begin(struct web_page *w);
/* The answer to what was asked: data (borrowed), or NULL with the error's code and sentence. */
void web_page_said(struct web_page *w, json_t *data, const char *code, const char *text);
/* At any time; nothing may be said afterwards. NULL is allowed. */
void web_page_free(struct web_page *w);

#endif
