/*
 * The tables of pages and of actions: which page asks whom for what and how it is drawn; which form does what and
 * where it leads. Role web; pure. To add a page: a row in page.c, a model in a page_*.c, a template in html/ and its
 * line in page_files.c.
 *
 * Arguments of a question or an action are words with blanks between them, each NAME=SOURCE. SOURCE is {} (the first
 * hole of the path) or {2}, ?name (an argument of the query or a field of the form; left out when it is missing or
 * empty), ?name: (the same, but an empty one is sent, too), or the value itself. A NAME a.b is the member b of an
 * object a. NAME may end in # (a whole number), ! (a flag: true when the field is there and not "0"; false when it is
 * not), * (a list: all fields of that name), @ (a time in UTC as browsers send it, "2026-11-22T02:05" or
 * "2026-11-22": unix s), & (a file: its octets stand in the form as base64; without it what was typed into the field
 * NAME-text).
 */
#ifndef POSTERN_PAGE_PAGE_H
#define POSTERN_PAGE_PAGE_H

#include <jansson.h>
#include <stdint.h>

enum {
	PAGE_SEGMENTS = 2,
	PAGE_SEGMENT_MAX = 400,
	PAGE_QUESTIONS_MAX = 8,
	PAGE_OCTETS_MAX = 8 << 20,
	PAGE_MANY_MAX = 1000
};

/* As the judge's roles of users (store_user.h), in the same order. */
enum page_role { PAGE_ANYBODY, PAGE_VIEWER, PAGE_OPERATOR, PAGE_TRUST_OFFICER, PAGE_ADMIN };

struct page_question {
	enum page_whom { PAGE_JUDGE, PAGE_RELAY } whom;
	const char *verb; /* NULL: there are no more */
	const char *args;
	const char *key;  /* the answer's name in the model */
	const char *when; /* asked only when the query has this argument; NULL: always */
	/* MAY_FAIL: {"failed": text} stands for the answer; OPERATORS: the same, and asked for operators and above
	 * only */
	enum page_may { PAGE_MUST, PAGE_MAY_FAIL, PAGE_OPERATORS } may;
};

/* A request, decoded. query has texts as members; of a field that comes several times an array of texts. */
struct page_request {
	const char *path;
	char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	const json_t
	    *query;	  /* what stands behind "?"; for an action and its form shown again: the form. May be NULL */
	const char *user; /* "": nobody */
	enum page_role role;
	const char *csrf;  /* for the hidden field of forms */
	const char *error; /* of an action that failed; NULL: none */
	int64_t now;	   /* s */
};

/* Adds to the model, which has the answers by their keys. */
typedef void page_model(const struct page_request *rq, json_t *model);

struct page {
	const char *path; /* "/partners/{}"; NULL: only an action leads to it */
	const char *title;
	const char *menu; /* path of the entry of the menu that is marked */
	enum page_role least;
	const struct page_question *questions; /* NULL: none */
	page_model *model;		       /* NULL: nothing to add */
	const char *template;
};

struct page_action {
	const char *path; /* of the POST */
	enum page_role least;
	struct page_question does;
	const char *form; /* the path of the page that has the form: shown again with the error */
	const char *many; /* a field that comes several times, from once to PAGE_MANY_MAX times; NULL: none does */
	const struct page *preview; /* shown first, until the form has the field "confirm"; NULL: none */
	const struct page *result;  /* shown with the answer as "result"; NULL: 303 to then */
	const char *then;	    /* path and query with {}, {2} and {?field} in it */
};

/* NULL: there is none. The holes of the path are filled. path: decoded. */
const struct page *page_find(const char *path, char segments_r[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1]);
const struct page_action *page_action_find(const char *path, char segments_r[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1]);
/* All of them, for tests and the menu; NULL at the end. */
const struct page *page_at(size_t i);
const struct page_action *page_action_at(size_t i);

#endif
