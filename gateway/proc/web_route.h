/* The table of what the HTTP interface answers: path, whom it asks with which verb, which arguments. Role web; pure.
 */
#ifndef POSTERN_PROC_WEB_ROUTE_H
#define POSTERN_PROC_WEB_ROUTE_H

#include <jansson.h>
#include <stddef.h>

enum web_kind {
	WEB_ALIVE,   /* this process answers: 200 */
	WEB_READY,   /* judge and relay do, too */
	WEB_OPENAPI, /* the description of all this */
	WEB_METRICS, /* status as Prometheus reads it */
	WEB_STATUS,  /* what judge and relay say of themselves */
	WEB_JUDGE,   /* the judge's answer to verb */
	WEB_RELAY,   /* the relay's, when the judge lets the token through */
};
enum { WEB_ROUTE_VALUE_MAX = 400 };

struct web_route {
	const char *path; /* "{}": one segment, given as argument `segment` */
	enum web_kind kind;
	const char *verb, *segment;
	const char *args;  /* of the query: " after max#", each behind a blank, numbers with '#' */
	const char *least; /* WEB_RELAY: the judge's verb that says whether it may be asked */
	const char *has;   /* names that its answer has, each behind a blank; "": it is no JSON */
	const char *help;
	const char *method; /* NULL: GET (and HEAD) */
	const char *body; /* fields of the JSON object that is sent, as args; '?' true or false, '+' a list of texts,
			   * '{' an object, '*' in front: needed */
	int guarded;	  /* 1: If-Match counts, and the judge compares (argument "if_match") */
};

const struct web_route *web_route_at(size_t i);
/* path: percent-decoded, without the query; method: GET, HEAD, POST ... NULL: there is none; allow_r then lists the
 * methods that this path has, "" when there is no such path. args_r: a new object, with the segment's value in it;
 * json_decref it (NULL with NULL). */
enum { WEB_ROUTE_ALLOW = 60 };
const struct web_route *web_route_find(
    const char *path, const char *method, json_t **args_r, char allow_r[WEB_ROUTE_ALLOW]);
/* The fields of an object that was sent into args: each known, of its kind, the needed ones there. 0 / -1 with why.
 */
int web_route_body(const struct web_route *r, const json_t *sent, json_t *args, char why[200])
    __attribute__((warn_unused_result));
/* One argument of the query into args. 0, or -1 with the sentence in why. */
int web_route_arg(const struct web_route *r, const char *name, const char *value, json_t *args, char why[200])
    __attribute__((warn_unused_result));

#endif
